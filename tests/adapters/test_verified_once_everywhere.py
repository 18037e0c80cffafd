"""A token is verified once per request, however many guards stack, in the frameworks behind WSGI and in Django."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import pytest
from flask import Flask
from flask.views import MethodView

from adapters.asgi_calls import get
from adapters.built.django_app import hosted
from adapters.scenarios import AUDIENCE, ISSUER
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, Issuer, asgi, authenticated, django, drf, flask, ninja, scope, wsgi

from django.conf import settings  # isort: skip - after the settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views import View
from ninja import NinjaAPI
from rest_framework.response import Response
from rest_framework.views import APIView

TOKEN = {"scope": "a b"}


class Counter:
    """Revocations that count how often they are asked: once per verification, whatever is cached."""

    def __init__(self) -> None:
        self.asked = 0

    async def is_revoked(self, **_: object) -> bool:
        self.asked += 1
        return False


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def counted(counter: Counter) -> Auth:
    return Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), revocations=counter)


def behind_middleware(handler: Any, routes: Any, auth: Auth) -> Any:
    """A Django project with `BearerMiddleware`, and a middleware of the server's own around it."""
    middleware = [*settings.MIDDLEWARE, "bearerkit.django.BearerMiddleware"]
    project = hosted(handler, routes, MIDDLEWARE=middleware, BEARERKIT_AUTH=auth, BEARERKIT_NEED=scope("a"))
    return (asgi if handler is ASGIHandler else wsgi).BearerMiddleware(project, auth)


def test_plain_wsgi_and_flask(counter: Counter, counted: Auth) -> None:
    """A WSGI middleware, a `before_request`, and two decorators of a class-based view."""
    app = Flask("once", static_folder=None)
    bearer = flask.RequireBearer(counted, user=lambda ctx: ctx.subject)
    flask.BearerMiddleware(app, counted, need=scope("a"))

    class Me(MethodView):
        decorators = (bearer, bearer.require(scope("b")))

        def get(self) -> Any:
            return {"subject": flask.current_auth.subject}

    app.add_url_rule("/me", view_func=Me.as_view("me"))
    guarded = wsgi.BearerMiddleware(app, counted)
    assert wsgi_get(guarded, "/me", ISSUER.token(**TOKEN)).status == 200
    assert counter.asked == 1
    assert wsgi_get(guarded, "/me", ISSUER.token(**TOKEN)).status == 200
    assert counter.asked == 2


@pytest.mark.parametrize("handler", [WSGIHandler, ASGIHandler])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_django(counter: Counter, counted: Auth, handler: Any) -> None:
    """A middleware around Django, one of Django's, the mixin, and a decorated method; sync and async."""
    bearer = django.RequireBearer(counted)

    class Sync(django.BearerRequiredMixin, View):
        need = scope("a")

        @bearer.require(scope("b"))
        def get(self, request: HttpRequest) -> JsonResponse:
            return JsonResponse({"subject": django.auth_from(request).subject})

    class Async(django.BearerRequiredMixin, View):
        need = scope("a")

        @bearer.require(scope("b"))
        async def get(self, request: HttpRequest) -> JsonResponse:
            return JsonResponse({"subject": django.auth_from(request).subject})

    routes = (path("sync", Sync.as_view(bearer=bearer)), path("async", Async.as_view(bearer=bearer)))
    app = behind_middleware(handler, routes, counted)
    for number, route in enumerate(["/sync", "/async"], 1):
        token = ISSUER.token(**TOKEN)
        if handler is WSGIHandler:
            call: Any = await anyio.to_thread.run_sync(wsgi_get, app, route, token)
        else:
            call = await get(app, route, token)
        assert call.status == 200
        assert counter.asked == number


def test_rest_framework(counter: Counter, counted: Auth) -> None:
    """Middlewares, the authentication class, and three permissions."""
    bearer = drf.RequireBearer(counted)

    class Me(APIView):
        authentication_classes = (bearer.authentication,)
        permission_classes = (bearer, bearer.require(scope("a")), bearer.require(scope("b")))

        def get(self, request: Any) -> Response:
            return Response(request.auth.subject)

    app = behind_middleware(WSGIHandler, (path("me", Me.as_view()),), counted)
    assert wsgi_get(app, "/me", ISSUER.token(**TOKEN)).status == 200
    assert counter.asked == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_ninja(counter: Counter, counted: Auth) -> None:
    """Middlewares and the guard of the operation, sync and async."""
    api = NinjaAPI(urls_namespace="once", docs_url=None, openapi_url=None)
    bearer = ninja.RequireBearer(counted)
    bearer.install(api)

    @api.get("/sync", auth=bearer.require(scope("a") & authenticated()))
    def sync(request: HttpRequest) -> str:
        return "reached"

    @api.get("/async", auth=bearer)
    async def later(request: HttpRequest) -> str:
        return "reached"

    app = behind_middleware(ASGIHandler, (path("", api.urls),), counted)
    for number, route in enumerate(["/sync", "/async"], 1):
        assert (await get(app, route, ISSUER.token(**TOKEN))).status == 200
        assert counter.asked == number
