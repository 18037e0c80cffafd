"""`Introspection`: what is asked, how often, for how long an answer is believed, and what an outage looks like."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import anyio
import anyio.lowlevel
import pytest

from auth_doubles import ISSUER, NOW, Events, auth, request, token
from bearerkit import ANY, Auth, AuthContext, ConfigError, Introspection, Issuer, can, live, scope
from bearerkit.errors import (
    AudienceMismatch,
    Expired,
    InsufficientScope,
    IntrospectionUnavailable,
    IssuerMismatch,
    Malformed,
    PermissionDenied,
    ProofInvalid,
    Revoked,
    TokenInvalid,
)
from bearerkit.http import Fetch, Fetched, FetchFailed, Headers
from bearerkit.jose.client_auth import client_auth
from bearerkit.testing import FrozenClock, SigningKey

ENDPOINT = "https://id.example.test/introspect"
ACTIVE = {"active": True, "sub": "u1", "aud": "api", "scope": "a b", "client_id": "web", "exp": NOW + 3_600}
JSON = Headers([("content-type", "application/json")])


class Server:
    """An introspection endpoint that counts. `answers`: token → members, bytes, status or exception."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict({"t": ACTIVE} if answers is None else answers)
        self.asked: list[Fetch] = []
        self.gate: threading.Event | None = None
        self.pages: dict[str, Any] = {}

    @property
    def tokens(self) -> list[str]:
        return [token_in(fetch) for fetch in self.asked]

    async def fetch(self, fetch: Fetch) -> Fetched:
        import json

        if fetch.body is None:
            return Fetched(200, JSON, json.dumps(self.pages[fetch.url]).encode())
        self.asked.append(fetch)
        if self.gate is not None:
            assert self.gate.wait(10)
        answer = self.answers.get(token_in(fetch), {"active": False})
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return Fetched(answer, JSON, b"")
        return Fetched(200, JSON, answer if isinstance(answer, bytes) else json.dumps(answer).encode())


def token_in(fetch: Fetch) -> str:
    return dict(parse_qsl((fetch.body or b"").decode()))["token"]


def introspection(**settings: Any) -> Introspection:
    given = {"client_id": "api", "client_secret": "s", "audience": "api", **settings}
    return Introspection(given.pop("endpoint", ENDPOINT), **given)


def service(server: Server, clock: FrozenClock | None = None, *others: Any, **settings: Any) -> Auth:
    observer = settings.pop("observer", None)
    return auth(introspection(**settings), *others, web=server, clock=clock, observer=observer)  # type: ignore[arg-type]


def test_a_token_is_resolved_to_the_same_context_as_a_jwt() -> None:
    """Asked as RFC 7662 section 2.1 says; the answer is read by the same mapping."""
    server = Server()
    context = service(server).verify("t")
    assert (context.subject, context.scopes, context.client_id) == ("u1", ("a", "b"), "web")
    assert (context.credential_kind, context.expires_at) == ("opaque", NOW + 3_600)
    assert "active" not in context.claims
    (fetch,) = server.asked
    assert fetch.url == ENDPOINT
    assert dict(parse_qsl((fetch.body or b"").decode())) == {"token": "t", "token_type_hint": "access_token"}
    headers = {name.lower(): value for name, value in fetch.headers}
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"api:s"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert "s" not in repr(fetch.headers) or "Basic" not in repr(fetch)


def test_an_answer_is_remembered_until_its_time_is_over() -> None:
    """60 seconds unless said otherwise, never beyond `exp`."""
    server, clock = Server({"t": {**ACTIVE, "exp": NOW + 90}}), FrozenClock(NOW)
    whole = service(server, clock, leeway=0)
    for seconds, calls in ((0, 1), (59, 1), (1, 2), (29, 2)):
        clock.advance(seconds)
        assert whole.verify("t").subject == "u1"
        assert len(server.asked) == calls
    clock.advance(1)
    with pytest.raises(Expired):
        whole.verify("t")


