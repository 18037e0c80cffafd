"""Attacks by the server that keys are fetched from, or by the address it is said to have. Real sockets on loopback."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from auth_doubles import ISSUER, NOW, Web, auth, jwks, token
from bearerkit import ANY, Auth, ConfigError, Issuer, IssuerResolver
from bearerkit.errors import KeysUnavailable, TokenInvalid
from bearerkit.http import Network
from bearerkit.testing import FrozenClock
from bearerkit.transport.blocking import BlockingClient
from loopback import PATIENCE, Say, drip, raw, reply, serve, silence
from security.attack import attacks, case
from security.forgery import EC

QUICK = Network(timeout=0.3)
GOOD = json.dumps(jwks(EC)).encode()
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
ACME = "https://acme.ids.example.test"
SERVERS: dict[str, Say] = {
    "slow-loris, status": drip(b"HTTP/1.1 ", b"2"),
    "slow-loris, headers": drip(HEAD, b"X-Slow: 1\r\n"),
    "slow-loris, body": drip(HEAD + b"Content-Length: 999\r\n\r\n", b" "),
    "slow-loris, nothing": silence,
    "200 MB, announced": raw(HEAD + b"Content-Length: 200000000\r\n\r\n" + GOOD),
    "200 MB, in chunks": drip(CHUNKED, PIECE * 8),
    "200 MB, without a length": drip(HEAD + b"\r\n", b" " * 300_000),
    "a length that is negative": raw(HEAD + b"Content-Length: -1\r\n\r\n" + GOOD),
    "a length in other digits": raw(HEAD + b"Content-Length: \xb2\r\n\r\n" + GOOD),
    "gzip bomb": reply(gzip.compress(b" " * 10**7), Content_Encoding="gzip"),
    "gzip around good keys": reply(gzip.compress(GOOD), Content_Encoding="gzip"),
    "deflate in capitals": reply(GOOD, Content_Encoding="DEFLATE"),
    "headers without end": drip(HEAD, b"X-Many: " + b"x" * 8_000 + b"\r\n"),
    "truncated body": raw(HEAD + b"Content-Length: 9999\r\n\r\n" + GOOD),
    "no HTTP": raw(GOOD),
}


def _why(title: str) -> str:
    """What the operator is told."""
    known = {"slow-loris": "within 0.3 s", "200 MB": "larger than", "gzip": "compressed", "deflate": "compressed"}
    return next((text for start, text in known.items() if title.startswith(start)), "")


def fetching(url: str, network: Network = QUICK) -> Auth:
    """The real client, and the clock of the tests."""
    entry = Issuer(ISSUER, audience="api", jwks_uri=url, network=network)
    return Auth(entry, clock=FrozenClock(NOW))


def unavailable(where: Auth, text: str | None = None) -> str:
    with pytest.raises(KeysUnavailable) as caught:
        where.verify(text or token(EC))
    answer = where.answer(caught.value)
    assert answer.status == 503
    assert answer.header("retry-after")
    return caught.value.detail


@pytest.mark.parametrize(
    ("say", "why"),
    [case(102, title, say, _why(title), answer="503 in time") for title, say in SERVERS.items()],
)
def test_hostile_servers(say: Say, why: str) -> None:
    """Time and size are bounded as a whole, and nothing is unpacked. Who sends too much is not waited for."""
    network = Network(timeout=PATIENCE) if "larger" in why else QUICK
    with serve(say) as server:
        assert why in unavailable(fetching(server.url(), network))
        assert len(server.heads) <= 1


@pytest.mark.parametrize(
    "status",
    [
        case(102, f"redirect loop by {status}", status, answer="503, one request")
        for status in (301, 302, 303, 307, 308)
    ],
)
def test_a_redirect_loop(status: int) -> None:
    """A redirect is an answer like any other: it is no key set."""
    with serve(reply(GOOD, f"{status} Moved", Location="/jwks")) as server:
        unavailable(fetching(server.url()))
        assert len(server.heads) <= 1


@pytest.mark.parametrize(
    "target",
    [
        case(102, f"redirect to {title}", target, answer="503, not followed")
        for title, target in {
            "http": "http://127.0.0.1:{port}/jwks", "169.254.169.254": "http://169.254.169.254/latest/meta-data",
            "another scheme": "file:///etc/passwd", "another host": "//127.0.0.1:{port}/jwks",
        }.items()
    ],
)  # fmt: skip
def test_a_redirect_elsewhere(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other server waits with good keys, and nobody comes."""
    with serve(reply(GOOD)) as other:
        location = target.format(port=other.port)
        with serve(reply(b"", "302 Found", Location=location)) as server:
            connected = _watch_connections(monkeypatch)
            unavailable(fetching(server.url()))
        assert connected == [("127.0.0.1", server.port)]
        assert other.heads == []


FOREIGN = {
    "file": "file:///etc/passwd", "ftp": "ftp://id.example.test/jwks", "data": "data:application/json," + GOOD.decode(),
    "gopher": "gopher://id.example.test/", "javascript": "javascript:alert(1)", "no scheme": "//id.example.test/jwks",
    "jar": "jar:https://id.example.test!/jwks", "file in capitals": "FILE:///etc/passwd", "a path": "/etc/passwd",
    "file with a host": "file://localhost/etc/passwd", "a newline": "https://id.example.test/\njwks",
}  # fmt: skip


