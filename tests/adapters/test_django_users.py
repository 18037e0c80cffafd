"""Django: callers as users, the authentication backend, CSRF, and the admin beside it all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import django_project
from adapters.django_calls import database_in
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, AuthContext, ConfigError, Issuer, Places
from bearerkit.errors import KeysUnavailable
from bearerkit.testing import FakeIssuer

django_project.configure()

from django.conf import settings  # noqa: E402 - needs the settings
from django.contrib import admin  # noqa: E402
from django.contrib.auth import aauthenticate, authenticate, get_user_model, login  # noqa: E402
from django.contrib.auth.models import AnonymousUser  # noqa: E402
from django.http import HttpResponse, StreamingHttpResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.test import AsyncClient, Client, RequestFactory, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

from bearerkit.django import RequireBearer, current_auth, model_user  # noqa: E402
from bearerkit.django.users import CallerUser  # noqa: E402

AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
OURS = "bearerkit.django.BearerMiddleware"


@pytest.fixture
def database(tmp_path: Any) -> Iterator[Any]:
    """The users of a database."""
    with database_in(tmp_path):
        yield get_user_model()._default_manager


def bearing(subject: str | None = "ada", **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ISSUER.token(sub=subject, **claims)}"}


def routes(**views: Any) -> Any:
    """A urlconf of named views, for override_settings."""
    return tuple(path(name, view) for name, view in views.items())


def who(request: Any) -> HttpResponse:
    return HttpResponse(f"{request.user.get_username()}|{current_auth.subject}")


async def awho(request: Any) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(f"{user.get_username()}|{current_auth.subject}")


def test_a_caller_becomes_the_user_of_that_name(database: Any) -> None:
    """Found, made where `create` says so, and refused where there is none or where it is disabled."""
    database.create(username="ada")
    database.create(username="bob", is_active=False)
    known, made = RequireBearer(AUTH, user=model_user()), RequireBearer(AUTH, user=model_user(create=True))
    with override_settings(ROOT_URLCONF=routes(known=known(who), made=made(who))):
        client = Client()
        assert client.get("/known", headers=bearing("ada")).content == b"ada|ada"
        assert client.get("/known", headers=bearing("bob")).status_code == 401
        assert client.get("/known", headers=bearing("eve")).status_code == 401
        assert client.get("/made", headers=bearing("eve")).content == b"eve|eve"
        assert client.get("/made", headers=bearing("eve")).content == b"eve|eve"
        assert not database.get(username="eve").has_usable_password()
        assert client.get("/made", headers=bearing(None, client_id="c")).status_code == 401


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_an_async_view_may_have_a_loader_that_asks_the_orm(database: Any) -> None:
    """Django forbids that on an event loop; the adapter takes it off there."""
    bearer = RequireBearer(AUTH, user=model_user(create=True))
    with override_settings(ROOT_URLCONF=routes(me=bearer(awho))):
        assert (await AsyncClient().get("/me", headers=bearing("ada"))).content == b"ada|ada"


def test_a_sync_view_may_have_an_async_loader() -> None:
    """It is run by Django's own bridge; so are `not_found` and the team's rules."""

    async def load(ctx: AuthContext) -> Any:
        return CallerUser(ctx)

    with override_settings(ROOT_URLCONF=routes(me=RequireBearer(AUTH, user=load)(who))):
        assert Client().get("/me", headers=bearing("ada")).content == b"ada|ada"


@pytest.mark.parametrize(("field", "problem"), [("first_name", "is not unique"), ("nickname", "no such field")])
def test_a_field_that_cannot_name_a_user_is_a_config_error(field: str, problem: str) -> None:
    """Two users of one name would be one another."""
    with pytest.raises(ConfigError, match=problem):
        model_user(field)(AuthContext.of(subject="ada"))


def test_a_caller_user_has_no_rights_whatever_the_token_claims() -> None:
    """Attack 88: a claim must not shadow `is_superuser`."""
    user = CallerUser(AuthContext.of(subject="eve", is_superuser=True, is_staff=True, is_anonymous=True))
    assert (user.is_superuser, user.is_staff, user.is_anonymous, user.is_authenticated) == (False, False, False, True)
    assert not any([user.has_perm("x"), user.has_perms(["x"]), user.has_module_perms("x")])
    assert (user.pk, user.username, user.get_username(), str(user)) == ("eve",) * 4
    assert CallerUser(AuthContext.of(subject=None, client_id="c")).pk == "c"


# The authentication backend


BACKEND = {
    "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend", "bearerkit.django.BearerBackend"],
    "BEARERKIT_AUTH": AUTH,
}


def test_the_backend_gives_the_user_of_a_token(database: Any) -> None:
    """Beside the others, which go on as before; a refused token is nobody, as Django wants it."""
    ada = database.create_user("ada", password="a password")
    bob = database.create_user("bob")
    bob.is_active = False
    bob.save()
    with override_settings(**BACKEND, BEARERKIT_USER=model_user()):
        assert authenticate(None, bearer_token=ISSUER.token(sub="ada")) == ada
        assert authenticate(None, username="ada", password="a password") == ada
        assert authenticate(None, username="ada", password="wrong") is None
        for token in ("garbage", ISSUER.token(sub="eve"), ISSUER.token(sub="bob"), ISSUER.token(cnf={"jkt": "k"})):
            assert authenticate(None, bearer_token=token) is None
        client = Client()

        def enter(request: Any) -> HttpResponse:
            login(request, authenticate(request, bearer_token=ISSUER.token(sub="ada")))
            return HttpResponse("")

        with override_settings(ROOT_URLCONF=routes(enter=enter, who=lambda request: HttpResponse(str(request.user)))):
            client.get("/enter")
            assert client.get("/who").content == b"ada"
            ada.is_active = False
            ada.save()
            assert client.get("/who").content == b"AnonymousUser"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_the_backend_for_async_code() -> None:
    """The same answers, with an async loader."""

    async def load(ctx: AuthContext) -> Any:
        return CallerUser(ctx)

    with override_settings(**BACKEND, BEARERKIT_USER=load):
        from bearerkit.django import BearerBackend

        backend = BearerBackend()
        assert (await backend.aauthenticate(None, bearer_token=ISSUER.token(sub="ada"))).pk == "ada"
        assert await backend.aauthenticate(None, bearer_token="garbage") is None
        assert await backend.aauthenticate(None) is None
        assert await aauthenticate(None, bearer_token="garbage") is None


def test_a_backend_that_cannot_tell_says_so() -> None:
    """An outage is no wrong password, and a backend without `BEARERKIT_USER` is a mistake."""
    down = FakeIssuer("https://id.example.test", alg="ES256")
    down.go_down()
    auth = Auth(Issuer(down.issuer, audience=AUDIENCE), http=down.http)
    outage = override_settings(**BACKEND | {"BEARERKIT_AUTH": auth}, BEARERKIT_USER=CallerUser)
    with outage, pytest.raises(KeysUnavailable):
        authenticate(None, bearer_token=ISSUER.token())
    with override_settings(**BACKEND), pytest.raises(ConfigError, match="BEARERKIT_USER"):
        authenticate(None, bearer_token=ISSUER.token())


# CSRF


def reached(request: Any) -> HttpResponse:
    return HttpResponse("reached")


async def areached(request: Any) -> HttpResponse:
    return HttpResponse("reached")


def strict() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = "of the victim"
    return client


@pytest.mark.parametrize("view", [reached, areached], ids=["sync", "async"])
def test_a_bearer_token_makes_up_for_a_csrf_token(view: Any) -> None:
    """No page makes a browser send it; whoever comes without one is still judged by Django."""
    required, optional = RequireBearer(AUTH), RequireBearer(AUTH, optional=True)
    with override_settings(ROOT_URLCONF=routes(required=required(view), optional=optional(view))):
        assert strict().post("/required", headers=bearing()).status_code == 200
        assert strict().post("/required").status_code == 401
        assert strict().post("/optional", headers=bearing()).status_code == 200
        assert strict().post("/optional").status_code == 403
        assert strict().get("/optional").status_code == 200


def test_a_token_that_a_gateway_adds_does_not(auth: Auth) -> None:
    """It does so for whoever has a session cookie, and a browser sends that for any page."""
    gateway = Auth(auth.issuers[0], places=Places(header="x-amzn-oidc-data"))  # type: ignore[arg-type]
    with override_settings(ROOT_URLCONF=routes(x=RequireBearer(gateway)(reached))):
        headers = {"x-amzn-oidc-data": ISSUER.token()}
        assert strict().post("/x", headers=headers).status_code == 403
        assert Client().post("/x", headers=headers).status_code == 200


def test_a_page_of_another_origin_with_a_token_of_its_own_and_the_cookies_of_its_visitor() -> None:
    """CORS may let it in; Django's check judges it."""
    with override_settings(ROOT_URLCONF=routes(x=RequireBearer(AUTH)(reached))):
        headers = {**bearing(), "Origin": "https://evil.example.test"}
        assert strict().post("/x", headers=headers).status_code == 403
        bare = RequestFactory().post("/x", headers=headers)
        assert RequireBearer(AUTH)(reached)(bare).status_code == 200
        own = {**bearing(), "Origin": "http://testserver"}
        assert strict().post("/x", headers=own).status_code == 200


