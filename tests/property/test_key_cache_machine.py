"""The key cache against promises that hold in every order of events."""

from __future__ import annotations

import math
from itertools import product

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bearerkit.jose.key_cache import (
    KeyCache,
    KeyState,
    Verdict,
    calm_until,
    decide,
    failed,
    is_fresh,
    retry_after,
    succeeded,
    unknown_attempted,
)
from bearerkit.jose.key_set import KeySet, parse_jwks
from key_doubles import jwk
from property.key_history import KeyHistory, Landing

SETS = [parse_jwks({"keys": [jwk(f"k{number}")]}) for number in range(3)]
TICKS = st.sampled_from([0, 1, 10, 60, 600, 5_000])


class KeyCacheMachine(RuleBasedStateMachine):
    """Callers come, fetches start and land in any order; the issuer answers or does not."""

    @initialize(
        fresh=st.integers(1, 1_000),
        ahead=st.sampled_from([0.25, 0.5, 1.0]),
        stale=st.sampled_from([0, 100, 2_000, 10_000]),
        cooldown=st.integers(0, 100),
        longest=st.sampled_from([1, 60, 600]),
    )
    def begin(self, fresh: int, ahead: float, stale: int, cooldown: int, longest: int) -> None:
        self.settings = KeyCache(fresh=fresh, refresh_ahead=ahead, stale=stale, cooldown=cooldown, backoff_max=longest)
        self.state = KeyState()
        self.now = 10_000.0
        self.air: list[tuple[int, float]] = []
        self.started = 0
        self.unknown_starts: list[float] = []
        self.last_failure = -math.inf
        self.newest_success = 0
        self.held: KeySet | None = None
        self.history = KeyHistory(self.settings)

    def verdict(self, *, known: bool, absent: bool = False, flying: bool = False, tried: bool = False) -> Verdict:
        return decide(self.state, self.settings, self.now, known=known, absent=absent, flying=flying, tried=tried)

    @rule(seconds=TICKS)
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(
        which=st.sampled_from(("ahead", "fresh", "stale", "retry", "going on", "cooldown")),
        past=st.sampled_from((0, 1, -1)),
    )
    def something_is_due(self, which: str, past: int) -> None:
        """To the very moment at which a verdict changes, and a second to either side."""
        held, rules = self.history.held, self.settings
        fresh_for = self.history.fresh_for if held is not None else 0
        moment = {
            "ahead": None if held is None else held.sent + rules.refresh_ahead * fresh_for,
            "fresh": None if held is None else held.sent + fresh_for,
            "stale": None if held is None else held.sent + fresh_for + rules.stale,
            "retry": self.history.retry_at,
            "going on": self.history.retry_at + rules.backoff_max,
            "cooldown": self.unknown_starts[-1] + rules.cooldown if self.unknown_starts else None,
        }[which]
        if moment is not None and moment + past >= self.now:
            self.now = moment + past

    @rule(known=st.booleans(), absent=st.booleans())
    def caller_comes(self, known: bool, absent: bool) -> None:
        """A caller does what it is told; a fetch for an unknown kid starts the cooldown."""
        if known and self.state.keys is None:
            return
        if self.verdict(known=known, absent=absent) is Verdict.FETCH:
            if not known and is_fresh(self.state, self.now):
                self.state = unknown_attempted(self.state, self.now)
                self.unknown_starts.append(self.now)
                self.history.unknown_starts.append(self.now)
            self.started += 1
            self.air.append((self.started, self.now))

    @rule()
    def refresh_is_forced(self) -> None:
        self.started += 1
        self.air.append((self.started, self.now))

    @precondition(lambda self: self.air)
    @rule(data=st.data(), keys=st.sampled_from(SETS), max_age=st.none() | st.integers(0, 10_000))
    def fetch_succeeds(self, data: st.DataObject, keys: KeySet, max_age: int | None) -> None:
        number, sent = self.air.pop(data.draw(st.integers(0, len(self.air) - 1)))
        self.state = succeeded(self.state, self.settings, sent, keys, max_age=max_age, sequence=number)
        self.history.landings.append(Landing(number, sent, self.now, keys, max_age))
        if number > self.newest_success:
            self.newest_success, self.held = number, keys
            assert self.state.fetched_at == sent
            assert self.state.failures == 0

    @precondition(lambda self: self.air)
    @rule(data=st.data(), jitter=st.floats(0, 1, exclude_max=True))
    def fetch_fails(self, data: st.DataObject, jitter: float) -> None:
        number, sent = self.air.pop(data.draw(st.integers(0, len(self.air) - 1)))
        self.state = failed(self.state, self.settings, self.now, jitter=jitter, sequence=number)
        self.history.landings.append(Landing(number, sent, self.now, jitter=jitter))
        if number > self.newest_success:
            assert 0.75 <= self.state.retry_at - self.now <= self.settings.backoff_max
            assert self.verdict(known=True) is not Verdict.FETCH
            assert self.verdict(known=False) is not Verdict.FETCH

    @invariant()
    def every_verdict_is_that_of_the_table(self) -> None:
        """Whatever came in whatever order: the slow model, which keeps the whole history, says the same."""
        for known, absent, flying, tried in product((False, True), repeat=4):
            if known and self.state.keys is None:
                continue
            expected = self.history.verdict(self.now, known=known, absent=absent, flying=flying, tried=tried)
            found = self.verdict(known=known, absent=absent, flying=flying, tried=tried)
            assert found is expected, (self.history.phase(self.now), known, absent, flying, tried)

    @invariant()
    def the_newest_answer_is_held(self) -> None:
        """Failures remove nothing, and late answers replace nothing."""
        assert self.state.keys is self.held

    @invariant()
    def nothing_is_used_beyond_stale(self) -> None:
        """A removed key ends at fresh + stale, outage or not."""
        for tried in (False, True):
            usable = self.verdict(known=True, tried=tried) in {Verdict.USE, Verdict.USE_AND_REFRESH}
            age = self.now - self.state.fetched_at
            if usable and not (tried and self.state.failures == 0):
                assert self.state.keys is not None
                assert age <= self.state.fresh_for + self.settings.stale

    @invariant()
    def a_known_kid_is_never_not_found(self) -> None:
        assert self.verdict(known=True) is not Verdict.NOT_FOUND

    @invariant()
    def a_stranger_cannot_make_an_outage(self) -> None:
        """503 for an unknown kid means that there is no fresh set."""
        if is_fresh(self.state, self.now):
            for flying in (False, True):
                for tried in (False, True):
                    verdict = self.verdict(known=False, flying=flying, tried=tried)
                    assert verdict in {Verdict.FETCH, Verdict.NOT_FOUND}
            assert self.verdict(known=True) in {Verdict.USE, Verdict.USE_AND_REFRESH}

    @invariant()
    def unknown_kids_fetch_once_per_cooldown(self) -> None:
        pairs = zip(self.unknown_starts, self.unknown_starts[1:], strict=False)
        assert all(later - earlier >= self.settings.cooldown for earlier, later in pairs)

    @invariant()
    def who_has_tried_is_answered(self) -> None:
        for known in (True, False):
            assert self.verdict(known=known, tried=True) not in {Verdict.FETCH, Verdict.USE_AND_REFRESH}

    @invariant()
    def calm_means_that_nothing_needs_doing(self) -> None:
        if self.now < calm_until(self.state, self.settings):
            assert self.verdict(known=True) is Verdict.USE

    @invariant()
    def use_without_calm_needs_doing_something(self) -> None:
        """Calm is not shorter than it could be, or cached verdicts would take the slow path."""
        if self.verdict(known=True) is Verdict.USE and self.state.failures == 0:
            assert self.now < calm_until(self.state, self.settings)

    @invariant()
    def retry_after_is_at_least_a_second(self) -> None:
        assert 1 <= retry_after(self.state, self.now) <= self.settings.backoff_max


TestKeyCacheMachine = KeyCacheMachine.TestCase
TestKeyCacheMachine.settings = settings(max_examples=max(100, settings.default.max_examples // 20))
