"""Lists of revocations fail closed: down, lost, without tables, under load. Nobody passes, and it is a 503."""

from __future__ import annotations

import threading
import time

import pytest
import redis.asyncio
from sqlalchemy import create_engine, text

from auth_doubles import ISSUER, JWKS_URL, NOW, Web, jwks, token
from bearerkit import Auth, ConfigError, Issuer, Unavailable
from bearerkit._drive import PortNeedsLoop, run
from bearerkit.errors import Revoked, StoreUnavailable
from bearerkit.stores.redis import RedisRevocations
from bearerkit.stores.sqlalchemy import RevocationTables, SqlRevocations
from bearerkit.testing import FrozenClock, SigningKey
from stores.policy_databases import own_prefix, postgres_url
from stores.redis_servers import eventually, own_namespace, own_redis


@pytest.fixture
def key():
    return SigningKey.generate("ES256", kid="k1")


def auth_with(revocations, key):
    web = Web()
    web[JWKS_URL] = jwks(key)
    issuer = Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL)
    return Auth(issuer, http=web, clock=FrozenClock(NOW), revocations=revocations)


def test_redis_killed_under_load_lets_nobody_in_wrongly(tmp_path, needs, key):
    """Before, meanwhile and after: the good token is let in or a 503, the revoked one is refused or a 503."""
    with own_redis(tmp_path, needs("redis-server")) as server:
        revocations = RedisRevocations(server.url)
        revocations.create()
        revocations.revoke_token("bad")
        auth = auth_with(revocations, key)
        tokens = {"good": token(key, jti="good"), "bad": token(key, jti="bad")}
        seen = {"in": 0, "refused": 0, "503": 0}
        wrong: list[object] = []
        done = threading.Event()

        def load(name: str) -> None:
            while not done.is_set():
                try:
                    auth.verify(tokens[name])
                    seen["in"] += 1
                    if name == "bad":
                        wrong.append("a revoked token was let in")
                except Revoked:
                    seen["refused"] += 1
                    if name == "good":
                        wrong.append("a good token was called revoked")
                except StoreUnavailable as outage:
                    seen["503"] += 1
                    wrong.extend([] if outage.status == 503 else [outage])
                except BaseException as error:
                    wrong.append(error)

        threads = [threading.Thread(target=load, args=(name,)) for name in ["good", "bad"] * 3]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: seen["in"] > 20 and seen["refused"] > 20)
            server.kill()
            eventually(lambda: seen["503"] > 20)
            server.start()
            # It has no persistence here: its list is lost, and nobody passes until it is back.
            before = dict(seen)
            time.sleep(0.5)
            assert (seen["in"] - before["in"], seen["refused"] - before["refused"]) == (0, 0)
            revocations.revoke_token("bad")
            revocations.create()
            eventually(lambda: seen["in"] > before["in"] + 20 and seen["refused"] > before["refused"] + 20)
        finally:
            done.set()
            for thread in threads:
                thread.join(20)
        assert wrong == []


def test_a_list_that_was_lost_is_an_outage(needs):
    """A Redis that has forgotten everything does not say that nothing was revoked."""
    url = needs("redis")
    with own_namespace(url) as namespace:
        revocations = RedisRevocations(url, namespace=namespace)
        revocations.revoke_token("t")
        with pytest.raises(StoreUnavailable, match="never created") as outage:
            ask(revocations)
        assert "create()" in (outage.value.hint or "")
        revocations.create()
        assert ask(revocations)
        assert not ask(revocations, token_id="other")


def ask(revocations, **given):
    facts = {"issuer": "i", "token_id": "t", "session_id": None, "subject": None, "issued_at": 1.0} | given
    return run(revocations.is_revoked(**facts))


@pytest.mark.parametrize("planted", ["", "x", "[]"])
def test_an_entry_that_is_none_is_an_outage(needs, planted):
    url = needs("redis")
    with own_namespace(url) as namespace, redis.Redis.from_url(url) as client:
        revocations = RedisRevocations(url, namespace=namespace)
        revocations.create()
        revocations.revoke_token("t")
        (place,) = client.scan_iter(f"{namespace}:revoked:*")
        client.set(place, planted)
        with pytest.raises(StoreUnavailable):
            ask(revocations)


def test_entries_in_redis_end(needs):
    """With the token that they are about and the leeway, or not at all; no name of anybody stands there."""
    url = needs("redis")
    with own_namespace(url) as namespace, redis.Redis.from_url(url) as client:
        revocations = RedisRevocations(url, namespace=namespace)
        revocations.create()
        revocations.revoke_token("t", until=time.time() + 60)
        (place,) = client.scan_iter(f"{namespace}:revoked:*")
        assert 3_600_000 < client.pttl(place) <= 3_660_000
        revocations.revoke_token("t", until=time.time() - 3_599)
        assert client.pttl(place) > 3_600_000
        revocations.revoke_token("t")
        assert client.pttl(place) == -1
        revocations.revoke_token("t", until=time.time() + 60)
        assert client.pttl(place) == -1
        client.delete(place)
        revocations.revoke_token("u1", until=time.time() - 3_599)
        assert ask(revocations, token_id="u1")
        eventually(lambda: not ask(revocations, token_id="u1"))
        revocations.revoke_token("u1", until=time.time() - 4_000)
        assert not ask(revocations, token_id="u1")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_database_without_the_table_is_an_outage(tmp_path, needs, database):
    """And so is one that does not answer; nothing of the entry stands in what operators read."""
    url = f"sqlite:///{tmp_path}/r.db" if database == "sqlite" else postgres_url(needs("postgresql"))
    engine = create_engine(url)
    revocations = SqlRevocations(engine, tables=RevocationTables(prefix=own_prefix()))
    with pytest.raises(StoreUnavailable) as outage:
        ask(revocations)
    assert "create_all" in (outage.value.hint or "")
    with pytest.raises(StoreUnavailable):
        revocations.revoke_token("t")
    engine.dispose()
    down = create_engine("postgresql+psycopg://root@127.0.0.1:1/test")
    with pytest.raises(StoreUnavailable):
        ask(SqlRevocations(down))


def test_entries_in_a_database_are_purged(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/r.db")
    clock = FrozenClock(NOW)
    revocations = SqlRevocations(engine, clock=clock)
    revocations.create_all()
    revocations.revoke_token("t", until=NOW + 60)
    revocations.revoke_token("kept")
    clock.advance(3_660)
    assert revocations.purge() == 0
    clock.advance(1)
    assert revocations.purge() == 1
    assert [ask(revocations, token_id=name) for name in ("t", "kept")] == [False, True]
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from bearerkit_revocations")) == 1
    engine.dispose()


def test_auth_answers_503(key):
    """Through `Auth`, sync; the caller learns nothing of what failed."""
    auth = auth_with(RedisRevocations("redis://127.0.0.1:1/0"), key)
    with pytest.raises(Unavailable) as outage:
        auth.verify(token(key))
    assert auth.answer(outage.value).status == 503
    assert b"Redis" not in auth.answer(outage.value).body


def test_an_awaited_client_in_sync_code_is_named(needs):
    revocations = RedisRevocations(redis.asyncio.Redis.from_url(needs("redis")))
    with pytest.raises(PortNeedsLoop, match="revocations"):
        revocations.revoke_token("t")


def test_settings_that_cannot_work_are_told():
    with pytest.raises(ConfigError):
        RedisRevocations("postgres://x")
    with pytest.raises(ConfigError):
        RedisRevocations(redis.asyncio.Redis(decode_responses=True))
    with pytest.raises(ConfigError):
        RedisRevocations(None)
