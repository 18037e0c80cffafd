"""Django: `BearerMiddleware` closes a project, whatever stands around it, behind WSGI and ASGI."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from adapters.asgi_calls import get
from adapters.built.django_app import hosted
from adapters.django_calls import bearing
from adapters.scenarios import AUDIENCE, ISSUER
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, AuthContext, Issuer, Places, scope
from bearerkit.current_caller import CALLER
from bearerkit.django.users import CallerUser
from bearerkit.errors import KeysUnavailable, PermissionDenied

from django.conf import settings  # isort: skip - after the settings
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path

from bearerkit.django import BearerMiddleware, RequireBearer, auth_from, current_auth

AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
OURS = "bearerkit.django.BearerMiddleware"
HERE = "adapters.test_django_middleware."
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])
"""Django's handlers are made for asyncio alone."""


def closed(*routes: Any, above: tuple[str, ...] = (), below: tuple[str, ...] = (), **more: Any) -> Any:
    """The project behind our middleware, with other middlewares next to it."""
    chain = [*settings.MIDDLEWARE, *above, OURS, *below]
    return override_settings(ROOT_URLCONF=routes, MIDDLEWARE=chain, **{"BEARERKIT_AUTH": AUTH, **more})


def who(request: Any, **_: Any) -> HttpResponse:
    return HttpResponse(f"{auth_from(request).subject}|{current_auth.subject}")


async def async_who(request: Any, **_: Any) -> HttpResponse:
    return who(request)


# Around which threads and loops


class Whereabouts:
    """Revocations that note where they are asked: in which thread, and whether an event loop runs there."""

    def __init__(self) -> None:
        self.places: list[tuple[int, bool]] = []

    async def is_revoked(self, **_: object) -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.places.append((threading.get_ident(), False))
        else:
            self.places.append((threading.get_ident(), True))
        return False


def sync_only(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A middleware of the old kind."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    return middleware


SYNC_ONLY = f"{HERE}sync_only"


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("place", ["nowhere", "above", "below"])
async def test_an_async_chain_is_judged_on_the_loop(place: str) -> None:
    """No thread is asked to help; a sync middleware above is joined by Django's bridge, which comes back to the loop.
    One below makes Django run the chain above it in its thread, where ours does as sync code does.
    """
    seen = Whereabouts()
    counted = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), revocations=seen)
    around: dict[str, Any] = {} if place == "nowhere" else {place: (SYNC_ONLY,)}
    routes = (path("async", async_who), path("sync", who))
    with closed(*routes, BEARERKIT_AUTH=counted, **around):
        client = AsyncClient()
        for route in ("/async", "/sync"):
            assert (await client.get(route, headers=bearing(sub="ada"))).content == b"ada|ada"
    assert len(seen.places) == 2
    assert [at == (threading.get_ident(), True) for at in seen.places] == [place != "below"] * 2
    assert CALLER.get() is None


def test_a_sync_chain_is_judged_in_its_thread() -> None:
    """And async views are run as Django runs them."""
    seen = Whereabouts()
    counted = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), revocations=seen)
    with closed(path("async", async_who), path("sync", who), BEARERKIT_AUTH=counted):
        for route in ("/async", "/sync"):
            assert Client().get(route, headers=bearing(sub="ada")).content == b"ada|ada"
    assert seen.places == [(threading.get_ident(), False)] * 2


@pytest.mark.anyio
@on_asyncio
async def test_callbacks_of_the_team_are_called_as_they_need_it() -> None:
    """Behind an async chain: an async loader on the loop, a sync one off it, where it may ask the ORM."""
    seen: list[int] = []

    def load(ctx: AuthContext) -> Any:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        seen.append(threading.get_ident())
        return CallerUser(ctx)

    async def aload(ctx: AuthContext) -> Any:
        seen.append(threading.get_ident())
        return CallerUser(ctx)

    for loader in (load, aload):
        with closed(path("me", async_who), BEARERKIT_USER=loader):
            assert (await AsyncClient().get("/me", headers=bearing())).status_code == 200
    assert (seen[0] != threading.get_ident(), seen[1] == threading.get_ident()) == (True, True)


# What is closed


def test_everything_is_closed_but_what_is_exempt() -> None:
    """Unrouted paths too; the guard of a view is judged on top, and is not opened by an exemption."""
    bearer = RequireBearer(AUTH)
    routes = (path("me", who), path("health", who), path("inner", bearer.require(scope("a"))(who)))
    with closed(*routes, BEARERKIT_EXEMPT=["/health", "/inner"]):
        client = Client()
        assert [client.get(route).status_code for route in ("/me", "/nowhere", "/inner")] == [401] * 3
        assert client.get("/health").content == b"None|None"
        assert client.get("/health", headers={"Authorization": "Bearer garbage"}).content == b"None|None"
        assert client.get("/inner", headers=bearing()).status_code == 403
        assert client.get("/inner", headers=bearing(scope="a")).status_code == 200
        assert client.get("/nowhere", headers=bearing()).status_code == 404


