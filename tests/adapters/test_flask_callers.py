"""Flask: `current_auth` in threads, in tasks of async views, in templates, and outside of requests."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, copy_current_request_context, jsonify, render_template_string, request

from adapters.flask_calls import sent
from adapters.scenarios import ISSUER
from adapters.test_flask_users import ALICE, BOB, app_of, closed, named, unguarded
from bearerkit import Auth
from bearerkit.flask import RequireBearer, auth_from, current_auth


def both_ways(auth: Auth, **views: Any) -> list[Flask]:
    """The same views, each guarded, and behind a guard of the whole app."""
    return [app_of(RequireBearer(auth), **views), closed(auth, app_of(unguarded, **views))]


def in_thread(function: Callable[[], Any]) -> Any:
    """What `function` returns or raises in a thread of its own."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(function())
        except RuntimeError as error:
            results.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def subject() -> str | None:
    return current_auth.subject


def test_threads(auth: Auth):
    """Those that Flask or a copied context gave the request to know its caller; a plain thread sees nobody."""

    def view() -> Any:
        copied = contextvars.copy_context()
        return jsonify(
            [
                in_thread(copy_current_request_context(subject)),
                in_thread(lambda: copied.run(subject)),
                in_thread(subject),
            ]
        )

    for app in both_ways(auth, view=view):
        *known, nobody = app.test_client().get("/view", headers=sent(ALICE)).json
        assert known == ["alice", "alice"]
        assert nobody.startswith("current_auth: nobody is calling: there is no caller outside a request")


def test_a_thread_that_outlives_its_request_keeps_its_caller(auth: Auth):
    """It sees the caller of the request that started it, whoever is served when it runs."""
    go_on, seen, threads = threading.Event(), [], []

    def late() -> None:
        go_on.wait()
        seen.append(current_auth.subject)

    def view() -> str:
        for function in (copy_current_request_context(late), lambda c=contextvars.copy_context(): c.run(late)):
            threads.append(threading.Thread(target=function))
            threads[-1].start()
        return ""

    for app in both_ways(auth, view=view):
        seen.clear()
        go_on.clear()
        for token in (ALICE, BOB):
            app.test_client().get("/view", headers=sent(token))
        go_on.set()
        for thread in threads:
            thread.join()
        assert sorted(seen) == ["alice", "alice", "bob", "bob"]


def test_tasks_of_an_async_view(auth: Auth):
    """They run in the context of the view."""

    async def view() -> Any:
        async def task() -> str | None:
            await asyncio.sleep(0)
            return current_auth.subject

        return jsonify([*await asyncio.gather(task(), task()), await asyncio.to_thread(subject)])

    for app in both_ways(auth, view=view):
        assert app.test_client().get("/view", headers=sent(ALICE)).json == ["alice"] * 3


def test_many_threads_see_their_own_caller(auth: Auth):
    """Nobody is ever taken for somebody else."""
    gate, answers = threading.Barrier(8, timeout=60), {}

    def view() -> Any:
        gate.wait()
        seen = [current_auth.subject, request.user.name]
        gate.wait()
        return jsonify([*seen, current_auth.subject, auth_from(request).subject, request.user.name])

    by_view = app_of(RequireBearer(auth, user=named("u")), view=view)
    for app in (by_view, closed(auth, app_of(unguarded, view=view), user=named("u"))):
        answers.clear()

        def ask(name: str, app: Flask = app) -> None:
            answers[name] = app.test_client().get("/view", headers=sent(ISSUER.token(sub=name))).json

        threads = [threading.Thread(target=ask, args=(f"u{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name, seen in answers.items():
            assert seen == [name, f"u:{name}", name, name, f"u:{name}"]
        assert len(answers) == 8


def test_outside_of_requests():
    """A clear message, also with an application context, and nothing else to fear of looking at it."""
    with pytest.raises(RuntimeError, match="there is no caller outside a request"):
        _ = current_auth.subject
    with Flask("x").app_context(), pytest.raises(RuntimeError, match="outside a request"):
        _ = current_auth.subject
    with Flask("x").test_request_context("/"), pytest.raises(RuntimeError, match="before RequireBearer"):
        _ = current_auth.subject
    assert repr(current_auth) == "<current_auth: nobody is calling>"


def test_templates(auth: Auth):
    """Jinja reads the context as it reads any object."""

    def view() -> str:
        return render_template_string("{{ caller.subject }} {{ caller.has_scope('a') }}", caller=current_auth)

    for app in both_ways(auth, view=view):
        assert app.test_client().get("/view", headers=sent(ALICE)).text == "alice False"
