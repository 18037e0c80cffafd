"""Both HTTP clients against real sockets on loopback: limits, refusals, pinning, TLS, tokens, proxies.

What only one of them does stands at the end (`BlockingClient`) and in test_pooled_client.py.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bearerkit._drive import run
from bearerkit.errors import ConfigError
from bearerkit.http import Fetch, Fetched, FetchFailed, Network
from bearerkit.transport.blocking import BlockingClient, resolve
from bearerkit.transport.pooled import PooledClient
from loopback import (
    PATIENCE,
    certificate_authority,
    converse,
    drip,
    kept,
    raw,
    relay_to,
    reply,
    serve,
    silence,
)

QUICK = Network(timeout=0.2)
PUBLIC = "93.184.216.34"


Client = BlockingClient | PooledClient
made: list[type[Client]] = []
"""The client of the test that is running."""


@pytest.fixture(autouse=True, params=[BlockingClient, PooledClient])
def each_client(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here runs once with each client."""
    made[:] = [request.param]
    yield
    made.clear()


def get(url: str, network: Network = Network(timeout=PATIENCE), *, untrusted: bool = False, **also: Any) -> Fetched:
    return send(Fetch(url, network, untrusted=untrusted), **also)


def send(fetch: Fetch, **also: Any) -> Fetched:
    client = made[0](**also)
    try:
        return run(client.fetch(fetch))
    finally:
        if isinstance(client, PooledClient):
            client.close()


def refused(url: str, network: Network = Network(timeout=PATIENCE), **also: Any) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        get(url, network, **also)
    assert caught.value.__cause__ is None
    return caught.value


