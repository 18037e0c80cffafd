"""Issuers that are looked up at run time: bounded, remembered both ways, fetched as untrusted, failing closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from auth_doubles import NOW, Web, auth, jwks, token
from bearerkit import ANY, Auth, ConfigError, Issuer, IssuerResolver
from bearerkit.errors import IssuerMismatch, KeysUnavailable, SignatureInvalid, TokenInvalid, WrongTokenType
from bearerkit.jose.compact import Limits
from bearerkit.testing import FrozenClock, SigningKey

KEY = SigningKey.generate("ES256", kid="k1")
ACME = "https://acme.ids.example.test"
GLOBEX = "https://globex.ids.example.test"


class Directory:
    """The team's table of tenants: counts how often it is asked."""

    def __init__(self, *names: str, make: Callable[[str], Any] | None = None) -> None:
        self.names = set(names)
        self.asked: list[str] = []
        self.make = make or (lambda iss: Issuer(iss, audience="api", tenants=ANY, keys=jwks(KEY)))

    def __call__(self, iss: str) -> Any:
        self.asked.append(iss)
        return self.make(iss) if iss in self.names else None


def refusal(where: Auth, text: str) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as caught:
        where.verify(text)
    return caught.value


def test_an_issuer_is_looked_up_once():
    """And then kept for `ttl` seconds."""
    clock, directory = FrozenClock(NOW), Directory(ACME)
    where = auth(IssuerResolver(directory, ttl=100), clock=clock)
    for number in range(3):
        assert where.verify(token(KEY, iss=ACME, sub=f"u{number}", exp=NOW + 900)).issuer == ACME
    assert directory.asked == [ACME]
    clock.advance(100)
    where.verify(token(KEY, iss=ACME, sub="again", exp=NOW + 900))
    assert directory.asked == [ACME, ACME]


def test_a_verdict_ends_with_the_lookup():
    """A tenant that was taken out of the directory is refused after `ttl`, remembered tokens included."""
    clock, directory = FrozenClock(NOW), Directory(ACME)
    where = auth(IssuerResolver(directory, ttl=100), clock=clock)
    text = token(KEY, iss=ACME, exp=NOW + 900)
    where.verify(text)
    directory.names.clear()
    clock.advance(99)
    where.verify(text)
    clock.advance(1)
    assert isinstance(refusal(where, text), IssuerMismatch)


def test_a_no_is_remembered():
    """For `miss_ttl` seconds; then the directory is asked again."""
    clock, directory = FrozenClock(NOW), Directory()
    where = auth(IssuerResolver(directory, miss_ttl=50), clock=clock)
    for _ in range(5):
        assert isinstance(refusal(where, token(KEY, iss=ACME)), IssuerMismatch)
    assert directory.asked == [ACME]
    directory.names.add(ACME)
    clock.advance(50)
    assert where.verify(token(KEY, iss=ACME))


@pytest.mark.parametrize("iss", ["", "x" * 2_049, None, [ACME], 5, ...])
def test_what_is_no_issuer_is_not_asked_about(iss):
    """The directory is a database: it never sees an empty, oversized or non-string name."""
    directory = Directory(ACME)
    assert isinstance(refusal(auth(IssuerResolver(directory)), token(KEY, iss=iss)), IssuerMismatch)
    assert directory.asked == []


def test_a_configured_issuer_goes_first():
    """A resolver never overrides, and is never asked about, an issuer that is configured by name."""
    directory = Directory(ACME)
    where = auth(IssuerResolver(directory), Issuer(ACME, audience="api", tenants=ANY, keys=jwks(KEY), typ="at+jwt"))
    where.verify(token(KEY, iss=ACME))
    assert isinstance(refusal(where, token(KEY, {"typ": "JWT"}, iss=ACME)), WrongTokenType)
    assert directory.asked == []


def test_resolvers_are_asked_in_order():
    """The first that knows the issuer decides."""
    first, second = Directory(GLOBEX), Directory(ACME)
    where = auth(IssuerResolver(first), IssuerResolver(second))
    where.verify(token(KEY, iss=ACME))
    assert (first.asked, second.asked) == ([ACME], [ACME])