def test_a_csrf_token_is_as_good_as_ever() -> None:
    """And a view that the team exempted stays exempt."""
    optional = RequireBearer(AUTH, optional=True)

    def form(request: Any) -> HttpResponse:
        return HttpResponse(get_token(request))

    views = routes(
        form=form, x=optional(reached), free=optional(csrf_exempt(reached)), twice=optional(optional(reached))
    )
    with override_settings(ROOT_URLCONF=views):
        client = Client(enforce_csrf_checks=True)
        token = client.get("/form").content.decode()
        assert client.post("/x", headers={"X-CSRFToken": token}).status_code == 200
        assert client.post("/x").status_code == 403
        assert client.post("/free").status_code == 200
        assert client.post("/twice").status_code == 403


def test_a_project_without_the_check_has_none() -> None:
    """Nobody is made to send CSRF tokens who did not before."""
    middleware = [path for path in settings.MIDDLEWARE if "csrf" not in path.lower()]
    with override_settings(MIDDLEWARE=middleware, ROOT_URLCONF=routes(x=RequireBearer(AUTH, optional=True)(reached))):
        assert strict().post("/x").status_code == 200


def test_an_unguarded_view_behind_the_middleware() -> None:
    """A bearer token makes up for the CSRF token there too, and an exempt path has to bring one."""
    with override_settings(
        MIDDLEWARE=[*settings.MIDDLEWARE, OURS],
        BEARERKIT_AUTH=AUTH,
        BEARERKIT_EXEMPT=["/open"],
        ROOT_URLCONF=routes(x=reached, open=reached),
    ):
        assert strict().post("/x", headers=bearing()).status_code == 200
        assert strict().post("/open", headers=bearing()).status_code == 403


