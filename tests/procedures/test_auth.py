"""`Auth` end to end: sync and async callers, requirements, revocation, forgetting, replacing ports, what it tells."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest

from auth_doubles import DOWN, ISSUER, JWKS_URL, NOW, Events, Web, auth, claims, jwks, request, token
from bearerkit import (
    Auth,
    AuthContext,
    ConfigError,
    Issuer,
    IssuerResolver,
    Limits,
    MemoryRevocations,
    Places,
    Request,
    custom,
    role,
    scope,
    tenant,
)
from bearerkit.errors import (
    BearerkitError,
    CredentialsMissing,
    Expired,
    InsufficientScope,
    InvalidRequest,
    KeysUnavailable,
    Malformed,
    PermissionDenied,
    ProofInvalid,
    Refused,
    Revoked,
    SignatureInvalid,
    StoreUnavailable,
    TenantUnknown,
    Unavailable,
)
from bearerkit.policy import Policy
from bearerkit.stores.memory import MemoryPolicies
from bearerkit.system import BlockingWaits
from bearerkit.testing import FakeIssuer, FrozenClock, SigningKey

KEY = SigningKey.generate("ES256", kid="k1")
GOOD = token(KEY, scope="orders:read", tenant_id="acme", sid="s1")


def static(**settings: Any) -> Issuer:
    return Issuer(ISSUER, **{"audience": "api", "keys": jwks(KEY), **settings})


def remote(**settings: Any) -> Issuer:
    return Issuer(ISSUER, **{"audience": "api", "jwks_uri": JWKS_URL, **settings})


def serving() -> Web:
    web = Web()
    web[JWKS_URL] = jwks(KEY)
    return web


async def sync_verify(where: Auth, text: str) -> AuthContext:
    return where.verify(text)


async def async_verify(where: Auth, text: str) -> AuthContext:
    return await where.averify(text)


async def sync_authorize(where: Auth, coming: Request, *args: Any, **options: Any) -> AuthContext:
    return where.authorize(coming, *args, **options)


async def async_authorize(where: Auth, coming: Request, *args: Any, **options: Any) -> AuthContext:
    return await where.aauthorize(coming, *args, **options)


Verify = Callable[[Auth, str], Awaitable[AuthContext]]
Authorize = Callable[..., Awaitable[AuthContext]]
both_verify = pytest.mark.parametrize("verify", [sync_verify, async_verify])
both_authorize = pytest.mark.parametrize("authorize", [sync_authorize, async_authorize])

# verify, averify


@pytest.mark.anyio
@both_verify
@pytest.mark.parametrize("issuer", [static, remote])
async def test_a_good_token(verify: Verify, issuer: Any) -> None:
    """Cold and warm, with keys at hand and with keys to fetch, on both loops and from sync code under a loop."""
    where = auth(issuer(), web=serving())
    first = await verify(where, GOOD)
    assert (first.subject, first.scopes, first.credential_kind) == ("u1", ("orders:read",), "jwt")
    assert await verify(where, GOOD) is first


@pytest.mark.anyio
@both_verify
async def test_refusals_and_outages_are_the_same_both_ways(verify: Verify) -> None:
    """Class, reason and status do not depend on who asks."""
    web = Web()
    web[JWKS_URL] = DOWN
    for text, kind in (("x", Malformed), (token(KEY, exp=NOW - 99), Expired), (GOOD, KeysUnavailable)):
        with pytest.raises(kind):
            await verify(auth(remote(), web=web), text)
    with pytest.raises(SignatureInvalid):
        await verify(auth(static()), GOOD[:-6] + "AAAAAA")


@pytest.mark.anyio
async def test_sync_and_async_share_one_cache() -> None:
    """One object serves both; a token that one verified the other remembers."""
    web = serving()
    where = auth(remote(), web=web)
    assert where.verify(GOOD) is await where.averify(GOOD)
    assert web.urls == [JWKS_URL]


@pytest.mark.anyio
async def test_a_hundred_callers_cost_one_fetch() -> None:
    """Attack 109: concurrent callers of a cold issuer."""
    web = serving()
    where = auth(remote(), web=web)
    seen: list[str | None] = []

    async def call(number: int) -> None:
        seen.append((await where.averify(token(KEY, sub=f"u{number}"))).subject)

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(call, number)
    assert len(seen) == len(set(seen)) == 100
    assert web.urls == [JWKS_URL]


# authorize, aauthorize


@pytest.mark.anyio
@both_authorize
@pytest.mark.parametrize("issuer", [static, remote])
async def test_requirements(authorize: Authorize, issuer: Any) -> None:
    """Met, and each refusal by its own class."""
    where = auth(issuer(), web=serving())
    need = scope("orders:read") & tenant(path="t")
    assert (await authorize(where, request(GOOD, t="acme"), need)).tenant_id == "acme"
    for missing, kind in (
        (scope("x"), InsufficientScope),
        (role("x"), PermissionDenied),
        (tenant(path="t"), TenantUnknown),
    ):
        with pytest.raises(kind):
            await authorize(where, request(GOOD, t="globex"), missing)


@pytest.mark.anyio
@both_authorize
async def test_credentials(authorize: Authorize) -> None:
    """None, several, malformed and bad ones; no need is no pass."""
    where = auth(static())
    with pytest.raises(CredentialsMissing):
        await authorize(where, request())
    with pytest.raises(InvalidRequest):
        await authorize(where, request("a b"))
    with pytest.raises(Malformed):
        await authorize(where, request("a.b.c"))


@pytest.mark.anyio
@both_authorize
@pytest.mark.parametrize("revocations", [None, MemoryRevocations()])
async def test_optional(authorize: Authorize, revocations: Any) -> None:
    """Nobody is anonymous; a bad or malformed credential is still refused, and so is nobody where there is a need."""
    where = auth(static(), revocations=revocations)
    assert (await authorize(where, request(), optional=True)).is_anonymous
    assert (await authorize(where, request(GOOD), optional=True)).subject == "u1"
    with pytest.raises(Malformed):
        await authorize(where, request("a.b.c"), optional=True)
    with pytest.raises(InvalidRequest):
        await authorize(where, request("a b"), optional=True)
    for need in (scope("x"), custom(lambda ctx, request: True, description="anybody")):
        with pytest.raises(CredentialsMissing):
            await authorize(where, request(), need, optional=True)


@pytest.mark.anyio
@both_authorize
@pytest.mark.parametrize("revocations", [None, MemoryRevocations()])
async def test_an_optional_guard_in_front_lets_nobody_through_the_next(authorize: Authorize, revocations: Any) -> None:
    """The remembered anonymous context does not satisfy a guard that is not optional."""
    where, coming = auth(static(), revocations=revocations), request()
    await authorize(where, coming, optional=True)
    with pytest.raises(CredentialsMissing):
        await authorize(where, coming)
    with pytest.raises(CredentialsMissing):
        await authorize(where, coming, scope("x"))


class Counting:
    """Revocations that count: they are asked once per verified request."""

    def __init__(self, answer: Any = False) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    async def is_revoked(self, **fields: Any) -> Any:
        self.asked.append(fields)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.anyio
@both_authorize
async def test_the_token_of_a_request_is_verified_once(authorize: Authorize) -> None:
    """However many guards stack; the next request is asked about anew."""
    store = Counting()
    where, coming = auth(static(), revocations=store), request(GOOD)
    contexts = [await authorize(where, coming, need) for need in (None, scope("orders:read"), None)]
    assert contexts[0] is contexts[1] is contexts[2]
    assert len(store.asked) == 1
    await authorize(where, request(GOOD))
    assert len(store.asked) == 2


def test_two_auths_do_not_share_what_they_remember_of_a_request():
    """A request that passed a lax Auth is judged anew by a strict one."""
    coming = request(GOOD)
    auth(static()).authorize(coming)
    with pytest.raises(Refused):
        auth(static(audience="other")).authorize(coming)


def test_a_refusal_is_not_remembered_as_a_pass():
    """The second guard refuses again."""
    where, coming = auth(static()), request(token(KEY, aud="other"))
    for _ in range(2):
        with pytest.raises(Refused):
            where.authorize(coming)


@pytest.mark.anyio
@both_authorize
async def test_facts(authorize: Authorize) -> None:
    """The team's own question: True and nothing else; one that breaks denies."""
    where = auth(static())

    def broken(ctx: AuthContext, request: Request) -> bool:
        raise KeyError("x")

    assert await authorize(where, request(GOOD), custom(lambda ctx, request: True, description="yes"))
    for answer in (lambda ctx, request: False, lambda ctx, request: 1, broken):
        with pytest.raises(PermissionDenied):
            await authorize(where, request(GOOD), custom(answer, description="no"))