def test_without_a_cache_it_is_asked_each_time() -> None:
    """`cache_seconds=0`, `negative_seconds=0`."""
    server = Server()
    whole = service(server, cache_seconds=0, negative_seconds=0)
    for presented in ("t", "t", "x", "x"):
        try:
            whole.verify(presented)
        except TokenInvalid:
            assert presented == "x"
    assert server.tokens == ["t", "t", "x", "x"]


def test_an_inactive_token_is_refused_and_that_is_remembered_shortly() -> None:
    """5 seconds: a token that was just issued must work soon."""
    server, clock = Server({}), FrozenClock(NOW)
    whole = service(server, clock)
    for seconds, calls in ((0, 1), (4, 1), (1, 2)):
        clock.advance(seconds)
        with pytest.raises(TokenInvalid) as refused:
            whole.verify("t")
        assert (refused.value.status, refused.value.reason, len(server.asked)) == (401, "token_inactive", calls)
    server.answers["t"] = ACTIVE
    clock.advance(5)
    assert whole.verify("t").subject == "u1"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "other"}, AudienceMismatch),
        ({"aud": None}, AudienceMismatch),
        ({"exp": NOW - 60}, Expired),
        ({"nbf": NOW + 600}, TokenInvalid),
        ({"iss": "https://other.test"}, IssuerMismatch),
        ({"cnf": {"jkt": "x"}}, ProofInvalid),
    ],
)
def test_an_active_token_is_not_believed_further_than_that(changes: Any, error: Any) -> None:
    """The API judges end, audience and issuer itself, and takes no token that is bound to a key."""
    answer = {name: value for name, value in {**ACTIVE, "iss": ISSUER, **changes}.items() if value is not None}
    with pytest.raises(error):
        service(Server({"t": answer}), issuer=ISSUER).authorize(request("t"))


@pytest.mark.parametrize(
    "answer",
    [
        *({**ACTIVE, "active": value} for value in ("true", 1, None, [], {})),
        *(500, 503, 404, 401, 302, 204),
        *(b"", b"<html>", b"[]", b"[" * 100_000, b'{"active":true,"active":true}', b"{" + b" " * 10_000_000 + b"}"),
        *({}, {"error": "server_error"}, FetchFailed("timeout"), OSError("reset")),
    ],
    ids=repr,
)
def test_what_is_no_answer_is_an_outage_and_never_remembered(answer: Any) -> None:
    """503, whatever was said; the next answer counts."""
    server = Server({"t": answer})
    whole = service(server)
    with pytest.raises(IntrospectionUnavailable) as outage:
        whole.verify("t")
    assert outage.value.status == 503
    server.answers["t"] = ACTIVE
    assert whole.verify("t").subject == "u1"


def test_an_issuer_that_does_not_answer_is_left_alone_for_a_while() -> None:
    """Five failures in a row, then one probe every five seconds; one warning, and one line when it is back."""
    server, clock, events = Server({"t": 500, "u": 500}), FrozenClock(NOW), Events()
    whole = service(server, clock, observer=events)
    for _ in range(20):
        with pytest.raises(IntrospectionUnavailable):
            whole.verify("t")
    assert len(server.asked) == 5
    assert "not answering" in whole.describe()
    clock.advance(5)
    for _ in range(3):
        with pytest.raises(IntrospectionUnavailable):
            whole.verify("u")
    assert len(server.asked) == 6
    server.answers["t"] = ACTIVE
    clock.advance(5)
    assert whole.verify("t").subject == "u1"
    assert [name for name, _ in events.seen if name.startswith("introspection")] == [
        "introspection.unavailable",
        "introspection.back",
    ]
    assert "1 answers remembered" in whole.describe()


def test_inactive_tokens_do_not_open_the_breaker() -> None:
    """They are answers."""
    server = Server({})
    whole = service(server)
    for number in range(20):
        with pytest.raises(TokenInvalid):
            whole.verify(f"x{number}")
    assert len(server.asked) == 20


