"""`RedisCache`: what it keeps, for how long, what others can do who write there, and what an outage does."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager

import pytest
import redis

from auth_doubles import Events
from bearerkit._drive import run
from bearerkit.errors import ConfigError
from bearerkit.ports import CacheUnavailable
from bearerkit.stores.redis import RedisCache, RedisEvictions
from bearerkit.testing import FrozenClock
from stores.redis_servers import SECRET, eventually, own_namespace, own_redis

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.fixture
def url(needs):
    return needs("redis")


@pytest.fixture
def raw(url):
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
def namespace(url):
    with own_namespace(url) as name:
        yield name


@pytest.fixture
def cache(url, namespace):
    return RedisCache(url, secret=SECRET, namespace=namespace)


def entries(raw, namespace):
    return sorted(raw.scan_iter(f"{namespace}:cache:*"))


def test_what_is_put_is_got_by_another_process(url, namespace, cache):
    """Another object with the same secret reads it, bytes for bytes."""
    assert run(cache.get(KEY)) is None
    run(cache.put(KEY, b"\0who\xff", 30))
    other = RedisCache(redis.Redis.from_url(url), secret=[b"new" * 20, SECRET], namespace=namespace)
    assert run(other.get(KEY)) == b"\0who\xff"
    assert run(other.get(OTHER)) is None
    run(other.drop([KEY, OTHER]))
    assert run(cache.get(KEY)) is None
    run(cache.drop([]))


def test_nothing_in_redis_says_what_it_is(raw, namespace, cache):
    """Keys are digests, entries are sealed, and all of them end."""
    run(cache.put(b"sk_live_credential", b"subject-u1", 30))
    (place,) = entries(raw, namespace)
    assert b"sk_live" not in place
    assert b"subject" not in raw.get(place)
    assert 0 < raw.pttl(place) <= 30_000


@pytest.mark.parametrize("ttl", [0, -1, 0.0004])
def test_what_ends_at_once_is_not_kept(raw, namespace, cache, ttl):
    run(cache.put(KEY, b"x", ttl))
    assert entries(raw, namespace) == []


def test_an_entry_ends_by_what_stands_inside(raw, url, namespace):
    """Whoever keeps it and puts it back, or lengthens its time, gains nothing."""
    clock = FrozenClock(1_790_000_000.0)
    cache = RedisCache(url, secret=SECRET, namespace=namespace, clock=clock)
    run(cache.put(KEY, b"x", 60))
    (place,) = entries(raw, namespace)
    raw.persist(place)
    clock.advance(59)
    assert run(cache.get(KEY)) == b"x"
    clock.advance(1)
    assert run(cache.get(KEY)) is None


def test_who_writes_redis_mints_nothing(raw, url, namespace, caplog):
    """A changed, moved, invented or foreign entry is a miss, and is told about once."""
    events = Events()
    cache = RedisCache(url, secret=SECRET, namespace=namespace, observer=events)
    run(cache.put(KEY, b"admin", 60))
    run(cache.put(OTHER, b"nobody", 60))
    run(RedisCache(url, secret="x" * 40, namespace=namespace).put(b"third", b"admin", 60))
    places = {name: cache._place(name) for name in (KEY, OTHER, b"third")}
    mine, others = raw.get(places[KEY]), raw.get(places[OTHER])
    with caplog.at_level(logging.WARNING, "bearerkit.redis"):
        assert run(cache.get(b"third")) is None
        for forged in (others, mine[:-1], mine[:-1] + bytes([mine[-1] ^ 1]), b"", b"admin", b"\x01" * 100):
            raw.set(places[KEY], forged)
            assert run(cache.get(KEY)) is None, forged
    assert len(events.named("cache.tampered")) == 7
    assert len(caplog.records) == 1
    raw.set(places[KEY], mine)
    assert run(cache.get(KEY)) == b"admin", "the checks above could have failed"


def test_namespaces_do_not_share(url, namespace, raw):
    """Nor can an entry be copied from one to the other."""
    first = RedisCache(url, secret=SECRET, namespace=f"{namespace}a")
    second = RedisCache(url, secret=SECRET, namespace=f"{namespace}b")
    run(first.put(KEY, b"x", 60))
    assert run(second.get(KEY)) is None
    raw.set(second._place(KEY), raw.get(first._place(KEY)))
    assert run(second.get(KEY)) is None


def test_a_lock_is_held_by_one(cache, url, namespace):
    """Until it is given back by its holder, or ends."""
    other = RedisCache(url, secret=SECRET, namespace=namespace)
    token = run(cache.take_lock(KEY, 30))
    assert token is not None
    assert run(other.take_lock(KEY, 30)) is None
    assert run(other.take_lock(OTHER, 30)) is not None
    run(other.release(KEY, b"not the token"))
    assert run(other.take_lock(KEY, 30)) is None
    run(cache.release(KEY, token))
    second = run(other.take_lock(KEY, 0.05))
    assert second is not None
    eventually(lambda: run(cache.take_lock(KEY, 30)) is not None)
    run(other.release(KEY, second))
    assert run(other.take_lock(KEY, 30)) is None, "an old token must not free the lock of somebody else"


def test_an_eviction_ends_what_is_shared(cache, url, namespace):
    """Also what was asked for before it and is put after it."""
    evictions = RedisEvictions(url, secret=SECRET, namespace=namespace)
    run(cache.put(KEY, b"before", 60))
    assert run(cache.get(OTHER)) is None  # the origin is asked now…
    evictions.publish({"subject": "u"})
    run(cache.put(OTHER, b"stale", 60))  # …and answered before the eviction
    assert run(cache.get(KEY)) is None
    assert run(cache.get(OTHER)) is None
    run(cache.put(KEY, b"after", 60))
    assert run(cache.get(KEY)) == b"after"
    evictions.close()


@pytest.mark.parametrize(
    "build",
    [
        lambda url: RedisCache("http://127.0.0.1", secret=SECRET),
        lambda url: RedisCache(7, secret=SECRET),
        lambda url: RedisCache(url, secret="short"),
        lambda url: RedisCache(url, secret=SECRET, namespace=""),
        lambda url: RedisCache(url, secret=SECRET, namespace="ä"),
        lambda url: RedisCache(url, secret=SECRET, timeout=0),
        lambda url: RedisCache(redis.Redis.from_url(url, decode_responses=True), secret=SECRET),
    ],
)
def test_settings_that_cannot_work_are_told(url, build):
    with pytest.raises(ConfigError):
        build(url)


def test_a_url_that_is_none_does_not_show_its_password():
    with pytest.raises(ConfigError) as refused:
        RedisCache("rediss:/user:hunter22@host", secret=SECRET)
    assert "hunter22" not in str(refused.value)


@contextmanager
def outage(tmp_path, needs):
    with own_redis(tmp_path, needs("redis-server")) as server:
        events = Events()
        yield server, RedisCache(server.url, secret=SECRET, observer=events), events


def tries(cache):
    try:
        return run(cache.get(KEY))
    except CacheUnavailable:
        return "down"


def test_an_outage_is_told_once_and_ends_by_itself(tmp_path, needs, caplog):
    """Killed: every question fails at once. Restarted: it is asked again without anybody's help."""
    with outage(tmp_path, needs) as (server, cache, events), caplog.at_level(logging.INFO, "bearerkit.redis"):
        run(cache.put(KEY, b"x", 60))
        assert tries(cache) == b"x"
        server.kill()
        started = time.monotonic()
        assert {tries(cache) for _ in range(500)} == {"down"}
        assert time.monotonic() - started < 1.5
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        server.start()
        eventually(lambda: tries(cache) is None)
        assert [name for name, _ in events.seen] == ["cache.unavailable", "cache.back"]
        assert len(caplog.records) == 2
        run(cache.put(KEY, b"y", 60))
        assert tries(cache) == b"y"