@pytest.mark.anyio
async def test_an_async_fact() -> None:
    """Awaited under a loop; from sync code a TypeError that names it."""

    async def ask(ctx: AuthContext, request: Request) -> bool:
        await anyio.sleep(0)
        return True

    assert await auth(static()).aauthorize(request(GOOD), custom(ask, description="paid up"))


def test_an_async_fact_from_sync_code():
    """The name of the fact is in the message."""

    async def ask(ctx: AuthContext, request: Request) -> bool:
        await anyio.sleep(0)
        return True

    with pytest.raises(TypeError, match="paid up"):
        auth(static()).authorize(request(GOOD), custom(ask, description="paid up"))


def test_what_an_earlier_stage_refuses_is_not_loaded():
    """A callback of the team never runs for a stranger or a missing scope."""
    asked: list[str | None] = []

    def ask(ctx: AuthContext, request: Request) -> bool:
        asked.append(ctx.subject)
        return True

    need = scope("missing") & custom(ask, description="asked last")
    with pytest.raises(InsufficientScope):
        auth(static()).authorize(request(GOOD), need)
    with pytest.raises(CredentialsMissing):
        auth(static()).authorize(request(), need)
    assert asked == []


def test_the_place_of_the_credential():
    """Another header, and then only that one."""
    where = auth(static(), places=Places("x-amzn-oidc-data"))
    assert where.authorize(request(headers={"X-Amzn-Oidc-Data": GOOD})).subject == "u1"
    with pytest.raises(CredentialsMissing):
        where.authorize(request(GOOD))


