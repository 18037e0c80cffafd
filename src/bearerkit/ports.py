"""The Protocols through which the core reaches the world: HTTP, clocks, entropy, threads, stores, metrics.

A port does one thing and decides nothing: rules are pure functions elsewhere. Ports that may wait are `async def`;
a blocking implementation is an `async def` that never suspends (see `_drive.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from bearerkit.http import Fetch, Fetched

__all__ = [
    "ApiKeyStore",
    "CacheUnavailable",
    "Clock",
    "Entropy",
    "Evictions",
    "HttpClient",
    "Observer",
    "PolicySource",
    "Revocations",
    "SharedCache",
    "Threads",
    "Waits",
]

T = TypeVar("T")


class HttpClient(Protocol):
    """Fetches one document within the limits of `Fetch.network`: no redirects, total time, bounded size.

    Must block and never suspend: keys are fetched by a thread, never on somebody's event loop.
    """

    async def fetch(self, fetch: Fetch) -> Fetched:
        """Return the complete answer, whatever its status. Raises `FetchFailed` (OSError) if there is none."""
        ...


class Clock(Protocol):
    """Two readings of time, so that a step of the wall clock cannot stretch a cache."""

    def now(self) -> float:
        """Seconds since the epoch (RFC 7519 NumericDate), for the times that stand in tokens."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for the age of what we cached ourselves."""
        ...


class Entropy(Protocol):
    """Randomness."""

    def jitter(self) -> float:
        """A float in [0, 1), to spread retries."""
        ...

    def token(self, nbytes: int) -> str:
        """`nbytes` random bytes as base64url text, for identifiers that nobody can guess and none shares."""
        ...


class Threads(Protocol):
    """Where work goes that belongs to no caller."""

    def start(self, work: Callable[[], None]) -> bool:
        """Run `work` on a private daemon thread; False when no thread is to be had (the caller then runs it)."""
        ...


class Waits(Protocol):
    """How a caller waits for work that somebody else is doing."""

    inline: bool
    """True when the caller may do the work itself, because nothing can cancel it (sync code)."""

    async def wait(self, future: Future[T]) -> T:
        """Return the result of `future` or raise its exception. Being cancelled here leaves `future` alone."""
        ...


class Revocations(Protocol):
    """What was revoked before it expired. Consulted on every request; an error of the store is an outage (503)."""

    async def is_revoked(
        self, *, issuer: str | None, token_id: str | None, session_id: str | None, subject: str | None, issued_at: float
    ) -> bool:
        """True if the token, its session, or everything issued to the subject up to `issued_at` was revoked.

        `issued_at` is in epoch seconds, 0.0 when the token does not say. Raises `StoreUnavailable`.
        """
        ...


class PolicySource(Protocol):
    """Where the policies of callers come from. Asked once for each request; an error is an outage (503)."""

    async def policies_for(self, context: Any) -> Any:
        """What is in force for this `AuthContext` now: an `Attachment` of bearerkit.policy, or just a `Policy`.

        A change must show in the next answer, in every process. Raises `StoreUnavailable`.
        """
        ...


class ApiKeyStore(Protocol):
    """Where the records of API keys are kept (`ApiKeyRecord` of bearerkit.api_key). Each method may raise
    `StoreUnavailable`; any other error is an outage too. `bearerkit.testing.api_key_stores` tells what is expected.
    """

    async def find(self, key: str) -> Any:
        """The record of this id, whatever state it is in; None if there is none. One reading by primary key."""
        ...

    async def add(self, record: Any) -> None:
        """Keep a new record. An id that is there already is an error."""
        ...

    async def revoke(self, key: str, at: float) -> None:
        """Write when a key was revoked; an earlier moment stays. Shows in the next `find`, in every process."""
        ...

    async def rotate(self, key: str, ends_at: float, now: float, record: Any) -> bool:
        """Keep `record`, and let `key` end no later than `ends_at`: both or neither.

        False, and nothing written, if `key` is not there, revoked, or has ended by `now`.
        """
        ...

    async def used(self, moments: Mapping[str, float]) -> None:
        """Write when keys were last used, in as few statements as can be; a later moment stays."""
        ...

    async def records(self, *, tenant_id: str | None = None, subject: str | None = None) -> Any:
        """A sequence of the records of a tenant, of a subject, or of both; oldest first. None: whichever."""
        ...


class CacheUnavailable(OSError):
    """A shared cache does not answer. Whoever asked goes straight to the origin."""


class SharedCache(Protocol):
    """Bytes that several processes share for a while. Keys are digests. It must block and never suspend.

    Every method raises `CacheUnavailable` when the cache cannot be reached. Nobody may be refused, and nobody let in,
    because of that.
    """

    async def get(self, key: bytes) -> bytes | None:
        """What `put` kept under this key, exactly; None if there is nothing, or nothing that can be trusted."""
        ...

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        """Keep `value`, for `ttl_seconds` at most. Ask `get` for the key first, before you ask the origin.

        What was evicted between that `get` and this `put` stays evicted.
        """
        ...

    async def drop(self, keys: Iterable[bytes]) -> None:
        """Forget these keys."""
        ...

    async def take_lock(self, key: bytes, seconds: float) -> bytes | None:
        """A token for `release` if nobody else holds the lock; None if somebody does. It ends by itself."""
        ...

    async def release(self, key: bytes, token: bytes) -> None:
        """Give the lock back, unless it has ended and somebody else holds it."""
        ...


class Evictions(Protocol):
    """Tells every process what to forget. It is about caches: what is heard late lives until its time is over.

    A message names fields of `AuthContext` and what they must be (all of them), or the `credential`; an empty one means
    everything.
    """

    def publish(self, message: Mapping[str, str]) -> None:
        """Tell the others, and ourselves. Blocks for a short time and never raises because of an outage."""
        ...

    def listen(self, handler: Callable[[Mapping[str, str]], None]) -> Callable[[], None]:
        """Call `handler` with each message, on a daemon thread, until the returned function is called.

        It hears the empty message after each (new) connection, since messages may have been lost before it.
        """
        ...

    def close(self) -> None:
        """End the thread and the connections. It may be used again afterwards."""
        ...


class Observer(Protocol):
    """Receives what happened, for metrics and traces. Must not raise and must not block."""

    def event(self, name: str, fields: Mapping[str, Any]) -> None:
        """`name` is stable, as docs/configuration.md lists them. No token or secret is in `fields`."""
        ...
