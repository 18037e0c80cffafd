"""`RedisCache`: cached answers that processes share, sealed so that whoever writes Redis cannot say who somebody is.

What lies in Redis: keys that are digests; entries that are encrypted, bound to their key, and hold their own end, so
that an old one is of no use; and the mark of the last eviction, which ends every entry that was asked for before it.
Nothing here knows what an entry says.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final, TypeVar, final

import redis

from bearerkit.jose.sealing import RANDOM_BYTES, NotSealed, Seals, Secret
from bearerkit.ports import CacheUnavailable, Clock, Observer
from bearerkit.stores.redis.connection import FAILURES, blocking_client, named
from bearerkit.stores.redis.outage import Outage
from bearerkit.system import SilentObserver, SystemClock
from bearerkit.verify.forks import survives_fork

__all__ = ["RedisCache", "mark_key"]

T = TypeVar("T")

_log = logging.getLogger("bearerkit.redis")
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_ASKED_MAX: Final = 10_000
_VALUE_BYTES_MAX: Final = 1 << 20
_TELL_AGAIN: Final = 60.0
_HEAD: Final = struct.Struct(">dB")


def mark_key(namespace: str) -> str:
    """Where the mark of the last eviction lies."""
    return f"{namespace}:evicted"


@final
class RedisCache:
    """Implements `SharedCache`.

    Args:
        where: A URL, or a `redis.Redis` of yours (with timeouts of yours).
        secret: 32 bytes or more, the same in every process; a list while it is rotated: the first seals, all open.
        namespace: What keys begin with. Services that share it share entries; give `RedisEvictions` the same.
        timeout: Seconds for a connection and for an answer.
        clock, observer: Ports; the observer hears `cache.unavailable`, `cache.back` and `cache.tampered`.
    """

    def __init__(
        self,
        where: str | redis.Redis,
        *,
        secret: Secret,
        namespace: str = "bearerkit",
        timeout: float = 0.25,
        clock: Clock | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._client = blocking_client(where, timeout)
        self._seals = Seals(secret, "cache v1")
        self._namespace = named(namespace)
        self._mark_key = mark_key(namespace)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._observer: Observer = SilentObserver() if observer is None else observer
        self._outage = Outage("cache", "answers are asked for at the origin", self._clock, self._observer)
        self._asked: dict[bytes, bytes] = {}
        self._tell_at = 0.0
        self._lock = threading.Lock()
        survives_fork(self)

    async def get(self, key: bytes) -> bytes | None:
        """What was put under this key, None if there is nothing or nothing that is ours."""
        place = self._place(key)
        mark, sealed = self._ask(lambda: self._client.mget(self._mark_key, place))
        mark = mark or b""
        value = None if sealed is None else self._opened(sealed, place, mark)
        if value is None:
            self._note_asked(key, mark)
        return value

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        """Keep `value`, unless something was evicted since this process asked for the key."""
        milliseconds = int(ttl_seconds * 1000)
        if milliseconds <= 0 or len(value) > _VALUE_BYTES_MAX:
            return
        with self._lock:
            mark = self._asked.pop(key, None)
        if mark is None:
            mark = self._ask(lambda: self._client.get(self._mark_key)) or b""
        if len(mark) > 255:
            return  # not of ours
        place = self._place(key)
        plain = _HEAD.pack(self._clock.now() + milliseconds / 1000, len(mark)) + mark + value
        sealed = self._seals.seal(plain, place, os.urandom(RANDOM_BYTES))
        self._ask(lambda: self._client.set(place, sealed, px=milliseconds))

    async def drop(self, keys: Iterable[bytes]) -> None:
        """Forget these keys."""
        places = [self._place(key) for key in keys]
        if places:
            self._ask(lambda: self._client.delete(*places))

    async def take_lock(self, key: bytes, seconds: float) -> bytes | None:
        """A token if nobody holds the lock of this key."""
        token = os.urandom(16).hex().encode()
        lock, milliseconds = self._place(key) + b":lock", max(1, int(seconds * 1000))
        return token if self._ask(lambda: self._client.set(lock, token, nx=True, px=milliseconds)) else None

    async def release(self, key: bytes, token: bytes) -> None:
        """Give the lock back if it is still held with this token."""
        lock = self._place(key) + b":lock"
        self._ask(lambda: self._client.eval(_RELEASE, 1, lock, token))

    def close(self) -> None:
        """Close the connections. It may be used again afterwards."""
        self._client.close()

    def after_fork(self) -> None:
        """Another thread may have held the lock. The client notices a fork by itself."""
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"RedisCache(namespace={self._namespace!r})"

    def _place(self, key: bytes) -> bytes:
        return f"{self._namespace}:cache:{sha256(key).hexdigest()}".encode()

    def _ask(self, call: Callable[[], T]) -> Any:
        spell = self._outage.admits()
        if not spell:
            raise CacheUnavailable("Redis did not answer a moment ago")
        try:
            answer = call()
        except FAILURES as error:
            self._outage.failed(error, spell)
            raise CacheUnavailable(f"Redis does not answer: {type(error).__name__}") from error
        except BaseException:
            # Whoever was admitted has to say how it went, or nobody is admitted again.
            self._outage.failed(CacheUnavailable("interrupted"), spell)
            raise
        self._outage.succeeded(spell)
        return answer

    def _opened(self, sealed: bytes, place: bytes, mark: bytes) -> bytes | None:
        try:
            plain = self._seals.open(sealed, place)
        except NotSealed:
            self._tell_tampered()
            return None
        ends, size = _HEAD.unpack_from(plain)
        start = _HEAD.size + size
        if self._clock.now() >= ends or plain[_HEAD.size : start] != mark:
            return None
        return plain[start:]

    def _note_asked(self, key: bytes, mark: bytes) -> None:
        with self._lock:
            self._asked.pop(key, None)
            if len(self._asked) >= _ASKED_MAX:
                del self._asked[next(iter(self._asked))]
            self._asked[key] = mark

    def _tell_tampered(self) -> None:
        self._observer.event("cache.tampered", {})
        with self._lock:
            now = self._clock.monotonic()
            if now < self._tell_at:
                return
            self._tell_at = now + _TELL_AGAIN
        _log.warning(
            "an entry in Redis (%s) was not sealed with a secret of ours for this place: it is ignored. "
            "Do all processes have the same secret, or does somebody write there?",
            self._namespace,
        )