@pytest.mark.parametrize(
    "url", [case(103, f"{title}:", url, answer="refused at configuration, or 503") for title, url in FOREIGN.items()]
)
def test_other_schemes(url: str) -> None:
    """Neither a setting, metadata nor a resolver leads to anything but https."""
    for setting in ("jwks_uri", "metadata_url"):
        with pytest.raises(ConfigError):
            Issuer(ISSUER, audience="api", **{setting: url})
    web = Web()
    web[f"{ISSUER}/.well-known/openid-configuration"] = {"issuer": ISSUER, "jwks_uri": url}
    web[url] = jwks(EC)
    unavailable(auth(Issuer(ISSUER, audience="api"), web=web))
    assert url not in web.urls
    resolver = IssuerResolver(lambda iss: Issuer(iss, audience="api", tenants=ANY, jwks_uri=url))
    where = auth(resolver, web=web)
    unavailable(where, token(EC, iss=ACME))
    assert url not in web.urls


PRIVATE = {
    "loopback": "127.0.0.1", "loopback, another": "127.8.9.10", "this host": "0.0.0.0", "10.0.0.0/8": "10.0.0.1",
    "172.16.0.0/12": "172.16.0.1", "192.168.0.0/16": "192.168.0.1", "link-local": "169.254.169.254", "a cloud's own":
    "192.0.0.192", "carrier-grade NAT": "100.64.0.1", "multicast": "224.0.0.1", "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1", "IPv6 link-local": "fe80::1", "IPv6 unique local": "fd00::1", "IPv6 any": "::",
    "IPv4-mapped": "::ffff:127.0.0.1", "IPv4-mapped in hex": "::ffff:a9fe:a9fe", "IPv4-compatible": "::127.0.0.1",
    "NAT64": "64:ff9b::7f00:1", "6to4": "2002:7f00:1::", "Teredo": "2001:0:7f00:1::", "ISATAP": "2a00::5efe:7f00:1",
    "a scope": "fe80::1%eth0",
}  # fmt: skip
ODD_HOSTS = ("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "1.2.3.4.", "0")


def by_resolver(names: Any, jwks_uri: str = "https://keys.evil.example/jwks") -> Auth:
    """An issuer whose address came from data, over the real client with another resolver of names."""
    resolver = IssuerResolver(lambda iss: Issuer(iss, audience="api", tenants=ANY, jwks_uri=jwks_uri, network=QUICK))
    return Auth(resolver, http=BlockingClient(resolve=names), clock=FrozenClock(NOW))


def _watch_connections(monkeypatch: pytest.MonkeyPatch, *, refuse: bool = False) -> list[tuple[str, int]]:
    connected: list[tuple[str, int]] = []
    original = socket.create_connection

    def connect(address: tuple[str, int], *args: Any, **more: Any) -> socket.socket:
        connected.append(address)
        if refuse:
            raise ConnectionRefusedError
        return original(address, *args, **more)

    monkeypatch.setattr(socket, "create_connection", connect)
    return connected


@pytest.mark.parametrize(
    "address",
    [case(104, f"DNS to {title}", address, answer="503, no connection") for title, address in PRIVATE.items()],
)
def test_a_name_that_leads_inside(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone or beside a public address; nothing is connected to."""
    connected = _watch_connections(monkeypatch, refuse=True)
    for addresses in ([address], ["93.184.216.34", address]):
        unavailable(by_resolver(lambda host, port, them=addresses: them), token(EC, iss=ACME))
    assert connected == []


@attacks(104, "DNS rebinding", answer="503, the judged address only")
def test_rebinding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved once, and the connection goes to what was judged; the second answer is never asked for."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    connected = _watch_connections(monkeypatch, refuse=True)
    unavailable(by_resolver(lambda host, port: next(answers)), token(EC, iss=ACME))
    assert connected == [("93.184.216.34", 443)]
    assert next(answers) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    [case(104, f"address spelled {host}", host, answer="refused at configuration, or 503") for host in ODD_HOSTS],
)
def test_odd_spellings_of_addresses(host: str) -> None:
    """What the C library reads as an address is none here, wherever the URL came from."""

    def names(asked: str, port: int) -> Sequence[str]:
        raise AssertionError(f"{asked} was resolved")

    with pytest.raises(ConfigError):
        Issuer(ISSUER, audience="api", jwks_uri=f"https://{host}/jwks")
    unavailable(by_resolver(names, f"https://{host}/jwks"), token(EC, iss=ACME))


def test_honest_servers_pass() -> None:
    """The tables mean something only because these pass: a slow but finite answer, and one at the limit of size."""
    for say in (reply(GOOD), reply(GOOD + b" " * (512 * 1024 - len(GOOD))), raw(HEAD + b"\r\n" + GOOD)):
        with serve(say) as server:
            where = Auth(Issuer(ISSUER, audience="api", jwks_uri=server.url()), clock=FrozenClock(NOW))
            assert where.verify(token(EC)).subject == "u1"
    with serve(reply(GOOD)) as server, pytest.raises(TokenInvalid):
        fetching(server.url()).verify(token(EC)[:-4] + "AAAA")
