"""When fetched keys may be used, when they are fetched again, and what a caller is told meanwhile.

Rule 1: everything that affects freshness lives here. The procedure in `verify/keys.py` owns the lock, the threads and
the socket, and does what `decide` says. It never compares two times itself.

Rule 2: nothing here looks at a clock, waits or locks. `now` is a monotonic time in seconds. A `KeyState` is frozen:
the caller swaps it whole, so a reader needs no lock.

What can be asked for
---------------------

There is one state per key set and there are two kinds of callers. For a *known* caller the set holds a key that fits
the kid and algorithm of the token; for an *unknown* one it does not. Unknown kids are free for an attacker to make,
so they must never cost the issuer more than one request per `cooldown`, and never turn into an outage answer while
the set is fresh: an error status that a stranger can cause at will gets healthy workers ejected.

    the set is …                    known kid           unknown kid
    ------------------------------------------------------------------------------------------
    fresh                           USE                 FETCH, or NOT_FOUND in back-off, within the cooldown
                                                        or when this kid was asked for a moment ago
    fresh, past refresh_ahead       USE_AND_REFRESH     as above
    past fresh                      FETCH               FETCH
    past fresh, in back-off         USE                 UNAVAILABLE
    the same, back-off just over    USE_AND_REFRESH     FETCH
    absent or beyond stale          FETCH               FETCH
    the same, in back-off           UNAVAILABLE         UNAVAILABLE

FETCH means: join the fetch that is in the air, or start one, wait for it, and ask again. A caller whose fetch started
after it came says `tried=True` and is never sent to FETCH again, so everybody has an answer after two waits. Who
has a known kid waits at most once per outage: after the first failure the retries run in the background. Joining
costs the issuer nothing, so neither cooldown nor back-off keeps an unknown caller from it: of a thousand callers with
the same freshly rotated kid, one starts the fetch and all pass.

Time
----

    fetched_at ----- refresh_ahead ----- fresh_for ------------------- fresh_for + stale -----> now
       |  USE          |  and refresh       |  fetch and wait; on error use     |  nothing is usable

A set is fresh for the `max-age` that the issuer gave, kept within `fresh_min` and `fresh_max`; `fresh` if it gave none.
A key that the issuer removed therefore stops verifying within `fresh_for` while the issuer can be reached, and within
`fresh_for + stale` while it cannot.

Failure
-------

A failed fetch never removes keys. It starts the back-off: `backoff` seconds, doubled per failure up to `backoff_max`,
each shortened by up to a quarter at random. Within it nobody fetches, whatever they ask for. Success ends it.

The cooldown counts from the last attempt that was made *for an unknown kid*, successful or not, and from nothing
else. Counting it from scheduled fetches would refuse a freshly rotated key right after start-up.

Order
-----

Fetches are numbered when they start. An answer that started before the one we hold is dropped: a late, older set must
never bring a removed key back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from bearerkit.errors import ConfigError
from bearerkit.http import Headers
from bearerkit.jose.key_set import KeySet

__all__ = [
    "AbsentKids",
    "KeyCache",
    "KeyState",
    "Verdict",
    "cache_lifetime",
    "calm_until",
    "decide",
    "failed",
    "is_fresh",
    "retry_after",
    "succeeded",
    "unknown_attempted",
]

_NEVER: Final = -math.inf
_MAX_DOUBLINGS: Final = 32
_ABSENT_KIDS: Final = 1_000
_LONGEST_KID: Final = 200
_LONGEST_AGE: Final = float(2**31)
"""RFC 9111 section 1.2.2: what a delta-seconds too large to hold is read as."""


@dataclass(frozen=True, slots=True)
class KeyCache:
    """How long fetched keys are used. All values are seconds, except `refresh_ahead`, a share of the fresh time.

    `fresh`: how long a set is used when the issuer's answer has no max-age; one that it has is kept within `fresh_min`
    and `fresh_max`. `refresh_ahead`: from this share of that time on, a refresh runs in the background. `stale`: how
    much longer known keys are used while the issuer cannot be reached. `cooldown`: at most one fetch for unknown kids
    per this time. `absent`: how long a kid that a fetch did not find is remembered as missing. `backoff`, doubled per
    failure up to `backoff_max`: how long nothing is fetched after a failure.

    Raises ConfigError listing every value that cannot work.
    """

    fresh: float = 600
    fresh_min: float = 60
    fresh_max: float = 3600
    refresh_ahead: float = 0.8
    stale: float = 3600
    cooldown: float = 30
    absent: float = 60
    backoff: float = 1
    backoff_max: float = 60

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ConfigError(problems)

    def _problems(self) -> Iterable[str]:
        for name in ("fresh", "fresh_max", "backoff", "backoff_max"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                yield f"KeyCache({name}={value!r}) must be a positive number of seconds"
        for name in ("fresh_min", "stale", "cooldown", "absent"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                yield f"KeyCache({name}={value!r}) must be a number of seconds, 0 or more"
        if not 0 < self.refresh_ahead <= 1:
            yield f"KeyCache(refresh_ahead={self.refresh_ahead!r}) must be a share of the fresh time, in (0, 1]"
        if self.fresh_min > self.fresh_max:
            yield f"KeyCache(fresh_min={self.fresh_min!r}) is above fresh_max={self.fresh_max!r}"
        if self.backoff > self.backoff_max:
            yield f"KeyCache(backoff={self.backoff!r}) is above backoff_max={self.backoff_max!r}"


@dataclass(frozen=True, slots=True)
class KeyState:
    """What is known about one key set. Times are monotonic seconds; the default is the state before any fetch."""

    keys: KeySet | None = None
    fetched_at: float = _NEVER
    fresh_for: float = 0.0
    unknown_attempt_at: float = _NEVER
    failures: int = 0
    retry_at: float = _NEVER
    sequence: int = 0


class Verdict(Enum):
    """What a caller does next; the table above says when."""

    USE = auto()
    USE_AND_REFRESH = auto()
    FETCH = auto()
    NOT_FOUND = auto()
    UNAVAILABLE = auto()


def decide(
    state: KeyState,
    settings: KeyCache,
    now: float,
    *,
    known: bool,
    absent: bool,
    flying: bool = False,
    tried: bool = False,
) -> Verdict:
    """What a caller does next.

    `known`: the set holds a fitting key. `absent`: this kid was asked for a moment ago, or the set holds it for another
    algorithm, so that asking again is of no use. `flying`: a fetch is in the air, so FETCH will join it. `tried`: the
    caller has waited for a fetch that started after it came; the answer is then never FETCH.
    """
    age = now - state.fetched_at
    resting = state.failures > 0 and now < state.retry_at
    if is_fresh(state, now):
        if known:
            ahead = age >= settings.refresh_ahead * state.fresh_for
            return Verdict.USE_AND_REFRESH if ahead and not resting and not tried else Verdict.USE
        if absent or tried:
            return Verdict.NOT_FOUND
        cooling = now < state.unknown_attempt_at + settings.cooldown
        return Verdict.NOT_FOUND if (cooling or resting) and not flying else Verdict.FETCH
    usable = known and age <= state.fresh_for + settings.stale
    if not (resting or tried):
        # An outage that is going on must not make callers wait for each retry; one of long ago says nothing.
        going_on = state.failures > 0 and now < state.retry_at + settings.backoff_max
        return Verdict.USE_AND_REFRESH if usable and going_on else Verdict.FETCH
    if state.failures == 0 and state.keys is not None:
        # The fetch we waited for succeeded, and its set ran out of time before we came to look.
        return Verdict.USE if known else Verdict.NOT_FOUND
    return Verdict.USE if usable else Verdict.UNAVAILABLE


def is_fresh(state: KeyState, now: float) -> bool:
    """True while the set may be used without asking the issuer."""
    return state.keys is not None and now - state.fetched_at < state.fresh_for


def calm_until(state: KeyState, settings: KeyCache) -> float:
    """Until when `decide` says USE for every known caller, whatever happens meanwhile."""
    if state.keys is None:
        return _NEVER
    ahead = state.fetched_at + settings.refresh_ahead * state.fresh_for
    if state.failures == 0:
        return ahead
    return max(ahead, min(state.retry_at, state.fetched_at + state.fresh_for + settings.stale))


def retry_after(state: KeyState, now: float) -> int:
    """Whole seconds until asking again is of use; at least 1 (the Retry-After header, RFC 9110 section 10.2.3)."""
    wait = state.retry_at - now
    return max(1, math.ceil(wait)) if state.failures else 1


def unknown_attempted(state: KeyState, now: float) -> KeyState:
    """The state after a fetch was started for an unknown kid: the cooldown begins."""
    return replace(state, unknown_attempt_at=now)


def succeeded(
    state: KeyState, settings: KeyCache, now: float, keys: KeySet, *, max_age: float | None, sequence: int
) -> KeyState:
    """The state after fetch number `sequence` brought `keys`.

    `now` is when that fetch was *sent* (RFC 9111 section 4.2.3 counts the age from there). `max_age` is what
    `cache_lifetime` read. An answer that is not newer than the one held changes nothing.
    """
    if sequence <= state.sequence:
        return state
    fresh_for = settings.fresh if max_age is None else min(max(max_age, settings.fresh_min), settings.fresh_max)
    return replace(
        state, keys=keys, fetched_at=now, fresh_for=fresh_for, failures=0, retry_at=_NEVER, sequence=sequence
    )


def failed(state: KeyState, settings: KeyCache, now: float, *, jitter: float, sequence: int) -> KeyState:
    """The state after fetch number `sequence` failed at `now`. `jitter` in [0, 1) comes from the Entropy port.

    The failure of a fetch that is older than the answer held changes nothing.
    """
    if sequence <= state.sequence:
        return state
    doublings = min(state.failures, _MAX_DOUBLINGS)
    delay = min(settings.backoff * 2.0**doublings, settings.backoff_max) * (1 - jitter / 4)
    return replace(state, failures=state.failures + 1, retry_at=now + delay)


class AbsentKids:
    """Kids that a fetch did not find, each for a while. Bounded in number and size; written under the caller's lock."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[str | None, float] = {}

    def add(self, kid: str | None, until: float) -> None:
        """Remember `kid` until a monotonic time. The oldest entry makes room; an oversized kid is not kept."""
        if kid is not None and len(kid) > _LONGEST_KID:
            return
        if kid not in self._until and len(self._until) >= _ABSENT_KIDS:
            del self._until[next(iter(self._until))]
        self._until[kid] = until

    def holds(self, kid: str | None, now: float) -> bool:
        """True if `kid` is remembered as missing at `now`."""
        return now < self._until.get(kid, _NEVER)

    def clear(self) -> None:
        """Forget all: another set has arrived."""
        self._until.clear()


def cache_lifetime(headers: Headers) -> float | None:
    """Seconds for which the issuer lets its answer be used: `max-age` minus `Age` (RFC 9111 sections 4.2 and 5.2).

    None when the answer says nothing. `no-store`, `no-cache`, and a max-age that is not a number, give 0: what that
    means is for `KeyCache.fresh_min` to say. Of several max-age values the smallest counts.
    """
    found: list[float] = []
    for directive in ",".join(headers.get_all("cache-control")).split(","):
        name, _, value = directive.partition("=")
        match name.strip().lower():
            case "no-store" | "no-cache":
                return 0.0
            case "max-age":
                found.append(_delta_seconds(value.strip().strip('"')) or 0.0)
    if not found:
        return None
    age = _delta_seconds((headers.get("age") or "").strip()) or 0.0
    return max(0.0, min(found) - age)


def _delta_seconds(text: str) -> float | None:
    if not (text.isascii() and text.isdigit()):
        return None
    return min(float(text), _LONGEST_AGE) if len(text) <= 10 else _LONGEST_AGE