def test_old_answers_are_believed_only_if_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """`stale_seconds`: bounded, loud, never beyond `exp`, and never for a token that was not known."""
    server, clock = Server({"t": {**ACTIVE, "exp": NOW + 85}}), FrozenClock(NOW)
    whole = service(server, clock, stale_seconds=20, leeway=0)
    assert "revoked meanwhile passes" in caplog.text
    whole.verify("t")
    server.answers = {"t": 500, "u": 500}
    clock.advance(60)
    caplog.clear()
    assert whole.verify("t").subject == whole.verify("t").subject == "u1"
    assert [record.levelname for record in caplog.records if record.name == "bearerkit.introspection"] == ["ERROR"]
    with pytest.raises(IntrospectionUnavailable):
        whole.verify("u")
    clock.advance(20)
    with pytest.raises(IntrospectionUnavailable):
        whole.verify("t")
    clock.advance(5)
    with pytest.raises(IntrospectionUnavailable):
        whole.verify("t")
    server.answers["t"] = {"active": False}
    clock.advance(60)
    with pytest.raises(TokenInvalid):
        whole.verify("t")


def test_200_threads_ask_once() -> None:
    """The first use of one token by many callers is one request."""
    server = Server()
    server.gate = threading.Event()
    whole = service(server)
    with ThreadPoolExecutor(200) as pool:
        callers = [pool.submit(whole.authorize, request("t")) for _ in range(200)]
        threading.Timer(0.5, server.gate.set).start()
        assert {caller.result(10).subject for caller in callers} == {"u1"}
    assert server.tokens == ["t"]


@pytest.mark.anyio
async def test_200_tasks_ask_once_and_one_that_is_cancelled_strands_nobody() -> None:
    """The request belongs to none of them."""
    server, got = Server(), []
    server.gate = threading.Event()
    whole = service(server)

    async def call() -> None:
        got.append(await whole.aauthorize(request("t")))

    async with anyio.create_task_group() as tasks:
        first = anyio.CancelScope()

        async def cancelled() -> None:
            with first:
                await call()

        tasks.start_soon(cancelled)
        while not server.asked:
            await anyio.sleep(0.001)
        for _ in range(199):
            tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        server.gate.set()
    assert len(got) == 199
    assert server.tokens == ["t"]


def test_what_is_forgotten_is_asked_anew() -> None:
    """By token and by field; an answer that was on its way meanwhile is not kept."""
    server = Server({"t": {**ACTIVE, "jti": "j1", "sid": "s1"}})
    whole = service(server)
    forgettings: list[Mapping[str, Any]] = [
        *({"token": "t"}, {"token_id": "j1"}, {"session_id": "s1"}, {"subject": "u1"}, {}),
    ]
    for fields in forgettings:
        whole.verify("t")
        whole.verify("t")
        whole.forget(**fields)
    whole.forget(subject="somebody else")
    assert len(server.asked) == len(forgettings)

    server.gate = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        under_way = pool.submit(whole.verify, "t")
        while len(server.asked) == len(forgettings):
            pass
        whole.forget(subject="u1")
        after = pool.submit(whole.verify, "t")  # does not join who asked before
        while len(server.asked) == len(forgettings) + 1:
            pass
        server.gate.set()
        assert under_way.result(10).subject == after.result(10).subject == "u1"
    whole.forget(subject="u1")
    server.answers["t"] = {"active": False}
    with pytest.raises(TokenInvalid):
        whole.verify("t")


def test_the_endpoint_may_stand_in_the_metadata() -> None:
    """Of the exact issuer, on its own host; read once, and anew after a failure."""
    server = Server()
    place = f"{ISSUER}/.well-known/openid-configuration"
    server.pages = {place: {"issuer": ISSUER, "introspection_endpoint": ENDPOINT}}
    whole = service(server, endpoint=None, issuer=ISSUER, issuer_optional=True)
    assert whole.verify("t").subject == "u1"
    assert server.asked[0].url == ENDPOINT
    for page in ({"issuer": ISSUER}, {"issuer": "x", "introspection_endpoint": ENDPOINT},
                 {"issuer": ISSUER, "introspection_endpoint": "https://elsewhere.test/introspect"}):  # fmt: skip
        server.pages = {place: page}
        with pytest.raises(IntrospectionUnavailable):
            service(server, endpoint=None, issuer=ISSUER).verify("t")


