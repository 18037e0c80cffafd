"""A clock that moves only when a test says so. It never reads the real time."""

from __future__ import annotations

from typing import final

__all__ = ["FrozenClock"]


@final
class FrozenClock:
    """Implements `bearerkit.ports.Clock`; all times are seconds.

    `now` is where the wall clock stands (epoch seconds). The monotonic clock starts at an unrelated value, as the
    real one does, so that code which mixes the two up is found.
    """

    __slots__ = ("_monotonic", "_now")

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = float(now)
        self._monotonic = 1_000.0

    def now(self) -> float:
        """Epoch seconds."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since some moment in the past; never runs backwards."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks. Raises ValueError for a negative duration: time does not run backwards."""
        if seconds < 0:
            raise ValueError("advance() takes a duration of at least 0 seconds; use jump() to set the wall clock back")
        self._now += seconds
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Step the wall clock only, forwards or (negative) backwards, as an NTP correction does."""
        self._now += seconds

    def __repr__(self) -> str:
        return f"FrozenClock(now={self._now!r})"
