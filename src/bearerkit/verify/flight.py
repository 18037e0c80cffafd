"""One fetch on its way: who runs it, and who may wait for it.

A flight belongs to no caller. It is numbered when it starts, and its future is resolved whatever happens, so that
nobody waits forever. Whether a flight is needed at all is decided in `jose/key_cache.py`, never here.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import final

__all__ = ["Flight"]


@final
class Flight:
    """One fetch. `future` holds nothing: whoever waited looks at the key state again."""

    __slots__ = ("future", "landed", "number", "pilot", "started_at", "succeeded", "unknown_before")

    def __init__(self, number: int, started_at: float, unknown_before: float | None) -> None:
        self.number = number
        """Flights are numbered in the order in which they start."""
        self.started_at = started_at
        """Monotonic seconds."""
        self.unknown_before = unknown_before
        """The cooldown to go back to if an attempt for an unknown kid is abandoned; None for other flights."""
        self.future: Future[None] = Future()
        self.landed = False
        """True when the fetch ended with an answer or a failure; an abandoned flight never lands."""
        self.succeeded = False
        self.pilot: int | None = None
        """The thread that runs the fetch inline, if one does."""

    def flown_here(self) -> bool:
        """True if waiting here would be waiting for ourselves: this very thread runs the fetch."""
        return self.pilot == threading.get_ident()

    def resolve(self, error: Exception | None = None) -> None:
        """Wake everybody who waits. Only the first call counts."""
        with suppress(InvalidStateError):
            if error is None:
                self.future.set_result(None)
            else:
                self.future.set_exception(error)
