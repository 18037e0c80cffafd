"""`Breaker`: stops asking somebody who does not answer, and lets one question through now and then to see.

Closed, questions go through. After `failures` in a row it is open, and none does until `rest` seconds are over; then it
is half open, and one does. Its answer closes or opens it anew. What counts as a failure is decided by who asks.
"""

from __future__ import annotations

import threading
from typing import final

from bearerkit.verify.forks import survives_fork

__all__ = ["Breaker"]


@final
class Breaker:
    """Times are monotonic seconds. Safe to share between threads."""

    def __init__(self, failures: int, rest: float) -> None:
        self._most, self._rest = failures, rest
        self._lock = threading.Lock()
        self._failed = 0
        self._opens_at: float | None = None
        survives_fork(self)

    def admits(self, monotonic: float) -> bool:
        """Whether a question may be asked now. Whoever got True says afterwards how it went."""
        with self._lock:
            if self._opens_at is None:
                return True
            if monotonic < self._opens_at:
                return False
            self._opens_at = monotonic + self._rest  # this question is the probe; the next one waits for another rest
            return True

    def succeeded(self) -> None:
        """An answer came."""
        with self._lock:
            self._failed, self._opens_at = 0, None

    def failed(self, monotonic: float) -> bool:
        """No answer came. True if that has just opened it."""
        with self._lock:
            self._failed += 1
            if self._failed < self._most:
                return False
            was_closed = self._opens_at is None
            self._opens_at = monotonic + self._rest
            return was_closed

    @property
    def is_open(self) -> bool:
        """True while questions are held back, but for the probes."""
        return self._opens_at is not None

    def seconds_left(self, monotonic: float) -> float:
        """Until the next probe."""
        opens_at = self._opens_at
        return 0.0 if opens_at is None else max(0.0, opens_at - monotonic)

    def after_fork(self) -> None:
        """Another thread may have held the lock."""
        self._lock = threading.Lock()
