"""`RedisEvictions`: what one process forgets, all do; what a connection has lost is made good; the thread ends."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from auth_doubles import ISSUER, JWKS_URL, NOW, Events, Web, jwks, token
from bearerkit import Auth, Issuer
from bearerkit._drive import run
from bearerkit.errors import Malformed
from bearerkit.stores.redis import RedisCache, RedisEvictions
from bearerkit.testing import FrozenClock, SigningKey
from stores.redis_servers import SECRET, eventually, own_namespace, own_redis

SRC = Path(__file__).resolve().parents[2] / "src"
KEY = b"k" * 32


@pytest.fixture
def url(needs):
    return needs("redis")


@pytest.fixture
def namespace(url):
    with own_namespace(url) as name:
        yield name


@contextmanager
def listener(url, namespace="bearerkit", **options):
    """Evictions, and a list of what was heard. It begins with "everything", since that is the first connection."""
    evictions = RedisEvictions(url, secret=SECRET, namespace=namespace, **options)
    heard: list[dict[str, str]] = []
    evictions.listen(lambda message: heard.append(dict(message)))
    try:
        eventually(lambda: heard == [{}])
        heard.clear()
        yield evictions, heard
    finally:
        evictions.close()


def test_everybody_hears_what_one_says(url, namespace):
    """Ourselves too, and nobody in another namespace."""
    with (
        listener(url, namespace) as (first, heard),
        listener(url, namespace) as (_, heard_too),
        listener(url, f"{namespace}x") as (_, heard_elsewhere),
    ):
        first.publish({"subject": "u1", "issuer": "i"})
        first.publish({})
        eventually(lambda: len(heard) == len(heard_too) == 2)
        assert heard == heard_too == [{"subject": "u1", "issuer": "i"}, {}]
        assert heard_elsewhere == []


def test_a_message_without_our_secret_means_nothing(url, namespace, caplog):
    """It is told about once."""
    with listener(url, namespace) as (ours, heard), caplog.at_level(logging.WARNING, "bearerkit.redis"):
        stranger = RedisEvictions(url, secret="y" * 40, namespace=namespace)
        stranger.publish({"subject": "u1"})
        with redis.Redis.from_url(url) as client:
            client.publish(f"{namespace}:evictions", b'{"v": 1, "forget": {}}')
        ours.publish({"subject": "u2"})
        eventually(lambda: heard)
        assert heard == [{"subject": "u2"}]
        assert len(caplog.records) == 1
        stranger.close()


def test_platform_auth_is_understood(url, namespace):
    """By whoever did not switch it off; what is shared ends with it."""
    cache = RedisCache(url, secret=SECRET, namespace=namespace)
    run(cache.put(KEY, b"x", 60))
    with (
        listener(url, namespace) as (_, heard),
        listener(url, namespace, platform_auth=False) as (ours, deaf),
        redis.Redis.from_url(url) as client,
    ):
        client.publish("pak:revoked", json.dumps({"api_key_id": "k-1"}))
        eventually(lambda: heard)
        assert {"token_id": "k-1"} in heard
        assert run(cache.get(KEY)) is None
        ours.publish({"subject": "u"})
        eventually(lambda: deaf)
        assert deaf == [{"subject": "u"}]


def test_a_handler_that_fails_silences_nobody(url, namespace, caplog):
    with listener(url, namespace) as (evictions, heard):

        def broken(message):
            raise RuntimeError("no")

        evictions._handlers.insert(0, broken)
        evictions.publish({"subject": "u"})
        evictions.publish({"subject": "v"})
        eventually(lambda: len(heard) == 2)


def listening_threads():
    return [thread for thread in threading.enumerate() if thread.name == "bearerkit-evictions"]


def test_the_thread_ends_and_may_begin_again(url, namespace):
    """With the last listener, or with close; a listener that has left hears nothing."""
    before = len(listening_threads())
    evictions = RedisEvictions(url, secret=SECRET, namespace=namespace)
    heard: list[str] = []
    leave = [evictions.listen(lambda _, name=name: heard.append(name)) for name in "ab"]
    assert len(listening_threads()) == before + 1
    eventually(lambda: "b" in heard)
    leave[0]()
    leave[0]()
    heard.clear()
    evictions.publish({})
    eventually(lambda: heard)
    assert set(heard) == {"b"}
    leave[1]()
    eventually(lambda: len(listening_threads()) == before)
    evictions.listen(lambda _: heard.append("c"))
    eventually(lambda: "c" in heard)
    evictions.close()
    eventually(lambda: len(listening_threads()) == before)


def test_a_new_connection_begins_with_everything(tmp_path, needs, caplog):
    """Whether Redis was restarted or the connection cut: what was said meanwhile is lost, so that all is forgotten."""
    with own_redis(tmp_path, needs("redis-server")) as server:
        events = Events()
        with (
            listener(server.url, observer=events) as (evictions, heard),
            caplog.at_level(logging.INFO, "bearerkit.redis"),
        ):
            cache = RedisCache(server.url, secret=SECRET)
            run(cache.put(KEY, b"x", 60))
            with redis.Redis.from_url(server.url) as client:
                client.client_kill_filter(_type="pubsub")
            eventually(lambda: heard == [{}])
            assert run(cache.get(KEY)) is None, "what is shared may be stale as well"
            heard.clear()
            server.kill()
            for _ in range(20):
                evictions.publish({"subject": "u"})
            time.sleep(1.5)
            assert heard == []
            server.start()
            eventually(lambda: heard == [{}])
            eventually(lambda: evictions.publish({"subject": "v"}) or {"subject": "v"} in heard)
            assert len(events.named("evictions.unavailable")) == len(events.named("evictions.back")) == 1
            assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


@pytest.mark.slow
def test_a_connection_that_is_dead_without_saying_so_is_noticed(tmp_path, needs):
    """Nothing is said, and no PING answered: after some seconds it is given up."""
    with own_redis(tmp_path, needs("redis-server")) as server:
        events = Events()
        with listener(server.url, observer=events) as (_, heard):
            server.freeze()
            eventually(lambda: events.named("evictions.unavailable"), 25)
            server.thaw()
            eventually(lambda: heard == [{}])


@pytest.fixture
def key():
    return SigningKey.generate("ES256", kid="k1")


@contextmanager
def service(url, namespace, key):
    web = Web()
    web[JWKS_URL] = jwks(key)
    evictions = RedisEvictions(url, secret=SECRET, namespace=namespace)
    with Auth(
        Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), http=web, clock=FrozenClock(NOW), evictions=evictions
    ) as auth:
        with pytest.raises(Malformed):
            auth.verify("the first credential begins the listening")
        # The caches are emptied once when the listener has connected: wait for that.
        heard: list[object] = []
        leave = evictions.listen(heard.append)
        eventually(lambda: evictions.publish({"subject": "nobody"}) or heard)
        leave()
        yield auth


def remembered(auth):
    return len(auth._identifier._jwt.cache)


@pytest.mark.parametrize("field", ["token", "token_id", "subject", "issuer", "everything"])
def test_auth_forgets_everywhere(url, namespace, key, field):
    """`forget` in one process empties the caches of the other, of what it names and no more."""
    with service(url, namespace, key) as here, service(url, namespace, key) as there:
        mine, other = token(key), token(key, jti="j2", sub="u2", iss=ISSUER)
        context = there.verify(mine)
        there.verify(other)
        assert remembered(there) == 2
        given = {"token": mine, "everything": None}.get(field, getattr(context, field, None))
        here.forget(**({} if field == "everything" else {field: given}))
        left = 0 if field in {"issuer", "everything"} else 1
        eventually(lambda: remembered(there) == left)
        assert there.verify(mine).subject == "u1", "to forget is not to revoke"


def test_closing_auth_ends_the_thread_and_empties_nobody_else(url, namespace, key):
    before = len(listening_threads())
    with service(url, namespace, key) as there:
        there.verify(token(key))
        with service(url, namespace, key) as here:
            here.verify(token(key))
        assert remembered(here) == 0
        eventually(lambda: len(listening_threads()) == before + 1)
        time.sleep(0.3)
        assert remembered(there) == 1
    eventually(lambda: len(listening_threads()) == before)


CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from bearerkit._drive import run
from bearerkit.stores.redis import RedisCache, RedisEvictions
_, _, url, namespace, secret = sys.argv
cache = RedisCache(url, secret=secret, namespace=namespace)
evictions = RedisEvictions(url, secret=secret, namespace=namespace)
def say(line):  # in one piece, for two threads do
    sys.stdout.write(line + "\\n")
    sys.stdout.flush()
def heard(message):
    say(f"heard {sorted(message.items())}")
evictions.listen(heard)
say(f"shared {run(cache.get(b'k' * 32))}")
for line in sys.stdin:
    if line.strip() == "publish":
        evictions.publish({"session_id": "s1"})
    else:
        say(f"shared {run(cache.get(b'k' * 32))}")
evictions.close()
say("over")
"""