def test_a_jwt_is_introspected_only_if_its_issuer_is_the_one_asked() -> None:
    """And no `Issuer` verifies it. A token of somebody else is sent nowhere."""
    key, server = SigningKey.generate("ES256", kid="k1"), Server()
    ours, other = token(key), token(key, iss="https://other.test")
    server.answers[ours] = {**ACTIVE, "iss": ISSUER}
    whole = service(server, issuer=ISSUER)
    assert whole.verify(ours).credential_kind == "opaque"
    with pytest.raises(IssuerMismatch):
        whole.verify(other)
    issuer = Issuer(ISSUER, audience="api", keys={"keys": [key.jwk]})
    assert service(server, None, issuer, issuer=ISSUER).verify(ours).credential_kind == "jwt"
    assert server.tokens == [ours]


def test_too_long_a_token_is_sent_nowhere() -> None:
    """It is refused before anybody hashes it."""
    server = Server()
    with pytest.raises(Malformed):
        service(server).verify("x" * 16_385)
    assert server.asked == []


def test_10_000_invented_tokens_stay_in_bounded_memory() -> None:
    """And push no good answer out."""
    server = Server()
    whole = service(server, cache_size=100)
    whole.verify("t")
    for number in range(10_000):
        with pytest.raises(TokenInvalid):
            whole.verify(f"x{number}")
    assert "101 answers" in whole.describe()
    whole.verify("t")
    assert server.tokens.count("t") == 1


def test_other_settings_share_no_answers() -> None:
    """The key of an answer covers endpoint, client and rules."""
    salts = {
        introspection(**settings).salt
        for settings in (
            *({}, {"endpoint": f"{ENDPOINT}2"}, {"client_id": "other"}, {"audience": ANY}, {"issuer": ISSUER}),
            *({"claims": {"tenant": "org"}}, {"clients": ["web"]}, {"leeway": 0}),
        )
    }
    assert len(salts) == 8
    assert introspection().salt == introspection().salt


def test_an_open_audience_is_said_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    """Unset with a hint, `ANY` without."""
    service(Server(), audience=None)
    assert "set audience=" in caplog.text
    caplog.clear()
    service(Server(), audience=ANY)
    assert "any audience" in caplog.text
    caplog.clear()
    service(Server())
    assert caplog.text == ""


def test_all_problems_at_once() -> None:
    """Nothing is fetched before they are told."""
    with pytest.raises(ConfigError) as raised:
        Introspection(
            "http://id.example.test/introspect",
            client_id="",
            client_secret="",
            cache_seconds=-1,
            negative_seconds=11,
            stale_seconds=float("nan"),
            leeway=True,
            cache_size=-1,
            prefixes=("",),
            claims={"tenatn": "org"},
            metadata_url="ftp://x",
        )
    assert len(raised.value.problems) >= 10
    with pytest.raises(ConfigError):
        Introspection(client_id="api", client_secret="s")
    with pytest.raises(ConfigError):
        Introspection(ENDPOINT, client=client_auth(token="abc"), client_id="api")
    one = Introspection(ENDPOINT, client=client_auth(token="abc"), prefixes="op_")
    assert one.prefixes == ("op_",)
    with pytest.raises(AttributeError):
        one.leeway = 5  # type: ignore[misc]
    assert repr(one) == f"Introspection('{ENDPOINT}')"


def test_two_opaque_verifiers_need_prefixes() -> None:
    """With them each token goes to its own."""
    with pytest.raises(ConfigError):
        Auth(introspection(), introspection(endpoint=f"{ENDPOINT}2"))
    server = Server({"a_1": {**ACTIVE, "sub": "a"}, "b_1": {**ACTIVE, "sub": "b"}})
    whole = auth(introspection(prefixes="a_"), introspection(endpoint=f"{ENDPOINT}2", prefixes="b_"), web=server)
    assert [whole.verify(name).subject for name in ("a_1", "b_1")] == ["a", "b"]
    assert [fetch.url for fetch in server.asked] == [ENDPOINT, f"{ENDPOINT}2"]


