"""`RevocationList`: what the lists of revocations that several processes share have in common.

An entry is a digest of what was revoked, a moment, and an end: what was issued up to the moment is refused, and after
the end the entry may be forgotten. A token or session is refused whenever it was issued. How entries are kept is the
business of each store; whether a token is valid otherwise is decided elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from bearerkit._drive import port, run
from bearerkit.ports import Clock
from bearerkit.stores.memory.revocations import CLOCKS_DIFFER, GRACE
from bearerkit.system import SystemClock

__all__ = ["FOREVER", "RevocationList", "entry_key"]

FOREVER: Final = 1e18
"""A moment that never comes, in epoch seconds; databases spell infinity differently."""


def entry_key(kind: str, issuer: str | None, name: str) -> str:
    """The digest of what was revoked. Names may be of any length and hold anything, and none can pass for another."""
    parts = [kind.encode(), b"" if issuer is None else b"i" + _bytes(issuer), _bytes(name)]
    return sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).hexdigest()


class RevocationList(ABC):
    """Implements `bearerkit.ports.Revocations`. All times are epoch seconds.

    `until` is when the entry may be forgotten because what it revokes has expired anyway, usually the token's `exp`;
    without it the entry is kept for good. `issuer` limits an entry to one issuer; without it, it holds for any. Each
    method to revoke has two names: one for sync code, and one with an `a` to be awaited. All raise StoreUnavailable.
    """

    def __init__(self, clock: Clock | None) -> None:
        self._clock: Clock = SystemClock() if clock is None else clock

    @abstractmethod
    async def _keep(self, key: str, moment: float, ends: float) -> None:
        """Keep an entry; of two for one key the later moment and the later end count."""

    @abstractmethod
    async def _moments(self, keys: Sequence[str]) -> Sequence[float]:
        """The moments of those entries that there are."""

    async def arevoke_token(self, token_id: str, *, issuer: str | None = None, until: float | None = None) -> None:
        """Refuse the token with this `jti`."""
        await self._keep(entry_key("token", issuer, token_id), FOREVER, _end(until))

    async def arevoke_session(self, session_id: str, *, issuer: str | None = None, until: float | None = None) -> None:
        """Refuse every token of the session with this `sid`."""
        await self._keep(entry_key("session", issuer, session_id), FOREVER, _end(until))

    async def arevoke_subject(
        self, subject: str, *, before: float | None = None, issuer: str | None = None, until: float | None = None
    ) -> None:
        """Refuse every token of this `sub` issued up to `before`, or without a time of issue.

        `before` is epoch seconds by the issuer's clock; the default is 30 s from now, the usual leeway, because that
        clock may be ahead of ours.
        """
        moment = self._clock.now() + CLOCKS_DIFFER if before is None else before
        await self._keep(entry_key("subject", issuer, subject), moment, _end(until))

    def revoke_token(self, token_id: str, *, issuer: str | None = None, until: float | None = None) -> None:
        """As `arevoke_token`."""
        run(port("revocations", self.arevoke_token(token_id, issuer=issuer, until=until)))

    def revoke_session(self, session_id: str, *, issuer: str | None = None, until: float | None = None) -> None:
        """As `arevoke_session`."""
        run(port("revocations", self.arevoke_session(session_id, issuer=issuer, until=until)))

    def revoke_subject(
        self, subject: str, *, before: float | None = None, issuer: str | None = None, until: float | None = None
    ) -> None:
        """As `arevoke_subject`."""
        run(port("revocations", self.arevoke_subject(subject, before=before, issuer=issuer, until=until)))

    async def is_revoked(
        self, *, issuer: str | None, token_id: str | None, session_id: str | None, subject: str | None, issued_at: float
    ) -> bool:
        """True if the token, its session, or everything issued to the subject up to `issued_at` was revoked."""
        named = {"token": token_id, "session": session_id, "subject": subject}
        keys = {
            entry_key(kind, scope, name) for kind, name in named.items() if name is not None for scope in {issuer, None}
        }
        return any(issued_at <= moment for moment in await self._moments(sorted(keys)))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _end(until: float | None) -> float:
    return FOREVER if until is None else until + GRACE
