"""The key cache said slowly: everything that happened to a key set, and what follows from it at any moment.

The oracle of the state machines. It keeps the whole history and reads the answer off the table in the docstring of
`jose/key_cache.py` each time; it has no state that could be swapped wrongly. What must never happen here: a call of
`decide`, `succeeded`, `failed` or any other function of that module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bearerkit.jose.key_cache import KeyCache, Verdict

__all__ = ["KeyHistory", "Landing"]


@dataclass(frozen=True)
class Landing:
    """The end of a fetch: `keys` is None if it failed."""

    number: int
    sent: float
    landed: float
    keys: Any = None
    max_age: float | None = None
    jitter: float = 0.0


@dataclass
class KeyHistory:
    """All landings in the order in which they came in, and every fetch that was started for an unknown kid."""

    settings: KeyCache
    landings: list[Landing] = field(default_factory=list)
    unknown_starts: list[float] = field(default_factory=list)

    @property
    def held(self) -> Landing | None:
        """The answer to the fetch that was started last of those that succeeded."""
        return max((one for one in self.landings if one.keys is not None), key=lambda one: one.number, default=None)

    @property
    def failures(self) -> list[Landing]:
        """The failures that count: of fetches newer than the answer held when they came, since that answer came."""
        counted: list[Landing] = []
        newest = 0
        for one in self.landings:
            if one.number <= newest:
                continue
            if one.keys is None:
                counted.append(one)
            else:
                newest, counted = one.number, []
        return counted

    @property
    def retry_at(self) -> float:
        """The end of the back-off; long ago without one."""
        if not self.failures:
            return float("-inf")
        delay = self.settings.backoff
        for _ in self.failures[1:]:
            delay = min(2 * delay, self.settings.backoff_max)
        return self.failures[-1].landed + delay * (1 - self.failures[-1].jitter / 4)

    @property
    def fresh_for(self) -> float:
        """For how long the answer that is held is fresh."""
        assert self.held is not None
        if self.held.max_age is None:
            return self.settings.fresh
        return sorted((self.settings.fresh_min, self.held.max_age, self.settings.fresh_max))[1]

    def phase(self, now: float) -> str:
        """The row of the table."""
        if self.held is None:
            return "absent"
        age = now - self.held.sent
        if age < self.fresh_for:
            return "fresh" if age < self.settings.refresh_ahead * self.fresh_for else "ahead"
        return "stale" if age <= self.fresh_for + self.settings.stale else "gone"

    def verdict(
        self, now: float, *, known: bool, absent: bool = False, flying: bool = False, tried: bool = False
    ) -> Verdict:
        """What the table says."""
        phase, resting = self.phase(now), bool(self.failures) and now < self.retry_at
        if tried:
            return self._after_a_try(phase, known)
        match phase, known:
            case "fresh", True:
                return Verdict.USE
            case "ahead", True:
                return Verdict.USE if resting else Verdict.USE_AND_REFRESH
            case "fresh" | "ahead", False:
                if absent:
                    return Verdict.NOT_FOUND
                cooling = any(now < start + self.settings.cooldown for start in self.unknown_starts)
                return Verdict.FETCH if flying or not (cooling or resting) else Verdict.NOT_FOUND
            case "stale", True:
                if resting:
                    return Verdict.USE
                just_over = bool(self.failures) and now < self.retry_at + self.settings.backoff_max
                return Verdict.USE_AND_REFRESH if just_over else Verdict.FETCH
            case _:
                return Verdict.UNAVAILABLE if resting else Verdict.FETCH

    def _after_a_try(self, phase: str, known: bool) -> Verdict:
        """A caller that has waited is answered by what there is."""
        there_is = phase in ("fresh", "ahead") or (self.held is not None and not self.failures)
        if there_is:
            return Verdict.USE if known else Verdict.NOT_FOUND
        return Verdict.USE if known and phase == "stale" else Verdict.UNAVAILABLE
