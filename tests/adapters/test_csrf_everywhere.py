"""The CSRF rule is one: what Django's guard refuses, the guards of Ninja and REST framework do not let pass."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.built.django_app import hosted
from adapters.scenarios import AUDIENCE, ISSUER
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, InternalSecret, Issuer, Places, Sessions, django, drf, ninja, tenant
from django_project import MIDDLEWARE

from django.core.handlers.wsgi import WSGIHandler  # isort: skip - after the settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI
from rest_framework.response import Response
from rest_framework.views import APIView

ENTRY = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)
COOKIE = ("Cookie", "sessionid=of-the-victim")
FOREIGN = ("Origin", "https://evil.example.test")


def by_django(auth: Auth, **options: Any) -> Any:
    view = django.RequireBearer(auth, **options)(lambda request: HttpResponse("reached"))
    return hosted(WSGIHandler, (path("x", view),))


def by_ninja(auth: Auth, **options: Any) -> Any:
    api = NinjaAPI(urls_namespace=f"csrf-{id(options)}-{id(auth)}", docs_url=None, openapi_url=None)
    bearer = ninja.RequireBearer(auth, **options)
    bearer.install(api)

    @api.post("/x", auth=bearer)
    def operation(request: HttpRequest) -> str:
        return "reached"

    return hosted(WSGIHandler, (path("", api.urls),))


def by_rest(auth: Auth, **options: Any) -> Any:
    bearer = drf.RequireBearer(auth, **options)

    class Endpoint(APIView):
        authentication_classes = (bearer.authentication,)
        permission_classes = (bearer,)

        def post(self, request: Any) -> Response:
            return Response("reached")

    return hosted(WSGIHandler, (path("x", Endpoint.as_view()),))


everywhere = pytest.mark.parametrize("build", [by_django, by_ninja, by_rest])


def post(app: Any, *headers: tuple[str, str], token: str | None = None) -> int:
    return wsgi_get(app, "/x", token, headers, method="POST").status


@everywhere
def test_a_bearer_token_needs_no_csrf_token(build: Any) -> None:
    """With and without cookies beside it, and from any origin that brings no cookies."""
    app = build(Auth(ENTRY))
    for headers in ((), (COOKIE,), (FOREIGN,)):
        assert post(app, *headers, token=ISSUER.token()) == 200


@everywhere
def test_a_token_from_another_origin_beside_the_cookies_of_a_visitor(build: Any) -> None:
    """Django's own check judges it."""
    assert post(build(Auth(ENTRY)), COOKIE, FOREIGN, token=ISSUER.token()) == 403


@everywhere
def test_a_token_that_a_gateway_adds_for_a_cookie(build: Any) -> None:
    """It is no proof of will."""
    app = build(Auth(ENTRY, places=Places(header="x-amzn-oidc-data")))
    assert post(app, COOKIE, ("x-amzn-oidc-data", ISSUER.token())) == 403


@pytest.mark.parametrize("build", [by_django, by_ninja])
def test_nobody_with_a_session_cookie(build: Any) -> None:
    """An optional guard lets nobody pass, and the session's user stands beside it. (REST framework's own session
    authentication makes the check by itself, and without that no session counts there.)
    """
    assert post(build(Auth(ENTRY), optional=True), COOKIE) == 403


def test_a_page_that_is_none_lets_nobody_in() -> None:
    """`not_found=` that returns nothing is a mistake of the team, answered by a 500 and never by the operation."""
    bearer = ninja.RequireBearer(Auth(ENTRY), not_found=lambda request: None)
    api = NinjaAPI(urls_namespace="page-that-is-none", docs_url=None, openapi_url=None)
    bearer.install(api)
    reached: list[str] = []

    @api.get("/t/{tenant_id}", auth=bearer.require(tenant(path="tenant_id")))
    def operation(request: HttpRequest, tenant_id: str) -> str:
        reached.append(tenant_id)
        return "reached"

    app = hosted(WSGIHandler, (path("", api.urls),))
    assert wsgi_get(app, "/t/evil", ISSUER.token(tenant_id="acme")).status == 500
    assert reached == []


SESSION = "of-ada-0123456789"
SECRET = "of-our-services-0123456789-abcdefghi"
SAME_ORIGIN = ("Sec-Fetch-Site", "same-origin")
OUR_PAGE = ("Origin", "https://api.example.test")
BY_COOKIE = ("Cookie", f"sid={SESSION}")


def with_sessions(**settings: Any) -> Auth:
    sessions = Sessions({SESSION: {"sub": "ada"}}.get, **{"cookie": "sid", **settings})
    return Auth(ENTRY, sessions, InternalSecret(SECRET))


@everywhere
def test_a_session_cookie_makes_up_for_no_csrf_token(build: Any) -> None:
    """Our own rule lets the page pass, and the framework's check still wants its token; with that it is content."""
    app = build(with_sessions())
    assert post(app, BY_COOKIE, SAME_ORIGIN, OUR_PAGE) == 403
    mask = "a" * 32
    token = ("Cookie", f"sid={SESSION}; csrftoken={mask}")
    assert post(app, token, SAME_ORIGIN, OUR_PAGE, ("X-CSRFToken", mask)) == 200
    assert post(app, token, SAME_ORIGIN, OUR_PAGE, ("X-CSRFToken", "b" * 32)) == 403
    assert post(app, token, ("Sec-Fetch-Site", "cross-site"), OUR_PAGE, ("X-CSRFToken", mask)) == 403


@everywhere
def test_a_session_cookie_is_not_let_off_by_an_optional_guard(build: Any) -> None:
    """Nor by one that knows nothing of it."""
    assert post(build(with_sessions(), optional=True), BY_COOKIE, SAME_ORIGIN, OUR_PAGE) == 403


@everywhere
def test_what_no_browser_sends_by_itself_needs_no_csrf_token(build: Any) -> None:
    """A session as a bearer token, and a secret in a field of its own."""
    app = build(with_sessions(bearer=True))
    assert post(app, token=SESSION) == 200
    assert post(app, BY_COOKIE, token=SESSION) == 200
    assert post(app, ("X-Internal-Secret", SECRET)) == 200


def test_a_bearer_guard_inside_does_not_let_a_cookie_off() -> None:
    """Once a cookie was the credential of a request, every guard of it leaves Django's check alone."""
    cookies, anyone = with_sessions(), Auth(ENTRY)
    inner = django.RequireBearer(anyone, optional=True)(lambda request: HttpResponse("reached"))
    app = hosted(WSGIHandler, (path("x", django.RequireBearer(cookies)(inner)),))
    assert post(app, BY_COOKIE, SAME_ORIGIN, OUR_PAGE) == 403
    assert post(app, BY_COOKIE, SAME_ORIGIN, token=ISSUER.token()) == 200


def test_the_middleware_does_not_let_a_cookie_off() -> None:
    """It stands before the check of Django's views, which is made as ever."""
    routes = (path("x", lambda request: HttpResponse("reached")),)
    app = hosted(
        WSGIHandler,
        routes,
        MIDDLEWARE=[*MIDDLEWARE, "bearerkit.django.BearerMiddleware"],
        BEARERKIT_AUTH=with_sessions(),
    )
    assert post(app, BY_COOKIE, SAME_ORIGIN, OUR_PAGE) == 403
    assert post(app, token=ISSUER.token()) == 200
