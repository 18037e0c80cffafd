"""`MemoryRevocations`: what was revoked, in the memory of this process.

For one process, tests and demonstrations: another worker knows nothing of it, and a restart forgets it. It answers
from plain dictionaries without a lock or a wait. Nothing here decides whether a token is valid otherwise.
"""

from __future__ import annotations

import math
import threading
from typing import Final, final

from bearerkit.ports import Clock
from bearerkit.system import SystemClock
from bearerkit.verify.forks import survives_fork

__all__ = ["CLOCKS_DIFFER", "GRACE", "MemoryRevocations"]

GRACE: Final = 3_600
"""Seconds for which an entry outlives its `until`: verifiers accept a token a little beyond `exp` (leeway)."""
_FIRST_PURGE: Final = 1_000
CLOCKS_DIFFER: Final = 30
"""Seconds; the default leeway of an `Issuer`."""


@final
class MemoryRevocations:
    """Implements `bearerkit.ports.Revocations`. All times are epoch seconds.

    `until` is when the entry may be forgotten because what it revokes has expired anyway, usually the token's `exp`;
    without it the entry is kept for good. `issuer` limits an entry to one issuer; without it, it holds for any.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._tokens: dict[tuple[str | None, str], float] = {}
        self._sessions: dict[tuple[str | None, str], float] = {}
        self._subjects: dict[tuple[str | None, str], tuple[float, float]] = {}
        self._purge_at = _FIRST_PURGE
        self._lock = threading.Lock()
        survives_fork(self)

    def revoke_token(self, token_id: str, *, issuer: str | None = None, until: float | None = None) -> None:
        """Refuse the token with this `jti`."""
        self._revoke(self._tokens, (issuer, token_id), until)

    def revoke_session(self, session_id: str, *, issuer: str | None = None, until: float | None = None) -> None:
        """Refuse every token of the session with this `sid`."""
        self._revoke(self._sessions, (issuer, session_id), until)

    def revoke_subject(
        self, subject: str, *, before: float | None = None, issuer: str | None = None, until: float | None = None
    ) -> None:
        """Refuse every token of this `sub` issued up to `before`, or without a time of issue.

        `before` is epoch seconds by the issuer's clock; the default is 30 s from now, the usual leeway, because that
        clock may be ahead of ours.
        """
        moment = self._clock.now() + CLOCKS_DIFFER if before is None else before
        with self._lock:
            self._purge()
            earlier, kept = self._subjects.get((issuer, subject), (-math.inf, -math.inf))
            self._subjects[issuer, subject] = (max(earlier, moment), max(kept, _end(until)))

    async def is_revoked(
        self, *, issuer: str | None, token_id: str | None, session_id: str | None, subject: str | None, issued_at: float
    ) -> bool:
        """True if the token, its session, or everything issued to the subject up to `issued_at` was revoked."""
        for scope in (issuer, None):
            if token_id is not None and (scope, token_id) in self._tokens:
                return True
            if session_id is not None and (scope, session_id) in self._sessions:
                return True
            if subject is not None and (entry := self._subjects.get((scope, subject))) and issued_at <= entry[0]:
                return True
        return False

    def __len__(self) -> int:
        return len(self._tokens) + len(self._sessions) + len(self._subjects)

    def after_fork(self) -> None:
        """In a forked child nobody holds the lock."""
        self._lock = threading.Lock()

    def _revoke(
        self, entries: dict[tuple[str | None, str], float], key: tuple[str | None, str], until: float | None
    ) -> None:
        with self._lock:
            self._purge()
            entries[key] = max(entries.get(key, -math.inf), _end(until))

    def _purge(self) -> None:
        """Forget what has expired, each time the number of entries has doubled: constant work per entry."""
        if len(self) < self._purge_at:
            return
        now = self._clock.now()
        for entries in (self._tokens, self._sessions):
            for key in [key for key, end in entries.items() if end < now]:
                del entries[key]
        for key in [key for key, (_, end) in self._subjects.items() if end < now]:
            del self._subjects[key]
        self._purge_at = max(_FIRST_PURGE, 2 * len(self))


def _end(until: float | None) -> float:
    return math.inf if until is None else until + GRACE
