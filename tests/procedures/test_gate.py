"""What every adapter shares: the options of RequireBearer, and the order in which they apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from auth_doubles import ISSUER, NOW, auth, jwks, request, token
from bearerkit import Auth, AuthContext, ConfigError, Issuer, Request, custom, scope
from bearerkit._drive import run
from bearerkit.errors import (
    BearerkitError,
    CredentialsMissing,
    Expired,
    InsufficientScope,
    KeysUnavailable,
    PermissionDenied,
    SignatureInvalid,
    TenantUnknown,
    UserUnknown,
)
from bearerkit.gate import Gate
from bearerkit.http import Response, called_directly
from bearerkit.testing import FrozenClock, SigningKey

KEY = SigningKey.generate("ES256", kid="k1")
GOOD = token(KEY)


def entry(**settings: Any) -> Issuer:
    return Issuer(ISSUER, **{"audience": "api", "keys": jwks(KEY), **settings})


def gate(**options: Any) -> Gate:
    return Gate.of(auth(entry()), **options)


class Users:
    """A user loader that counts; `users` maps subjects to what it answers."""

    def __init__(self, **users: Any) -> None:
        self.users = users
        self.asked: list[str | None] = []

    def __call__(self, ctx: AuthContext) -> Any:
        self.asked.append(ctx.subject)
        return self.users.get(ctx.subject or "")


def test_a_gate_builds_its_auth():
    """From one issuer, or takes the one it is given."""
    built = Gate.of(entry())
    assert isinstance(built.auth, Auth)
    mine = auth(entry())
    assert Gate.of(mine).auth is mine
    with pytest.raises(ConfigError):
        Gate.of("https://id.example.test")  # type: ignore[arg-type]


def test_sync_and_async_give_the_same():
    """Context, refusal and need."""
    way = gate()
    assert way.authorize(request(GOOD)).subject == "u1"
    assert anyio.run(way.aauthorize, request(GOOD)).subject == "u1"
    for refused, need, kind in ((request(), None, CredentialsMissing), (request(GOOD), scope("x"), InsufficientScope)):
        with pytest.raises(kind):
            way.authorize(refused, need)
        with pytest.raises(kind):
            anyio.run(way.aauthorize, refused, need)


def test_optional():
    """No credential is nobody; a bad one is still refused, and so is nobody where there is a need."""
    way = gate(optional=True, user=Users())
    coming = request()
    nobody = way.authorize(coming)
    assert nobody.is_anonymous
    assert way.user_of(coming, nobody) is None
    with pytest.raises(SignatureInvalid):
        way.authorize(request(GOOD[:-8] + "AAAAAAAA"))
    with pytest.raises(CredentialsMissing):
        way.authorize(request(), scope("x"))


# Users


@pytest.mark.anyio
async def test_an_async_loader():
    """Awaited under a loop; its user is the request's."""

    async def load(ctx: AuthContext) -> Any:
        await anyio.sleep(0)
        return f"user {ctx.subject}"

    way, coming = gate(user=load), request(GOOD)
    context = await way.aauthorize(coming)
    assert way.user_of(coming, context) == "user u1"


def test_an_async_loader_from_sync_code():
    """A TypeError that names the port."""

    async def load(ctx: AuthContext) -> Any:
        await anyio.sleep(0)

    with pytest.raises(TypeError, match="user"):
        gate(user=load).authorize(request(GOOD))


def test_a_user_is_loaded_once_per_request():
    """However many guards stack; the next request loads anew."""
    users = Users(u1="Ada")
    way, coming = gate(user=users), request(GOOD)
    for _ in range(3):
        context = way.authorize(coming)
    assert (users.asked, way.user_of(coming, context)) == (["u1"], "Ada")
    way.authorize(request(GOOD))
    assert users.asked == ["u1", "u1"]


def test_nobody_is_loaded_for_nobody():
    """An anonymous caller has no user."""
    users = Users(u1="Ada")
    gate(user=users, optional=True).authorize(request())
    with pytest.raises(CredentialsMissing):
        gate(user=users).authorize(request())
    assert users.asked == []


