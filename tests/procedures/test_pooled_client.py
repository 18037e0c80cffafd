"""`PooledClient`: connections that are kept, shared by threads, bounded, given up in time, and never believed too much.

That every limit of `BlockingClient` holds here too is tried in test_blocking_client.py, which runs with both.
"""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bearerkit import Auth, Issuer
from bearerkit._drive import run
from bearerkit.http import Fetch, Fetched, FetchFailed, Network
from bearerkit.transport import pooled
from bearerkit.transport.pooled import CONNECTIONS_MAX, PooledClient
from bearerkit.transport.sockets import TimedStream
from loopback import PATIENCE, Asked, KeptServer, Turn, certificate_authority, converse, kept, relay_to, serve

CALM = Network(timeout=PATIENCE)
QUICK = Network(timeout=0.3)
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def client() -> Iterator[PooledClient]:
    made = PooledClient()
    yield made
    made.close()


def get(client: PooledClient, url: str, network: Network = CALM) -> Fetched:
    return run(client.fetch(Fetch(url, network)))


def post(client: PooledClient, url: str, body: bytes = b"token=x", network: Network = CALM) -> Fetched:
    return run(client.fetch(Fetch(url, network, body=body)))


def refused(work: Callable[[], object]) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        work()
    assert caught.value.__cause__ is None
    return caught.value