# Revocation


def test_the_revocation_list_is_told_what_it_needs():
    """Issuer, jti, session, subject and time of issue; 0.0 where the token does not say."""
    store = Counting()
    where = auth(static(), revocations=store)
    where.verify(GOOD)
    assert store.asked == [{"issuer": ISSUER, "token_id": "j1", "session_id": "s1", "subject": "u1", "issued_at": NOW}]
    where.verify(token(KEY, iat=..., jti=...))
    assert store.asked[1] == {
        "issuer": ISSUER, "token_id": None, "session_id": None, "subject": "u1", "issued_at": 0.0
    }  # fmt: skip


@pytest.mark.anyio
@both_verify
@pytest.mark.parametrize("answer", [True, None, 1, "no"])
async def test_anything_but_false_is_revoked(verify: Verify, answer: Any) -> None:
    """A store that forgets to answer fails closed; also for a token that was verified a moment ago."""
    store = Counting()
    where = auth(static(), revocations=store)
    await verify(where, GOOD)
    store.answer = answer
    with pytest.raises(Revoked):
        await verify(where, GOOD)


@pytest.mark.anyio
@both_verify
async def test_a_failing_store_is_an_outage(verify: Verify) -> None:
    """503 and not a pass; its message stays out of ours."""
    where = auth(static(), revocations=Counting(OSError("redis://:s3cr3t@host")))
    with pytest.raises(StoreUnavailable) as caught:
        await verify(where, GOOD)
    assert isinstance(caught.value, Unavailable)
    assert "s3cr3t" not in f"{caught.value}{caught.value.hint}"


def test_a_store_may_refuse_by_itself():
    """Its own StoreUnavailable passes as it is."""
    where = auth(static(), revocations=Counting(StoreUnavailable("down", retry_after=42)))
    with pytest.raises(StoreUnavailable) as caught:
        where.verify(GOOD)
    assert caught.value.retry_after == 42