# The admin, and streams


def test_the_admin_is_as_ever(database: Any) -> None:
    """Its log-in page, its session, its user, behind a middleware that guards everything else."""
    database.create_superuser("root", password="a password")
    with override_settings(
        MIDDLEWARE=[*settings.MIDDLEWARE, OURS],
        BEARERKIT_AUTH=AUTH,
        BEARERKIT_EXEMPT=["/admin/", "/admin/*"],
        BEARERKIT_USER=CallerUser,
        ROOT_URLCONF=(path("admin/", admin.site.urls), path("me", who)),
    ):
        client = Client()
        assert client.get("/admin/").status_code == 302
        wrong = client.post("/admin/login/", {"username": "root", "password": "wrong"})
        assert b"correct username" in wrong.content
        client.post("/admin/login/", {"username": "root", "password": "a password"})
        assert b"root" in client.get("/admin/").content
        assert client.get("/me").status_code == 401
        assert client.get("/me", headers=bearing("ada")).content == b"ada|ada"
        client.post("/admin/logout/")
        assert client.get("/admin/").status_code == 302


def test_streams_are_made_under_their_caller() -> None:
    """After the view has returned; nobody is left behind."""

    def stream(request: Any) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(current_auth.subject) for _ in range(2))

    with override_settings(ROOT_URLCONF=routes(s=RequireBearer(AUTH)(stream))):
        assert Client().get("/s", headers=bearing("ada")).getvalue() == b"adaada"
    assert repr(current_auth) == "<current_auth: nobody is calling>"


def test_nobody_of_ours_is_left_as_the_user_of_another_caller() -> None:
    """A guard that loads nobody takes away whom an outer guard loaded for somebody else."""
    service = Auth(AUTH.issuers[0], places=Places(header="x-service"))  # type: ignore[arg-type]
    inner = RequireBearer(service)(lambda request: HttpResponse(type(request.user).__name__))
    view = RequireBearer(AUTH, user=CallerUser)(inner)
    request = RequestFactory().get("/", headers={**bearing("ada"), "X-Service": ISSUER.token(sub="s")})
    assert view(request).content == b"AnonymousUser"
    assert isinstance(request.user, AnonymousUser)