class Names:
    """A resolver that counts and answers what the test says, the next time something else."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self.asked: list[str] = []
        self._answers = iter(answers)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_an_ordinary_answer() -> None:
    with serve(reply(b'{"keys": []}', Cache_Control="max-age=60")) as server:
        answer = get(server.url("/jwks?app=1"))
    assert (answer.status, answer.body) == (200, b'{"keys": []}')
    assert answer.headers.get("cache-control") == "max-age=60"
    assert server.heads[0].startswith("GET /jwks?app=1 HTTP/1.1")
    assert server.header("host") == f"127.0.0.1:{server.port}"
    assert server.header("accept-encoding") == "identity"


def test_an_empty_path_is_the_root() -> None:
    with serve(reply(b"{}")) as server:
        get(server.url(""))
    assert server.heads[0].startswith("GET / HTTP/1.1")


def test_the_status_is_for_the_caller_to_judge() -> None:
    with serve(reply(b"no", "503 Service Unavailable")) as server:
        assert get(server.url()).status == 503


def test_a_chunked_answer() -> None:
    with serve(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")) as server:
        assert get(server.url()).body == b"{}"


def test_redirects_are_not_followed() -> None:
    with serve(reply(b"{}")) as target, serve(reply(b"", "302 Found", Location=target.url())) as server:
        assert get(server.url()).status == 302
    assert target.heads == []


# Time


@pytest.mark.parametrize(
    "say",
    [
        silence,
        drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
        drip(b"HTTP/1.1 ", b"2"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
    ids=["silence", "headers", "status", "continue", "body", "chunks", "endless"],
)
def test_a_server_that_drips_does_not_stretch_the_deadline(say: Any) -> None:
    """Each byte comes well within any timeout per read; only the total can end this."""
    with serve(say) as server:
        assert "within 0.2 s" in refused(server.url(), QUICK).detail


def test_the_deadline_is_one_for_all_steps() -> None:
    """By an injected clock: every step gets what is left, and nothing is sent once nothing is left."""
    ticks = itertools.count(0.0, 0.4)
    with serve(reply(b"{}")) as server:
        error = refused(server.url(), Network(timeout=1.0), monotonic=lambda: next(ticks))
    assert "within 1 s" in error.detail
    assert server.heads == []


def test_no_time_left_for_tls_closes_the_connection(tmp_path: Path) -> None:
    """A socket left open would be a ResourceWarning, and warnings are errors here."""
    ca_file, tls = certificate_authority(tmp_path, "127.0.0.1")
    times = iter([0.0, 0.0, 0.0, 9.0])
    with serve(reply(b"{}"), tls) as server:
        network = Network(timeout=1.0, ca_file=str(ca_file))
        assert "within 1 s" in refused(server.url(), network, monotonic=lambda: next(times)).detail
    assert list(times) == []


def test_a_tls_handshake_that_never_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        assert "within 0.2 s" in refused(url, QUICK).detail


def test_a_resolver_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def hang(host: str, port: int) -> Sequence[str]:
        release.wait(PATIENCE)
        return ["127.0.0.1"]

    assert "within 0.2 s" in refused("https://id.example/", QUICK, resolve=hang).detail
    release.set()


def test_without_a_thread_names_are_resolved_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(OSError("no such host"))

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert "cannot be resolved" in refused("https://id.example/", resolve=names).detail


# Size and shape


@pytest.mark.parametrize(
    "say",
    [
        reply(b"x" * 1_001),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_001),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1_001 + b"\r\n0\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 500),
    ],
    ids=["announced", "absurd", "until close", "chunked", "endless"],
)
def test_a_body_beyond_the_limit(say: Any) -> None:
    with serve(say) as server:
        detail = refused(server.url(), Network(timeout=PATIENCE, max_bytes=1_000)).detail
    assert "larger than 1000 bytes" in detail or "Protocol" in detail


def test_a_body_at_the_limit() -> None:
    with serve(reply(b"x" * 1_000)) as server:
        assert len(get(server.url(), Network(timeout=PATIENCE, max_bytes=1_000)).body) == 1_000


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "GZIP", "identity, gzip"])
def test_a_compressed_body_is_refused_unopened(coding: str) -> None:
    with serve(reply(gzip.compress(b"{}" * 1_000), Content_Encoding=coding)) as server:
        assert "compressed" in refused(server.url()).detail


def test_identity_is_no_compression() -> None:
    with serve(reply(b"{}", Content_Encoding="identity")) as server:
        assert get(server.url()).body == b"{}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    ],
    ids=["nothing", "truncated", "truncated chunk", "no length", "other protocol", "huge header"],
)
def test_answers_that_are_not_whole_or_not_http(data: bytes) -> None:
    with serve(raw(data)) as server:
        assert len(refused(server.url()).detail) <= 200


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "ConnectError" in refused(f"http://127.0.0.1:{port}/").detail


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://id.example/keys",
        "data:application/json,{}",
        "jar:https://id.example",
        "/etc/passwd",
        "",
        "https://",
        "http://id.example/keys",
        "https://user:geheim@id.example/keys",
        "https://id.example:99999/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://id.example/\r\nX: 1",
    ],
)
def test_urls_that_are_refused_before_anything_is_resolved(url: str) -> None:
    names = Names()
    error = refused(url, resolve=names)
    assert names.asked == []
    assert "geheim" not in str(error)


def test_plain_http_beyond_loopback_has_to_be_allowed() -> None:
    names = Names(["127.0.0.1"])
    with serve(reply(b"{}")) as server:
        network = Network(timeout=PATIENCE, allow_http=True)
        assert get(server.url(host="keys.internal"), network, resolve=names).body == b"{}"
    assert server.header("host") == f"keys.internal:{server.port}"


# Addresses


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fd00::1"],
        [PUBLIC, "127.0.0.1"],
    ],
)
def test_an_untrusted_name_must_not_lead_to_a_private_address(addresses: list[str]) -> None:
    """Not even beside a public one."""
    names = Names(addresses)
    error = refused("https://keys.example/", untrusted=True, resolve=names)
    assert "not a public address" in error.detail
    assert "private=True" in (error.hint or "")
    assert names.asked == ["keys.example"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "https://127.0.0.1:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://2130706433:{port}/",
        "https://127.1:{port}/",
    ],
)
def test_an_untrusted_url_must_not_lead_to_loopback(url: str) -> None:
    with serve(reply(b"{}")) as server:
        refused(url.format(port=server.port), untrusted=True)
    assert server.heads == []


def test_a_name_is_resolved_once_and_the_connection_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer that points inside is never asked for (DNS rebinding)."""
    names = Names([PUBLIC], ["127.0.0.1"])
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    refused("https://keys.example/jwks", untrusted=True, resolve=names)
    assert connected == [(PUBLIC, 443)]
    assert names.asked == ["keys.example"]