def test_settings_are_read_when_the_project_starts() -> None:
    """A test that overrides one makes a new client, which starts the project anew."""
    with closed(path("me", who), BEARERKIT_NEED=scope("a")):
        assert Client().get("/me", headers=bearing()).status_code == 403
        with override_settings(BEARERKIT_NEED=None):
            assert Client().get("/me", headers=bearing()).status_code == 200
        with override_settings(BEARERKIT_OPTIONAL=True, BEARERKIT_NEED=None):
            assert Client().get("/me").content == b"None|None"
        assert Client().get("/me", headers=bearing()).status_code == 403


def behind(handler: Any, *routes: Any, **more: Any) -> Any:
    middleware = [*settings.MIDDLEWARE, OURS]
    return hosted(handler, routes, **{"MIDDLEWARE": middleware, "BEARERKIT_AUTH": AUTH, **more})


ROUTES = (path("health", who), path("static/<path:name>", who), path("<path:anything>", who))
ALMOST = ["//health", "/health/", "/health%2f", "/%2fhealth", "/health;v=1", "/health%3Bv=1", "/%68ealth", "/HEALTH"]
ALMOST += ["/static/..%2fme", "/static/%2e%2e/me", "/static//x", "/static/%61pp.js", "/static/x;y", "/health%00"]


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("route", ALMOST)
async def test_what_is_almost_exempt_is_not(route: str) -> None:
    """Behind a server that tells the path as it was sent, and behind one that does not."""
    exempt = ["/health", "/static/*"]
    with_wsgi, with_asgi = (behind(kind, *ROUTES, BEARERKIT_EXEMPT=exempt) for kind in (WSGIHandler, ASGIHandler))
    assert wsgi_get(with_wsgi, route).status == 401
    assert (await get(with_asgi, route)).status == 401
    if "%68" not in route and "%61" not in route:  # which nobody can tell from the letter without it
        assert wsgi_get(with_wsgi, route, RAW_URI=None).status == 401
        assert (await get(with_asgi, route, raw_path=None)).status == 401


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("name", ["health", "caf%C3%A9"])
async def test_below_a_mount_point(name: str) -> None:
    """The path below it counts, whether the proxy took it off the path or not."""
    exempt = ["/health", "/caf\xe9"]
    with_wsgi, with_asgi = (behind(kind, *ROUTES, BEARERKIT_EXEMPT=exempt) for kind in (WSGIHandler, ASGIHandler))
    for raw in (f"/app/{name}", f"/{name}", None):
        assert wsgi_get(with_wsgi, f"/{name}", SCRIPT_NAME="/app", RAW_URI=raw).status == 200
    assert wsgi_get(with_wsgi, f"/{name}", SCRIPT_NAME="/app", RAW_URI=f"/other/{name}").status == 401
    assert wsgi_get(with_wsgi, f"/app/{name}", SCRIPT_NAME="/app", RAW_URI=f"/app/app/{name}").status == 401
    assert (await get(with_asgi, f"/app/{name}", root_path="/app")).status == 200
    assert (await get(with_asgi, f"/{name}", root_path="/app")).status == 200
    assert (await get(with_asgi, f"/app/app/{name}", root_path="/app")).status == 401
    assert (await get(with_asgi, f"/app{name}", root_path="/app")).status == 401


@pytest.mark.anyio
@on_asyncio
async def test_a_mount_point_that_the_settings_force() -> None:
    """FORCE_SCRIPT_NAME, where the proxy does not say what it took off."""
    exempt = ["/health"]
    with_wsgi, with_asgi = (behind(kind, *ROUTES, BEARERKIT_EXEMPT=exempt) for kind in (WSGIHandler, ASGIHandler))
    with override_settings(FORCE_SCRIPT_NAME="/app"):
        assert wsgi_get(with_wsgi, "/health").status == 200
        assert wsgi_get(with_wsgi, "/health", RAW_URI="/app/health").status == 200
        assert wsgi_get(with_wsgi, "/health", RAW_URI="/app/../health").status == 401
        assert (await get(with_asgi, "/health")).status == 200
        assert (await get(with_asgi, "/app/health")).status == 200
        assert (await get(with_asgi, "/app/me")).status == 401
        assert (await get(with_asgi, "/app//health")).status == 401


# Refusals that are raised


def refuses(request: Any) -> HttpResponse:
    raise PermissionDenied("no")


async def async_refuses(request: Any) -> HttpResponse:
    raise KeysUnavailable("not now", retry_after=7)


def fails(request: Any) -> HttpResponse:
    raise KeyError("a bug of the team")


@pytest.mark.anyio
@on_asyncio
async def test_a_refusal_of_an_unguarded_view_is_answered() -> None:
    """Behind both handlers; other errors are Django's."""
    with closed(path("a", refuses), path("b", async_refuses), path("c", fails)):
        later = AsyncClient(raise_request_exception=False)
        for name, status in (("a", 403), ("b", 503), ("c", 500)):
            answer = await later.get(f"/{name}", headers=bearing())
            assert (answer.status_code, "no-store" in answer.get("Cache-Control", "")) == (status, status != 500)
        assert Client().get("/a", headers=bearing()).status_code == 403


