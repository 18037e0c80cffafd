"""API keys of ours: made, verified, rotated, ended; outages; when they were last used."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

from api_key_doubles import PEPPERS, CountingStore, own_keys
from auth_doubles import NOW, auth, request
from bearerkit import ApiKeys, Auth, ConfigError, scope
from bearerkit._drive import run
from bearerkit.api_keys import ApiKeyUnknown, NewApiKey
from bearerkit.errors import Expired, InsufficientScope, Malformed, Revoked, StoreUnavailable, TokenInvalid
from bearerkit.stores.memory import MemoryRevocations
from bearerkit.testing import FrozenClock
from bearerkit.verify.key_uses import KeyUses

NEW = {"subject": "u1", "tenant_id": "acme", "scopes": ["orders:read"], "roles": ["editor"]}


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def keys(store: CountingStore, clock: FrozenClock) -> ApiKeys:
    return own_keys(store, clock)


@pytest.fixture
def where(keys: ApiKeys, clock: FrozenClock) -> Auth:
    return auth(keys, clock=clock)


def refusal(where: Auth, key: str) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as raised:
        where.verify(key)
    assert where.answer(raised.value).status == 401
    return raised.value


def test_a_key_is_a_caller(where: Auth, keys: ApiKeys) -> None:
    """With what it was made with, held to requirements as tokens are."""
    made = keys.generate(**NEW, name="CI", claims={"tier": "pro"})
    context = where.authorize(request(made.key), scope("orders:read"))
    assert (context.credential_kind, context.token_id) == ("api_key", made.record.id)
    assert (context.subject, context.tenant_id, context.scopes, context.roles) == (
        "u1", "acme", ("orders:read",), ("editor",)
    )  # fmt: skip
    assert context.tier == "pro"
    with pytest.raises(InsufficientScope):
        where.authorize(request(made.key), scope("orders:write"))


@pytest.mark.anyio
async def test_a_key_is_a_caller_awaited(where: Auth, keys: ApiKeys) -> None:
    """The same, all of it awaited."""
    made = await keys.agenerate(**NEW)
    assert await keys.aget(made.record.id, tenant_id="acme") == made.record
    assert (await where.aauthorize(request(made.key))).token_id == made.record.id
    second = await keys.arotate(made.record.id, overlap=60)
    assert [record.id for record in await keys.alist(subject="u1")] == sorted([made.record.id, second.record.id])
    await keys.arevoke(second.record.id)
    with pytest.raises(Revoked):
        await where.averify(second.key)


def test_the_key_is_kept_nowhere(where: Auth, keys: ApiKeys, store: CountingStore, clock: FrozenClock) -> None:
    """Neither in a record, nor in what `Auth` remembers, nor in a repr."""
    made = keys.generate(**NEW)
    where.verify(made.key)
    secret = made.key[-47:-7]
    for text in (repr(made), str(made), repr(made.record), repr(keys), repr(where), where.describe(), repr(vars(keys))):
        assert secret not in text
    assert secret.encode() not in store.inner._records[made.record.id].hashed.digest
    assert "0, 1, 2" not in repr(vars(keys))
    assert isinstance(made, NewApiKey)
    assert keys.generate(**NEW).key != made.key


def test_what_is_no_key_costs_no_look_up(where: Auth, keys: ApiKeys, store: CountingStore) -> None:
    """Cut off, mistyped, of another prefix, in capitals, with a wrong checksum: 401 without the store."""
    key = keys.generate(**NEW).key
    store.calls.clear()
    wrong = [key[:-1], key[:40], "acme_live_", key + "0", key.upper(), key[:-1] + "i", key.replace("live", "test")]
    wrong += [key[:30] + ("0" if key[30] != "0" else "1") + key[31:], key.replace("_live_", "_live__"), key + "="]
    for text in wrong:
        refusal(where, text)
        with pytest.raises(TokenInvalid):
            where.authorize(request(text))
    assert store.calls == []
    assert refusal(where, key[:-1]).reason == Malformed.reason


def test_an_unknown_key_and_a_wrong_secret_look_the_same(
    where: Auth, keys: ApiKeys, store: CountingStore, clock: FrozenClock
) -> None:
    """To the caller; also for a key that was revoked or has ended. One look-up each."""
    import bearerkit.api_key.form as form

    ours = keys.generate(**NEW)
    keys.revoke(ours.record.id)
    elsewhere = own_keys(CountingStore(), clock).generate(**NEW).key
    body = ours.key[:27] + elsewhere[27:-7]
    other = body + form._checksum(body)
    store.calls.clear()
    answers = []
    for text in (elsewhere, other):
        found = refusal(where, text)
        answer = where.answer(found)
        answers.append((found.reason, answer.status, answer.headers, answer.body))
    assert answers[0] == answers[1]
    assert answers[0][0] == "api_key_unknown"
    assert store.calls == ["find", "find"]


def test_a_revoked_key_is_refused_at_once(where: Auth, keys: ApiKeys) -> None:
    """The next request; others go on, and a second revocation is harmless."""
    made, other = keys.generate(**NEW), keys.generate(**NEW)
    where.verify(made.key)
    for _ in range(2):
        keys.revoke(made.record.id)
        assert isinstance(refusal(where, made.key), Revoked)
    assert where.verify(other.key)


def test_a_key_ends(where: Auth, keys: ApiKeys, clock: FrozenClock) -> None:
    """To the second, by the clock of the `Auth`."""
    made = keys.generate(**NEW, expires_in=100)
    assert made.record.expires_at == NOW + 100
    clock.advance(99)
    assert where.verify(made.key).expires_at == NOW + 100
    clock.advance(1)
    assert isinstance(refusal(where, made.key), Expired)


def test_rotation_overlaps(where: Auth, keys: ApiKeys, clock: FrozenClock) -> None:
    """Both count for the overlap, then the new one alone, for as long as the old one was made for."""
    old = keys.generate(**NEW, name="CI", expires_in=1_000, claims={"x": 1})
    clock.advance(500)
    new = keys.rotate(old.record.id, overlap=60)
    assert new.key != old.key
    kept = ("subject", "tenant_id", "scopes", "roles", "name", "claims")
    assert all(getattr(new.record, name) == getattr(old.record, name) for name in kept)
    assert new.record.expires_at == NOW + 1_500
    clock.advance(59)
    assert where.verify(old.key).token_id == old.record.id
    assert where.verify(new.key).token_id == new.record.id
    clock.advance(1)
    assert isinstance(refusal(where, old.key), Expired)
    assert where.verify(new.key)
    with pytest.raises(ApiKeyUnknown):
        keys.rotate(old.record.id, overlap=60)


def test_rotation_gives_no_key_more_time(keys: ApiKeys, clock: FrozenClock) -> None:
    """An overlap beyond its end; and one of 0 ends it now."""
    old = keys.generate(**NEW, expires_in=10)
    assert keys.rotate(old.record.id, overlap=60, expires_in=5).record.expires_at == NOW + 5
    assert keys.get(old.record.id).expires_at == NOW + 10
    bare = keys.generate(**NEW)
    assert keys.rotate(bare.record.id, overlap=0).record.expires_at is None
    assert keys.get(bare.record.id).expires_at == NOW


def test_a_key_of_another_tenant_is_unknown(keys: ApiKeys) -> None:
    """Whoever manages the keys of a tenant by id cannot tell, show, end or copy those of another one."""
    made = keys.generate(**NEW)
    calls: list[Any] = [keys.get, keys.revoke, lambda key, tenant_id: keys.rotate(key, tenant_id=tenant_id, overlap=1)]
    for call in calls:
        told = []
        for key in (made.record.id, "0" * 16):
            with pytest.raises(ApiKeyUnknown) as raised:
                call(key, tenant_id="blue")
            told.append(str(raised.value).replace(key, ""))
        assert told[0] == told[1]
    assert keys.get(made.record.id, tenant_id="acme") == made.record
    assert keys.list(tenant_id="blue") == ()


def test_a_race_between_rotation_and_revocation(keys: ApiKeys, store: CountingStore) -> None:
    """A key that was ended between reading and writing has no successor."""
    made = keys.generate(**NEW)
    inner = store.inner

    async def ended_meanwhile(key: str, *args: Any) -> bool:
        await inner.revoke(key, NOW)
        return await inner.rotate(key, *args)

    store.rotate = ended_meanwhile  # type: ignore[method-assign]
    with pytest.raises(ApiKeyUnknown):
        keys.rotate(made.record.id, overlap=60)
    assert len(inner) == 1


def test_peppers_change_over(store: CountingStore, clock: FrozenClock) -> None:
    """New keys under the new one, old ones verify until their pepper is taken away; then the operator learns why."""
    old = own_keys(store, clock).generate(**NEW)
    both = own_keys(store, clock, peppers={**PEPPERS, 2: "another pepper of 32 bytes, 0123"})
    new = both.generate(**NEW)
    assert (old.record.hashed.pepper, new.record.hashed.pepper) == (1, 2)
    assert auth(both, clock=clock).verify(old.key)
    later = auth(own_keys(store, clock, peppers={2: "another pepper of 32 bytes, 0123"}), clock=clock)
    assert later.verify(new.key)
    assert "pepper 1" in refusal(later, old.key).detail


@pytest.mark.parametrize("error", [OSError("down"), StoreUnavailable("down"), RuntimeError("a bug of the store")])
def test_an_outage_of_the_store_is_503(where: Auth, keys: ApiKeys, store: CountingStore, error: Exception) -> None:
    """Never a refusal, for any key that looks like one; and it ends with the outage."""
    made = keys.generate(**NEW)
    store.down = error
    with pytest.raises(StoreUnavailable) as raised:
        where.verify(made.key)
    assert where.answer(raised.value).status == 503
    for call in (lambda: keys.generate(**NEW), lambda: keys.revoke(made.record.id), keys.list):
        with pytest.raises(StoreUnavailable):
            call()
    refusal(where, made.key[:-1])
    store.down = None
    assert where.verify(made.key)


def test_revocations_know_keys_by_their_id(keys: ApiKeys, clock: FrozenClock) -> None:
    """The list that ends tokens ends keys too."""
    revoked = MemoryRevocations(clock)
    where = auth(keys, clock=clock, revocations=revoked)
    made = keys.generate(**NEW)
    assert where.verify(made.key)
    revoked.revoke_token(made.record.id)
    assert isinstance(refusal(where, made.key), Revoked)
    with pytest.raises(Malformed):
        where.verify(made.key[:-1])


# Remembered answers


def test_nothing_is_remembered_unless_asked_for(where: Auth, keys: ApiKeys, store: CountingStore) -> None:
    """Each request reads the store, so that a change by another process counts at once."""
    made = keys.generate(**NEW)
    for _ in range(3):
        where.verify(made.key)
    assert store.calls.count("find") == 3


def test_answers_are_remembered_for_the_given_time(store: CountingStore, clock: FrozenClock) -> None:
    """No longer, no longer than the key, and a change by these `ApiKeys` counts at once."""
    keys = own_keys(store, clock, cache_seconds=30)
    where = auth(keys, clock=clock)
    made = keys.generate(**NEW)
    for _ in range(3):
        where.verify(made.key)
    clock.advance(29)
    where.verify(made.key)
    assert store.calls.count("find") == 1
    clock.advance(1)
    where.verify(made.key)
    assert store.calls.count("find") == 2
    keys.revoke(made.record.id)
    assert isinstance(refusal(where, made.key), Revoked)
    short = keys.generate(**NEW, expires_in=10)
    where.verify(short.key)
    clock.jump(10)
    assert isinstance(refusal(where, short.key), Expired)


# When keys were last used


def test_uses_are_written_in_batches(where: Auth, keys: ApiKeys, store: CountingStore, clock: FrozenClock) -> None:
    """The first at once, the others together when the time has come, in one call."""
    one, two = keys.generate(**NEW), keys.generate(**NEW)
    where.verify(one.key)
    assert store.written == [{one.record.id: NOW}]
    for _ in range(5):
        clock.advance(10)
        where.verify(one.key)
        where.verify(two.key)
    assert len(store.written) == 1
    clock.advance(10)
    where.verify(one.key)
    assert store.written[1:] == [{one.record.id: NOW + 60, two.record.id: NOW + 50}]
    assert keys.get(two.record.id).last_used_at == NOW + 50


def test_a_refused_key_was_not_used(where: Auth, keys: ApiKeys, store: CountingStore) -> None:
    """Nothing that anybody can send writes to the store."""
    made = keys.generate(**NEW)
    keys.revoke(made.record.id)
    refusal(where, made.key)
    where.close()
    assert store.written == []


def test_uses_are_written_at_the_end(where: Auth, keys: ApiKeys, store: CountingStore, clock: FrozenClock) -> None:
    """`close` writes what is left, once."""
    made = keys.generate(**NEW)
    where.verify(made.key)
    clock.advance(5)
    where.verify(made.key)
    for _ in range(2):
        where.close()
    assert store.written[1:] == [{made.record.id: NOW + 5}]


@pytest.mark.anyio
async def test_uses_are_written_at_the_end_awaited(
    where: Auth, keys: ApiKeys, store: CountingStore, clock: FrozenClock
) -> None:
    """`aclose` waits for a store that needs its event loop; `close` then only warns."""
    made = await keys.agenerate(**NEW)
    await where.averify(made.key)
    clock.advance(5)
    await where.averify(made.key)
    inner = store.used

    async def slowly(moments: Any) -> None:
        await anyio.sleep(0)
        await inner(moments)

    store.used = slowly  # type: ignore[method-assign]
    where.close()
    assert len(store.written) == 1
    await where.aclose()
    assert store.written[1:] == [{made.record.id: NOW + 5}]


def test_a_use_that_cannot_be_written_fails_nobody(
    where: Auth, keys: ApiKeys, store: CountingStore, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It is written with the next batch, and the log says so once per batch."""
    made = keys.generate(**NEW)
    inner = store.used

    async def down(moments: Any) -> None:
        raise StoreUnavailable("read only")

    store.used = down  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            where.verify(made.key)
    assert caplog.text.count("could not be written") == 1
    store.used = inner  # type: ignore[method-assign]
    clock.advance(60)
    where.verify(made.key)
    assert store.written == [{made.record.id: NOW + 60}]