def test_tenants_do_not_share_keys():
    """Attack 44 across tenants: the key set is that of the resolved issuer."""
    other = SigningKey.generate("ES256", kid="k1")
    keys = {ACME: jwks(KEY), GLOBEX: jwks(other)}
    make = lambda iss: Issuer(iss, audience="api", tenants=ANY, keys=keys[iss])  # noqa: E731
    where = auth(IssuerResolver(Directory(ACME, GLOBEX, make=make)))
    where.verify(token(KEY, iss=ACME))
    assert isinstance(refusal(where, token(KEY, iss=GLOBEX)), SignatureInvalid)


def test_algorithm_and_typ_are_those_of_the_resolved_issuer():
    """A resolved issuer is as closed as a configured one."""
    make = lambda iss: Issuer(iss, audience="api", tenants=ANY, keys=jwks(KEY), algorithms=["ES256"], typ="at+jwt")  # noqa: E731
    where = auth(IssuerResolver(Directory(ACME, make=make)))
    assert refusal(where, token(SigningKey.generate("EdDSA", kid="k1"), iss=ACME)).reason == "algorithm_not_allowed"
    assert refusal(where, token(KEY, {"typ": "JWT"}, iss=ACME)).reason == "typ_not_accepted"


def test_keys_of_resolved_issuers_are_fetched_as_untrusted():
    """Their addresses came from data: pinned, and never private (section 3.1, attack 104)."""
    web = Web()
    web[f"{ACME}/jwks"] = jwks(KEY)
    make = lambda iss: Issuer(iss, audience="api", tenants=ANY, jwks_uri=f"{iss}/jwks")  # noqa: E731
    assert auth(IssuerResolver(Directory(ACME, make=make)), web=web).verify(token(KEY, iss=ACME))
    assert [fetch.untrusted for fetch in web.asked] == [True]


def test_the_same_issuer_object_keeps_its_keys():
    """A resolver that hands out the same Issuer again costs no second fetch."""
    clock, web = FrozenClock(NOW), Web()
    web[f"{ACME}/jwks"] = jwks(KEY)
    known = Issuer(ACME, audience="api", tenants=ANY, jwks_uri=f"{ACME}/jwks")
    where = auth(IssuerResolver(Directory(ACME, make=lambda iss: known), ttl=10), web=web, clock=clock)
    for _ in range(3):
        where.verify(token(KEY, iss=ACME))
        clock.advance(11)
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda iss: 1 // 0,
        lambda iss: True,
        lambda iss: iss,
        lambda iss: Issuer(GLOBEX, audience="api", tenants=ANY, keys=jwks(KEY)),
        lambda iss: Issuer([GLOBEX, iss + "/"], audience="api", tenants=ANY, keys=jwks(KEY)),
        lambda iss: Issuer("not a url", audience="api"),
    ],
    ids=["raises", "true", "text", "another", "almost", "config-error"],
)
def test_a_broken_resolver_is_an_outage(make):
    """Whatever it raises or returns: 503, nothing is accepted, and no foreign exception reaches the framework."""
    with pytest.raises(KeysUnavailable) as caught:
        auth(IssuerResolver(Directory(ACME, make=make))).verify(token(KEY, iss=ACME))
    assert caught.value.status == 503


def test_an_outage_of_the_directory_is_not_remembered():
    """The next request asks again."""
    calls: list[str] = []

    def flaky(iss: str) -> Any:
        calls.append(iss)
        if len(calls) == 1:
            raise OSError("database")
        return Issuer(iss, audience="api", tenants=ANY, keys=jwks(KEY))

    where = auth(IssuerResolver(flaky))
    with pytest.raises(KeysUnavailable):
        where.verify(token(KEY, iss=ACME))
    assert where.verify(token(KEY, iss=ACME))


def test_a_refusal_of_the_team_passes_through():
    """resolve() may raise one of our refusals itself."""

    def suspended(iss: str) -> Any:
        raise IssuerMismatch("suspended", reason="tenant_suspended")

    assert refusal(auth(IssuerResolver(suspended)), token(KEY, iss=ACME)).reason == "tenant_suspended"


def test_invented_issuers_are_no_flood_of_lookups():
    """Every one is new; still the directory is asked a bounded number of times, and nobody known is locked out."""
    clock, directory = FrozenClock(NOW), Directory(ACME)
    where = auth(IssuerResolver(directory, ttl=100), clock=clock, token_cache=0)
    where.verify(token(KEY, iss=ACME, exp=NOW + 900))
    for number in range(500):
        refusal(where, token(KEY, iss=f"https://x{number}.example"))
    assert len(directory.asked) < 300
    assert where.verify(token(KEY, iss=ACME, exp=NOW + 900))
    clock.advance(100)
    for number in range(500, 700):
        refusal(where, token(KEY, iss=f"https://x{number}.example"))
    assert where.verify(token(KEY, iss=ACME, exp=NOW + 900))


