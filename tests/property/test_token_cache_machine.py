"""A state machine over the verdict cache: no answer after a verdict has ended, and never more than its size."""

from __future__ import annotations

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
TOKENS = [f"t{number}.b.c" for number in range(3)]


class Source:
    """A key source that may refresh, drop keys and fall out of date."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.usable = True

    def still_good(self, key: VerificationKey, now: float) -> bool:
        return self.usable and self.snapshot is not None and key in self.snapshot.keys


class CacheMachine(RuleBasedStateMachine):
    """Tokens are verified, forgotten and recalled while time passes and keys rotate."""

    @initialize(size=st.integers(1, 4))
    def start(self, size: int) -> None:
        self.size = size
        self.cache = TokenCache(size)
        self.source = Source()
        self.now, self.monotonic = 1_000.0, 50.0
        self.keys = parse_jwks({"keys": [jwk(kid) for kid in KIDS]})
        self.swap(set(KIDS), 100)
        # What holds, said naively: token -> (starts, ends, key), while not forgotten and its key never removed.
        self.model: dict[str, tuple[float, float, VerificationKey]] = {}

    def swap(self, kids: set[str], calm: float) -> None:
        kept = [key for key in self.keys.keys if key.kid in kids]
        self.source.snapshot = Snapshot(KeySet(kept), self.monotonic + calm)

    @rule(kids=st.sets(st.sampled_from(KIDS)), calm=st.sampled_from([0, 60, 1_000]))
    def refresh(self, kids: set[str], calm: int) -> None:
        self.swap(kids, calm)

    @rule(usable=st.booleans())
    def outage(self, usable: bool) -> None:
        self.source.usable = usable

    @rule(seconds=st.sampled_from([1, 30, 120]), jump=st.sampled_from([0, 0, 0, -90, 90]))
    def pass_time(self, seconds: int, jump: int) -> None:
        self.monotonic += seconds
        self.now += seconds + jump

    @precondition(lambda self: self.source.snapshot.keys.keys)
    @rule(
        data=st.data(),
        token=st.sampled_from(TOKENS),
        starts=st.sampled_from([-50, -50, 0, 20]),
        life=st.sampled_from([1, 60, 600]),
    )
    def verify(self, data: st.DataObject, token: str, starts: int, life: int) -> None:
        assert self.source.snapshot is not None
        key = data.draw(st.sampled_from(self.source.snapshot.keys.keys))
        begin, end = self.now + starts, self.now + life
        verdict = Verdict(
            AuthContext({"sub": token}),
            starts=begin,
            ends=end,
            key=key,
            source=self.source,
            snapshot=self.source.snapshot,  # type: ignore[arg-type]
        )
        self.cache.put(digest_of(token), verdict)
        self.model[token] = (begin, end, key)

    @rule(token=st.sampled_from(TOKENS))
    def forget(self, token: str) -> None:
        self.cache.drop(token)
        self.model.pop(token, None)

    @rule(token=st.sampled_from(TOKENS))
    def forget_subject(self, token: str) -> None:
        self.cache.drop_where(lambda context: context.subject == token)
        self.model.pop(token, None)

    @invariant()
    def every_answer_holds(self) -> None:
        for token in TOKENS:
            self.check(token)

    def check(self, token: str) -> None:
        if not hasattr(self, "cache"):
            return
        hit = self.cache.hit(digest_of(token), self.now, self.monotonic)
        if hit is None:
            return
        assert hit.context.subject == token
        starts, ends, key = self.model[token]
        assert starts <= self.now < ends
        snapshot = self.source.snapshot
        assert snapshot is not None
        assert key in snapshot.keys
        assert self.source.usable or self.monotonic < snapshot.calm_until

    @invariant()
    def bounded(self) -> None:
        assert len(getattr(self, "cache", ())) <= getattr(self, "size", 0)


CacheMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestCache = CacheMachine.TestCase
