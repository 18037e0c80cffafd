"""A limit on how often something new may happen: a burst at once, then so many per second.

For look-ups that strangers can cause. The caller holds a lock and says what time it is.
"""

from __future__ import annotations

from typing import final

__all__ = ["Burst"]


@final
class Burst:
    """`size` events at once; the allowance grows back by `per_second`, up to `size`."""

    __slots__ = ("_credit", "_credited_at", "_per_second", "_size")

    def __init__(self, size: int, per_second: float = 1) -> None:
        self._size = float(size)
        self._per_second = per_second
        self._credit = float(size)
        self._credited_at: float | None = None

    def spend(self, now: float) -> bool:
        """Take one event out of the allowance; False if none is left. `now` is monotonic seconds."""
        elapsed = 0.0 if self._credited_at is None else max(0.0, now - self._credited_at)
        self._credit, self._credited_at = min(self._size, self._credit + elapsed * self._per_second), now
        if self._credit < 1:
            return False
        self._credit -= 1
        return True
