"""Nobody is taken for somebody else: 200 users at once, in threads and through the bridges of Django."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import anyio
import pytest
from flask import Flask, copy_current_request_context, request, stream_with_context

from adapters.asgi_calls import get
from adapters.built.django_app import hosted
from adapters.scenarios import ISSUER
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, flask, wsgi
from bearerkit.current_caller import CALLER

from asgiref.sync import async_to_sync, sync_to_async  # isort: skip - after the settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from bearerkit import django, drf

USERS = [f"u{number}" for number in range(200)]
WORKERS = 16
NOBODY = "nobody"


class Turnstile:
    """Mixes threads: each waits a moment, unless so many others come that they let one another go."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(4)
        self._random = random.Random(7)

    def __call__(self) -> None:
        for _ in range(self._random.randrange(1, 4)):
            try:
                self._barrier.wait(0.002)
            except threading.BrokenBarrierError:
                self._barrier.reset()


def in_thread(work: Callable[[], Any]) -> Any:
    """What `work` gives in a thread that is started for it."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join(20)
    return found[0]


def name(current: Any) -> str:
    """The caller by `current_auth`, or that there is none."""
    try:
        return str(current.subject)
    except RuntimeError:
        return NOBODY


def sightings(turn: Turnstile, current: Any) -> Iterator[str]:
    """Everybody that anything in a sync handler takes for the caller; first what a bare thread sees."""
    yield in_thread(lambda: name(current))
    yield name(current)
    turn()
    yield name(current)
    yield in_thread(lambda work=copy_context(): work.run(name, current))  # type: ignore[misc]
    turn()
    yield name(current)


def wsgi_app(auth: Auth, turn: Turnstile) -> Any:
    """Its body is made while it is sent."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield str(wsgi.auth_from(environ).subject).encode()
        for seen in sightings(turn, wsgi.current_auth):
            yield f" {seen}".encode()

    return wsgi.RequireBearer(auth)(app)


def flask_app(auth: Auth, turn: Turnstile) -> Any:
    app = Flask("threads", static_folder=None)

    @app.get("/")
    @flask.RequireBearer(auth)
    def view() -> Any:
        @copy_current_request_context
        def work() -> str:
            return name(flask.current_auth)

        def stream() -> Iterator[str]:
            yield str(flask.auth_from(request).subject)
            for seen in sightings(turn, flask.current_auth):
                yield f" {seen}"
            yield f" {in_thread(work)}"

        return app.response_class(stream_with_context(stream()))

    return app


def django_view(turn: Turnstile) -> Any:
    def view(request: Any) -> Any:
        def stream() -> Iterator[str]:
            yield str(request.auth_context.subject)
            for seen in sightings(turn, django.current_auth):
                yield f" {seen}"

        return StreamingHttpResponse(stream())

    return view


def django_app(auth: Auth, turn: Turnstile) -> Any:
    return hosted(WSGIHandler, (path("", django.RequireBearer(auth)(django_view(turn))),))


def rest_app(auth: Auth, turn: Turnstile) -> Any:
    bearer = drf.RequireBearer(auth)

    class View(APIView):
        authentication_classes = (bearer.authentication,)
        permission_classes = (bearer,)

        def get(self, request: Any) -> Any:
            turn()
            seen = [request.auth.subject, request.user.username, drf.auth_from(request).subject]
            turn()
            return Response(" ".join([request.auth.subject, NOBODY, *seen, request._request.auth_context.subject]))

    return hosted(WSGIHandler, (path("", View.as_view()),))


@pytest.mark.parametrize("build", [wsgi_app, flask_app, django_app, rest_app])
def test_200_requests_in_threads_see_their_own_caller(auth: Auth, build: Any) -> None:
    """Before and after others had their turn, in bodies that are streamed, in threads with a copied context; a bare
    thread sees nobody, and nobody is left behind in a worker.
    """
    app = build(auth, Turnstile())

    def ask(user: str) -> tuple[list[str], Any]:
        call = wsgi_get(app, "/", ISSUER.token(sub=user))
        return json.loads(call.body).split() if build is rest_app else call.body.decode().split(), CALLER.get()

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = dict(zip(USERS, pool.map(ask, USERS), strict=True))
    for user, (seen, left_behind) in answers.items():
        assert seen[1] == NOBODY
        assert {*seen[:1], *seen[2:]} == {user}
        assert left_behind is None


async def _settle(times: int) -> None:
    for _ in range(times):
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_200_requests_through_the_bridges_of_django_see_their_own_caller(auth: Auth, closed: bool) -> None:
    """Async views that call sync code, sync views on an event loop, and sync code that calls async code again."""
    chance = random.Random(7)

    async def pause() -> str:
        await _settle(chance.randrange(1, 5))
        return name(django.current_auth)

    def sync_part() -> list[str]:
        return [name(django.current_auth), async_to_sync(pause)(), name(django.current_auth)]

    async def async_view(request: Any) -> Any:
        seen = [str(request.auth_context.subject), await pause(), *await sync_to_async(sync_part)(), await pause()]
        async with anyio.create_task_group() as group:

            async def task() -> None:
                seen.append(await pause())

            group.start_soon(task)
        return JsonResponse(seen, safe=False)

    def sync_view(request: Any) -> Any:
        return JsonResponse([str(request.auth_context.subject), *sync_part()], safe=False)

    guard: Any = (lambda view: view) if closed else django.RequireBearer(auth)
    settings: dict[str, Any] = {}
    if closed:
        from django.conf import settings as configured

        middleware = [*configured.MIDDLEWARE, "bearerkit.django.BearerMiddleware"]
        settings = {"MIDDLEWARE": middleware, "BEARERKIT_AUTH": auth}
    app = hosted(ASGIHandler, (path("async", guard(async_view)), path("sync", guard(sync_view))), **settings)
    answers: dict[str, set[str]] = {}

    async def ask(number: int, user: str) -> None:
        call = await get(app, "/sync" if number % 2 else "/async", ISSUER.token(sub=user))
        answers[user] = set(json.loads(call.body))

    async with anyio.create_task_group() as group:
        for number, user in enumerate(USERS):
            group.start_soon(ask, number, user)
    assert answers == {user: {user} for user in USERS}
    assert CALLER.get() is None
