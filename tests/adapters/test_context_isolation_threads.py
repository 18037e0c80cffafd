"""WSGI and Flask: eight requests are always inside at once, in lockstep, and each knows its own caller and no other.

test_callers_in_threads.py mixes threads by chance and in streamed bodies; here handlers meet at a barrier, so that
between any two looks at the caller all others have looked too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from flask import Flask, copy_current_request_context, jsonify, request, stream_with_context

from adapters.scenarios import ISSUER, STRANGER
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, flask, wsgi
from bearerkit.current_caller import CALLER

USERS = [f"u{number}" for number in range(200)]
WORKERS = 8
"""The number of users is a multiple of it, so that the barrier always fills up."""
PATIENCE = 60
NOBODY = "nobody"


def in_thread(function: Callable[[], Any]) -> Any:
    """What a function gives in a thread of its own."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join(PATIENCE)
    return found[0]


class Scene:
    """The handlers of all applications: they say whom they take for the caller. `current` is the `current_auth`."""

    def __init__(self, current: Any) -> None:
        self._current = current
        self._barrier = threading.Barrier(WORKERS, timeout=PATIENCE)

    def caller(self) -> str:
        try:
            return str(self._current.subject)
        except RuntimeError:
            return NOBODY

    def looks(self) -> Iterator[str]:
        """Before and after all others have looked, and in a thread that has a copy of the context."""
        yield self.caller()
        self._barrier.wait()
        yield self.caller()
        copied = copy_context()
        yield in_thread(lambda: copied.run(self.caller))
        self._barrier.wait()
        yield self.caller()

    def in_bare_thread(self) -> str:
        """A thread that was given nothing, while eight callers are inside."""
        self._barrier.wait()
        seen = in_thread(self.caller)
        self._barrier.wait()
        return str(seen)


def wsgi_routes(scene: Scene) -> dict[str, Any]:
    def at_once(environ: Any, start_response: Any) -> Any:
        seen = [wsgi.auth_from(environ).subject, *scene.looks()]
        start_response("200 OK", [])
        return [json.dumps([scene.in_bare_thread(), *seen]).encode()]

    def in_parts(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield f'["{scene.in_bare_thread()}", "{wsgi.auth_from(environ).subject}"'.encode()
        for seen in scene.looks():
            yield f', "{seen}"'.encode()
        yield b"]"

    def public(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [json.dumps(scene.caller()).encode()]

    return {"/at-once": at_once, "/in-parts": in_parts, "/public": public}


def by_path(routes: dict[str, Any]) -> Any:
    return lambda environ, start_response: routes[environ["PATH_INFO"]](environ, start_response)


def wsgi_guard(auth: Auth) -> Any:
    routes = wsgi_routes(Scene(wsgi.current_auth))
    guarded = {path: wsgi.RequireBearer(auth)(app) for path, app in routes.items()}
    return by_path(guarded | {"/public": routes["/public"]})


def wsgi_middleware(auth: Auth) -> Any:
    app = by_path(wsgi_routes(Scene(wsgi.current_auth)))
    return wsgi.BearerMiddleware(app, auth, exempt=["/public"])


def flask_app(guard: Callable[[Any], Any]) -> Flask:
    app, scene = Flask("isolation", static_folder=None), Scene(flask.current_auth)

    def looks() -> Iterator[str]:
        yield str(flask.auth_from(request).subject)
        yield from scene.looks()
        yield in_thread(copy_current_request_context(scene.caller))

    @app.get("/at-once")
    @guard
    def at_once() -> Any:
        return jsonify([scene.in_bare_thread(), *looks()])

    @app.get("/async")
    @guard
    async def in_loop() -> Any:
        return jsonify([scene.in_bare_thread(), *looks()])

    @app.get("/in-parts")
    @guard
    def in_parts() -> Any:
        def parts() -> Iterator[str]:
            yield f'["{scene.in_bare_thread()}"'
            for seen in looks():
                yield f', "{seen}"'
            yield "]"

        return app.response_class(stream_with_context(parts()))

    @app.get("/public")
    def public() -> Any:
        return jsonify(scene.caller())

    return app


def flask_guard(auth: Auth) -> Any:
    return flask_app(flask.RequireBearer(auth))


def flask_middleware(auth: Auth) -> Any:
    app = flask_app(lambda view: view)
    flask.BearerMiddleware(app, auth, exempt=["/public"])
    return app


@pytest.mark.parametrize(
    ("build", "path"),
    [
        *((build, path) for build in (wsgi_guard, wsgi_middleware) for path in ("/at-once", "/in-parts")),
        *((build, path) for build in (flask_guard, flask_middleware) for path in ("/at-once", "/async", "/in-parts")),
    ],
)
def test_200_users_in_lockstep_see_themselves(auth: Auth, build: Callable[[Auth], Any], path: str) -> None:
    """In handlers and in streamed bodies, before and after the others; a bare thread sees nobody. On the same worker
    a refused request and a public route, where a middleware knows an anonymous caller, find nobody left behind.
    """
    app = build(auth)

    def ask(user: str) -> tuple[list[str], list[Any]]:
        seen = json.loads(wsgi_get(app, path, ISSUER.token(sub=user)).body)
        left = [CALLER.get(), wsgi_get(app, path, STRANGER.token(sub=user)).status, CALLER.get()]
        left += [json.loads(wsgi_get(app, "/public", ISSUER.token(sub=user)).body), CALLER.get()]
        return seen, left

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = dict(zip(USERS, pool.map(ask, USERS), strict=True))
    in_public = "None" if build in (wsgi_middleware, flask_middleware) else NOBODY
    for user, ((bare, *seen), left) in answers.items():
        assert bare == NOBODY
        assert seen == [user] * len(seen)
        assert len(seen) >= 5
        assert left == [None, 401, None, in_public, None]