@pytest.mark.anyio
async def test_live_asks_past_the_cache() -> None:
    """A refusal empties it."""
    from bearerkit.system import AsyncWaits
    from bearerkit.verify.introspecting import Introspecting

    server = Server()
    whole = service(server)
    await whole.averify("t")
    kind = whole._identifier._kinds.all[0]
    assert isinstance(kind, Introspecting)
    live: AuthContext = await kind.live("t", AsyncWaits())
    assert live.subject == "u1"
    assert len(server.asked) == 2
    server.answers["t"] = {"active": False}
    with pytest.raises(TokenInvalid):
        await kind.live("t", AsyncWaits())
    with pytest.raises(TokenInvalid):
        await whole.averify("t")


def test_a_jwt_is_verified_here_and_introspected_only_where_a_requirement_says_live() -> None:
    """The hybrid: cheap routes ask nobody, and a revoked token dies at once on the others."""
    key, server = SigningKey.generate("ES256", kid="k1"), Server()
    jwt = token(key, scope="a b")
    server.answers[jwt] = {**ACTIVE, "iss": ISSUER, "scope": "a"}
    issuer = Issuer(ISSUER, audience="api", keys={"keys": [key.jwk]})
    whole = service(server, None, issuer, issuer=ISSUER)
    assert whole.authorize(request(jwt), scope("b")).credential_kind == "jwt"
    assert server.asked == []
    for _ in range(2):
        assert whole.authorize(request(jwt), scope("a", live=True)).subject == "u1"
    assert server.tokens == [jwt, jwt]
    with pytest.raises(InsufficientScope):
        whole.authorize(request(jwt), scope("b", live=True))
    server.answers[jwt] = {"active": False}
    with pytest.raises(Revoked):
        whole.authorize(request(jwt), live())
    assert whole.authorize(request(jwt), scope("b")).subject == "u1"
    server.answers[jwt] = 500
    with pytest.raises(IntrospectionUnavailable):
        whole.authorize(request(jwt), live())
    with pytest.raises(ConfigError):
        auth(issuer, web=server).authorize(request(jwt), live())


def test_an_answer_may_bring_a_policy() -> None:
    """It counts for this caller, with what is known of the request; one that does not parse is an outage."""
    document = [{"effect": "allow", "actions": ["orders.read"], "resources": ["orders/${principal.tenant}"],
                 "conditions": [{"op": "StringEquals", "key": "request.method", "values": ["GET"]}]}]  # fmt: skip
    server = Server({"t": {**ACTIVE, "tenant_id": "acme", "p": document}, "u": ACTIVE})
    whole = service(server, policy_claim="p")
    for _ in range(2):
        assert whole.authorize(request("t"), can("orders.read", "orders/acme")).subject == "u1"
        for presented, resource in (("t", "orders/other"), ("u", "orders/acme")):
            with pytest.raises(PermissionDenied):
                whole.authorize(request(presented), can("orders.read", resource))
    assert server.tokens == ["t", "u"]
    for broken in ([{"effect": "alow"}], "text", {"version": "9"}):
        with pytest.raises(IntrospectionUnavailable):
            service(Server({"t": {**ACTIVE, "p": broken}}), policy_claim="p").verify("t")


@pytest.mark.anyio
@pytest.mark.parametrize("steps", range(8))
async def test_a_caller_may_be_cancelled_at_every_step(steps: int) -> None:
    """After so many turns of the loop: nothing is left behind, and the next caller is served."""
    server = Server({f"t{number}": ACTIVE for number in range(3)})
    whole = service(server)
    server.gate = threading.Event()
    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(whole.aauthorize, request(f"t{number % 2}"))
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    server.gate.set()
    for number in range(3):
        assert (await whole.aauthorize(request(f"t{number}"))).subject == "u1"
    kind = whole._identifier._kinds.all[0]
    while len(kind._flights):
        await anyio.sleep(0.001)
    assert kind._flights._lock.acquire(timeout=1)
    assert set(server.tokens) == {"t0", "t1", "t2"}
    assert all(server.tokens.count(token) <= 2 for token in server.tokens)
