"""Verdicts on tokens that were verified before, keyed by a digest of the whole token; never by the token itself.

The digest is SHA-256, for which processors have instructions: it costs half of BLAKE2b.

A verdict lives no longer than the token's `exp`, its issuer entry and the key that signed it: a hit compares the
times and the key set's snapshot, so a key that was removed takes its verdicts along. Reads take no lock and create
no coroutine; writes are locked. Only verified tokens get in, so a flood of bad ones cannot push good ones out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from typing import final

from bearerkit.context import AuthContext
from bearerkit.jose.keys import VerificationKey
from bearerkit.verify.forks import survives_fork
from bearerkit.verify.key_source import KeySource, Snapshot

__all__ = ["TokenCache", "Verdict", "digest_of"]


@final
class Verdict:
    """A verified token's context beside everything that can end it.

    `starts` and `ends` are epoch seconds, by the token; `rests_until` is monotonic, by what we know of its issuer.
    """

    __slots__ = ("context", "ends", "key", "rests_until", "snapshot", "source", "starts")

    def __init__(
        self,
        context: AuthContext,
        starts: float,
        ends: float,
        key: VerificationKey,
        source: KeySource,
        snapshot: Snapshot | None,
        rests_until: float = float("inf"),
    ) -> None:
        self.context = context
        self.starts = starts
        self.ends = ends
        self.rests_until = rests_until
        self.key = key
        self.source = source
        self.snapshot = snapshot


def digest_of(token: str) -> bytes:
    """The key of a token in the cache. A lone surrogate, which no token holds, still gives a digest."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


@final
class TokenCache:
    """At most `size` verdicts, the oldest going first; `size` 0 keeps none."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._verdicts: dict[bytes, Verdict] = {}
        self._lock = threading.Lock()
        survives_fork(self)

    def hit(self, digest: bytes, now: float, monotonic: float) -> Verdict | None:
        """The verdict on this token if it still holds; None sends the token through verification."""
        verdict = self._verdicts.get(digest)
        if verdict is None or not verdict.starts <= now < verdict.ends or monotonic >= verdict.rests_until:
            return None
        snapshot = verdict.source.snapshot
        if snapshot is None or snapshot is not verdict.snapshot or monotonic >= snapshot.calm_until:
            if not verdict.source.still_good(verdict.key, monotonic):
                return None
            verdict.snapshot = snapshot
        return verdict

    def put(self, digest: bytes, verdict: Verdict) -> None:
        """Remember the verdict on a token that was just verified."""
        if not self.size:
            return
        with self._lock:
            if len(self._verdicts) >= self.size and digest not in self._verdicts:
                del self._verdicts[next(iter(self._verdicts))]
            self._verdicts[digest] = verdict

    def drop(self, token: str) -> None:
        """Forget one token."""
        with self._lock:
            self._verdicts.pop(digest_of(token), None)

    def drop_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Forget every token whose context matches."""
        with self._lock:
            for digest in [digest for digest, verdict in self._verdicts.items() if matches(verdict.context)]:
                del self._verdicts[digest]

    def after_fork(self) -> None:
        """Replace the lock in a forked child, where another thread may have held it."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._verdicts)