def test_kept_issuers_are_bounded():
    """The oldest goes first, and is simply looked up again."""
    names = [f"https://t{number}.example" for number in range(4)]
    directory = Directory(*names)
    where = auth(IssuerResolver(directory, max_issuers=2), token_cache=0)
    for name in names:
        where.verify(token(KEY, iss=name))
    where.verify(token(KEY, iss=names[3]))
    where.verify(token(KEY, iss=names[0]))
    assert directory.asked == [*names, names[0]]


@pytest.mark.anyio
async def test_an_async_resolver():
    """Awaited under a loop; from sync code it is a TypeError that names it."""

    async def resolve(iss: str) -> Any:
        await anyio.sleep(0)
        return Issuer(iss, audience="api", tenants=ANY, keys=jwks(KEY)) if iss == ACME else None

    where = auth(IssuerResolver(resolve))
    assert (await where.averify(token(KEY, iss=ACME))).issuer == ACME
    with pytest.raises(IssuerMismatch):
        await where.averify(token(KEY, iss=GLOBEX))


def test_an_async_resolver_from_sync_code():
    """A mistake of wiring and not of the request: it is not dressed up as an outage."""

    async def resolve(iss: str) -> Any:
        await anyio.sleep(0)

    with pytest.raises(TypeError, match="resolve"):
        auth(IssuerResolver(resolve)).verify(token(KEY, iss=ACME))


@pytest.mark.parametrize(
    "settings",
    [
        {"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")}, {"ttl": "x"}, {"ttl": None}, {"ttl": True}, {"miss_ttl": 0},
        {"max_issuers": 0},
        {"max_issuers": 1.5}, {"max_issuers": True}, {"resolve": None},
    ],
    ids=str,
)  # fmt: skip
def test_bad_settings(settings):
    """A ConfigError that names the setting."""
    given = {"resolve": Directory(), **settings}
    with pytest.raises(ConfigError, match=next(iter(settings))):
        IssuerResolver(given.pop("resolve"), **given)


def test_all_bad_settings_at_once():
    """Every problem of one call."""
    with pytest.raises(ConfigError) as caught:
        IssuerResolver(5, ttl=0, miss_ttl=0, max_issuers=0)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 4


def test_a_forked_child_gets_a_lock_of_its_own():
    """As for every lock."""
    from bearerkit.verify.resolver import Resolvers

    resolvers = Resolvers((), enter=lambda issuer: None)  # type: ignore[arg-type, return-value]
    before = resolvers._lock
    resolvers.after_fork()
    assert resolvers._lock is not before


@pytest.mark.anyio
async def test_many_callers_of_a_new_issuer_share_one_lookup():
    """Three hundred first tokens of one tenant: one look-up, one key source, everybody passes."""
    asked: list[str] = []
    gate = anyio.Event()

    async def resolve(iss: str) -> Issuer:
        asked.append(iss)
        await gate.wait()
        return Issuer(iss, audience="api", tenants=ANY, keys=jwks(KEY))

    where = auth(IssuerResolver(resolve), clock=FrozenClock(NOW))
    passed: list[str | None] = []

    async def call(number: int) -> None:
        passed.append((await where.averify(token(KEY, iss=ACME, sub=f"u{number}"))).subject)

    async with anyio.create_task_group() as tasks:
        for number in range(300):
            tasks.start_soon(call, number)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert asked == [ACME]
    assert len(passed) == 300


@pytest.mark.anyio
async def test_a_cancelled_lookup_strands_nobody():
    """The caller who asks is cancelled: one of those who waited asks next."""
    asked: list[str] = []
    gate = anyio.Event()

    async def resolve(iss: str) -> Issuer:
        asked.append(iss)
        await gate.wait()
        return Issuer(iss, audience="api", tenants=ANY, keys=jwks(KEY))

    where = auth(IssuerResolver(resolve), clock=FrozenClock(NOW))
    passed: list[str | None] = []

    async def call(scope: anyio.CancelScope, sub: str) -> None:
        with scope:
            passed.append((await where.averify(token(KEY, iss=ACME, sub=sub))).subject)

    leader, follower = anyio.CancelScope(), anyio.CancelScope()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, leader, "leader")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(call, follower, "follower")
        await anyio.wait_all_tasks_blocked()
        leader.cancel()
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert asked == [ACME, ACME]
    assert passed == ["follower"]


