"""`live()` and `scope(…, live=True)`: the issuer is asked about a credential that is good by itself."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from auth_doubles import ISSUER, NOW, auth, request, token
from bearerkit import Auth, AuthContext, ConfigError, Introspection, Issuer, live, role, scope, tenant
from bearerkit.errors import (
    AudienceMismatch,
    BearerkitError,
    ClaimInvalid,
    InsufficientScope,
    IntrospectionUnavailable,
    Malformed,
    PermissionDenied,
    Revoked,
    TenantUnknown,
    TokenInvalid,
)
from bearerkit.gate import Gate
from bearerkit.http import Fetch, Fetched, Headers
from bearerkit.ports import Waits
from bearerkit.testing import SigningKey, as_user
from bearerkit.verify.kind import Kind, KindSettings
from bearerkit.verify.world import World

KEY = SigningKey.generate("ES256", kid="k1")
OURS = Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]})
OTHER = "https://other.example.test"
ACTIVE = {"active": True, "iss": ISSUER, "aud": "api", "sub": "u1", "exp": NOW + 300}
NEED = scope("x", live=True)


class Server:
    """An introspection endpoint that says the same of every token, and keeps what it was asked."""

    def __init__(self, answer: Any = None, **changes: Any) -> None:
        self.answer = {**ACTIVE, **changes} if answer is None else answer
        self.asked: list[str] = []

    async def fetch(self, fetch: Fetch) -> Fetched:
        self.asked.append(dict(parse_qsl((fetch.body or b"").decode()))["token"])
        if isinstance(self.answer, Exception):
            raise self.answer
        return Fetched(200, Headers([("content-type", "application/json")]), json.dumps(self.answer).encode())


def hybrid(server: Server, *, issuer: str | None = ISSUER, **settings: Any) -> Auth:
    asks = Introspection(f"{ISSUER}/introspect", issuer=issuer, client_id="api", client_secret="s", audience="api")
    return auth(OURS, asks, web=server, **settings)  # type: ignore[arg-type]


def refused(guarded: Auth, need: Any, **changes: Any) -> BearerkitError:
    with pytest.raises(BearerkitError) as raised:
        guarded.authorize(request(token(KEY, **changes), tenant_id="acme"), need)
    return raised.value


def test_only_where_a_requirement_says_so() -> None:
    """The very token, once for a request however many guards stack, and again for the next, past every cache."""
    server, credential = Server(), token(KEY, scope="x")
    guarded, one = hybrid(server), request(credential)
    guarded.authorize(one, scope("x"))
    guarded.verify(credential)
    assert server.asked == []
    context = guarded.authorize(one, NEED)
    guarded.authorize(one, live())
    guarded.enforce(context, one, live() & NEED)
    guarded.authorize(dispatched(one, "/other"), live())
    assert server.asked == [credential]
    assert context.credential_kind == "jwt"
    guarded.authorize(request(credential), NEED)
    assert server.asked == [credential] * 2


def dispatched(one: Any, path: str) -> Any:
    """The same request, dispatched to another path."""
    return type(one)(one.method, path, one.headers, memo=one.memo)


@pytest.mark.anyio
async def test_async_code_gets_the_same() -> None:
    """`aauthorize` and `aenforce`."""
    server, one = Server(), request(token(KEY, scope="x"))
    guarded = hybrid(server)
    context = await guarded.aauthorize(one, NEED)
    await guarded.aenforce(context, one, live())
    assert len(server.asked) == 1
    server.answer = {"active": False}
    with pytest.raises(Revoked):
        await guarded.aauthorize(request(token(KEY, scope="x")), NEED)


def test_a_revoked_token_is_refused() -> None:
    """401, though it verifies; and where nothing is live it still passes."""
    guarded = hybrid(Server({"active": False}))
    found = refused(guarded, live())
    assert isinstance(found, Revoked)
    assert (found.status, found.reason) == (401, "revoked")
    assert guarded.authorize(request(token(KEY))).subject == "u1"


def test_no_other_alternative_lets_it_in() -> None:
    """Once the issuer has said that it is revoked; one that passes without asking does."""
    server = Server({"active": False})
    guarded = hybrid(server)
    assert isinstance(refused(guarded, live() | role("x")), Revoked)
    guarded.authorize(request(token(KEY, roles=["x"])), live() | role("x"))
    assert len(server.asked) == 1


def test_whoever_is_refused_anyway_causes_no_call() -> None:
    """Neither without the scope nor in another tenant."""
    server = Server({"active": False})
    guarded = hybrid(server)
    assert isinstance(refused(guarded, NEED), InsufficientScope)
    assert isinstance(refused(guarded, NEED & tenant(path="tenant_id"), scope="x"), TenantUnknown)
    assert server.asked == []


def test_scopes_that_were_taken_back() -> None:
    """The answer is newer than the token, and never adds to it."""
    for said, passes in (("x y", True), ("y", False), ("", False)):
        guarded = hybrid(Server(scope=said))
        if passes:
            guarded.authorize(request(token(KEY, scope="x")), NEED)
        else:
            assert isinstance(refused(guarded, NEED, scope="x"), InsufficientScope)
        guarded.authorize(request(token(KEY, scope="x")), live())
    assert isinstance(refused(hybrid(Server(scope="x")), NEED), InsufficientScope)


@pytest.mark.parametrize("answer", [OSError("down"), {"active": "true"}, {}, [], {"active": 1}])
def test_an_outage_is_one(answer: Any) -> None:
    """503: it is neither active nor revoked."""
    found = refused(hybrid(Server(answer)), live())
    assert isinstance(found, IntrospectionUnavailable)
    assert found.status == 503


def test_an_answer_that_is_not_for_us() -> None:
    """Keeps its own reason."""
    assert isinstance(refused(hybrid(Server(aud="billing")), live()), AudienceMismatch)


@pytest.mark.parametrize("changes", [{"sub": "u2"}, {"jti": "j2"}])
def test_an_answer_about_another_token(changes: Any) -> None:
    """Proves nothing about this one; what it leaves out does not differ."""
    found = refused(hybrid(Server(**changes)), live())
    assert isinstance(found, ClaimInvalid)
    assert (found.status, found.reason) == (401, "live_mismatch")
    hybrid(Server(jti="j1")).authorize(request(token(KEY)), live())


def test_a_conversation_is_asked_about_each_time() -> None:
    """A WebSocket may outlast the credential's welcome."""
    server, one = Server(), request(token(KEY), kind="websocket")
    guarded = hybrid(server)
    context = guarded.authorize(one, live())
    server.answer = {"active": False}
    with pytest.raises(Revoked):
        guarded.enforce(context, one, live())


