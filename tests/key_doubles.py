"""Doubles for tests of key fetching: an origin that counts and can be held, clocks, threads, public JWKs."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from bearerkit.http import Fetch, Fetched, FetchFailed, Headers
from bearerkit.jose.key_cache import KeyCache
from bearerkit.system import DaemonThreads
from bearerkit.verify.key_location import KeyLocation
from bearerkit.verify.keys import RemoteKeys

JWKS_URL = "https://id.example/jwks"
LOCATION = KeyLocation(issuers=("https://id.example",), jwks_uri=JWKS_URL)
PATIENCE = 20
"""Seconds after which a test that waits for another thread has failed."""


@cache
def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key, the same for the same name."""
    return ec.generate_private_key(ec.SECP256R1())


def jwk(kid: str | None = "k1", *, key: str | None = None, **members: Any) -> dict[str, Any]:
    """A public ES256 JWK. `key` names the key itself, the kid by default."""
    numbers = private_key(key or kid or "").public_key().public_numbers()

    def encoded(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()

    plain = {
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "x": encoded(numbers.x),
        "y": encoded(numbers.y),
    }
    return plain | ({} if kid is None else {"kid": kid}) | members


def answer(document: Any, status: int = 200, **headers: str) -> Fetched:
    """A JSON answer; header names are written with underscores."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Fetched(status, Headers([(name.replace("_", "-"), value) for name, value in headers.items()]), body)


def jwks(*kids: str, status: int = 200, **headers: str) -> Fetched:
    """A key set of these kids."""
    return answer({"keys": [jwk(kid) for kid in kids]}, status, **headers)


class HandClock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def now(self) -> float:
        return self.time + 1_790_000_000

    def monotonic(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class NoJitter:
    def jitter(self) -> float:
        return 0.0

    def token(self, nbytes: int) -> str:
        return "a" * nbytes


class NoThreads:
    """No thread is to be had."""

    def start(self, work: Callable[[], None]) -> bool:
        return False


class LaterThreads:
    """Keeps work until the test runs it."""

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []

    def start(self, work: Callable[[], None]) -> bool:
        self.work.append(work)
        return True

    def run_all(self) -> None:
        while self.work:
            self.work.pop(0)()


class Recorder:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []

    def event(self, name: str, fields: Mapping[str, Any]) -> None:
        self.events.append((name, fields))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


class Origin:
    """The `HttpClient` port: answers by URL, counts, and holds fetches in the air while the test wants it."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers: dict[str, Any] = dict(answers or {})
        self.asked: list[str] = []
        self.fetches: list[Fetch] = []
        self.started = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def hold(self) -> None:
        self.open.clear()

    def release(self) -> None:
        self.open.set()

    def wait_until_asked(self) -> None:
        assert self.started.acquire(timeout=PATIENCE), "nothing was fetched"

    async def fetch(self, fetch: Fetch) -> Fetched:
        self.asked.append(fetch.url)
        self.fetches.append(fetch)
        reply = self.answers.get(fetch.url, FetchFailed("nobody answers"))
        self.started.release()
        assert self.open.wait(PATIENCE), "the test did not release the fetch"
        if callable(reply):
            reply = reply()
        if isinstance(reply, BaseException):
            raise reply
        assert isinstance(reply, Fetched)
        return reply

    @property
    def count(self) -> int:
        return len(self.asked)


def remote(
    origin: Any,
    clock: Any = None,
    *,
    location: KeyLocation = LOCATION,
    threads: Any = None,
    settings: KeyCache = KeyCache(),
    observer: Any = None,
) -> RemoteKeys:
    """A `RemoteKeys` over doubles."""
    return RemoteKeys(
        location,
        http=origin,
        clock=clock or HandClock(),
        entropy=NoJitter(),
        threads=threads or DaemonThreads(),
        settings=settings,
        observer=observer,
    )
