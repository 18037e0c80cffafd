"""REST framework: what a refusal looks like, with our exception handler and with its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import django_project
from adapters.drf_calls import OURS, THEIRS, answered_by, app_of, ask, database, said, view_of
from adapters.scenarios import AUDIENCE, BARE, EXPIRED, ISSUER, OLD, SEVERAL, rendered
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, Issuer, role, scope, tenant
from bearerkit.challenge import PROBLEM_JSON
from bearerkit.errors import CredentialsMissing, InsufficientScope, KeysUnavailable, PermissionDenied, TenantUnknown
from bearerkit.testing import FakeIssuer

from django.contrib.auth.models import User  # isort: skip - after the settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import connection
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from rest_framework import exceptions
from rest_framework.response import Response

from bearerkit.drf import RequireBearer, drf_exception_handler

READER = {"scope": "orders:read"}


@pytest.fixture(params=[OURS, THEIRS], ids=["ours", "theirs"])
def handler(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which exception handler the project has."""
    with answered_by(request.param):
        yield request.param


@pytest.fixture
def theirs() -> Iterator[None]:
    """REST framework's own exception handler."""
    with answered_by(THEIRS):
        yield


@pytest.fixture
def down() -> Auth:
    """An `Auth` that cannot get its keys."""
    issuer = FakeIssuer(ISSUER.issuer, alg="ES256")
    issuer.go_down()
    return Auth(Issuer(issuer.issuer, audience=AUDIENCE), http=issuer.http)


LACKS = f'{BARE}, error="insufficient_scope", error_description="{InsufficientScope.public}", scope="orders:read"'
NEED = scope("orders:read") & tenant(header="X-Tenant")
REFUSED = [
    pytest.param(None, (), 401, BARE, id="nothing"),
    pytest.param({}, (("Authorization", "Bearer a b"),), 400, SEVERAL, id="malformed"),
    pytest.param(OLD, (), 401, EXPIRED, id="expired"),
    pytest.param({"tenant_id": "acme"}, (("X-Tenant", "acme"),), 403, LACKS, id="scope"),
    pytest.param(READER, (("X-Tenant", "evil"),), 404, None, id="tenant"),
]


@pytest.mark.parametrize("place", ["permission", "authentication and permission"])
@pytest.mark.parametrize(("claims", "headers", "status", "challenge"), REFUSED)
def test_status_challenge_and_members_are_ours_with_either_handler(
    auth: Auth, handler: str, place: str, claims: Any, headers: Any, status: int, challenge: str | None
) -> None:
    """With our handler the bytes and fields too, with theirs the same members as JSON."""
    bearer = RequireBearer(auth)
    authentication = (bearer.authentication,) if "authentication" in place else ()
    token = None if claims is None or "Authorization" in dict(headers) else ISSUER.token(**claims)
    call = ask(view_of(bearer.require(NEED), authentication=authentication), token, headers)
    assert (call.status, call.header("WWW-Authenticate")) == (status, challenge)
    assert set(said(call)) == {"type", "title", "status", "detail"}
    assert said(call)["status"] == status
    if handler == OURS:
        assert call.header("Content-Type") == PROBLEM_JSON
        assert call.header("Cache-Control") == "no-store"
    else:
        assert call.header("Content-Type") == "application/json"


def test_our_handler_sends_the_bytes_of_every_other_framework(auth: Auth) -> None:
    """What `Auth` renders, and not what a renderer of REST framework would make of it."""
    call = ask(view_of(RequireBearer(auth).require(NEED)))
    ours = auth.answer(CredentialsMissing())
    assert call.body == ours.body
    assert {(name, value) for name, value in call.headers if name in dict(ours.headers)} == set(ours.headers)


def test_an_outage_says_when_to_come_back(down: Auth, handler: str) -> None:
    """503 with Retry-After, and no challenge; in the permission and in the authentication."""
    bearer = RequireBearer(down)
    for view in (view_of(bearer), view_of(authentication=[bearer.authentication])):
        call = ask(view, ISSUER.token())
        assert (call.status, call.header("WWW-Authenticate")) == (503, None)
        assert int(call.header("Retry-After") or "") > 0
        assert said(call)["title"] == "Service Unavailable"


def test_who_asks_for_a_page_gets_our_document(auth: Auth, handler: str) -> None:
    """With our handler the answer is not negotiated; with theirs it is the browsable page, with our status."""
    call = ask(view_of(RequireBearer(auth)), headers=[("Accept", "text/html")])
    assert (call.status, call.header("WWW-Authenticate")) == (401, BARE)
    assert call.header("Content-Type") == (PROBLEM_JSON if handler == OURS else "text/html; charset=utf-8")


