"""`Outage`: a Redis that does not answer is left alone for a few seconds, and is told about once.

One warning when it goes and one line when it is back, with an event for each. What to do meanwhile is decided by who
asks, never here.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, final

from bearerkit.ports import Clock, Observer
from bearerkit.stores.redis.connection import why
from bearerkit.verify.breaker import Breaker
from bearerkit.verify.forks import survives_fork

__all__ = ["Outage"]

_log = logging.getLogger("bearerkit.redis")
_FAILURES: Final = 2
_REST: Final = 3.0


@final
class Outage:
    """`what` is done without Redis meanwhile, for the warning."""

    def __init__(self, name: str, meanwhile: str, clock: Clock, observer: Observer) -> None:
        self._name, self._meanwhile = name, meanwhile
        self._clock, self._observer = clock, observer
        self._breaker = Breaker(_FAILURES, _REST)
        self._lock = threading.Lock()
        self._told = False
        survives_fork(self)

    def admits(self) -> bool:
        """Whether Redis may be asked now. Whoever got True says how it went."""
        return self._breaker.admits(self._clock.monotonic())

    def failed(self, error: BaseException) -> None:
        """No answer came."""
        if not self._breaker.failed(self._clock.monotonic()):
            return
        with self._lock:
            told, self._told = self._told, True
        if not told:
            _log.warning("Redis does not answer (%s): %s", why(error), self._meanwhile)
            self._observer.event(f"{self._name}.unavailable", {"error": type(error).__name__})

    def succeeded(self) -> None:
        """An answer came."""
        self._breaker.succeeded()
        if not self._told:
            return
        with self._lock:
            told, self._told = self._told, False
        if told:
            _log.warning("Redis is back (%s)", self._name)
            self._observer.event(f"{self._name}.back", {})

    def after_fork(self) -> None:
        """Another thread may have held the lock."""
        self._lock = threading.Lock()