@pytest.mark.parametrize(
    "user",
    [
        None,
        SimpleNamespace(is_active=False),
        SimpleNamespace(is_active=0),
        SimpleNamespace(is_active=None),
        {"is_active": False},
        {"is_active": "false"},
        SimpleNamespace(is_active="0"),
        SimpleNamespace(is_active=lambda: False),
    ],
    ids=repr,
)
def test_an_unknown_or_disabled_user(user):
    """401 and not 403: nobody by this subject signs in here; nothing stays behind in the request."""
    way, coming = gate(user=Users(u1=user)), request(GOOD)
    for _ in range(2):
        with pytest.raises(UserUnknown) as caught:
            way.authorize(coming)
        assert caught.value.status == 401
        assert "bearerkit.user" not in coming.memo


@pytest.mark.parametrize(
    "user",
    [
        SimpleNamespace(is_active=True),
        SimpleNamespace(),
        {"is_active": True},
        {},
        "Ada",
        0,
        "",
        SimpleNamespace(is_active=1),
    ],
    ids=repr,
)
def test_an_active_user(user):
    """Whatever is not None and does not say that it is inactive, falsy values included."""
    way, coming = gate(user=Users(u1=user)), request(GOOD)
    assert way.user_of(coming, way.authorize(coming)) is user


def test_two_gates_with_loaders_of_their_own():
    """A stricter inner gate asks its own loader: the outer gate's user must not slip through."""
    where = auth(entry())
    outer, inner = Gate.of(where, user=Users(u1="anybody")), Gate.of(where, user=Users())
    coming = request(GOOD)
    outer.authorize(coming)
    with pytest.raises(UserUnknown):
        inner.authorize(coming)


def test_two_auths_do_not_share_a_user():
    """The same loader for two identities of one request: the user of the one is not the user of the other."""
    users = Users(u1="Ada", u2="Grace")
    from bearerkit import Places

    coming = request(GOOD, headers={"x-other": token(KEY, sub="u2")})
    first = Gate.of(auth(entry()), user=users)
    second = Gate.of(auth(entry(), places=Places("x-other")), user=users)
    first.authorize(coming)
    grace = second.authorize(coming)
    assert users.asked == ["u1", "u2"]
    assert second.user_of(coming, grace) == "Grace"


@pytest.mark.parametrize("run", ["sync", "async"])
def test_an_unknown_user_is_told_before_a_missing_scope(run):
    """The first stage of the order: who is calling comes before what they may do."""
    way = gate(user=Users())
    call = way.authorize if run == "sync" else partial(anyio.run, way.aauthorize)
    with pytest.raises(UserUnknown):
        call(request(GOOD), scope("admin"))


def test_an_unknown_user_is_told_to_the_operator_once(caplog):
    """When it is answered, like everything that is refused after the token was verified."""
    way = gate(user=Users())
    with caplog.at_level("INFO", "bearerkit"):
        with pytest.raises(UserUnknown) as caught:
            way.authorize(request(GOOD))
        way.answer(caught.value)
        way.answer(caught.value)
    assert [record.getMessage().split(":")[1].strip() for record in caplog.records] == ["user_unknown"]


def test_a_loader_that_fails_lets_nobody_in():
    """An error of the team's own code is theirs to see, and no pass."""

    def load(ctx: AuthContext) -> Any:
        raise ZeroDivisionError

    way, coming = gate(user=load), request(GOOD)
    with pytest.raises(ZeroDivisionError):
        way.authorize(coming)
    assert "bearerkit.user" not in coming.memo


# Answers


def test_without_render_the_answer_is_ours():
    """Exactly what Auth says."""
    way = gate()
    assert way.answer(Expired()) == way.auth.answer(Expired())


