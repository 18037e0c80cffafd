"""REST framework: who is calling, beside its own authentication classes, sessions, throttles and test clients."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from itertools import permutations
from typing import Any

import pytest

from adapters.drf_calls import OURS, THEIRS, answered_by, app_of, ask, database, routed, said, view_of
from adapters.scenarios import AUDIENCE, BARE, EXPIRED, INVALID, ISSUER, OLD, USERS, load_user
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, AuthContext, ConfigError, Issuer, Places, authenticated, scope
from bearerkit.testing import as_user

from django.contrib.auth.models import AnonymousUser, User  # isort: skip - after the settings
from django.test import override_settings
from django.urls import path as url
from rest_framework import authentication as builtin
from rest_framework import exceptions
from rest_framework.permissions import AllowAny, DjangoModelPermissions, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate
from rest_framework.throttling import AnonRateThrottle, ScopedRateThrottle, UserRateThrottle

from bearerkit.django import model_user
from bearerkit.django.settings import relying
from bearerkit.django.users import CallerUser
from bearerkit.drf import BearerAuthentication, RequireBearer, auth_from

BASIC = 'Basic realm="api"'


def basic(name: str, password: str) -> tuple[str, str]:
    return "Authorization", f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


# The classes of the settings


def test_the_class_of_the_settings_has_their_auth(auth: Auth) -> None:
    """`BEARERKIT_AUTH` and the options beside it, read when a request arrives."""
    view = view_of(IsAuthenticated, authentication=[BearerAuthentication])
    with override_settings(BEARERKIT_AUTH=auth):
        assert said(ask(view, ISSUER.token(sub="ada"))) == ["ada", "ada"]
        assert ask(view, ISSUER.token(**OLD)).header("WWW-Authenticate") == EXPIRED
        assert ask(view).header("WWW-Authenticate") == BARE
    with override_settings(BEARERKIT_AUTH=auth, BEARERKIT_USER=load_user):
        assert said(ask(view_of(authentication=[BearerAuthentication]), ISSUER.token()))[0] == str(USERS["user"])


def test_without_settings_nobody_passes(auth: Auth) -> None:
    """A missing setting is a ConfigError, whatever is sent, and the system checks know that something relies on it."""
    before = set(relying())
    bearer = RequireBearer()
    assert len(set(relying()) - before) == 1
    for view in (view_of(authentication=[BearerAuthentication]), view_of(bearer)):
        for token in (None, ISSUER.token()):
            with pytest.raises(ConfigError, match="BEARERKIT_AUTH is not set"):
                ask(view, token)
    RequireBearer(auth)
    assert len(set(relying()) - before) == 1


def test_options_go_before_the_settings(auth: Auth) -> None:
    """A guard without an `Auth` of its own takes that of the settings, and keeps its options."""
    bearer = RequireBearer(user=lambda ctx: f"<{ctx.subject}>")
    with override_settings(BEARERKIT_AUTH=auth, BEARERKIT_USER=load_user):
        assert said(ask(view_of(authentication=[bearer.authentication]), ISSUER.token()))[0] == "<user>"
        assert bearer.gate.auth is auth


@pytest.mark.slow
def test_the_settings_may_name_our_classes() -> None:
    """In a process of its own: they are imported while REST framework is, in either order, without a circle."""
    settings = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["bearerkit.drf.BearerAuthentication"],
        "EXCEPTION_HANDLER": "bearerkit.drf.drf_exception_handler",
    }
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"]
    program = (
        f"from django.conf import settings; settings.configure(INSTALLED_APPS={apps}, REST_FRAMEWORK={settings})\n"
        "import django; django.setup()\n"
        "import FIRST\n"
        "from rest_framework.views import APIView; from bearerkit.drf import BearerAuthentication\n"
        "assert APIView.authentication_classes == [BearerAuthentication]\n"
    )
    for first in ("bearerkit.drf", "rest_framework.views"):
        command = [sys.executable, "-W", "error", "-c", program.replace("FIRST", first)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stderr


# Beside other classes


OTHERS = [builtin.SessionAuthentication, builtin.BasicAuthentication, builtin.RemoteUserAuthentication]


@pytest.mark.parametrize("handler", [OURS, THEIRS])
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("ours_is_first", [True, False])
def test_our_permission_says_401_in_any_order(auth: Auth, handler: str, other: Any, ours_is_first: bool) -> None:
    """REST framework makes 401 a 403 where the first class has no challenge; ours are not changed."""
    bearer = RequireBearer(auth)
    classes = [bearer.authentication, other] if ours_is_first else [other, bearer.authentication]
    view = view_of(bearer.require(scope("a")), authentication=classes)
    with answered_by(handler):
        nobody, bad, poor = ask(view), ask(view, ISSUER.token(**OLD)), ask(view, ISSUER.token())
        assert ask(view, ISSUER.token(scope="a")).status == 200
    assert (nobody.status, nobody.header("WWW-Authenticate")) == (401, BARE)
    assert (bad.status, bad.header("WWW-Authenticate")) == (401, EXPIRED)
    assert poor.status == 403
    assert 'error="insufficient_scope"' in (poor.header("WWW-Authenticate") or "")


@pytest.mark.parametrize("other", [builtin.SessionAuthentication, builtin.RemoteUserAuthentication])
def test_is_authenticated_says_401_in_any_order(auth: Auth, other: Any) -> None:
    """Also of a class that has no challenge and comes first, with our handler."""
    ours = RequireBearer(auth).authentication
    for classes in permutations([ours, other]):
        call = ask(view_of(IsAuthenticated, authentication=classes))
        assert (call.status, call.header("WWW-Authenticate")) == (401, BARE)
        assert call.header("Content-Type") == "application/problem+json"


def test_the_first_challenge_is_sent(auth: Auth) -> None:
    """As REST framework has it: of two classes with a challenge the first one counts."""
    ours = RequireBearer(auth).authentication
    for handler in (OURS, THEIRS):
        with answered_by(handler):
            first = ask(view_of(IsAuthenticated, authentication=[ours, builtin.BasicAuthentication]))
            second = ask(view_of(IsAuthenticated, authentication=[builtin.BasicAuthentication, ours]))
        assert (first.status, first.header("WWW-Authenticate")) == (401, BARE)
        assert (second.status, second.header("WWW-Authenticate")) == (401, BASIC)


def test_without_our_handler_a_session_in_front_makes_it_403(auth: Auth) -> None:
    """For REST framework's own permissions: so ours comes first, or the permission is ours, or the handler is."""
    ours = RequireBearer(auth).authentication
    with answered_by(THEIRS):
        call = ask(view_of(IsAuthenticated, authentication=[builtin.SessionAuthentication, ours]))
        assert (call.status, call.header("WWW-Authenticate")) == (403, None)
        call = ask(view_of(IsAuthenticated, authentication=[ours, builtin.SessionAuthentication]))
        assert (call.status, call.header("WWW-Authenticate")) == (401, BARE)