@pytest.mark.anyio
async def test_a_request_that_is_cancelled_while_it_writes_loses_nothing(
    where: Auth, keys: ApiKeys, store: CountingStore, clock: FrozenClock
) -> None:
    """The uses are written with the next batch."""
    made = await keys.agenerate(**NEW)
    inner = store.used

    async def forever(moments: Any) -> None:
        await anyio.sleep_forever()

    store.used = forever  # type: ignore[method-assign]
    with anyio.move_on_after(0.01):
        await where.averify(made.key)
    store.used = inner  # type: ignore[method-assign]
    await where.aclose()
    assert store.written == [{made.record.id: NOW}]


def test_one_of_many_writes_a_batch(store: CountingStore, clock: FrozenClock) -> None:
    """Whoever was told that it is due, and comes second, writes nothing; at the end the rest is written."""
    uses = KeyUses(store, clock, 60)
    assert [uses.note("a"), uses.note("b")] == [True, True]
    run(uses.write())
    assert uses.note("c") is False
    run(uses.write())
    assert store.written == [{"a": NOW, "b": NOW}]
    assert len(uses) == 1
    uses.write_now()
    assert store.written[1:] == [{"c": NOW}]


def test_uses_in_a_long_outage_are_bounded(store: CountingStore, clock: FrozenClock) -> None:
    """Ten thousand keys; those that are there are kept up to date. A forked child starts with none."""
    uses = KeyUses(store, clock, 60)
    for number in range(10_010):
        uses.note(str(number))
    clock.advance(5)
    uses.note("0")
    assert len(uses) == 10_000
    assert uses._noted["0"] == NOW + 5
    uses._lock.acquire()
    uses.after_fork()
    assert len(uses) == 0
    run(uses.write(now=True))