def test_private_networks_can_be_allowed_and_stay_pinned() -> None:
    names = Names(["127.0.0.1"])
    with serve(reply(b"{}")) as server:
        network = Network(timeout=PATIENCE, private=True, allow_http=True)
        assert get(server.url(host="keys.internal"), network, untrusted=True, resolve=names).status == 200
    assert names.asked == ["keys.internal"]


def test_a_dead_address_is_skipped() -> None:
    """127.0.0.2 refuses; the next address gets its turn."""
    with serve(reply(b"{}")) as server:
        names = Names(["127.0.0.2", "127.0.0.1"])
        assert get(server.url(host="localhost"), resolve=names).status == 200


def test_a_name_without_addresses() -> None:
    assert "no address" in refused("https://id.example/", resolve=Names([])).detail


@pytest.mark.parametrize("error", [socket.gaierror(-2, "x"), UnicodeError("label too long")])
def test_a_name_that_cannot_be_resolved(error: Exception) -> None:
    assert "cannot be resolved" in refused("https://id.example/", resolve=Names(error)).detail


def test_the_real_resolver_reads_addresses_and_localhost() -> None:
    assert resolve("127.0.0.1", 80) == ["127.0.0.1"]
    assert set(resolve("localhost", 80)) <= {"127.0.0.1", "::1"}


# TLS


def test_a_private_authority(tmp_path: Path) -> None:
    ca_file, tls = certificate_authority(tmp_path, "keys.internal")
    network = Network(timeout=PATIENCE, ca_file=str(ca_file))
    with serve(reply(b"{}"), tls) as server:
        assert get(server.url(host="keys.internal"), network, resolve=Names(["127.0.0.1"])).body == b"{}"


def test_pinning_still_checks_the_name_in_the_certificate(tmp_path: Path) -> None:
    ca_file, tls = certificate_authority(tmp_path, "keys.internal", "127.0.0.1")
    network = Network(timeout=PATIENCE, ca_file=str(ca_file), private=True)
    with serve(reply(b"{}"), tls) as server:
        names = Names(["127.0.0.1"], ["127.0.0.1"])
        assert get(server.url(host="keys.internal"), network, untrusted=True, resolve=names).status == 200
        error = refused(server.url(host="other.internal"), network, untrusted=True, resolve=names)
    assert "CERTIFICATE_VERIFY_FAILED" in error.detail


def test_an_unknown_authority_is_refused_with_a_hint(tmp_path: Path) -> None:
    _, tls = certificate_authority(tmp_path, "127.0.0.1")
    with serve(reply(b"{}"), tls) as server:
        error = refused(server.url())
    assert "CERTIFICATE_VERIFY_FAILED" in error.detail
    assert "ca_file" in (error.hint or "")
    assert server.heads == []


def test_a_certificate_for_an_address(tmp_path: Path) -> None:
    ca_file, tls = certificate_authority(tmp_path, "127.0.0.1")
    with serve(reply(b"{}"), tls) as server:
        assert get(server.url(), Network(timeout=PATIENCE, ca_file=str(ca_file))).status == 200