def test_what_is_not_ours_is_left_to_rest_framework(auth: Auth) -> None:
    """No class of ours; and a caller whom the view wants to be somebody else."""

    def get(view: Any, request: Any) -> Response:
        raise exceptions.NotAuthenticated

    call = ask(view_of(IsAuthenticated, authentication=[builtin.SessionAuthentication]))
    assert (call.status, call.header("WWW-Authenticate")) == (403, None)
    assert ask(view_of(authentication=[builtin.SessionAuthentication], get=get)).status == 403
    request = APIRequestFactory().get("/")
    force_authenticate(request, user=User(username="root"))
    ours = RequireBearer(auth).authentication
    assert view_of(authentication=[ours], get=get)(request)["WWW-Authenticate"] == BARE


def test_a_bad_credential_is_refused_where_anybody_may_pass(auth: Auth) -> None:
    """AllowAny asks for nobody, and lies do not get better by it."""
    view = view_of(AllowAny, authentication=[RequireBearer(auth).authentication])
    assert said(ask(view)) == ["AnonymousUser", None]
    assert said(ask(view, ISSUER.token(sub="ada"))) == ["ada", "ada"]
    for token in ("garbage", ISSUER.token(**OLD), ISSUER.token(aud="other")):
        assert ask(view, token).status == 401
    assert ask(view, headers=[("Authorization", "Bearer a b")]).status == 400


def test_another_scheme_is_for_others(auth: Auth) -> None:
    """Basic credentials are none of ours, and a password is asked for by who knows it."""
    ours = RequireBearer(auth).authentication
    with database(), override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        User.objects.create_user("bob", password="secret")
        for classes in permutations([ours, builtin.BasicAuthentication]):
            view = view_of(IsAuthenticated, authentication=classes)
            assert said(ask(view, headers=[basic("bob", "secret")])) == ["bob", None]
            assert ask(view, headers=[basic("bob", "wrong")]).status == 401


# The user


def test_the_caller_is_the_user_where_none_is_loaded(auth: Auth) -> None:
    """`request.user` and `request.auth`, on both requests, beside `auth_from` and `auth_context`."""

    def get(view: Any, request: Any) -> Response:
        inner = request._request
        assert isinstance(request.user, CallerUser)
        assert request.user is inner.user
        assert isinstance(request.auth, AuthContext)
        assert request.auth is request.user.context is inner.auth is inner.auth_context is auth_from(request)
        assert auth_from(inner) is request.auth
        return Response([request.user.pk, request.user.username, request.auth.subject])

    view = view_of(authentication=[RequireBearer(auth).authentication], get=get)
    assert said(ask(view, ISSUER.token(sub="ada"))) == ["ada", "ada", "ada"]