def ordinary(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def script(*turns: bytes | Callable[[Asked, socket.socket], bool]) -> Turn:
    """The answers to the requests in their order of arrival; bytes are sent and the connection is kept."""
    waiting = iter(turns)

    def turn(asked: Asked, connection: socket.socket, over: threading.Event) -> bool:
        step = next(waiting)
        if callable(step):
            return step(asked, connection)
        connection.sendall(step)
        return True

    return turn


def hang_up(asked: Asked, connection: socket.socket) -> bool:
    """The request was read whole, and nothing is said."""
    return False


# Keeping


def test_one_connection_serves_one_request_after_another(client: PooledClient) -> None:
    with converse(kept(b"{}")) as server:
        for number in range(20):
            assert post(client, server.url(), b"token=%d" % number).body == b"{}"
            get(client, server.url("/other"))
        assert server.connections == 1
        assert [asked.turn for asked in server.asked] == list(range(40))
        assert server.header("connection") is None
        client.close()
        server.wait_until_closed()


def test_tls_is_kept_too(client: PooledClient, tmp_path: Path) -> None:
    ca_file, tls = certificate_authority(tmp_path, "127.0.0.1")
    with converse(kept(b"{}"), tls) as server:
        for _ in range(5):
            assert post(client, server.url(), network=Network(timeout=PATIENCE, ca_file=str(ca_file))).status == 200
        assert server.connections == 1


def test_another_authority_gets_a_connection_of_its_own(client: PooledClient, tmp_path: Path) -> None:
    """Also when the file is replaced: what was verified by the old one is not asked any longer."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ca_file, tls = certificate_authority(tmp_path / "a", "127.0.0.1")
    other, _ = certificate_authority(tmp_path / "b", "127.0.0.1")
    network = Network(timeout=PATIENCE, ca_file=str(ca_file))
    with converse(kept(b"{}"), tls) as server:
        get(client, server.url(), network)
        refused(lambda: get(client, server.url(), Network(timeout=PATIENCE, ca_file=str(other))))
        refused(lambda: get(client, server.url()))
        get(client, server.url(), network)
        ca_file.write_bytes(other.read_bytes())
        os.utime(ca_file, ns=(1, 1))
        error = refused(lambda: get(client, server.url(), network))
        assert "CERTIFICATE_VERIFY_FAILED" in error.detail
        ca_file.unlink()
        assert "cannot be loaded" in refused(lambda: get(client, server.url(), network)).detail
        server.wait_until_closed()


def test_a_proxy_keeps_its_connection(client: PooledClient) -> None:
    with converse(kept(b"{}")) as proxy:
        network = Network(timeout=PATIENCE, allow_http=True, proxy=f"http://user:pass@127.0.0.1:{proxy.port}")
        for _ in range(3):
            get(client, "http://keys.internal/jwks", network)
        assert proxy.connections == 1
        assert proxy.heads[2].startswith("GET http://keys.internal:80/jwks HTTP/1.1")


def test_a_tunnel_is_kept(client: PooledClient, tmp_path: Path) -> None:
    ca_file, tls = certificate_authority(tmp_path, "keys.internal")
    with converse(kept(b"{}"), tls) as server, serve(relay_to(server.port)) as proxy:
        network = Network(timeout=PATIENCE, ca_file=str(ca_file), proxy=f"http://127.0.0.1:{proxy.port}")
        for _ in range(3):
            assert get(client, "https://keys.internal/jwks", network).body == b"{}"
        assert (server.connections, proxy.connections) == (1, 1)
        client.close()


def test_a_name_is_resolved_for_each_connection_not_for_each_request() -> None:
    names: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        names.append(host)
        return ["127.0.0.1"]

    client = PooledClient(resolve=resolve)
    with converse(kept(b"{}")) as server:
        for _ in range(3):
            get(client, server.url(host="localhost"))
        assert names == ["localhost"]
        client.close()
        get(client, server.url(host="localhost"))
        assert names == ["localhost", "localhost"]
        client.close()


def test_headers_are_of_one_request_only(client: PooledClient) -> None:
    """A secret does not stick to the connection."""
    with converse(kept(b"{}")) as server:
        run(client.fetch(Fetch(server.url(), CALM, headers=(("Authorization", "Basic abc"),), body=b"")))
        assert server.header("authorization") == "Basic abc"
        get(client, server.url())
        assert server.header("authorization") is None
        assert server.connections == 1


def test_an_untrusted_url_gets_a_connection_of_its_own(client: PooledClient) -> None:
    with converse(kept(b"{}")) as server:
        network = Network(timeout=PATIENCE, private=True)
        for _ in range(2):
            run(client.fetch(Fetch(server.url(), network, untrusted=True)))
        assert server.connections == 2
        assert server.header("connection") == "close"


def test_an_idle_connection_is_given_up(client: PooledClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled, "IDLE_SECONDS", 0.01)
    with converse(kept(b"{}")) as server:
        get(client, server.url())
        time.sleep(0.05)
        get(client, server.url())
        assert server.connections == 2


def test_too_many_servers_share_no_memory(client: PooledClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Further ones get a connection for each request."""
    monkeypatch.setattr(pooled, "POOLS_MAX", 1)
    with converse(kept(b"{}")) as first, converse(kept(b"{}")) as second:
        for _ in range(3):
            get(client, first.url())
            get(client, second.url())
        assert (first.connections, second.connections) == (1, 3)
        assert "1 pools" in repr(client)


# Answers that do not fit


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 2000\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2_000 + b"\r\n0\r\n\r\n",
    ],
    ids=["too large", "compressed", "too large in chunks"],
)
def test_a_connection_with_an_unread_answer_is_not_used_again(client: PooledClient, answer: bytes) -> None:
    """Its rest would be the answer to the next request."""
    with converse(script(answer, ordinary(b"second"))) as server:
        network = Network(timeout=PATIENCE, max_bytes=1_000)
        refused(lambda: get(client, server.url(), network))
        assert get(client, server.url(), network).body == b"second"
        assert server.connections == 2


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_an_answer_that_nobody_asked_for_is_nobodys(client: PooledClient, pause: float) -> None:
    """Two answers to one request, at once or one after the other: the second is about another token."""

    def twice(asked: Asked, connection: socket.socket) -> bool:
        if pause:
            connection.sendall(ordinary(b"first"))
            time.sleep(pause)
            connection.sendall(ordinary(b"smuggled"))
        else:
            connection.sendall(ordinary(b"first") + ordinary(b"smuggled"))
        return True

    with converse(script(twice, ordinary(b"second"), ordinary(b"third"))) as server:
        assert post(client, server.url()).body == b"first"
        time.sleep(2 * pause)
        if pause:
            assert post(client, server.url()).body == b"second"
        else:
            assert "before it was asked" in refused(lambda: post(client, server.url())).detail
        assert post(client, server.url()).body in (b"second", b"third")