def test_what_cannot_be_rendered_is_not_told_to_strangers(auth: Auth) -> None:
    """REST framework negotiates before it asks who is calling: 406 is its own, and tells nothing of the caller."""
    view = view_of(RequireBearer(auth))
    assert ask(view, headers=[("Accept", "image/png")]).status == 406
    assert ask(view, ISSUER.token(), [("Accept", "image/png")]).status == 406


def test_render_gives_another_body(auth: Auth, handler: str) -> None:
    """Status and challenge stay, with either handler."""
    view = view_of(RequireBearer(auth, render=rendered))
    call = ask(view)
    assert (call.status, call.header("WWW-Authenticate")) == (401, BARE)
    assert said(call) == {"oops": "credentials_missing"}


def test_a_body_that_is_no_object_is_a_detail_of_their_handler(auth: Auth, theirs: None) -> None:
    """A `render` that writes text or a list."""
    for body, detail in ((b"go away", "go away"), (b'["x"]', '["x"]'), (b"\xff", "\ufffd")):
        view = view_of(RequireBearer(auth, render=lambda _, ours, body=body: ours.with_body(body, "text/plain")))
        call = ask(view)
        assert (call.status, said(call)) == (401, {"detail": detail})


# What a view raises itself


@pytest.mark.parametrize(
    ("error", "status"),
    [(PermissionDenied("no"), 403), (TenantUnknown("no"), 404), (KeysUnavailable("later", retry_after=7), 503)],
)
def test_a_view_may_refuse_with_our_handler(auth: Auth, error: Exception, status: int) -> None:
    """The refusal is answered as that of a guard, with the options of the guard that let the caller in."""

    def get(view: Any, request: Any) -> Response:
        raise error

    bearer = RequireBearer(auth, render=rendered)
    call = ask(view_of(bearer, get=get), ISSUER.token())
    assert (call.status, said(call)) == (status, {"oops": error.reason})  # type: ignore[attr-defined]
    assert call.header("Retry-After") == ("7" if status == 503 else None)
    assert call.header("Cache-Control") == "no-store"


def test_a_view_that_refuses_under_their_handler_needs_the_middleware(auth: Auth, theirs: None) -> None:
    """REST framework knows no such error: without `BearerMiddleware` the request fails, and never passes."""

    def get(view: Any, request: Any) -> Response:
        raise PermissionDenied("no")

    view = view_of(RequireBearer(auth), get=get)
    with pytest.raises(PermissionDenied):
        ask(view, ISSUER.token())
    middleware = [*django_project.MIDDLEWARE, "bearerkit.django.BearerMiddleware"]
    app = app_of(view, MIDDLEWARE=middleware, BEARERKIT_AUTH=auth)
    call = wsgi_get(app, "/", ISSUER.token())
    assert (call.status, call.header("Content-Type")) == (403, PROBLEM_JSON)


def test_a_view_that_nothing_guards_fails(auth: Auth) -> None:
    """Nobody knows the `Auth` that would answer: an error of the program, which is not hidden."""

    def get(view: Any, request: Any) -> Response:
        raise PermissionDenied("no")

    with pytest.raises(PermissionDenied):
        ask(view_of(get=get))


def test_everything_else_goes_to_rest_framework(auth: Auth) -> None:
    """Its own errors, Django's, and bugs."""

    def get(view: Any, request: Any) -> Response:
        raise errors.pop()

    errors: list[Exception] = [exceptions.Throttled(9), DjangoPermissionDenied(), Http404(), ZeroDivisionError()]
    view = view_of(RequireBearer(auth), get=get)
    with pytest.raises(ZeroDivisionError):
        ask(view, ISSUER.token())
    assert [ask(view, ISSUER.token()).status for _ in range(3)] == [404, 403, 429]


def test_the_handler_may_be_called_without_request_and_view() -> None:
    """By a handler of the team's own that knows neither."""
    assert drf_exception_handler(PermissionDenied("no"), {}) is None
    assert drf_exception_handler(exceptions.NotAuthenticated(), {}).status_code == 401


# Pages of the team


KNOWN = [("guard", OURS), ("guard", THEIRS), ("view", OURS)]
"""Who refuses, and a handler that knows such refusals."""
PAGES = {
    "response": lambda request: Response({"page": "ours"}, 404, headers={"X-Page": "1"}),
    "django": lambda request: HttpResponse(b'{"page": "ours"}', status=404, headers={"X-Page": "1"}),
}


