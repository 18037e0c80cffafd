"""What was answered about API keys a moment ago, by a digest of the whole key; never by the key itself.

A yes lives as long as was configured and no longer than the key; a no some seconds, in a place of its own, so that a
flood of made-up keys pushes no good one out. Reading takes no lock. What an answer means is not decided here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, NamedTuple, final

from bearerkit.context import AuthContext
from bearerkit.errors import TokenInvalid
from bearerkit.verify.forks import survives_fork

__all__ = ["NO_SECONDS", "Answer", "KeyAnswers", "No", "granted"]

NO_SECONDS: Final = 10
"""The longest time for which a no is remembered."""


class No(NamedTuple):
    """A refusal as a value. `error` is never raised itself: each caller is told by one of his own."""

    error: TokenInvalid


Answer = AuthContext | No


def granted(answer: Answer) -> AuthContext:
    """The context, or the refusal as an error."""
    if isinstance(answer, No):
        raise type(answer.error)(answer.error.detail, reason=answer.error.reason)
    return answer


class _Kept(NamedTuple):
    answer: Answer
    until: float
    """Monotonic seconds."""
    ends: float
    """Epoch seconds."""


@final
class KeyAnswers:
    """At most `size` answers of either sort, the oldest going first; `seconds` 0 keeps none."""

    def __init__(self, seconds: float, size: int) -> None:
        self.seconds = seconds
        self.size = size
        self.generation = 0
        """How often something was forgotten. What was asked before that is not kept after it."""
        self._yes: dict[bytes, _Kept] = {}
        self._no: dict[bytes, _Kept] = {}
        self._lock = threading.Lock()
        survives_fork(self)

    def get(self, digest: bytes, now: float, monotonic: float) -> Answer | None:
        """What is known about this key; None if it must be asked about."""
        kept = self._yes.get(digest) or self._no.get(digest)
        if kept is None or monotonic >= kept.until or now >= kept.ends:
            return None
        return kept.answer

    def keep(self, digest: bytes, answer: Answer, generation: int, monotonic: float) -> None:
        """Remember an answer; `generation` and `monotonic` were read before it was asked for."""
        if not self.seconds or not self.size:
            return
        if isinstance(answer, No):
            kept = _Kept(answer, monotonic + min(self.seconds, NO_SECONDS), float("inf"))
            place, other = self._no, self._yes
        else:
            ends = float("inf") if answer.expires_at is None else answer.expires_at
            kept = _Kept(answer, monotonic + self.seconds, ends)
            place, other = self._yes, self._no
        with self._lock:
            if generation != self.generation:
                return
            other.pop(digest, None)
            place.pop(digest, None)
            if len(place) >= self.size:
                del place[next(iter(place))]
            place[digest] = kept

    def drop(self, digest: bytes) -> None:
        """Forget one key."""
        with self._lock:
            self.generation += 1
            self._yes.pop(digest, None)
            self._no.pop(digest, None)

    def drop_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Forget every key whose context matches, and every no, since nobody knows whose it was."""
        with self._lock:
            self.generation += 1
            for digest, kept in list(self._yes.items()):
                if not isinstance(kept.answer, No) and matches(kept.answer):
                    del self._yes[digest]
            self._no.clear()

    def after_fork(self) -> None:
        """In a forked child nobody holds the lock."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._yes) + len(self._no)