def test_uses_need_not_be_written(store: CountingStore, clock: FrozenClock) -> None:
    """None: never."""
    keys = own_keys(store, clock, last_used_every=None)
    where = auth(keys, clock=clock)
    where.verify(keys.generate(**NEW).key)
    where.close()
    assert store.written == []


# Settings


def test_everything_wrong_is_told_at_once() -> None:
    """One sentence each, and none holds a pepper."""
    with pytest.raises(ConfigError) as raised:
        ApiKeys(
            prefix="Acme", store=object(), peppers={1: "too short to be one", 2: b""},  # type: ignore[arg-type]
            pattern="[", claims={"subjekt": "sub"}, cache_seconds=61, cache_size=0, last_used_every=-1,
        )  # fmt: skip
    assert len(raised.value.problems) == 11, raised.value
    assert "too short to be" not in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "store=.* or resolver="),
        ({"store": CountingStore(), "resolver": print}, "store=.* or resolver="),
        ({"store": CountingStore()}, "peppers"),
        ({"store": CountingStore(), "peppers": {}}, "peppers"),
        ({"resolver": print, "peppers": PEPPERS}, "peppers go with store"),
        ({"resolver": "a.b.c"}, "callable"),
        ({"resolver": print, "pattern": 5}, "pattern"),
        ({"resolver": print, "cache_seconds": float("nan")}, "cache_seconds"),
    ],
)
def test_what_does_not_go_together(settings: dict[str, Any], problem: str) -> None:
    """Neither none nor both, and peppers where there are hashes."""
    with pytest.raises(ConfigError, match=problem):
        ApiKeys(prefix="acme_live_", **settings)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), True, "60"])
def test_times_that_are_none(keys: ApiKeys, store: CountingStore, seconds: Any) -> None:
    """Nothing is written for them."""
    with pytest.raises(ValueError, match="expires_in"):
        keys.generate(**NEW, expires_in=seconds)
    made = keys.generate(**NEW)
    if seconds != 0:
        with pytest.raises(ValueError, match="overlap"):
            keys.rotate(made.record.id, overlap=seconds)
    assert len(store.inner) == 1


def test_keys_of_others_are_not_managed_here() -> None:
    """They are made, ended and listed where the resolver asks."""
    keys = ApiKeys(prefix="pcft_live_", resolver=lambda key: None)
    for call in (lambda: keys.generate(**NEW), lambda: keys.revoke("k"), keys.list, lambda: keys.pattern):
        with pytest.raises(TypeError):
            call()