def test_the_team_has_users_of_its_own(auth: Auth) -> None:
    """`user=`, with the same refusals for the unknown and the disabled as everywhere."""
    bearer = RequireBearer(auth, user=load_user)

    def get(view: Any, request: Any) -> Response:
        assert request.user is request._request.user is USERS["user"]
        assert asyncio.run(request._request.auser()) is request.user
        return Response(request.auth.subject)

    for permissions in ((), (bearer,)):
        view = view_of(*permissions, authentication=[bearer.authentication], get=get)
        assert said(ask(view, ISSUER.token())) == "user"
        for subject in ("nobody", "gone"):
            call = ask(view, ISSUER.token(sub=subject))
            assert (call.status, call.header("WWW-Authenticate")) == (401, INVALID)


def test_a_loader_may_be_async_and_is_asked_once(auth: Auth) -> None:
    """However many classes ask who is calling."""
    asked: list[str] = []

    async def load(ctx: AuthContext) -> Any:
        await asyncio.sleep(0)
        asked.append(str(ctx.subject))
        return USERS["user"]

    bearer = RequireBearer(auth, user=load)
    view = view_of(bearer, bearer.require(authenticated()), authentication=[bearer.authentication])
    assert said(ask(view, ISSUER.token())) == [str(USERS["user"]), "user"]
    assert asked == ["user"]


def test_nobody_has_no_user(auth: Auth) -> None:
    """Where a loader is configured, and where none is."""

    def get(view: Any, request: Any) -> Response:
        assert isinstance(request.user, AnonymousUser)
        assert request.auth is None
        return Response(auth_from(request).is_anonymous)

    for options in ({}, {"user": load_user}, {"optional": True}):
        bearer = RequireBearer(auth, **options)
        assert said(ask(view_of(authentication=[bearer.authentication], get=get))) is True


@pytest.mark.attacks
def test_a_claim_is_no_right_of_django(auth: Auth) -> None:
    """Attack 88: `is_superuser` and `is_staff` in a token make nobody an administrator."""
    claims = {"is_superuser": True, "is_staff": True, "is_admin": True, "groups": ["admin"], "permissions": ["*"]}
    token = ISSUER.token(sub="root", **claims)

    def get(view: Any, request: Any) -> Response:
        user = request.user
        rights = [user.is_staff, user.is_superuser, user.has_module_perms("auth")]
        return Response([*rights, user.has_perm("auth.add_user"), user.has_perms(["auth.add_user"])])

    bearer, loading = RequireBearer(auth), RequireBearer(auth, user=model_user())
    models = {"queryset": User.objects.all(), "post": get}
    with database():
        User.objects.create_user("root")
        for authentication in (bearer.authentication, loading.authentication):
            assert said(ask(view_of(authentication=[authentication], get=get), token)) == [False] * 5
            assert ask(view_of(IsAdminUser, authentication=[authentication]), token).status == 403
            view = view_of(DjangoModelPermissions, authentication=[authentication], **models)
            assert ask(view, token, method="POST").status == 403


# Sessions


def browser(auth: Auth, *permissions: Any, **members: Any) -> Any:
    """A view for scripts and browsers, with the session first, as REST framework has it by default."""
    classes = [builtin.SessionAuthentication, RequireBearer(auth).authentication]

    def post(view: Any, request: Any) -> Response:
        return Response([str(request.user)])

    return view_of(*permissions, authentication=classes, post=post, **members)


def test_the_browsable_page_works_for_sessions_and_tokens(auth: Auth) -> None:
    """Its forms ask the permissions of other methods too; a token brings nobody's session."""
    bearer = RequireBearer(auth)
    either = browser(auth, IsAuthenticated & (IsAdminUser | bearer.require(scope("orders:read"))))
    client = APIClient()
    with database(), routed(url("", either)):
        client.force_login(User.objects.create_user("boss", is_staff=True))
        page = client.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b"boss" in page.content
        token = ISSUER.token(sub="ada", scope="orders:read")
        page = APIClient().get("/", headers={"Accept": "text/html", "Authorization": f"Bearer {token}"})
        assert page.status_code == 200
        assert b"ada" in page.content


@pytest.mark.attacks
def test_a_session_still_needs_its_csrf_token(auth: Auth) -> None:
    """REST framework makes the check for its sessions; a bearer token beside or without one needs none."""
    view = browser(auth, IsAuthenticated)
    client, stranger = APIClient(enforce_csrf_checks=True), APIClient(enforce_csrf_checks=True)
    with database(), routed(url("", view)):
        client.force_login(User.objects.create_user("boss"))
        refused = client.post("/")
        assert refused.status_code == 403
        assert "CSRF" in refused.json()["detail"]
        assert stranger.post("/", headers={"Authorization": f"Bearer {ISSUER.token(sub='ada')}"}).json() == ["ada"]