def test_two_processes_share_an_entry_and_an_eviction(url, namespace):
    """What one has put the other gets, each hears the other, and the eviction ends the entry in both."""
    cache = RedisCache(url, secret=SECRET, namespace=namespace)
    run(cache.put(KEY, b"who", 60))
    with listener(url, namespace) as (evictions, heard):  # noqa: SIM117
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CHILD, str(SRC), url, namespace, SECRET],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as child:  # fmt: skip
            assert sorted([child.stdout.readline(), child.stdout.readline()]) == ["heard []\n", "shared b'who'\n"]
            evictions.publish({"subject": "u1"})
            assert child.stdout.readline() == "heard [('subject', 'u1')]\n"
            child.stdin.write("look\n")
            child.stdin.flush()
            assert child.stdout.readline() == "shared None\n"
            child.stdin.write("publish\n")
            child.stdin.flush()
            eventually(lambda: {"session_id": "s1"} in heard)
            assert child.stdout.readline() == "heard [('session_id', 's1')]\n"
            assert child.communicate(timeout=20)[0] == "over\n"
            assert child.returncode == 0


FORKS = """
import os, sys, time, threading
sys.path.insert(0, sys.argv[1])
from bearerkit.stores.redis import RedisEvictions
_, _, url, namespace, secret = sys.argv
evictions = RedisEvictions(url, secret=secret, namespace=namespace)
heard = []
evictions.listen(lambda message: heard.append(dict(message)))
def wait(holds):
    for _ in range(500):
        if holds():
            return
        time.sleep(0.02)
    os._exit(3)
wait(lambda: heard == [{}])
heard.clear()
child = os.fork()
if child == 0:
    wait(lambda: heard == [{}])
    evictions.publish({"subject": "from the child"})
    wait(lambda: {"subject": "from the child"} in heard)
    evictions.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
wait(lambda: {"subject": "from the child"} in heard)
assert heard == [{"subject": "from the child"}], heard
evictions.publish({"subject": "after"})
wait(lambda: {"subject": "after"} in heard)
evictions.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_hears_by_itself(url, namespace):
    """On a connection of its own, beginning with everything; the parent goes on hearing."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, str(SRC), url, namespace, SECRET]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