def test_a_store_that_is_not_async_is_an_outage():
    """A plain function in the place of a port denies."""

    class Plain:
        def is_revoked(self, **fields: Any) -> bool:
            return False

    with pytest.raises(StoreUnavailable):
        auth(static(), revocations=Plain()).verify(GOOD)


def test_an_async_store_from_sync_code_is_a_mistake_that_names_it():
    """A TypeError naming the port, and neither a pass nor an outage."""

    class NeedsLoop:
        async def is_revoked(self, **fields: Any) -> bool:
            await anyio.sleep(0)
            return False

    where = auth(static(), revocations=NeedsLoop())
    with pytest.raises(TypeError, match="revocations") as caught:
        where.verify(GOOD)
    assert not isinstance(caught.value, BearerkitError)
    with pytest.raises(TypeError, match="revocations"):
        where.authorize(request(GOOD))
    assert anyio.run(where.averify, GOOD).subject == "u1"


def test_revoking_with_the_store_in_memory():
    """Token, session, subject; a hit of the verdict cache is asked about too."""
    clock = FrozenClock(NOW)
    for revoke in (
        lambda store: store.revoke_token("j1"),
        lambda store: store.revoke_session("s1"),
        lambda store: store.revoke_subject("u1", before=NOW),
    ):
        store = MemoryRevocations(clock)
        where = auth(static(), revocations=store, clock=clock)
        where.verify(GOOD)
        revoke(store)
        with pytest.raises(Revoked):
            where.verify(GOOD)


# Forgetting


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({}, {"a", "b"}),
        ({"token": "a"}, {"a"}),
        ({"token": "nobody"}, set()),
        ({"token_id": "ja"}, {"a"}),
        ({"session_id": "s"}, {"a", "b"}),
        ({"subject": "ub"}, {"b"}),
        ({"tenant_id": "t"}, {"a", "b"}),
        ({"issuer": ISSUER}, {"a", "b"}),
        ({"subject": "ub", "token_id": "ja"}, set()),
        ({"token": "a", "subject": "ub"}, {"a", "b"}),
        ({"subject": ""}, set()),
    ],
    ids=str,
)
def test_forgetting(fields, dropped):
    """What is forgotten is verified anew, the rest is remembered; nothing is revoked."""
    where = auth(static())
    texts = {name: token(KEY, sub=f"u{name}", jti=f"j{name}", sid="s", tenant_id="t") for name in ("a", "b")}
    before = {name: where.verify(text) for name, text in texts.items()}
    given = {name: texts.get(value, value) if name == "token" else value for name, value in fields.items()}
    where.forget(**given)
    after = {name: where.verify(text) for name, text in texts.items()}
    assert {name for name in texts if before[name] is not after[name]} == dropped


# Life cycle


def test_warming_up():
    """One fetch, so that the first caller needs none; an outage is told."""
    web = serving()
    where = auth(remote(), static(), web=web)
    where.warm_up()
    assert web.urls == [JWKS_URL]
    where.verify(GOOD)
    assert web.urls == [JWKS_URL]
    with pytest.raises(KeysUnavailable):
        auth(remote()).warm_up()


@pytest.mark.anyio
async def test_warming_up_async() -> None:
    """The same under a loop."""
    web = serving()
    where = auth(remote(), web=web)
    await where.awarm_up()
    await where.averify(GOOD)
    assert web.urls == [JWKS_URL]


@pytest.mark.anyio
async def test_closing() -> None:
    """Empties the cache; the object may be used on, and closed again."""
    where = auth(static())
    first = where.verify(GOOD)
    with where as same:
        assert same is where
    assert where.verify(GOOD) is not first
    async with where as same:
        second = same.verify(GOOD)
    assert where.verify(GOOD) is not second
    where.close()
    await where.aclose()


