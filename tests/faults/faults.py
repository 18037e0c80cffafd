"""The faults: each a change of the world, how its fetches fail, and nothing else.

A fault says what goes wrong, never what must come of it: that is measured (`lifecycle.py`), judged (`test_faults.py`)
and shown in docs/faults.md.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from typing import Any

from bearerkit.testing import SigningKey
from faults.world import DEADLINE, KEY, METADATA, PUBLIC, World, json_reply
from loopback import Say, drip, raw, reply, silence

__all__ = ["FAULTS", "Fault"]

MIB = 1 << 20
OK = b"HTTP/1.1 200 OK\r\n"
GOOD = json.dumps({"keys": [KEY.jwk]}).encode()
TOO_SLOW = f"no complete answer within {DEADLINE:g} s"
TOO_LARGE = "the body is larger than 524288 bytes"
REDIRECT = "(redirects are not followed)"
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
INWARDS = "which is not a public address"
DAY = 86_400.0


@dataclass(frozen=True)
class Fault:
    """`begin` breaks the world; `says` is what the log must say of a fetch, None where fetches do not fail.

    `kind` is the issuer's, see `World`. `unreached`: no connection arrives. `heavy`: memory is measured.
    """

    text: str
    begin: Callable[[World], None]
    says: str | None
    kind: str = "jwks"
    unreached: bool = False
    heavy: bool = False

    @property
    def endless(self) -> bool:
        """True if nothing but the deadline ends a fetch."""
        return self.says == TOO_SLOW


def _keys_say(say: Say) -> Callable[[World], None]:
    return lambda world: world.pages.update({"/keys": say})


def _metadata_says(make: Callable[[World], Say]) -> Callable[[World], None]:
    return lambda world: world.pages.update({METADATA: make(world)})


def _dns_says(*answers: Sequence[str]) -> Callable[[World], None]:
    def begin(world: World) -> None:
        turns = cycle(answers)
        world.names = lambda host: next(turns)

    return begin


def _piecewise(head: bytes, piece: bytes, times: int) -> Say:
    """A large answer, never held in memory as a whole."""

    def say(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head)
        for _ in range(times):
            connection.sendall(piece)

    return say


def _reset(connection: socket.socket, over: threading.Event) -> None:
    """Half an answer, then the connection is torn down rather than closed."""
    connection.sendall(OK + b"Content-Length: 5000\r\n\r\n{")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@cache
def _key(number: int) -> Mapping[str, Any]:
    return {**SigningKey.generate("ES256").jwk, "kid": KEY.kid}


def _many_keys(connection: socket.socket, over: threading.Event) -> None:
    """A key set as it should be, only that it does not end; made on the way."""
    template = json.dumps({**KEY.jwk, "kid": "KID"}) + ","
    connection.sendall(OK + b'\r\n{"keys": [')
    for number in range(0, 100_000, 1_000):
        connection.sendall("".join(template.replace("KID", f"k{number + n}") for n in range(1_000)).encode())
    connection.sendall(b"null]}")


def _bomb(connection: socket.socket, over: threading.Event) -> None:
    """200 MB of spaces in 200 kB: 200 gzip members, one after another."""
    reply(gzip.compress(b" " * MIB, 9) * 200, Content_Encoding="gzip")(connection, over)


def _redirect(to: str) -> Say:
    return reply(b"", "302 Found", Location=to)


def _hang(world: World) -> None:
    def names(host: str) -> Sequence[str]:
        world.over.wait(20)
        return []

    world.names = names


def _no_such_host(world: World) -> None:
    def names(host: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")

    world.names = names


def _wall(seconds: float) -> Callable[[World], None]:
    return lambda world: setattr(world.clock, "wall_error", seconds)


def _monotonic(seconds: float) -> Callable[[World], None]:
    return lambda world: setattr(world.clock, "monotonic_error", seconds)


def _certificate(make: Callable[[World], Any]) -> Callable[[World], None]:
    return lambda world: setattr(world, "tls", make(world))


_CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
_PIECE = b"10000\r\n" + b" " * 65_536 + b"\r\n"

FAULTS: tuple[Fault, ...] = (
    # Time
    Fault("says nothing", _keys_say(silence), TOO_SLOW),
    Fault("slow loris: a header line at a time", _keys_say(drip(OK, b"X-Slow: 1\r\n")), TOO_SLOW),
    Fault(
        "slow loris: a byte of the body at a time",
        _keys_say(drip(OK + b"Content-Length: 9999\r\n\r\n", b" ")),
        TOO_SLOW,
    ),
    Fault("chunks without end", _keys_say(drip(_CHUNKED, b"1\r\n \r\n")), TOO_SLOW),
    Fault("TLS handshake without end", _certificate(lambda world: None), TOO_SLOW, "tls"),
    Fault("DNS does not answer", _hang, TOO_SLOW, unreached=True),
    # Size
    Fault(
        "200 MB, announced",
        _keys_say(_piecewise(OK + b"Content-Length: 209715200\r\n\r\n", b" " * MIB, 200)),
        TOO_LARGE,
        heavy=True,
    ),
    Fault("200 MB, in chunks", _keys_say(_piecewise(_CHUNKED, _PIECE, 3200)), TOO_LARGE, heavy=True),
    Fault("gzip bomb, 200 MB", _keys_say(_bomb), "the body is compressed", heavy=True),
    Fault("100,000 keys, 18 MB", _keys_say(_many_keys), TOO_LARGE, heavy=True),
    Fault(
        "100,000 empty keys, 300 kB",
        _keys_say(reply(b'{"keys":[' + b"{}," * 99_999 + b"{}]}")),
        "the key set holds 100000 keys; the limit is 100",
        heavy=True,
    ),
    # Connections
    Fault("nobody listens", _dns_says(["127.0.0.2"]), "ConnectError", unreached=True),
    Fault("closes at once", _keys_say(raw(b"")), "RemoteProtocolError"),
    Fault("connection reset in the body", _keys_say(_reset), "ReadError"),
    Fault(
        "Content-Length larger than the body",
        _keys_say(raw(OK + b"Content-Length: 5000\r\n\r\n" + GOOD)),
        "RemoteProtocolError",
    ),
    Fault(
        "Content-Length smaller than the body", _keys_say(raw(OK + b"Content-Length: 20\r\n\r\n" + GOOD)), "is not JSON"
    ),
    Fault("no such host", _no_such_host, "cannot be resolved", unreached=True),
    # Status
    Fault("500", _keys_say(reply(GOOD, "500 Oops")), "answered 500"),
    Fault("503 with Retry-After", _keys_say(reply(b"", "503 Busy", Retry_After="7200")), "answered 503"),
    Fault("429 with Retry-After", _keys_say(reply(b"", "429 Too Many", Retry_After="7200")), "answered 429"),
    Fault("404", _keys_say(reply(GOOD, "404 Not Found")), "answered 404"),
    Fault("redirect to good keys on the same host", _keys_say(_redirect("/moved")), REDIRECT),
    Fault("redirect to plain http", _keys_say(_redirect("http://keys.example/keys")), REDIRECT, "tls"),
    Fault("redirect to 169.254.169.254", _keys_say(_redirect("http://169.254.169.254/latest/meta-data/")), REDIRECT),
    Fault("redirect to itself", _keys_say(_redirect("/keys")), REDIRECT),
    # Content
    Fault("empty body", _keys_say(reply(b"")), "is not JSON"),
    Fault("truncated JSON", _keys_say(reply(GOOD[: len(GOOD) // 2])), "is not JSON"),
    Fault("HTML with status 200", _keys_say(reply(b"<!doctype html><h1>Sign in</h1>")), "is not JSON"),
    Fault("JSON nested 100,000 deep", _keys_say(reply(b"[" * 100_000 + b"]" * 100_000)), "is not JSON"),
    Fault("two `keys` members", _keys_say(reply(b'{"keys": [],' + GOOD[1:])), "is not JSON"),
    Fault("good keys as `text/html`", _keys_say(reply(GOOD, Content_Type="text/html")), None),
    Fault("empty key set", _keys_say(json_reply({"keys": []})), None),
    Fault("the same key twice", _keys_say(json_reply({"keys": [KEY.jwk, KEY.jwk]})), None),
    Fault("2 keys of the same kid", _keys_say(json_reply({"keys": [_key(1), KEY.jwk]})), None),
    Fault("5 keys of the same kid", _keys_say(json_reply({"keys": [*map(_key, range(4)), KEY.jwk]})), None),
    Fault(
        "a malformed key among good ones",
        _keys_say(json_reply({"keys": [{**KEY.jwk, "kid": "bad", "x": "AA"}, {"kty": 5}, None, KEY.jwk]})),
        None,
    ),
    # Metadata
    Fault(
        "metadata names another issuer",
        _metadata_says(lambda world: json_reply(world.metadata(issuer="https://evil.example"))),
        "names the issuer 'https://evil.example'",
        "metadata",
    ),
    Fault(
        "metadata sends us to 169.254.169.254",
        _metadata_says(lambda world: json_reply(world.metadata(jwks_uri="https://169.254.169.254/keys"))),
        "keys on another host or port",
        "metadata",
    ),
    Fault("metadata is HTML", _metadata_says(lambda world: reply(b"<h1>Hello</h1>")), "is not JSON", "metadata"),
    Fault("metadata good, keys 500", _keys_say(reply(b"", "500 Oops")), "answered 500", "metadata"),
    # TLS
    Fault("certificate self-signed", _certificate(lambda w: w.certificate(w.host, self_signed=True)), UNTRUSTED, "tls"),
    Fault("certificate of an unknown authority", _certificate(lambda w: w.certificate(w.host)), UNTRUSTED, "tls"),
    Fault(
        "certificate for another host", _certificate(lambda w: w.certificate_of_ours("b.internal")), UNTRUSTED, "tls"
    ),
    Fault("certificate expired", _certificate(lambda w: w.certificate_of_ours(w.host, expired=True)), UNTRUSTED, "tls"),
    # Names that lead inwards
    *(
        Fault(
            f"resolver issuer: DNS says {' and '.join(answer)}", _dns_says(answer), INWARDS, "resolver", unreached=True
        )
        for answer in (
            ["127.0.0.1"],
            ["10.0.0.1"],
            ["169.254.169.254"],
            ["::ffff:127.0.0.1"],
            [PUBLIC, "127.0.0.1"],
        )
    ),
    Fault(
        "resolver issuer: DNS rebinds, every second answer is 127.0.0.1",
        _dns_says([PUBLIC], ["127.0.0.1"]),
        INWARDS,
        "resolver",
    ),
    # Clocks
    Fault("wall clock jumps 25 s ahead", _wall(25), None),
    Fault("wall clock jumps 25 s back", _wall(-25), None),
    Fault("wall clock jumps a day ahead", _wall(DAY), None),
    Fault("wall clock jumps a day back", _wall(-DAY), None),
    Fault("monotonic clock jumps a day ahead", _monotonic(DAY), None),
    Fault("monotonic clock jumps a day back", _monotonic(-DAY), None),
)