def test_a_redis_that_hangs_is_left_alone(tmp_path, needs):
    """It costs two short timeouts, then nothing until the next probe."""
    with outage(tmp_path, needs) as (server, cache, events):
        assert tries(cache) is None
        server.freeze()
        started = time.monotonic()
        assert {tries(cache) for _ in range(200)} == {"down"}
        assert time.monotonic() - started < 2
        server.thaw()
        eventually(lambda: tries(cache) is None)
        assert [name for name, _ in events.seen] == ["cache.unavailable", "cache.back"]


def test_killed_under_load_it_never_answers_wrong(tmp_path, needs):
    """Threads read and write while it dies and comes back, twice: the right bytes, a miss, or CacheUnavailable."""
    with outage(tmp_path, needs) as (server, cache, events):
        done = threading.Event()
        wrong: list[object] = []
        hits = [0]

        def load(number: int) -> None:
            key = bytes([number]) * 32
            while not done.is_set():
                try:
                    found = run(cache.get(key))
                    if found is None:
                        run(cache.put(key, key, 60))
                    elif found == key:
                        hits[0] += 1
                    else:
                        wrong.append(found)
                except CacheUnavailable:
                    time.sleep(0.005)
                except BaseException as error:
                    wrong.append(error)

        threads = [threading.Thread(target=load, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                before = hits[0]
                eventually(lambda before=before: hits[0] > before + 50)
                server.kill()
                time.sleep(0.3)
                server.start()
                before = hits[0]
                eventually(lambda before=before: hits[0] > before + 50)
        finally:
            done.set()
            for thread in threads:
                thread.join(20)
        assert wrong == []
        assert [name for name, _ in events.seen].count("cache.unavailable") == 2
