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
        self._spell = 1
        survives_fork(self)

    def admits(self) -> int:
        """Not 0 if Redis may be asked now. Whoever got that number says how it went, and gives the number back."""
        spell = self._spell
        return spell if self._breaker.admits(self._clock.monotonic()) else 0

    def failed(self, error: BaseException, spell: int | None = None) -> None:
        """No answer came to a question of this spell; None for what asks without being admitted."""
        with self._lock:
            # Many ask at once: what was asked before it went, or before it came back, says nothing about now.
            if spell not in {None, self._spell} or not self._breaker.failed(self._clock.monotonic()):
                return
            told, self._told = self._told, True
            self._spell += 1
        if not told:
            _log.warning("Redis does not answer (%s): %s", why(error), self._meanwhile)
            self._observer.event(f"{self._name}.unavailable", {"error": type(error).__name__})

    def succeeded(self, spell: int | None = None) -> None:
        """An answer came, as for `failed`."""
        if spell not in {None, self._spell}:
            return
        with self._lock:
            if spell not in {None, self._spell}:
                return
            self._breaker.succeeded()
            told, self._told = self._told, False
            if told:
                self._spell += 1
        if told:
            _log.warning("Redis is back (%s)", self._name)
            self._observer.event(f"{self._name}.back", {})

    def after_fork(self) -> None:
        """Another thread may have held the lock."""
        self._lock = threading.Lock()
