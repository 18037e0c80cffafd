"""Ninja: whole APIs, routers and operations, sync and async; with and without `install`; the OpenAPI document."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

import anyio.to_thread
import pytest

from adapters.asgi_calls import get
from adapters.built.django_app import hosted
from adapters.scenarios import AUDIENCE, ISSUER
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, AuthContext, Issuer, scope, tenant
from bearerkit.errors import BearerkitError, InsufficientScope, PermissionDenied, TenantUnknown
from bearerkit.ninja import RequireBearer, auth_from

from django.core.handlers.asgi import ASGIHandler  # isort: skip - after the settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path
from ninja import NinjaAPI, Router
from ninja.throttling import AuthRateThrottle

AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
BARE = 'Bearer realm="api"'
_names = count()
asyncio_only = pytest.mark.parametrize("anyio_backend", ["asyncio"])


def api_of(**options: Any) -> NinjaAPI:
    return NinjaAPI(urls_namespace=f"operations-{next(_names)}", docs_url=None, **options)


def served(api: NinjaAPI, handler: Any = WSGIHandler) -> Any:
    return hosted(handler, (path("", api.urls),))


def who(request: HttpRequest) -> Any:
    return {"auth": request.auth.subject, "from": auth_from(request).subject}  # type: ignore[attr-defined]


def test_an_api_a_router_and_an_operation():
    """Each may have its own guard; `auth=None` opens one."""
    bearer = RequireBearer(AUTH)
    api, router = api_of(auth=bearer), Router(auth=bearer.require(scope("a")))
    bearer.install(api)
    api.get("/me")(who)
    api.get("/open", auth=None)(lambda request: "open")
    router.get("/orders")(who)
    router.get("/more", auth=bearer.require(scope("b")))(who)
    api.add_router("/r", router)
    app, token = served(api), ISSUER.token(sub="ada", scope="a")
    assert json.loads(wsgi_get(app, "/me", token).body) == {"auth": "ada", "from": "ada"}
    assert wsgi_get(app, "/open").status == 200
    assert wsgi_get(app, "/r/orders", token).status == 200
    assert wsgi_get(app, "/r/more", token).status == 403
    assert wsgi_get(app, "/me").header("WWW-Authenticate") == BARE


def test_without_install_a_refusal_has_its_status_and_no_challenge():
    """Fail closed: never the operation, never a 500 for what a guard refuses."""
    bearer, api = RequireBearer(AUTH), api_of()
    api.get("/me", auth=bearer.require(scope("a")))(who)
    app = served(api)
    for token, status in ((None, 401), ("garbage", 401), (ISSUER.token(), 403), (ISSUER.token(scope="a"), 200)):
        call = wsgi_get(app, "/me", token)
        assert (call.status, call.header("WWW-Authenticate")) == (status, None)


@asyncio_only
@pytest.mark.anyio
async def test_async_authentication_lets_nobody_in_by_being_truthy():
    """vitalik/django-ninja#658: a coroutine that nobody awaited was truthy, so everybody passed."""
    bearer = RequireBearer(AUTH)
    api = api_of(auth=bearer)
    bearer.install(api)

    @api.get("/async")
    async def later(request: HttpRequest) -> Any:
        return who(request)

    api.get("/sync")(who)
    for handler in (ASGIHandler, WSGIHandler):
        app = served(api, handler)
        for route in ("/async", "/sync"):
            for token, status in ((None, 401), ("garbage", 401), (ISSUER.token(), 200)):
                if handler is ASGIHandler:
                    call: Any = await get(app, route, token)
                else:
                    call = await anyio.to_thread.run_sync(wsgi_get, app, route, token)
                assert call.status == status


@asyncio_only
@pytest.mark.anyio
async def test_an_async_operation_is_judged_on_its_loop():
    """An async user loader runs where the operation runs, without a thread in between."""
    loops: list[Any] = []

    async def load(ctx: AuthContext) -> Any:
        loops.append(asyncio.get_running_loop())
        return {"name": ctx.subject, "is_active": True}

    bearer = RequireBearer(AUTH, user=load)
    api = api_of(auth=bearer)
    bearer.install(api)

    @api.get("/me")
    async def me(request: HttpRequest) -> Any:
        loops.append(asyncio.get_running_loop())
        return request.user["name"]  # type: ignore[index]

    assert (await get(served(api, ASGIHandler), "/me", ISSUER.token(sub="ada"))).body == b'"ada"'
    assert loops[0] is loops[1]


