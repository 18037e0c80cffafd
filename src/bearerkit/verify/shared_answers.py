"""Answers about opaque tokens that other processes got: read from a `SharedCache`, and put there for them.

A cache that does not answer is passed by: nobody is refused and nobody let in because of that. An answer counts from
when it was asked for, wherever that was, and none that was asked for before something was forgotten here is believed.
Nothing here asks the issuer. It runs as part of work over blocking ports.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar, final

from bearerkit._drive import port
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, TokenInvalid
from bearerkit.ports import CacheUnavailable, Clock, SharedCache
from bearerkit.verify.answer_cache import Outcome

__all__ = ["INACTIVE", "Shared", "SharedAnswers"]

T = TypeVar("T")

INACTIVE: Final = "token_inactive"
"""The one refusal that is the issuer's and no rule of ours, and so the only one that is shared."""
_PORT: Final = "shared cache"
_CLOCKS_DIFFER: Final = 5.0
"""Seconds by which the clocks of two processes may differ."""
_PAUSE: Final = 0.02
_PAUSES: Final = 100
"""So long somebody else's question is waited for: two seconds."""


class Shared(NamedTuple):
    """An answer, and when it was asked for, in epoch seconds."""

    outcome: Outcome
    asked_at: float


@final
class SharedAnswers:
    """One `SharedCache` as seen by one verifier.

    `context_of` makes a context of claims; `seconds_for` says how long an answer is believed, `ends_of` when it ends by
    itself, in epoch seconds.
    """

    def __init__(
        self,
        cache: SharedCache,
        clock: Clock,
        *,
        context_of: Callable[[dict[str, Any]], AuthContext],
        seconds_for: Callable[[Outcome], float],
        ends_of: Callable[[Outcome], float],
        lock_seconds: float,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._context_of = context_of
        self._seconds_for = seconds_for
        self._ends_of = ends_of
        self._lock_seconds = lock_seconds
        self._believed_from = 0.0

    def forget(self) -> None:
        """Believe nothing that was asked for until now."""
        self._believed_from = self._clock.now() + _CLOCKS_DIFFER

    async def get(self, digest: bytes) -> Shared | None:
        """What others were told; None if nobody was, or nobody can be asked."""
        found = await _passed_by(self._cache.get(digest))
        answer = None if found is None else self._read(found)
        if answer is None or answer.asked_at < self._believed_from:
            return None
        until = min(answer.asked_at + self._seconds_for(answer.outcome), self._ends_of(answer.outcome))
        return answer if self._clock.now() < until else None

    async def put(self, digest: bytes, answer: Shared, seconds: float) -> None:
        """Tell the others."""
        written = _written(answer)
        if written is not None:
            await _passed_by(self._cache.put(digest, written, seconds))

    async def drop(self, digest: bytes) -> None:
        """Take back what they were told."""
        await _passed_by(self._cache.drop([digest]))

    async def wait_for_others(self, digest: bytes) -> tuple[Shared | None, bytes | None]:
        """The answer of whoever is asking at this moment, or else a lock under which to ask oneself.

        Neither if the cache does not answer, or the other process does not come to an end: then everybody asks.
        """
        pause = threading.Event()
        for _ in range(_PAUSES):
            try:
                lock = await port(_PORT, self._cache.take_lock(digest, self._lock_seconds))
            except CacheUnavailable:
                return None, None
            if lock is not None:
                answer = await self.get(digest)  # who held it may have ended since we looked
                if answer is None:
                    return None, lock
                await self.release(digest, lock)
                return answer, None
            pause.wait(_PAUSE)
            answer = await self.get(digest)
            if answer is not None:
                return answer, None
        return None, None

    async def release(self, digest: bytes, lock: bytes) -> None:
        """Let the others ask again."""
        await _passed_by(self._cache.release(digest, lock))

    def _read(self, found: bytes) -> Shared | None:
        try:
            members = json.loads(found)
            asked_at = float(members["asked_at"])
            claims = members["claims"]
        except (ValueError, KeyError, TypeError):
            return None  # of another version of this library
        if isinstance(claims, dict):
            try:
                return Shared(self._context_of(claims), asked_at)
            except BearerkitError:
                return None  # nothing that this process could use; it asks for itself
        return Shared(TokenInvalid("another process was told that the token is not active", reason=INACTIVE), asked_at)


async def _passed_by(call: Awaitable[T]) -> T | None:
    """What the cache says; None too if it does not answer."""
    try:
        return await port(_PORT, call)
    except CacheUnavailable:
        return None


def _written(answer: Shared) -> bytes | None:
    outcome = answer.outcome
    if isinstance(outcome, AuthContext):
        claims: Mapping[str, Any] | None = outcome.__reduce__()[1][0]
    elif outcome.reason == INACTIVE:
        claims = None
    else:
        return None
    return json.dumps({"asked_at": answer.asked_at, "claims": claims}).encode()
