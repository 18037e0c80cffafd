"""`RedisEvictions`: what one process forgets, all of them forget, by publish and subscribe.

Pub/sub loses what is said while a connection is down, so that each new connection begins with "everything". Before a
message goes out, the mark of `RedisCache` is set anew: what lies there is of no use from then on, in any process.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, final

import redis

from bearerkit.jose.sealing import RANDOM_BYTES, NotSealed, Seals, Secret
from bearerkit.ports import Clock, Observer
from bearerkit.stores.redis.cache import mark_key
from bearerkit.stores.redis.connection import FAILURES, blocking_client, named, why
from bearerkit.stores.redis.messages import EVERYTHING, PAK_CHANNEL, of_platform_auth, opened, sealed
from bearerkit.stores.redis.outage import Outage
from bearerkit.system import SilentObserver, SystemClock
from bearerkit.verify.forks import survives_fork

__all__ = ["RedisEvictions"]

_log = logging.getLogger("bearerkit.redis")
_POLL: Final = 0.2
"""Seconds after which the thread looks whether it should end."""
_PING_EVERY: Final = 5.0
"""A connection that is dead without saying so is noticed after twice this."""
_PAUSE: Final = 0.5
_TELL_AGAIN: Final = 60.0

Handler = Callable[[Mapping[str, str]], None]


@final
class RedisEvictions:
    """Implements `Evictions`.

    Args:
        where: A URL, or a `redis.Redis` of yours (with timeouts of yours).
        secret: As for `RedisCache`: 32 bytes or more, the same in every process.
        namespace: That of `RedisCache`, so that evictions reach what is cached there.
        platform_auth: Hear `pak:revoked` of Platform-Auth too.
        timeout: Seconds for a connection and for an answer.
        clock, observer: Ports; the observer hears `evictions.unavailable`, `evictions.back`, `evictions.heard`.
    """

    def __init__(
        self,
        where: str | redis.Redis,
        *,
        secret: Secret,
        namespace: str = "bearerkit",
        platform_auth: bool = True,
        timeout: float = 0.5,
        clock: Clock | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._client = blocking_client(where, timeout)
        self._seals = Seals(secret, "evictions v1")
        self._channel = f"{named(namespace)}:evictions"
        self._mark_key = mark_key(namespace)
        self._channels = [self._channel, *([PAK_CHANNEL] if platform_auth else [])]
        self._clock: Clock = SystemClock() if clock is None else clock
        self._observer: Observer = SilentObserver() if observer is None else observer
        meanwhile = "processes forget what they are told only when its time is over, or when Redis is back"
        self._outage = Outage("evictions", meanwhile, self._clock, self._observer)
        self._handlers: list[Handler] = []
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._tell_at = 0.0
        self._lock = threading.Lock()
        survives_fork(self)

    def publish(self, message: Mapping[str, str]) -> None:
        """Tell every process. When Redis is down, that is logged, and they forget when it is back."""
        data = sealed(message, self._seals, self._channel, os.urandom(RANDOM_BYTES))
        spell = self._outage.admits()
        if not spell:
            return
        try:
            self._end_shared()
            self._client.publish(self._channel, data)
        except FAILURES as error:
            self._outage.failed(error, spell)
        else:
            self._outage.succeeded(spell)

    def listen(self, handler: Handler) -> Callable[[], None]:
        """Have `handler` called on a daemon thread; returns what ends that."""
        with self._lock:
            self._handlers.append(handler)
            self._start()

        def leave() -> None:
            with self._lock:
                if handler in self._handlers:
                    self._handlers.remove(handler)
                idle = not self._handlers
            if idle:
                self._end()

        return leave

    def close(self) -> None:
        """End the thread and close the connections."""
        with self._lock:
            self._handlers.clear()
        self._end()
        self._client.close()

    def after_fork(self) -> None:
        """The thread of the parent does not exist in the child, and its connection is the parent's."""
        self._lock = threading.Lock()
        self._thread = None
        self._over = threading.Event()
        if self._handlers:
            self._start()

    def __repr__(self) -> str:
        return f"RedisEvictions(channels={self._channels!r})"

    def _start(self) -> None:
        if self._thread is None:
            self._over = over = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(over,), name="bearerkit-evictions", daemon=True)
            self._thread.start()

    def _end(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
            self._over.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5 * _POLL)

    def _run(self, over: threading.Event) -> None:
        connected_before = False
        while not over.is_set():
            channel = self._client.pubsub()
            try:
                self._subscribe(channel)
                if connected_before:
                    self._end_shared()
                connected_before = True
                self._outage.succeeded()
                self._tell(EVERYTHING)
                self._hear(channel, over)
            except FAILURES as error:
                self._outage.failed(error)
                over.wait(_PAUSE)
            except Exception:
                # A thread that ends silently would leave revoked credentials in the caches.
                _log.exception("the listener for evictions failed and begins anew")
                over.wait(_PAUSE)
            finally:
                _leave(channel)

    def _subscribe(self, channel: Any) -> None:
        channel.subscribe(*self._channels)
        deadline = self._clock.monotonic() + _PING_EVERY
        confirmed = 0
        while confirmed < len(self._channels):
            if self._clock.monotonic() >= deadline:
                raise TimeoutError("no answer to SUBSCRIBE")
            said = channel.get_message(timeout=_POLL)
            confirmed += said is not None and said["type"] == "subscribe"

    def _hear(self, channel: Any, over: threading.Event) -> None:
        """Until `over`. Raises when the connection was lost, also if the client has made a new one by itself."""
        pinged, answered = self._clock.monotonic(), True
        while not over.is_set():
            said = channel.get_message(timeout=_POLL) or {}
            now = self._clock.monotonic()
            kind = said.get("type")
            if kind == "message":
                self._take(said["channel"], said["data"])
            elif kind == "pong":
                answered = True
            elif kind == "subscribe":
                raise ConnectionError("the connection was lost and made anew")
            if now >= pinged + _PING_EVERY:
                if not answered:
                    raise TimeoutError("no answer to PING")
                channel.ping()
                pinged, answered = now, False

    def _take(self, channel: bytes, data: bytes) -> None:
        if channel.decode() == PAK_CHANNEL:
            self._end_shared()
            self._tell(of_platform_auth(data))
            return
        try:
            message = opened(data, self._seals, self._channel)
        except NotSealed:
            now = self._clock.monotonic()
            if now >= self._tell_at:
                self._tell_at = now + _TELL_AGAIN
                _log.warning("a message on %s was sealed with no secret of ours: it is ignored", self._channel)
            return
        self._tell(message)

    def _tell(self, message: Mapping[str, str]) -> None:
        for handler in tuple(self._handlers):
            try:
                handler(message)
            except Exception as error:
                _log.error("a handler of evictions failed: %s", why(error))
        self._observer.event("evictions.heard", {"by": sorted(message)})

    def _end_shared(self) -> None:
        self._client.set(self._mark_key, os.urandom(16).hex())


def _leave(channel: Any) -> None:
    try:
        channel.close()
    except FAILURES:
        return