def test_the_stream_looks_itself_for_what_nobody_asked_for(
    client: PooledClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come after the pool looked, and before the request goes out."""
    sent = threading.Event()

    def twice(asked: Asked, connection: socket.socket) -> bool:
        connection.sendall(ordinary(b"first"))
        time.sleep(0.05)
        connection.sendall(ordinary(b"smuggled"))
        sent.set()
        return True

    with converse(script(twice, ordinary(b"second"))) as server:
        assert post(client, server.url()).body == b"first"
        assert sent.wait(PATIENCE)
        monkeypatch.setattr("httpcore2.HTTP11Connection.has_expired", lambda self: False)
        assert post(client, server.url()).body == b"second"
        assert server.connections == 2


def test_a_server_that_closes_says_so(client: PooledClient) -> None:
    with converse(kept(b"{}", Connection="close")) as server:
        for _ in range(3):
            get(client, server.url())
        assert server.connections == 3


# Time


def test_each_request_has_its_own_time(client: PooledClient) -> None:
    """An old connection does not bring the deadline of the request that opened it."""
    with converse(kept(b"{}")) as server:
        get(client, server.url(), QUICK)
        time.sleep(0.4)
        get(client, server.url(), QUICK)
        assert server.connections == 1


@pytest.mark.parametrize("start", [b"", HEAD, HEAD + b"Content-Length: 999\r\n\r\n"], ids=["nothing", "head", "body"])
def test_a_kept_connection_that_drips_does_not_stretch_the_deadline(client: PooledClient, start: bytes) -> None:
    def slowly(asked: Asked, connection: socket.socket) -> bool:
        connection.sendall(start)
        for _ in range(500):
            time.sleep(0.01)
            connection.sendall(b"X: 1\r\n" if start == HEAD else b" " if start else b"")
        return False

    with converse(script(ordinary(b"{}"), slowly)) as server:
        get(client, server.url(), QUICK)
        begun = time.monotonic()
        assert "within 0.3 s" in refused(lambda: get(client, server.url(), QUICK)).detail
        assert time.monotonic() - begun < 3
        assert server.connections == 1
        client.close()


def test_waiting_for_a_connection_counts(client: PooledClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled, "CONNECTIONS_MAX", 1)
    busy, release = threading.Event(), threading.Event()

    def hold(asked: Asked, connection: socket.socket) -> bool:
        busy.set()
        release.wait(PATIENCE)
        connection.sendall(ordinary(b"{}"))
        return True

    with converse(script(hold, ordinary(b"{}"))) as server, ThreadPoolExecutor(1) as threads:
        first = threads.submit(get, client, server.url())
        assert busy.wait(PATIENCE)
        assert "within 0.3 s" in refused(lambda: get(client, server.url(), QUICK)).detail
        assert len(server.asked) == 1
        release.set()
        assert first.result(PATIENCE).status == 200
        assert get(client, server.url(), QUICK).status == 200
        assert server.connections == 1


# Many


def test_200_threads_share_few_connections(client: PooledClient) -> None:
    """And each gets the answer to its own request."""

    def echo(asked: Asked, connection: socket.socket, over: threading.Event) -> bool:
        connection.sendall(ordinary(asked.body))
        return True

    together = threading.Barrier(200)

    def ask(number: int) -> bool:
        together.wait(PATIENCE)
        return all(
            post(client, server.url(), b"%d-%d" % (number, turn)).body == b"%d-%d" % (number, turn)
            for turn in range(5)
        )  # fmt: skip

    with converse(echo) as server, ThreadPoolExecutor(200) as threads:
        assert all(threads.map(ask, range(200)))
        assert len(server.asked) == 1_000
        assert server.most_open <= CONNECTIONS_MAX
        client.close()
        server.wait_until_closed()


def test_a_server_that_hangs_leaves_the_others_alone(client: PooledClient) -> None:
    release = threading.Event()

    def hold(asked: Asked, connection: socket.socket, over: threading.Event) -> bool:
        release.wait(PATIENCE)
        connection.sendall(ordinary(b"{}"))
        return True

    with converse(hold) as slow, converse(kept(b"{}")) as good, ThreadPoolExecutor(2 * CONNECTIONS_MAX) as threads:
        stuck = [threads.submit(get, client, slow.url()) for _ in range(2 * CONNECTIONS_MAX)]
        assert get(client, good.url(), Network(timeout=PATIENCE)).status == 200
        release.set()
        assert all(future.result(PATIENCE).status == 200 for future in stuck)


# A connection that the server gave up


def closed_behind(server: KeptServer, client: PooledClient) -> None:
    """One request whose connection the server closes after the answer, unseen by the pool until it is used."""
    assert post(client, server.url()).body == b"first"
    server.wait_until_closed()


def first_and_close(asked: Asked, connection: socket.socket) -> bool:
    connection.sendall(ordinary(b"first"))
    return False


def test_a_connection_that_was_closed_meanwhile_is_replaced(client: PooledClient) -> None:
    with converse(script(first_and_close, ordinary(b"second"))) as server:
        closed_behind(server, client)
        assert post(client, server.url()).body == b"second"
        assert server.connections == 2


def test_closed_between_the_pools_look_and_the_request(client: PooledClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool saw nothing; the stream looks again before the first byte, and nothing was sent: once more."""
    with converse(script(first_and_close, ordinary(b"second"))) as server:
        closed_behind(server, client)
        monkeypatch.setattr("httpcore2.HTTP11Connection.has_expired", lambda self: False)
        assert post(client, server.url()).body == b"second"
        assert [asked.connection for asked in server.asked] == [0, 1]


def test_a_request_that_cannot_be_written_is_made_once_more(
    client: PooledClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reset while the body goes out: what arrived was not whole, so nobody acted on it."""

    write = TimedStream.write
    resets: list[bytes] = []

    def reset_in_the_middle(self: Any, buffer: bytes, timeout: float | None = None) -> None:
        if buffer.startswith(b"token=") and not resets:
            resets.append(buffer)
            self.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        write(self, buffer, timeout)

    with converse(script(ordinary(b"first"), ordinary(b"second"))) as server:
        get(client, server.url())
        monkeypatch.setattr(TimedStream, "write", reset_in_the_middle)
        assert post(client, server.url()).body == b"second"
        assert resets == [b"token=x"]
        assert [asked.body for asked in server.asked] == [b"", b"token=x"]


def test_a_post_that_went_out_whole_is_never_made_twice(client: PooledClient) -> None:
    """It may have been acted on; an assertion in it is good for once only."""
    with converse(script(ordinary(b"first"), hang_up, ordinary(b"third"))) as server:
        assert post(client, server.url()).body == b"first"
        refused(lambda: post(client, server.url()))
        assert len(server.asked) == 2
        assert post(client, server.url()).body == b"third"


def test_a_get_is_made_twice_and_no_more(client: PooledClient) -> None:
    with converse(script(ordinary(b"first"), hang_up, ordinary(b"third"), hang_up, hang_up)) as server:
        assert get(client, server.url()).body == b"first"
        assert get(client, server.url()).body == b"third"
        refused(lambda: get(client, server.url()))
        assert len(server.asked) == 5


def test_a_new_connection_that_fails_is_no_reason_to_try_again(client: PooledClient) -> None:
    with converse(script(hang_up, ordinary(b"{}"))) as server:
        refused(lambda: get(client, server.url()))
        assert len(server.asked) == 1


def test_an_answer_that_breaks_off_is_no_reason_to_try_again(client: PooledClient) -> None:
    def half(asked: Asked, connection: socket.socket) -> bool:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\nhalf")
        return False

    with converse(script(ordinary(b"first"), half, ordinary(b"third"))) as server:
        get(client, server.url())
        refused(lambda: get(client, server.url()))
        assert len(server.asked) == 2


# Closing


def test_it_may_be_used_again_after_closing(client: PooledClient) -> None:
    with converse(kept(b"{}")) as server:
        for turn in range(3):
            get(client, server.url())
            assert server.connections == turn + 1
            client.close()
            server.wait_until_closed()
        client.close()


def test_closing_leaves_an_answer_that_is_on_its_way(client: PooledClient) -> None:
    """Closing a socket that another thread reads from could hand that thread somebody else's."""
    asked_for, release = threading.Event(), threading.Event()

    def hold(asked: Asked, connection: socket.socket, over: threading.Event) -> bool:
        asked_for.set()
        release.wait(PATIENCE)
        connection.sendall(ordinary(b"late"))
        return True

    with converse(hold) as server, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(get, client, server.url())
        assert asked_for.wait(PATIENCE)
        client.close()
        assert server.open == 1
        release.set()
        assert answer.result(PATIENCE).body == b"late"
        server.wait_until_closed()


def test_who_never_closes_leaves_no_connection_behind() -> None:
    """A socket that is thrown away open is a ResourceWarning, and warnings are errors here."""
    client = PooledClient()
    circle: list[object] = [client]
    circle.append(circle)
    with converse(kept(b"{}")) as server:
        get(client, server.url())
        assert server.open == 1
        del client, circle
        gc.collect()
        server.wait_until_closed()


def test_an_auth_closes_the_connections_of_its_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[PooledClient] = []
    monkeypatch.setattr(PooledClient, "close", lambda self: closed.append(self))
    where = Auth(Issuer("https://id.example", audience="api"))
    where.close()
    # Those of tests before may be collected in between, and close with that.
    assert [client for client in closed if client is where._world.pooled] == [where._world.pooled]


def test_a_given_http_does_everything() -> None:
    """Tests with a double reach no network by the other client."""
    http = PooledClient()
    where = Auth(Issuer("https://id.example", audience="api"), http=http)
    assert where._world.pooled is http