def test_replacing_ports_for_a_test():
    """Other keys and another time inside the block, all as before afterwards, even after an error."""
    fake = FakeIssuer(ISSUER, alg="ES256", audience="api", jwks_uri=JWKS_URL, clock=FrozenClock(NOW + 10**6))
    where = auth(remote(), web=serving())
    before = where.verify(GOOD)

    def break_off_inside() -> None:
        with where.replaced(http=fake.http, clock=fake.clock) as inside:
            assert inside is where
            assert where.now() == NOW + 10**6
            assert where.verify(fake.token()).subject == "user"
            with pytest.raises(Refused):
                where.verify(GOOD)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off_inside()
    assert where.verify(GOOD) is before
    assert where.now() == NOW


@pytest.mark.anyio
async def test_replacing_the_identity() -> None:
    """Every request is that caller; needs are enforced, also for nobody."""
    where = auth(static())
    who = AuthContext.of(subject="u9", scopes="a")
    with where.replaced(identity=who):
        assert where.verify("anything") is who
        assert await where.averify("anything") is who
        assert await where._identifier.verify("anything", BlockingWaits()) is who
        assert where.authorize(request()) is who
        assert (await where.aauthorize(request(), scope("a"))) is who
        assert where.authorize(request(), custom(lambda ctx, request: ctx is who, description="him")) is who
        with pytest.raises(InsufficientScope):
            where.authorize(request(), scope("b"))
        where.warm_up()
        await where.awarm_up()
        where.forget(token="x")
        where.forget()
        assert "test" in where.describe()
    with where.replaced(identity=AuthContext.anonymous()):
        assert where.authorize(request(), optional=True).is_anonymous
        with pytest.raises(CredentialsMissing):
            where.authorize(request())
    with pytest.raises(CredentialsMissing):
        where.authorize(request())


def test_a_request_that_was_judged_before_is_judged_anew_in_the_block():
    """The memo of a request belongs to the identity that made it."""
    where, coming = auth(static()), request(GOOD)
    where.authorize(coming)
    with where.replaced(identity=AuthContext.of(subject="other")):
        assert where.authorize(coming).subject == "other"
    assert where.authorize(coming).subject == "u1"


# Settings


@pytest.mark.parametrize(
    ("verifiers", "settings", "words"),
    [
        ((), {}, "at least one"),
        (("https://id.example.test",), {}, "not str"),
        ((None,), {}, "not NoneType"),
        ((Issuer,), {}, "not type"),
        ((static(),), {"token_cache": -1}, "token_cache"),
        ((static(),), {"token_cache": True}, "token_cache"),
        ((static(),), {"token_cache": 1.5}, "token_cache"),
        ((static(),), {"realm": 5}, "realm"),
        ((static(),), {"resource_metadata": "/well-known"}, "resource_metadata"),
    ],
)
def test_bad_settings(verifiers, settings, words):
    """A ConfigError that names the setting."""
    with pytest.raises(ConfigError, match=words):
        Auth(*verifiers, **settings)


def test_all_bad_settings_at_once():
    """Every problem of one call."""
    with pytest.raises(ConfigError) as caught:
        Auth(None, "x", token_cache=-1, realm=5)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 4


def test_names():
    """What operators see of an Auth: issuers and where their keys are, and no secret."""
    resolver = IssuerResolver(lambda iss: None)
    where = auth(static(), resolver)
    assert repr(where).startswith(f"Auth(Issuer({ISSUER!r}), ")
    assert where.issuers[0].name == ISSUER
    assert "1 key, configured" in where.describe()
    assert "no keys yet" in auth(remote()).describe()


def test_answers_use_the_realm():
    """And the metadata URL, in every challenge."""
    where = auth(static(), realm="orders", resource_metadata="https://api.example.test/m")
    assert where.answer(CredentialsMissing()).header("www-authenticate") == (
        'Bearer realm="orders", resource_metadata="https://api.example.test/m"'
    )


def test_a_port_that_is_empty_is_still_that_port():
    """A double with a length of 0 is falsy; it must not be swapped for the real network."""

    class Log(list[Any]):
        async def fetch(self, fetch: Any) -> Any:
            self.append(fetch.url)
            return await serving().fetch(fetch)

        def event(self, name: str, fields: Any) -> None:
            self.append(name)

    http, seen = Log(), Log()
    where = Auth(remote(), http=http, observer=seen, clock=FrozenClock(NOW))
    assert where.verify(GOOD).subject == "u1"
    with where.replaced(http=(other := Log())):
        where.verify(GOOD)
    assert (http, other) == ([JWKS_URL], [JWKS_URL])
    assert seen


