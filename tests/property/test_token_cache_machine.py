"""A state machine over the verdict cache: an answer exactly while the verdict holds and has not been pushed out."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bearerkit.context import AuthContext
from bearerkit.jose.key_set import KeySet, parse_jwks
from bearerkit.jose.keys import VerificationKey
from bearerkit.verify.key_source import Snapshot
from bearerkit.verify.token_cache import TokenCache, Verdict, digest_of
from key_doubles import jwk

KIDS = ("k1", "k2", "k3")
TOKENS = [f"t{number}.b.c" for number in range(6)]


class Source:
    """A key source that may refresh, drop keys and fall out of date."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.usable = True
        """Whether the set may be used once it is no longer calm."""

    def still_good(self, key: VerificationKey, now: float) -> bool:
        snapshot = self.snapshot
        return snapshot is not None and key in snapshot.keys and (now < snapshot.calm_until or self.usable)


@dataclass(frozen=True)
class Told:
    """What the cache was told about one token."""

    token: str
    starts: float
    ends: float
    rests_until: float
    kid: str | None
    number: int
    """Which verification of all this was: the last one of a token is answered with."""


class CacheMachine(RuleBasedStateMachine):
    """Tokens are verified, forgotten and recalled while clocks jump, keys rotate and settings run out."""

    @initialize(size=st.integers(0, 5))
    def start(self, size: int) -> None:
        self.size = size
        self.cache = TokenCache(size)
        self.source = Source()
        self.now, self.monotonic = 1_000.0, 50.0
        self.keys = parse_jwks({"keys": [jwk(kid) for kid in KIDS]})
        self.swap(set(KIDS), 100)
        # What the cache holds, said slowly: first in, first out.
        self.told: list[Told] = []
        self.verified = 0

    def swap(self, kids: set[str], calm: float) -> None:
        kept = [key for key in self.keys.keys if key.kid in kids]
        self.source.snapshot = Snapshot(KeySet(kept), self.monotonic + calm)

    @rule(kids=st.sets(st.sampled_from(KIDS)), calm=st.sampled_from([0, 60, 1_000]))
    def refresh(self, kids: set[str], calm: int) -> None:
        self.swap(kids, calm)

    @rule(usable=st.booleans())
    def outage(self, usable: bool) -> None:
        self.source.usable = usable

    @rule()
    def nothing_fetched(self) -> None:
        """A key source that was made anew, as for a resolver's entry that was pushed out and came back."""
        self.source.snapshot = None

    @rule(seconds=st.sampled_from([1, 30, 120]), jump=st.sampled_from([0, 0, 0, -90, 90]))
    def pass_time(self, seconds: int, jump: int) -> None:
        self.monotonic += seconds
        self.now += seconds + jump

    @precondition(lambda self: self.source.snapshot and self.source.snapshot.keys.keys)
    @rule(
        data=st.data(),
        token=st.sampled_from(TOKENS),
        starts=st.sampled_from([-50, -50, 0, 20]),
        life=st.sampled_from([1, 60, 600]),
        rests=st.sampled_from([1, 60, float("inf"), float("inf")]),
    )
    def verify(self, data: st.DataObject, token: str, starts: int, life: int, rests: float) -> None:
        assert self.source.snapshot is not None
        key = data.draw(st.sampled_from(self.source.snapshot.keys.keys))
        self.verified += 1
        told = Told(token, self.now + starts, self.now + life, self.monotonic + rests, key.kid, self.verified)
        verdict = Verdict(
            AuthContext({"sub": token, "jti": str(self.verified)}),
            starts=told.starts,
            ends=told.ends,
            key=key,
            source=self.source,  # type: ignore[arg-type]
            snapshot=self.source.snapshot,
            rests_until=told.rests_until,
        )
        self.cache.put(digest_of(token), verdict)
        places = [index for index, known in enumerate(self.told) if known.token == token]
        if places:
            self.told[places[0]] = told
        else:
            self.told = [*self.told, told][-self.size :] if self.size else []

    @rule(token=st.sampled_from(TOKENS))
    def forget(self, token: str) -> None:
        self.cache.drop(token)
        self.told = [known for known in self.told if known.token != token]

    @rule(tokens=st.sets(st.sampled_from(TOKENS)))
    def forget_subjects(self, tokens: set[str]) -> None:
        self.cache.drop_where(lambda context: context.subject in tokens)
        self.told = [known for known in self.told if known.token not in tokens]

    @rule()
    def fork(self) -> None:
        """A child process keeps the verdicts."""
        self.cache.after_fork()

    @invariant()
    def every_answer_is_that_of_the_model(self) -> None:
        """No answer after a verdict has ended, and none withheld before."""
        for token in TOKENS if hasattr(self, "cache") else ():
            hit = self.cache.hit(digest_of(token), self.now, self.monotonic)
            found = None if hit is None else (hit.context.subject, hit.context.token_id)
            assert found == self.expected(token)

    def expected(self, token: str) -> tuple[str, str] | None:
        snapshot = self.source.snapshot
        for known in self.told:
            if known.token == token:
                in_time = known.starts <= self.now < known.ends and self.monotonic < known.rests_until
                has_key = snapshot is not None and known.kid in {key.kid for key in snapshot.keys.keys}
                may_use = snapshot is not None and (self.monotonic < snapshot.calm_until or self.source.usable)
                return (token, str(known.number)) if in_time and has_key and may_use else None
        return None

    @invariant()
    def bounded(self) -> None:
        assert len(getattr(self, "cache", ())) == len(getattr(self, "told", ())) <= getattr(self, "size", 0)


CacheMachine.TestCase.settings = settings(
    max_examples=max(150, settings.default.max_examples // 10), stateful_step_count=30, deadline=None
)
TestCache = CacheMachine.TestCase
