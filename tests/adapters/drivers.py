"""The application of scenarios.py in each framework, and a way to send it the requests, in process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from adapters.asgi_calls import Call, http_scope
from adapters.built import asgi_app, django_app, drf_app, fastapi_app, flask_app, ninja_app, starlette_app, wsgi_app
from adapters.scenarios import Answer, Scenario, answer_of
from adapters.wsgi_calls import WsgiCall, environ_of

from django.core.handlers.asgi import ASGIHandler  # isort: skip - after the settings
from django.core.handlers.wsgi import WSGIHandler


@dataclass(frozen=True)
class Target:
    """One framework behind one kind of server. `guarded` and `closed` build the two applications."""

    kind: str
    guarded: Callable[[], Any]
    closed: Callable[[], Any]
    needs_asyncio: bool = False

    def build(self, *, closed: bool) -> Any:
        """The application that a scenario is asked of."""
        return self.closed() if closed else self.guarded()


TARGETS: Mapping[str, Target] = {
    "asgi": Target("asgi", asgi_app.guarded, asgi_app.closed),
    "starlette": Target("asgi", starlette_app.guarded, starlette_app.closed),
    "fastapi": Target("asgi", fastapi_app.guarded, fastapi_app.closed),
    "django-asgi": Target(
        "asgi",
        lambda: django_app.guarded(ASGIHandler),
        lambda: django_app.closed(ASGIHandler),
        needs_asyncio=True,
    ),
    "ninja": Target("asgi", ninja_app.guarded, ninja_app.closed, needs_asyncio=True),
    "wsgi": Target("wsgi", wsgi_app.guarded, wsgi_app.closed),
    "flask": Target("wsgi", flask_app.guarded, flask_app.closed),
    "django-wsgi": Target("wsgi", lambda: django_app.guarded(WSGIHandler), lambda: django_app.closed(WSGIHandler)),
    "drf": Target("wsgi", drf_app.guarded, drf_app.closed),
}


@cache
def application(framework: str, closed: bool) -> Any:
    return TARGETS[framework].build(closed=closed)


async def ask(framework: str, scenario: Scenario) -> Answer:
    """Send the request of a scenario to the application in an ASGI framework."""
    scope = http_scope(scenario.path, scenario.sent, method=scenario.method, query=scenario.query)
    call = await Call(application(framework, scenario.closed), scope, scenario.sends).run()
    return answer_of(call.status, call.headers, call.body)


def ask_wsgi(framework: str, scenario: Scenario) -> Answer:
    """The same in a WSGI framework."""
    environ = environ_of(
        scenario.path, scenario.sent, method=scenario.method, query=scenario.query, sends=scenario.sends
    )
    call = WsgiCall(application(framework, scenario.closed), environ)
    return answer_of(call.status, call.headers, call.body)