@pytest.mark.anyio
async def test_a_thread_does_not_wait_for_a_task_of_its_own_loop():
    """A sync caller inside the loop asks by itself, where waiting for the task that asks would never end."""
    gate = anyio.Event()
    asked: list[bool] = []
    issuer = Issuer(ACME, audience="api", tenants=ANY, keys=jwks(KEY))

    def resolve(iss: str) -> Any:
        asked.append(True)
        if len(asked) > 1:
            return issuer

        async def slowly() -> Issuer:
            await gate.wait()
            return issuer

        return slowly()

    where = auth(IssuerResolver(resolve), clock=FrozenClock(NOW))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(where.averify, token(KEY, iss=ACME, sub="task"))
        await anyio.wait_all_tasks_blocked()
        assert where.verify(token(KEY, iss=ACME, sub="thread")).subject == "thread"
        gate.set()
    assert len(asked) == 2


def test_an_expired_token_is_not_looked_up():
    """What no leeway could save is refused before the directory is asked."""
    directory = Directory(ACME)
    refused = refusal(auth(IssuerResolver(directory), clock=FrozenClock(NOW)), token(KEY, iss=ACME, exp=NOW - 300))
    assert refused.reason == "expired"
    assert directory.asked == []


@pytest.mark.parametrize("extra", [{"tenants": None}, {"padding": True}, {"limits": Limits(token=64_000)}], ids=str)
def test_an_issuer_that_cannot_be_used(extra: dict[str, Any]):
    """A tenant's issuer must say which tenants it may name; what parsing needs beforehand cannot come from it."""
    make = lambda iss: Issuer(iss, **({"audience": "api", "tenants": ANY, "keys": jwks(KEY)} | extra))  # noqa: E731
    where = auth(IssuerResolver(Directory(ACME, make=make)), clock=FrozenClock(NOW))
    with pytest.raises(KeysUnavailable) as caught:
        where.verify(token(KEY, iss=ACME))
    assert "tenants=" in (caught.value.hint or "")


def test_one_tenant_cannot_pass_for_another():
    """The tenant of a resolved issuer is judged, and its word about memberships counts for nothing."""
    make = lambda iss: Issuer(iss, audience="api", tenants=["acme"], keys=jwks(KEY))  # noqa: E731
    where = auth(IssuerResolver(Directory(ACME, make=make)), clock=FrozenClock(NOW))
    assert refusal(where, token(KEY, iss=ACME, tenant_id="globex")).reason == "tenant_not_allowed"
    assert where.verify(token(KEY, iss=ACME, tenant_id="acme", memberships=["globex"])).memberships == ()


def test_a_resolver_that_builds_its_issuers_keeps_their_keys_through_an_outage():
    """A row in a table makes a new Issuer each time; whose keys are in the same place keeps its key source."""
    clock, web = FrozenClock(NOW), Web()
    web[f"{ACME}/jwks"] = jwks(KEY)
    make = lambda iss: Issuer(iss, audience="api", tenants=ANY, jwks_uri=f"{iss}/jwks")  # noqa: E731
    where = auth(IssuerResolver(Directory(ACME, make=make), ttl=100), clock=clock, web=web)
    where.verify(token(KEY, iss=ACME, exp=NOW + 900))
    clock.advance(100)
    where.verify(token(KEY, iss=ACME, sub="again", exp=NOW + 900))
    assert len(web.asked) == 1


def test_an_outage_of_the_directory_is_everybody_s_answer():
    """Threads that wait for one look-up get its outage, and not one look-up each."""
    asked: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def resolve(iss: str) -> None:
        asked.append(iss)
        entered.set()
        leave.wait(10)
        raise OSError

    where = auth(IssuerResolver(resolve), clock=FrozenClock(NOW))
    reasons: list[str] = []

    def call(number: int) -> None:
        try:
            where.verify(token(KEY, iss=ACME, sub=f"u{number}"))
        except KeysUnavailable as error:
            reasons.append(error.reason)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    threads[0].start()
    assert entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    leave.set()
    for thread in threads:
        thread.join(10)
    assert reasons == ["keys_unavailable"] * 20