@pytest.mark.attacks
@pytest.mark.parametrize("place", ["authentication", "permission"])
def test_what_a_gateway_adds_for_a_cookie_needs_a_csrf_token(place: str) -> None:
    """Views of REST framework are exempt from Django's check, so it is made here: another site cannot write."""
    places = Places(header="x-gateway-jwt")
    bearer = RequireBearer(Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=places))

    def post(view: Any, request: Any) -> Response:
        return Response("written", 201)

    classes = {"authentication": [bearer.authentication]} if place == "authentication" else {}
    view = view_of(*(() if classes else (bearer,)), post=post, **classes)
    sent = [("X-Gateway-Jwt", ISSUER.token())]
    assert ask(view, headers=sent).status == 200
    forged = ask(view, headers=sent, method="POST")
    assert (forged.status, said(forged)) == (403, {"detail": "CSRF Failed"})
    secret = "a" * 32
    meant = [
        *sent,
        ("Cookie", f"csrftoken={secret}"),
        ("X-CSRFToken", secret),
        ("Referer", "https://api.example.test/"),
    ]
    assert ask(view, headers=meant, method="POST").status == 201
    assert ask(view, method="POST").status == (201 if classes else 401)


# Throttles


def test_throttles_count_by_subject(auth: Auth) -> None:
    """One caller's requests are not those of another, and the anonymous are counted by address."""

    class PerCaller(UserRateThrottle):
        rate = "2/day"

    class PerAddress(AnonRateThrottle):
        rate = "1/day"

    class Scoped(ScopedRateThrottle):
        THROTTLE_RATES = {"dear": "2/day"}

    ours = [RequireBearer(auth).authentication]
    view = view_of(authentication=ours, throttle_classes=[PerCaller])
    scoped = view_of(authentication=ours, throttle_classes=[Scoped], throttle_scope="dear")
    open_view = view_of(authentication=ours, throttle_classes=[PerAddress])
    for limited in (view, scoped):
        for user in ("throttled-ada", "throttled-bob"):
            statuses = [ask(limited, ISSUER.token(sub=user)).status for _ in range(3)]
            assert statuses == [200, 200, 429]
    assert [ask(open_view, REMOTE_ADDR="192.0.2.1").status for _ in range(2)] == [200, 429]
    assert [ask(open_view, ISSUER.token(), REMOTE_ADDR="192.0.2.1").status for _ in range(2)] == [200, 200]


def test_a_machine_is_counted_by_its_client() -> None:
    """A token without a subject has a client, and such callers share nothing."""

    class PerCaller(UserRateThrottle):
        rate = "1/day"

    auth = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks, subject="optional"))
    view = view_of(authentication=[RequireBearer(auth).authentication], throttle_classes=[PerCaller])
    for client in ("throttled-robot", "throttled-other"):
        token = ISSUER.token(sub=None, client_id=client)
        assert [ask(view, token).status for _ in range(2)] == [200, 429]


# Tests of teams


def test_as_user_in_tests_of_a_team(auth: Auth) -> None:
    """It reaches both kinds of classes, by the `Auth` and by the guard, and needs are enforced on it."""
    bearer = RequireBearer(auth)
    view = view_of(bearer.require(scope("a")), authentication=[bearer.authentication])
    with routed(url("", view)):
        for target in (auth, bearer):
            with as_user(target, sub="ada", scopes="a"):
                assert APIClient().get("/").json() == ["ada", "ada"]
            with as_user(target, sub="ada"):
                assert APIClient().get("/").status_code == 403
        assert APIClient().get("/").status_code == 401


def test_force_authenticate_says_who_and_not_what_he_may(auth: Auth) -> None:
    """It stands in for authentication classes; a permission of ours still wants a credential."""
    bearer = RequireBearer(auth)
    client = APIClient()
    client.force_authenticate(User(username="forced"))
    for permission, status in ((IsAuthenticated, 200), (bearer, 401)):
        with routed(url("", view_of(permission, authentication=[bearer.authentication]))):
            assert client.get("/").status_code == status
            with as_user(auth, sub="ada"):
                assert client.get("/").json() == ["forced", None]


def test_a_view_may_be_called_without_routes(auth: Auth) -> None:
    """With the request factory of REST framework."""
    view = view_of(IsAuthenticated, authentication=[RequireBearer(auth).authentication])
    request = APIRequestFactory().get("/", headers={"Authorization": f"Bearer {ISSUER.token(sub='ada')}"})
    assert view(request).data == ["ada", "ada"]
    assert wsgi_get(app_of(view), "/", ISSUER.token(sub="ada")).status == 200