def refusing(error: BearerkitError) -> Any:
    def operation(request: HttpRequest) -> str:
        raise error

    return operation


def test_what_an_operation_refuses_is_answered_too():
    """By the gate that judged the request, also where none did."""
    bearer, api = RequireBearer(AUTH), api_of()
    bearer.install(api)
    api.get("/scope", auth=bearer)(refusing(InsufficientScope("no", required=["x"])))
    api.get("/open")(refusing(PermissionDenied("no")))
    app = served(api)
    assert 'scope="x"' in str(wsgi_get(app, "/scope", ISSUER.token()).header("WWW-Authenticate"))
    assert wsgi_get(app, "/open").header("content-type") == "application/problem+json"


def test_a_handler_of_the_team_goes_first():
    """For a class below BearerkitError, whether a guard or an operation refuses; ours does the rest."""
    bearer = RequireBearer(AUTH)
    api = api_of(auth=bearer)
    bearer.install(api)

    @api.exception_handler(TenantUnknown)
    def lost(request: HttpRequest, error: Exception) -> Any:
        return JsonResponse({"page": "of the team"}, status=404)

    api.get("/t/{tenant_id}", auth=bearer.require(tenant(path="tenant_id")))(lambda request, tenant_id: "reached")
    api.get("/refusing")(refusing(TenantUnknown("no")))
    app = served(api)
    for route in ("/t/evil", "/refusing"):
        assert json.loads(wsgi_get(app, route, ISSUER.token(tenant_id="acme")).body) == {"page": "of the team"}
    assert wsgi_get(app, "/refusing").header("WWW-Authenticate") == BARE


def test_options():
    """The same as everywhere: another body, an own page, nobody where the guard is optional."""

    def page(request: HttpRequest) -> Any:
        return JsonResponse({"page": request.path}, status=404)

    bearer = RequireBearer(
        AUTH, optional=True, not_found=page, render=lambda refusal, ours: ours.with_body({"why": refusal.reason})
    )
    api = api_of(auth=bearer)
    bearer.install(api)
    api.get("/me")(lambda request: auth_from(request).is_anonymous)
    api.get("/t/{tenant_id}", auth=bearer.require(tenant(path="tenant_id")))(lambda request, tenant_id: "reached")
    app = served(api)
    assert wsgi_get(app, "/me").body == b"true"
    assert json.loads(wsgi_get(app, "/me", "garbage").body) == {"why": "opaque"}
    assert json.loads(wsgi_get(app, "/t/evil", ISSUER.token(tenant_id="acme")).body) == {"page": "/t/evil"}
    assert wsgi_get(app, "/t/acme", ISSUER.token(tenant_id="acme")).status == 200


def test_a_throttle_by_caller_takes_the_context():
    """Ninja keys it by `request.auth`."""
    bearer = RequireBearer(AUTH)
    api = api_of(auth=bearer, throttle=[AuthRateThrottle("1/h")])
    bearer.install(api)
    api.get("/me")(who)
    app = served(api)
    ada, bob = ISSUER.token(sub=f"ada-{next(_names)}"), ISSUER.token(sub=f"bob-{next(_names)}")
    assert [wsgi_get(app, "/me", token).status for token in (ada, ada, bob)] == [200, 429, 200]


def test_the_document_describes_our_answers_once():
    """Those that the team describes stay, and installing twice adds nothing."""
    bearer = RequireBearer(AUTH)
    api = api_of(auth=bearer)
    api.get("/me", response={200: dict, 403: dict})(who)
    bearer.install(api)
    once = json.loads(json.dumps(api.get_openapi_schema(path_prefix=""), default=str))
    bearer.install(api)
    assert json.loads(json.dumps(api.get_openapi_schema(path_prefix=""), default=str)) == once
    operation = once["paths"]["/me"]["get"]
    assert operation["security"] == [{"RequireBearer": []}]
    assert {"200", "400", "401", "403", "404", "503"} == set(operation["responses"])
    assert once["components"]["securitySchemes"]["RequireBearer"] == {"type": "http", "scheme": "bearer"}