@pytest.mark.parametrize("others", [(), ("without issuer",), ("of another",)])
def test_nobody_to_ask_is_a_mistake_in_the_settings(others: Any) -> None:
    """Which never lets anybody in, and sends the token nowhere."""
    server = Server()
    guarded = auth(OURS, web=server) if not others else None  # type: ignore[arg-type]
    if others:
        guarded = hybrid(server, issuer=OTHER if others == ("of another",) else None)
    assert guarded is not None
    found = refused(guarded, live())
    assert isinstance(found, ConfigError)
    assert ISSUER in str(found)
    assert "Introspection" in str(found)
    assert server.asked == []


def test_a_context_from_elsewhere_has_no_credential() -> None:
    """Nobody can be asked about it, whatever token the request carries."""
    server, one = Server(), request(token(KEY))
    guarded = hybrid(server)
    guarded.authorize(one)
    for context in (AuthContext.of(), AuthContext.of(subject="u1")):
        with pytest.raises(ConfigError):
            guarded.enforce(context, one, live())
    assert server.asked == []


def test_an_opaque_token_is_asked_about_past_the_cache() -> None:
    """By the verifier that resolved it."""
    server = Server()
    guarded = hybrid(server)
    guarded.authorize(request("opaque"))
    guarded.authorize(request("opaque"))
    assert server.asked == ["opaque"]
    guarded.authorize(request("opaque"), live())
    server.answer = {"active": False}
    with pytest.raises(Revoked):
        guarded.authorize(request("opaque"), live())
    with pytest.raises(TokenInvalid):
        guarded.authorize(request("opaque"))


class Mute(Kind):
    """A kind that can ask nobody."""

    def at_once(self, credential: str) -> AuthContext | None:
        return AuthContext({"sub": "m1"}, credential_kind="api_key")

    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        raise AssertionError("it is known at once")

    def describe(self) -> str:
        return "mute"


class MuteSettings(KindSettings):
    prefixes = ("k_",)

    def enter(self, world: World) -> Kind:
        return Mute()


def test_a_kind_that_can_ask_nobody() -> None:
    """Says so, and nobody passes."""
    with pytest.raises(ConfigError, match="api_key"):
        auth(MuteSettings()).authorize(request("k_1"), live())


def test_tests_may_act_as_somebody_live() -> None:
    """Nobody revokes an identity of a test, and its scopes are those given."""
    guarded = hybrid(Server(OSError("down")))
    with as_user(guarded, scopes="x"):
        guarded.authorize(request(), NEED)
        with pytest.raises(InsufficientScope):
            guarded.authorize(request(), scope("y", live=True))


def test_a_bad_token_goes_nowhere() -> None:
    """It is verified first."""
    server = Server()
    with pytest.raises((Malformed, TokenInvalid)):
        hybrid(server).authorize(request(token(KEY)[:-3] + "abc"), live())
    with pytest.raises(PermissionDenied):
        hybrid(server).authorize(request(token(KEY)), role("x") & live())
    assert server.asked == []


def test_a_mistake_in_the_settings_is_no_refusal() -> None:
    """It leaves an adapter as an error (500), rather than as an answer that blames the caller."""
    with pytest.raises(ConfigError):
        Gate.of(auth(OURS)).authorize(request(token(KEY)), live())