def test_limits_differ_between_issuers():
    """The loosest parse, the issuer's own judge; see the verifier's tests."""
    loose = Issuer("https://b.example.test", audience="api", keys=jwks(KEY), limits=Limits(token=30_000))
    where = auth(static(), loose)
    assert where.verify(token(KEY, iss="https://b.example.test", x="y" * 20_000)).subject == "u1"
    with pytest.raises(Malformed):
        where.verify(token(KEY, x="y" * 20_000))


# What is told


def test_a_refusal_is_told_once(caplog):
    """One line per refusal, however many guards it passes; the event has reason and status only."""
    events = Events()
    where = auth(static(), observer=events)
    with caplog.at_level(logging.DEBUG, "bearerkit"), pytest.raises(Expired) as caught:
        where.verify(token(KEY, exp=NOW - 100))
    where.note(caught.value)
    where.answer(caught.value)
    assert [(record.levelname, record.name) for record in caplog.records] == [("INFO", "bearerkit.auth")]
    assert "expired" in caplog.text
    assert events.named("request.refused") == [{"reason": "expired", "status": 401}]


def test_an_outage_is_a_warning(caplog):
    """Operators are woken by outages, never by callers."""
    web = Web()
    web[JWKS_URL] = DOWN
    with caplog.at_level(logging.DEBUG, "bearerkit.auth"), pytest.raises(KeysUnavailable):
        auth(remote(), web=web).verify(GOOD)
    assert [record.levelname for record in caplog.records if record.name == "bearerkit.auth"] == ["WARNING"]


def test_a_good_request_is_told_nobody(caplog):
    """No line per request."""
    with caplog.at_level(logging.DEBUG, "bearerkit"):
        auth(static()).authorize(request(GOOD), scope("orders:read"))
    assert caplog.records == []


@pytest.mark.anyio
@both_authorize
async def test_an_observer_that_breaks_changes_no_verdict(authorize: Authorize) -> None:
    """Metrics must not cost a request, nor turn a refusal into a server error."""

    class Broken:
        def event(self, name: str, fields: Any) -> None:
            raise ZeroDivisionError

    where = auth(remote(), web=serving(), observer=Broken(), revocations=Counting())
    assert await authorize(where, request(GOOD))
    with pytest.raises(InsufficientScope):
        await authorize(where, request(GOOD), scope("x"))


HOSTILE = "x\r\nERROR forged line\u2028\x1b[31m"
VALID_HOSTILE = token(KEY, jti=HOSTILE, sub=HOSTILE, tenant_id="acme", azp="web", x="y")


def hostile_tokens() -> list[str]:
    """Tokens of every kind of refusal, with line breaks and escape codes wherever a value may stand."""
    head = {"kid": HOSTILE}
    return [
        GOOD,
        token(KEY, head),
        token(KEY, head, tenant_id="acme", azp="web", x="y"),
        token(KEY, {"typ": HOSTILE}),
        token(KEY, {"alg": HOSTILE}),
        token(KEY, {"crit": [HOSTILE], HOSTILE: 1}),
        token(KEY, {"crit": [HOSTILE]}),
        token(KEY, iss=HOSTILE),
        token(KEY, iss=[HOSTILE]),
        token(KEY, aud=HOSTILE),
        token(KEY, aud=[HOSTILE]),
        token(KEY, aud=..., client_id=HOSTILE),
        token(KEY, sub=[HOSTILE]),
        token(KEY, exp=HOSTILE),
        token(KEY, exp=NOW - 99),
        token(KEY, typ="refresh"),
        token(KEY, {"typ": "JWT"}, nonce=HOSTILE),
        token(KEY, tenant_id=HOSTILE),
        token(KEY, azp=HOSTILE),
        token(KEY, tenant_id="acme", azp="web", x=HOSTILE),
        token(SigningKey.generate("ES256", kid="k1")),
        HOSTILE,
        "a.b.c",
        "{}",
        GOOD + ".x.y",
    ]


