"""Opaque tokens in processes that share Redis: one question, one forgetting, and what an outage of Redis changes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from bearerkit import Auth, Introspection
from bearerkit.errors import BearerkitError, TokenInvalid
from bearerkit.http import Headers, Request
from bearerkit.stores.redis import RedisCache, RedisEvictions
from bearerkit.testing import FakeIssuer, FrozenClock
from stores.redis_servers import SECRET, eventually, own_namespace, own_redis

PROCESS = """
import sys
from bearerkit import Auth, Introspection
from bearerkit.errors import TokenInvalid
from bearerkit.stores.redis import RedisCache, RedisEvictions

issuer, redis_url, namespace, secret = sys.argv[1:]
auth = Auth(
    Introspection(
        issuer + "/introspect", client_id="api", client_secret="s", audience="api", negative_seconds=0,
        shared=RedisCache(redis_url, secret=secret, namespace=namespace),
    ),
    evictions=RedisEvictions(redis_url, secret=secret, namespace=namespace),
)
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(auth.verify(line.strip()).subject, flush=True)
    except TokenInvalid as refused:
        print(refused.reason, flush=True)
auth.close()
"""


@pytest.fixture
def url(needs):
    return needs("redis")


@pytest.fixture
def namespace(url):
    with own_namespace(url) as name:
        yield name


def process(issuer, url, namespace, **settings):
    """What stands for one process: caches of its own, and the shared one."""
    return Auth(
        Introspection(
            issuer.introspection_endpoint,
            client_id="api",
            client_secret="s",
            audience="api",
            shared=RedisCache(url, secret=SECRET, namespace=namespace, timeout=1),
            **settings,
        ),
        http=issuer.http,
        clock=issuer.clock,
    )


def test_what_one_process_was_told_the_others_need_not_ask(url, namespace):
    """Who it is and that it is nobody, both for no longer than in the first one."""
    issuer = FakeIssuer(audience="api", clock=FrozenClock(1_790_000_000.0))
    one, two = (process(issuer, url, namespace) for _ in range(2))
    token = issuer.opaque_token(sub="ada", scope="a b", roles=["x"])
    assert one.verify(token) == two.verify(token)
    assert len(issuer.fetches) == 1
    for auth in (one, two):
        with pytest.raises(TokenInvalid) as refused:
            auth.verify("nobody")
        assert refused.value.reason == "token_inactive"
    assert len(issuer.fetches) == 2
    issuer.clock.advance(59)
    three = process(issuer, url, namespace)
    assert three.verify(token).subject == "ada"
    issuer.clock.advance(1)
    issuer.revoke(token)
    for auth in (one, two, three):
        with pytest.raises(TokenInvalid):
            auth.verify(token)


def test_no_shared_answer_outlives_the_token(url, namespace):
    """Also where it would be believed for longer: neither in the process that asked nor in another one."""
    issuer = FakeIssuer(audience="api", clock=FrozenClock(1_790_000_000.0))
    one, two = (process(issuer, url, namespace, cache_seconds=3_600, leeway=0) for _ in range(2))
    token = issuer.opaque_token()  # for 300 seconds
    assert one.verify(token) == two.verify(token)
    issuer.clock.advance(300)
    for auth in (one, two, process(issuer, url, namespace, cache_seconds=3_600, leeway=0)):
        with pytest.raises(TokenInvalid):
            auth.verify(token)


def test_other_settings_share_nothing(url, namespace):
    """Another audience, client or mapping is another question."""
    issuer = FakeIssuer(audience="api", clock=FrozenClock(1_790_000_000.0))
    token = issuer.opaque_token()
    for settings in ({}, {"claims": {"tenant": "org"}}, {"clients": ["web", "app"]}, {"clients": ["app", "web"]}):
        try:
            process(issuer, url, namespace, **settings).verify(token)
        except TokenInvalid:
            assert "clients" in settings
    assert len(issuer.fetches) == 4


def test_many_processes_ask_once(url, namespace):
    """The first asks under a lock, the others wait for its answer."""
    issuer = FakeIssuer(audience="api")
    gate, answer = threading.Event(), issuer.answer

    def slow(*args):
        assert gate.wait(10)
        return answer(*args)

    issuer.answer = slow
    auths = [process(issuer, url, namespace) for _ in range(8)]
    token = issuer.opaque_token(sub="ada")
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(auth.verify, token) for auth in auths]
        threading.Timer(0.3, gate.set).start()
        assert {one.result(20).subject for one in asked} == {"ada"}
    assert len(issuer.fetches) == 1


def test_what_was_forgotten_does_not_come_back_from_redis(url, namespace):
    """Neither here nor, if evictions are pushed, anywhere."""
    issuer = FakeIssuer(audience="api")
    auth = process(issuer, url, namespace)
    token = issuer.opaque_token(sid="s1")
    for fields in ({"token": token}, {"session_id": "s1"}, {}):
        auth.verify(token)
        before = len(issuer.fetches)
        auth.forget(**fields)
        auth.verify(token)
        assert len(issuer.fetches) == before + 1


def test_whoever_writes_redis_makes_nobody_somebody(url, namespace, caplog):
    """What was put there by hand, or belongs to another token, is ignored."""
    issuer = FakeIssuer(audience="api")
    one = process(issuer, url, namespace)
    ada, bob = issuer.opaque_token(sub="ada"), issuer.opaque_token(sub="bob")
    assert one.verify(ada).subject == "ada"
    with redis.Redis.from_url(url) as raw:
        (place,) = raw.scan_iter(f"{namespace}:cache:*")
        of_ada = raw.get(place)
        assert one.verify(bob).subject == "bob"
        for key in raw.scan_iter(f"{namespace}:cache:*"):
            raw.set(key, of_ada if key != place else json.dumps({"asked_at": 9e9, "claims": {"sub": "admin"}}))
    two = process(issuer, url, namespace)
    assert [two.verify(token).subject for token in (ada, bob)] == ["ada", "bob"]
    assert "not sealed" in caplog.text


def test_redis_is_killed_under_load(tmp_path, needs):
    """No 500 and no wrong answer meanwhile; afterwards it is used again."""
    issuer = FakeIssuer(audience="api")
    good = [issuer.opaque_token(sub=f"u{number}") for number in range(20)]
    wrong: list[object] = []
    with own_redis(tmp_path, needs("redis-server")) as server:
        auths = [process(issuer, server.url, "killed", cache_seconds=0.05, negative_seconds=0.05) for _ in range(2)]
        ended = threading.Event()

        def call(auth):
            while not ended.is_set():
                for number, token in enumerate([*good, "nobody"]):
                    request = Request("GET", "/", Headers([("authorization", f"Bearer {token}")]))
                    try:
                        if auth.authorize(request).subject != f"u{number}" or token == "nobody":
                            wrong.append(token)
                    except TokenInvalid:
                        if token != "nobody":
                            wrong.append(token)
                    except BearerkitError as error:
                        wrong.append(error)

        with ThreadPoolExecutor(8) as pool:
            callers = [pool.submit(call, auths[number % 2]) for number in range(8)]
            threading.Event().wait(0.5)
            server.kill()
            threading.Event().wait(1.0)
            server.start()

            def shared():
                with redis.Redis(port=server.port, socket_timeout=1) as raw:
                    return any(raw.scan_iter("killed:cache:*"))

            eventually(shared)
            ended.set()
            for caller in callers:
                caller.result(20)
    assert wrong == []


def test_two_real_processes_share_an_answer_and_a_forgetting(url, namespace):
    """The second asks nobody; what a third forgets both forget."""
    issuer = FakeIssuer(audience="api")
    with issuer.serve() as base_url:
        command = [sys.executable, "-c", PROCESS, base_url, url, namespace, SECRET]
        children = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            for _ in range(2)
        ]
        try:
            assert [child.stdout.readline() for child in children] == ["ready\n"] * 2
            token = issuer.opaque_token(sub="ada")

            def said(child, credential=token):
                child.stdin.write(credential + "\n")
                return child.stdout.readline().strip()

            # Listening begins with the first credential. Who has just connected may have missed a message, and believes
            # nothing that is older, or nearly so.
            assert [said(child, "nobody") for child in children] == ["token_inactive"] * 2
            threading.Event().wait(5.5)
            before = len(issuer.fetches)
            assert [said(child) for child in children] == ["ada", "ada"]
            assert len(issuer.fetches) == before + 1
            issuer.revoke(token)
            assert [said(child) for child in children] == ["ada", "ada"]
            third = Auth(
                Introspection(issuer.introspection_endpoint, client_id="api", client_secret="s", audience="api"),
                evictions=RedisEvictions(url, secret=SECRET, namespace=namespace),
            )
            third.forget(subject="ada")
            eventually(lambda: [said(child) for child in children] == ["token_inactive"] * 2)
            third.close()
        finally:
            for child in children:
                child.communicate(timeout=20)
    assert all(child.returncode == 0 for child in children)