@pytest.mark.parametrize("content", [None, b"not a certificate"])
def test_a_ca_file_that_cannot_be_loaded(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    assert "ca_file" in refused("https://127.0.0.1:1/", Network(ca_file=str(path))).detail


# Headers and tokens


def test_configured_headers_are_sent_and_ours_win() -> None:
    headers = {"X-Client-Id": "abc", "User-Agent": "acme", "Accept-Encoding": "gzip", "Host": "evil", "X-Empty": ""}
    with serve(reply(b"{}")) as server:
        get(server.url(), Network(timeout=PATIENCE, headers=headers))
    assert server.header("x-client-id") == "abc"
    assert server.header("user-agent") == "acme"
    assert server.header("accept-encoding") == "identity"
    assert server.header("host") == f"127.0.0.1:{server.port}"
    assert server.heads[0].lower().count("host:") == 1


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "geheim\r\nX-B: 1"), ("X-A", "geheim\x00"), ("X A", "geheim"), ("", "geheim")]
)
def test_a_header_that_cannot_be_sent_is_not_repeated(name: str, value: str, caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP library would quote the value in its error and in its debug log."""
    caplog.set_level(logging.DEBUG)
    with serve(reply(b"{}")) as server:
        error = refused(server.url(), Network(timeout=PATIENCE, headers={name: value}))
    assert server.heads == []
    assert "geheim" not in str(error) + caplog.text


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Upgrade"])
def test_a_header_that_changes_the_framing_is_refused(name: str) -> None:
    with serve(reply(b"{}")) as server:
        assert "cannot be sent" in refused(server.url(), Network(timeout=PATIENCE, headers={name: "7"})).detail
    assert server.heads == []


def test_the_token_file_is_read_anew_for_each_fetch(tmp_path: Path) -> None:
    path = tmp_path / "token"
    network = Network(timeout=PATIENCE, token_file=str(path))
    with serve(reply(b"{}")) as server:
        for token in ("first.token", "second.token"):
            path.write_text(f"{token}\n")
            get(server.url(), network)
            assert server.header("authorization") == f"Bearer {token}"


@pytest.mark.parametrize("content", [None, b"", b"two words", b"line\r\nX: 1", b"\xff", b"x" * 16_385])
def test_a_token_file_that_holds_no_token(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with serve(reply(b"{}")) as server:
        assert "token file" in refused(server.url(), Network(token_file=str(path))).detail
    assert server.heads == []


def test_a_token_file_is_never_sent_to_an_untrusted_url(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret")
    names = Names()
    refused("https://keys.example/", Network(token_file=str(path)), untrusted=True, resolve=names)
    assert names.asked == []


def test_nothing_secret_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "token"
    path.write_text("geheim-1")
    with serve(reply(b"{}")) as server:
        get(server.url(), Network(timeout=PATIENCE, token_file=str(path), headers={"X-Key": "geheim-2"}))
    assert "geheim" not in caplog.text


# Proxies


def test_a_proxy_is_asked_for_plain_http() -> None:
    with serve(reply(b"{}")) as proxy:
        network = Network(timeout=PATIENCE, allow_http=True, proxy=f"http://us%40er:pw@127.0.0.1:{proxy.port}")
        assert get("http://keys.internal/jwks", network).body == b"{}"
    assert proxy.heads[0].startswith("GET http://keys.internal:80/jwks HTTP/1.1")
    assert proxy.header("proxy-authorization") == "Basic " + base64.b64encode(b"us@er:pw").decode()


def test_a_proxy_tunnels_tls_and_resolves_the_name_itself(tmp_path: Path) -> None:
    ca_file, tls = certificate_authority(tmp_path, "keys.internal")
    with serve(reply(b"{}"), tls) as server, serve(relay_to(server.port)) as proxy:
        names = Names(["127.0.0.1"])
        network = Network(timeout=PATIENCE, ca_file=str(ca_file), proxy=f"http://proxy.internal:{proxy.port}")
        assert get("https://keys.internal/jwks", network, resolve=names).body == b"{}"
    assert names.asked == ["proxy.internal"]
    assert proxy.heads[0].startswith("CONNECT keys.internal:443 HTTP/1.1")
    assert server.header("host") == "keys.internal"


@pytest.mark.parametrize(("address", "target"), [(PUBLIC, PUBLIC), ("2606:4700::1", "[2606:4700::1]")])
def test_a_proxy_is_given_the_judged_address_of_an_untrusted_name(tmp_path: Path, address: str, target: str) -> None:
    ca_file, tls = certificate_authority(tmp_path, "keys.example")
    with serve(reply(b"{}"), tls) as server, serve(relay_to(server.port)) as proxy:
        names = Names([address], ["127.0.0.1"])
        network = Network(timeout=PATIENCE, ca_file=str(ca_file), proxy=f"http://proxy.internal:{proxy.port}")
        assert get("https://keys.example/jwks", network, untrusted=True, resolve=names).body == b"{}"
    assert names.asked == ["keys.example", "proxy.internal"]
    assert proxy.heads[0].startswith(f"CONNECT {target}:443 HTTP/1.1")
    assert server.header("host") == "keys.example"


def test_a_proxy_does_not_open_private_addresses_to_untrusted_urls() -> None:
    with serve(reply(b"{}")) as proxy:
        network = Network(timeout=PATIENCE, proxy=f"http://127.0.0.1:{proxy.port}")
        refused("https://keys.example/", network, untrusted=True, resolve=Names(["10.0.0.1"]))
    assert proxy.heads == []


def test_a_proxy_that_refuses() -> None:
    with serve(reply(b"", "407 Proxy Authentication Required")) as proxy:
        error = refused("https://keys.internal/", Network(timeout=PATIENCE, proxy=f"http://127.0.0.1:{proxy.port}"))
    assert "407" in error.detail


@pytest.mark.parametrize("proxy", ["socks5://p.example:1", "https://p.example", "p.example:3128", ""])
def test_a_proxy_of_another_kind_is_a_configuration_error(proxy: str) -> None:
    with pytest.raises(ConfigError, match="proxy"):
        replace(QUICK, proxy=proxy)


@pytest.mark.parametrize("proxy", ["http://p:x", "http://["])
def test_a_proxy_url_that_cannot_be_used(proxy: str) -> None:
    assert "proxy" in refused("https://id.example/", replace(QUICK, proxy=proxy), resolve=Names()).detail


# Requests with a body


def test_a_body_makes_it_a_post() -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    with converse(kept(b"{}")) as server:
        for body in (b"token=abc", b"", b"x" * 100_000):
            send(Fetch(server.url("/introspect"), Network(timeout=PATIENCE), headers=(form,), body=body))
            assert server.asked[-1].body == body
            assert server.heads[-1].startswith("POST /introspect HTTP/1.1\r\n")
            assert server.header("content-length") == str(len(body))
            assert server.header("content-type") == form[1]
            assert server.heads[-1].lower().count("content-length") == 1


def test_the_headers_of_a_request_win_over_those_of_the_network(tmp_path: Path) -> None:
    """Also over the token in a file: a request that says who it is from is not sent as somebody else's."""
    (tmp_path / "token").write_text("theirs")
    network = Network(
        timeout=PATIENCE,
        token_file=str(tmp_path / "token"),
        headers={"authorization": "Basic theirs", "X-Own": "a", "Connection": "upgrade"},
    )
    with converse(kept(b"{}")) as server:
        send(
            Fetch(server.url(), network, headers=(("AUTHORIZATION", "Basic ours"), ("accept", "text/html")), body=b"x")
        )
        assert server.header("authorization") == "Basic ours"
        assert server.heads[-1].lower().count("authorization") == 1
        assert server.header("x-own") == "a"
        assert server.header("accept") == "application/json, */*;q=0.5"
        assert server.header("connection") != "upgrade"


@pytest.mark.parametrize("value", ["geheim\r\nX-B: 1", "geheim\n", "geheim\x00", "geheim\u20ac"])
def test_secrets_of_a_request_are_not_repeated(value: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with converse(kept(b"{}")) as server:
        fetch = Fetch(server.url(), Network(timeout=PATIENCE), headers=(("Authorization", value),), body=b"geheim")
        with pytest.raises(FetchFailed) as caught:
            send(fetch)
    assert server.asked == []
    assert "geheim" not in str(caught.value) + caplog.text + repr(fetch)


def test_the_body_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    headers = (("Authorization", "Basic geheim"),)
    with converse(kept(b"{}")) as server:
        send(Fetch(server.url(), Network(timeout=PATIENCE), headers=headers, body=b"token=geheim"))
    with serve(raw(b"")) as broken, pytest.raises(FetchFailed) as caught:
        send(Fetch(broken.url(), Network(timeout=PATIENCE), headers=headers, body=b"token=geheim"))
    assert caplog.text
    assert "geheim" not in caplog.text + str(caught.value)


# Weight


def test_importing_the_client_loads_no_http_library() -> None:
    script = (
        "import sys, bearerkit.transport.blocking, bearerkit.transport.pooled, bearerkit.system;"
        "print(*(name in sys.modules for name in ('httpcore2', 'anyio', 'asyncio')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert result.stdout.split() == ["False", "False", "False"]