@pytest.mark.parametrize("source", ["static", "remote", "down", "revoked"])
def test_nothing_that_is_told_holds_a_token_or_can_forge_a_line(source, caplog):
    """Logs, exceptions and events: no token, no part of one, no signature, no line of the caller's own."""
    events, web = Events(), serving()
    if source == "down":
        web[JWKS_URL] = DOWN
    settings = {"require": {"x": "y"}, "tenants": ["acme"], "clients": ["web"]}
    issuer = static(**settings) if source in ("static", "revoked") else remote(**settings)
    store = Counting(True) if source == "revoked" else None
    where = auth(issuer, web=web, observer=events, revocations=store)
    for text in hostile_tokens() + ([VALID_HOSTILE] if store else []):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "bearerkit"), pytest.raises(BearerkitError) as caught:
            where.authorize(request(text) if " " not in text else Request("GET", "/", _headers(text)))
        answer = where.answer(caught.value)
        told = [
            *(record.getMessage() for record in caplog.records),
            *(str(record.exc_info) for record in caplog.records if record.exc_info),
            str(caught.value),
        ]
        for line in told:
            assert len(line.splitlines()) == 1, line
            assert line.isprintable(), line
            assert len(line) < 2_000
        everything = "".join([*told, repr(caught.value), repr(events.seen), repr(answer)])
        for part in text.split("."):
            assert len(part) < 20 or part not in everything
        assert "forged" not in repr(answer)


def _headers(text: str) -> Any:
    from bearerkit.http import Headers

    return Headers([("Authorization", f"Bearer {text}")])


def test_no_repr_on_the_way_holds_a_token():
    """Auth, context, request and refusal."""
    where, coming = auth(static()), request(GOOD)
    context = where.authorize(coming)
    text = f"{where!r}{context!r}{coming!r}{where.describe()}{coming.memo!r}"
    assert not any(part in text for part in GOOD.split("."))


def test_claims_of_a_shared_context_cannot_be_changed():
    """A remembered context is shared between requests."""
    where = auth(static())
    context = where.verify(token(KEY, data={"a": [1]}))
    with pytest.raises(TypeError):
        context.claims["sub"] = "admin"  # type: ignore[index]
    with pytest.raises(TypeError):
        context.claims["data"]["a"] = 2
    with pytest.raises(AttributeError):
        context.subject = "admin"  # type: ignore[misc]
    assert dict(claims())["sub"] == "u1"


@pytest.mark.anyio
async def test_a_context_from_elsewhere_is_held_against_a_need(caplog: pytest.LogCaptureFixture) -> None:
    """A framework's overridden identity: facts are asked, nobody is refused, and refusals are told once."""
    where, coming, who = auth(static()), request(), AuthContext.of(scopes="a")
    asked = custom(lambda ctx, request: ctx is who, description="him")
    where.enforce(who, coming, scope("a") & asked)
    await where.aenforce(who, coming, scope("a") & asked)
    with caplog.at_level(logging.INFO, "bearerkit"):
        with pytest.raises(InsufficientScope) as caught:
            where.enforce(who, coming, scope("b"))
        where.note(caught.value)
        with pytest.raises(PermissionDenied):
            await where.aenforce(AuthContext.of(scopes="a"), coming, asked)
        with pytest.raises(CredentialsMissing):
            await where.aenforce(AuthContext.anonymous(), coming, scope("a"))
    reasons = [record.getMessage().split(":")[1].strip() for record in caplog.records]
    assert reasons == ["insufficient_scope", "permission_denied", "credentials_missing"]


def test_what_was_verified_counts_for_that_very_credential():
    """A sub-request made of a copy that shares the memo is judged by its own credential."""
    where, coming = auth(static()), request(GOOD)
    assert where.authorize(coming).subject == "u1"
    other = token(KEY, sub="u2")
    assert where.authorize(replace(coming, headers=request(other).headers)).subject == "u2"
    with pytest.raises(CredentialsMissing):
        where.authorize(replace(coming, headers=request().headers))
    assert where.authorize(replace(coming, headers=request().headers), optional=True).is_anonymous
    assert where.authorize(coming).subject == "u1"