def test_render_replaces_the_body_only():
    """Whatever it returns: status, challenge, Cache-Control and Retry-After stay."""

    def render(refusal: Any, ours: Response) -> Response:
        return Response(
            200, (("Content-Type", "text/html"), ("Set-Cookie", "x=y"), ("WWW-Authenticate", "Basic")), b"<p>no</p>"
        )

    way = gate(render=render)
    for refusal in (Expired("d"), CredentialsMissing(), KeysUnavailable(retry_after=9), PermissionDenied()):
        ours, theirs = way.auth.answer(refusal), way.answer(refusal)
        assert (theirs.status, theirs.body) == (ours.status, b"<p>no</p>")
        assert theirs.header("content-type") == "text/html"
        for name in ("www-authenticate", "cache-control", "retry-after", "set-cookie"):
            assert theirs.header(name) == ours.header(name)


def test_render_with_body():
    """The documented way; without a type of its own the body keeps ours."""
    way = gate(render=lambda refusal, ours: ours.with_body({"code": refusal.reason}))
    assert way.answer(Expired()).body == b'{"code": "expired"}'
    assert way.answer(Expired()).header("content-type") == "application/json"
    bare = gate(render=lambda refusal, ours: Response(200, (), b"x"))
    assert bare.answer(Expired()).header("content-type") == "application/problem+json"


def whole_answer(way: Gate, refusal: BearerkitError, call: Callable[..., Any] = called_directly) -> Any:
    return run(way.whole_answer(refusal, "native", call))


def test_the_framework_s_own_404():
    """Only for tenant refusals, and only if it was asked for; it gets the framework's request."""
    way = gate(not_found=lambda native: f"a page for {native}")
    assert whole_answer(way, TenantUnknown()) == "a page for native"
    assert whole_answer(way, PermissionDenied()) == way.answer(PermissionDenied())
    assert whole_answer(gate(), TenantUnknown()) == gate().answer(TenantUnknown())


def test_the_framework_s_own_404_may_be_async_and_is_called_as_the_framework_calls():
    """What `call` makes of it is awaited; what it raises is passed on."""

    async def page(native: str) -> str:
        return f"a page for {native}"

    def shouting(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*(str(argument).upper() for argument in arguments))

    assert whole_answer(gate(not_found=page), TenantUnknown(), shouting) == "a page for NATIVE"
    with pytest.raises(ZeroDivisionError):
        whole_answer(gate(not_found=lambda native: 1 / 0), TenantUnknown())


def test_options_that_cannot_work_are_found_when_the_gate_is_built():
    """All at once, with the nearest name."""
    with pytest.raises(ConfigError) as caught:
        gate(optional="yes", user="ada", render=1, notfound=print)
    assert caught.value.problems == (
        "notfound is no option; did you mean 'not_found'?",
        "optional='yes' is neither True nor False",
        "user='ada' cannot be called",
        "render=1 cannot be called",
    )


def test_callbacks_are_called_as_the_request_says():
    """A framework that joins sync and async code puts its bridge there: for the user, and for a need's own function."""
    calls = []

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        calls.append(function)
        return function(*arguments)

    def load(context: AuthContext) -> str:
        return "Ada"

    def rule(context: AuthContext, request: Request) -> bool:
        return True

    way = gate(user=load)
    coming = replace(request(GOOD), call=call)
    context = way.authorize(coming, custom(rule, description="a rule"))
    assert way.user_of(coming, context) == "Ada"
    assert calls == [load, rule]


def test_user_of_an_untouched_request():
    """None before authorize."""
    assert gate(user=Users()).user_of(request(), AuthContext.of()) is None


def test_a_gate_hands_out_its_own_user_only():
    """Not what another gate loaded, and nothing for a context that it did not load for."""
    coming = request(GOOD)
    outer, inner = gate(user=Users(u1="Ada")), gate(user=Users(u1="Eve"))
    context = outer.authorize(coming)
    assert outer.user_of(coming, context) == "Ada"
    assert inner.user_of(coming, context) is None
    assert outer.user_of(coming, AuthContext.anonymous()) is None


def test_how_long_a_credential_lasts():
    """Without leeway, which a connection that is yet to begin does not get."""
    clock = FrozenClock(NOW)
    way = Gate.of(auth(entry(), clock=clock))
    context = way.authorize(request(GOOD))
    assert way.seconds_left(context) == 300
    assert way.seconds_left(AuthContext.of()) is None
    clock.advance(300)
    with pytest.raises(Expired):
        way.seconds_left(context)