class Late(HttpResponse):
    """A response that is rendered after its view has returned, and refuses then."""

    def render(self) -> Any:
        raise PermissionDenied("no")


def test_a_refusal_is_answered_by_the_guard_that_judged_last() -> None:
    """Its options hold, also after the view has returned; where there is none but the middleware, those of all."""
    bearer = RequireBearer(AUTH, render=lambda refusal, response: response.with_body("the view's"))
    routes = (path("a", bearer(refuses)), path("b", bearer(lambda request: Late())), path("c", refuses))
    with closed(*routes, BEARERKIT_RENDER=lambda refusal, response: response.with_body("all's")):
        bodies = [Client().get(f"/{name}", headers=bearing()).content for name in "abc"]
    assert bodies == [b"the view's", b"the view's", b"all's"]


def refusing(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A middleware of the team's that knows our refusals."""

    def middleware(request: Any) -> Any:
        raise PermissionDenied("no")

    return middleware


def test_a_refusal_of_another_middleware_is_an_error_to_django() -> None:
    """Django turns what a middleware raises into its 500 before any other middleware sees it; nothing is let in."""
    with closed(path("a", who), below=(f"{HERE}refusing",)):
        client = Client(raise_request_exception=False)
        assert client.get("/a", headers=bearing()).status_code == 500
    with override_settings(BEARERKIT_AUTH=AUTH):
        called_directly = BearerMiddleware(refuses)
        assert called_directly(RequestFactory().get("/", headers=bearing())).status_code == 403


# Bodies, CORS


def stream(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(str(current_auth.subject) for _ in range(2))


async def async_stream(request: Any) -> StreamingHttpResponse:
    async def parts() -> Any:
        for _ in range(2):
            await asyncio.sleep(0)
            yield str(current_auth.subject)

    return StreamingHttpResponse(parts())


@pytest.mark.anyio
@on_asyncio
async def test_streams_know_the_caller() -> None:
    """And where a guard in between knows somebody else, that is who made the stream."""
    service = RequireBearer(Auth(AUTH.issuers[0], places=Places(header="x-service")))  # type: ignore[arg-type]
    routes = (path("a", stream), path("b", async_stream), path("c", service(stream)), path("d", service(async_stream)))
    app, sync_app = behind(ASGIHandler, routes[1], routes[3]), behind(WSGIHandler, routes[0], routes[2])
    other = [("X-Service", ISSUER.token(sub="s"))]
    assert (await get(app, "/b", ISSUER.token(sub="ada"))).body == b"adaada"
    assert (await get(app, "/d", ISSUER.token(sub="ada"), other)).body == b"ss"
    assert wsgi_get(sync_app, "/a", ISSUER.token(sub="ada")).body == b"adaada"
    assert wsgi_get(sync_app, "/c", ISSUER.token(sub="ada"), other).body == b"ss"
    assert CALLER.get() is None


SHOP = "https://shop.example.test"


def test_beside_cors() -> None:
    """CorsMiddleware above answers preflights by itself, and lets browsers read refusals."""
    cors = "corsheaders.middleware.CorsMiddleware"
    preflight = {"Origin": SHOP, "Access-Control-Request-Method": "PUT"}
    with closed(path("me", who), above=(cors,), CORS_ALLOWED_ORIGINS=[SHOP]):
        refused = Client().get("/me", headers={"Origin": SHOP})
        assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (401, SHOP)
        answer = Client().options("/me", headers=preflight)
        assert (answer.status_code, answer["Access-Control-Allow-Origin"], answer.content) == (200, SHOP, b"")
    with closed(path("me", who), below=(cors,), CORS_ALLOWED_ORIGINS=[SHOP]):
        assert "Access-Control-Allow-Origin" not in Client().get("/me", headers={"Origin": SHOP})


def test_beside_the_middleware_that_asks_for_a_session() -> None:
    """LoginRequiredMiddleware looks at `request.user`, where BEARERKIT_USER puts the caller. It runs before the guard
    of a view, which has to be spared.
    """
    login = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    with closed(path("me", who), above=(login,), BEARERKIT_USER=CallerUser):
        assert Client().get("/me", headers=bearing(sub="ada")).content == b"ada|ada"
        assert Client().get("/me").status_code == 401
    bearer = RequireBearer(AUTH)
    routes = (path("a", bearer(who)), path("b", login_not_required(bearer(who))))
    with override_settings(ROOT_URLCONF=routes, MIDDLEWARE=[*settings.MIDDLEWARE, login]):
        statuses = [Client().get(f"/{name}", headers=bearing()).status_code for name in "ab"]
        assert (statuses, Client().get("/b").status_code) == ([302, 200], 401)