@pytest.mark.parametrize("confirmation", [{"jkt": "x"}, {"x5t#S256": "x"}, {"kid": "x"}, {}, "x", [], False])
@pytest.mark.anyio
async def test_a_token_bound_to_a_key_is_no_bearer_token(confirmation: Any) -> None:
    """A request that presents one as a plain bearer token is refused; `verify` leaves the proof to its caller."""
    where, bound = auth(static()), token(KEY, cnf=confirmation)
    assert where.verify(bound).is_bound
    for _ in range(2):
        with pytest.raises(ProofInvalid) as caught:
            where.authorize(request(bound))
        assert caught.value.reason == "proof_required"
        with pytest.raises(ProofInvalid):
            await where.aauthorize(request(bound), optional=True)
    assert not where.authorize(request(token(KEY, cnf=None))).is_bound


def test_one_issuer_that_is_down_leaves_the_others_warm():
    """warm_up fetches what it can, and then tells of the outage."""
    web, other = serving(), "https://other.example.test"
    where = auth(Issuer(other, audience="api", jwks_uri=f"{other}/jwks"), remote(), web=web)
    web[f"{other}/jwks"] = DOWN
    with pytest.raises(KeysUnavailable):
        where.warm_up()
    asked = len(web.asked)
    assert where.verify(GOOD)
    assert len(web.asked) == asked


def test_a_long_token_is_not_remembered():
    """So that the cache is bounded in bytes too; it is verified each time."""
    web = serving()
    where = auth(remote(), web=web)
    long = token(KEY, padding="x" * 4_000)
    assert where.verify(long) is not where.verify(long)
    assert where.verify(GOOD) is where.verify(GOOD)


def test_a_predicate_of_tenants_hears_only_of_vouched_tenants_and_is_asked_again():
    """A forged token never reaches the team's code; a remembered one is asked about anew after a minute."""
    asked: list[str] = []
    allowed = {"acme"}

    def known(name: str) -> bool:
        asked.append(name)
        return name in allowed

    clock, web = FrozenClock(NOW), serving()
    where = auth(remote(tenants=known), web=web, clock=clock)
    forged = token(SigningKey.generate("ES256", kid="k9"), tenant_id="evil")
    for _ in range(3):
        with pytest.raises(Refused):
            where.verify(forged)
    assert asked == []
    assert where.verify(GOOD).tenant_id == "acme"
    allowed.clear()
    clock.advance(59)
    where.verify(GOOD)
    clock.advance(1)
    with pytest.raises(Refused) as caught:
        where.verify(GOOD)
    assert caught.value.reason == "tenant_not_allowed"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"realm": 5}, "realm must be text"),
        ({"realm": "caf\u00e9"}, "printable ASCII"),
        ({"realm": "a\nb"}, "printable ASCII"),
        ({"places": "x-foo"}, "places must be Places"),
        ({"resource_metadata": "/x"}, "absolute URL"),
        ({"policies": Policy.parse([])}, r"`async def policies_for\(context\)`, not a Policy"),
        ({"policies": [{"effect": "allow"}]}, "policies must be a store of bearerkit.stores or an object"),
        ({"policies": MemoryPolicies}, "not the class MemoryPolicies"),
    ],
)
def test_arguments_that_cannot_work(settings: dict[str, Any], words: str) -> None:
    """Told when the object is made, not by the first refusal."""
    with pytest.raises(ConfigError, match=words):
        auth(static(), **settings)


def test_a_check_of_the_team_that_breaks_is_an_error_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """To the caller a 403 like any other; to the operator a mistake to mend, not a lawful refusal."""

    def broken(ctx: AuthContext, coming: Request) -> bool:
        raise KeyError("tier")

    with pytest.raises(PermissionDenied) as caught:
        auth(static()).authorize(request(GOOD), custom(broken, description="tier"))
    assert caught.value.reason == "check_failed"
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)
