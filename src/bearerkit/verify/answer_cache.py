"""Answers about credentials that only somebody else can resolve, for a while: who it is, or that it is nobody.

The key is a digest of the whole credential and of everything else that the answer depends on. A positive answer never
outlives the `exp` that came with it; a negative one lies in a cache of its own, so that a flood of invented credentials
pushes nobody out. An answer that was asked for before something was forgotten is not kept. Reads take no lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Final, NamedTuple, final

from bearerkit.context import AuthContext
from bearerkit.errors import TokenInvalid
from bearerkit.verify.forks import survives_fork

__all__ = ["NEGATIVES_MAX", "NEGATIVE_SECONDS_MAX", "Answer", "AnswerCache", "Outcome", "digest_under", "granted"]

NEGATIVE_SECONDS_MAX: Final = 10.0
"""A credential that was just created must work soon."""
NEGATIVES_MAX: Final = 10_000


Outcome = AuthContext | TokenInvalid
"""Who it is, or why it is nobody: the latter a value, never raised itself."""


class Answer(NamedTuple):
    """`until` is monotonic; `ends` is epoch seconds, by the credential itself."""

    outcome: Outcome
    until: float
    ends: float = float("inf")


def granted(outcome: Outcome) -> AuthContext:
    """The context, or the refusal as an error.

    It is a new one each time: whoever catches it notes in it that it was logged, and hangs a traceback onto it.
    """
    if isinstance(outcome, AuthContext):
        return outcome
    raise type(outcome)(outcome.detail, reason=outcome.reason, public=outcome.public, hint=outcome.hint)


def digest_under(salt: bytes, credential: str) -> bytes:
    """The key of a credential: SHA-256 of all that the answer depends on, and of all of the credential."""
    return sha256(salt + credential.encode("utf-8", "surrogatepass")).digest()


@final
class AnswerCache:
    """At most `size` positive answers, the oldest going first, and a bounded number of negative ones."""

    def __init__(self, size: int, negatives: int = NEGATIVES_MAX) -> None:
        self._size, self._negatives = size, min(negatives, size)
        self._good: dict[bytes, Answer] = {}
        self._bad: dict[bytes, Answer] = {}
        self._lock = threading.Lock()
        self.generation = 0
        """Counts what was forgotten: read it before asking, and hand it to `keep` with the answer."""
        survives_fork(self)

    def known(self, digest: bytes, now: float, monotonic: float) -> Outcome | None:
        """What is known of this credential; None if it has to be asked about."""
        answer = self._good.get(digest) or self._bad.get(digest)
        if answer is None or monotonic >= answer.until or now >= answer.ends:
            return None
        return answer.outcome

    def hit(self, digest: bytes, now: float, monotonic: float) -> AuthContext | None:
        """The context that is known; None if it has to be asked for. Raises the refusal that is known."""
        outcome = self.known(digest, now, monotonic)
        return None if outcome is None else granted(outcome)

    def stale(self, digest: bytes, now: float, monotonic: float, longer: float) -> AuthContext | None:
        """A context whose time is over by no more than `longer` seconds, never beyond its `exp`."""
        answer = self._good.get(digest)
        if answer is None or now >= answer.ends or monotonic >= answer.until + longer:
            return None
        return answer.outcome if isinstance(answer.outcome, AuthContext) else None

    def keep(self, digest: bytes, answer: Answer, generation: int) -> None:
        """Remember an answer, unless something was forgotten since it was asked for."""
        good = isinstance(answer.outcome, AuthContext)
        memo, most = (self._good, self._size) if good else (self._bad, self._negatives)
        if not most:
            return
        with self._lock:
            if generation != self.generation:
                return
            (self._bad if good else self._good).pop(digest, None)
            if len(memo) >= most and digest not in memo:
                del memo[next(iter(memo))]
            memo[digest] = answer

    def forget(self, digest: bytes) -> None:
        """Forget one credential."""
        with self._lock:
            self.generation += 1
            self._good.pop(digest, None)
            self._bad.pop(digest, None)

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Forget every credential whose context matches, and what is said of nobody."""
        with self._lock:
            self.generation += 1
            self._bad.clear()
            for digest, answer in list(self._good.items()):
                if not isinstance(answer.outcome, AuthContext) or matches(answer.outcome):
                    del self._good[digest]

    def after_fork(self) -> None:
        """Another thread may have held the lock."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._good) + len(self._bad)