@pytest.mark.parametrize("page", PAGES)
def test_not_found_answers_for_tenants(auth: Auth, handler: str, page: str) -> None:
    """A response of either kind; their handler keeps status and members, ours the whole."""
    bearer = RequireBearer(auth, not_found=PAGES[page])
    view = view_of(bearer.require(tenant(value="acme")))
    call = ask(view, ISSUER.token(tenant_id="evil"))
    assert (call.status, said(call)) == (404, {"page": "ours"})
    assert call.header("X-Page") == ("1" if handler == OURS else None)
    assert ask(view).header("WWW-Authenticate") == BARE


@pytest.mark.parametrize("error", [Http404("no"), exceptions.NotFound()])
@pytest.mark.parametrize(("place", "handler"), KNOWN)
def test_not_found_may_raise(auth: Auth, error: Exception, place: str, handler: str) -> None:
    """REST framework's own 404, for what a guard refused and for what a view refuses."""

    def not_found(request: Any) -> Any:
        raise error

    def get(view: Any, request: Any) -> Response:
        raise TenantUnknown("no")

    bearer = RequireBearer(auth, not_found=not_found)
    permission = bearer.require(tenant(value="acme")) if place == "guard" else bearer
    with answered_by(handler):
        call = ask(view_of(permission, get=get), ISSUER.token(tenant_id="evil"))
    assert (call.status, list(said(call))) == (404, ["detail"])


def test_not_found_that_fails_is_a_failure(auth: Auth) -> None:
    """A bug of the team's is reported as that, and the request does not pass."""

    def get(view: Any, request: Any) -> Response:
        raise TenantUnknown("no")

    bearer = RequireBearer(auth, not_found=lambda request: 1 // 0)
    for permission in (bearer, bearer.require(tenant(value="acme"))):
        with pytest.raises(ZeroDivisionError):
            ask(view_of(permission, get=get), ISSUER.token())


def test_not_found_gets_the_request_of_rest_framework(auth: Auth) -> None:
    """Callbacks get what the views of the framework get."""
    seen: list[Any] = []

    def not_found(request: Any) -> Any:
        seen.append(request.query_params["a"])
        return Response(None, 404)

    bearer = RequireBearer(auth, not_found=not_found)
    ask(view_of(bearer.require(tenant(value="acme"))), ISSUER.token(), query="a=b")
    assert seen == ["b"]


@pytest.mark.parametrize(
    "page",
    [
        lambda request: TemplateResponse(request, "no_such.html", status=404),
        lambda request: StreamingHttpResponse([b"x"], status=404, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59"}),
    ],
)
def test_a_page_that_has_no_text_yet_keeps_its_status(auth: Auth, theirs: None, page: Any) -> None:
    """Their handler renders members, and finds none in a page that is rendered or streamed later."""
    bearer = RequireBearer(auth, not_found=page)
    call = ask(view_of(bearer.require(tenant(value="acme"))), ISSUER.token())
    assert (call.status, said(call)) == (404, {"detail": ""})


# What is undone


@pytest.mark.parametrize(("place", "handler"), KNOWN)
def test_a_refusal_undoes_what_was_written(auth: Auth, place: str, handler: str, monkeypatch: Any) -> None:
    """With ATOMIC_REQUESTS a view that refuses leaves nothing behind, and neither does what a permission wrote."""
    bearer = RequireBearer(auth)

    def write(request: Any) -> None:
        User.objects.create_user("half-done")

    class Writes(bearer.require(role("admin"))):  # type: ignore[misc]
        def has_permission(self, request: Any, view: Any) -> bool:
            write(request)
            return bool(super().has_permission(request, view))

    def get(view: Any, request: Any) -> Response:
        write(request)
        raise PermissionDenied("no")

    view = view_of(bearer, get=get) if place == "view" else view_of(Writes)
    with database(), answered_by(handler):
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
        assert ask(view, ISSUER.token()).status == 403
        assert not User.objects.filter(username="half-done").exists()


def test_codes_for_handlers_of_the_team(auth: Auth) -> None:
    """A handler that asks an APIException for its codes gets our reason."""
    seen: list[Any] = []

    bearer = RequireBearer(auth)

    def handle(exc: Any, context: Any) -> Any:
        seen.append((exc.get_codes(), exc.get_full_details()["code"], exc.detail["detail"].code, str(exc)))
        return drf_exception_handler(exc, context)

    view = view_of(bearer, get_exception_handler=lambda self: handle)
    assert ask(view).status == 401
    [(codes, code, detail_code, text)] = seen
    assert codes == code == detail_code == "credentials_missing"
    assert json.loads(ask(view_of(bearer)).body)["detail"] in text
