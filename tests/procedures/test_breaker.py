"""The breaker: a few failures in a row close the way, one question at a time finds out whether it is open again."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bearerkit.verify.breaker import Breaker


def test_it_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    """The failure that opens it says so, once for an outage; the probe's answer decides."""
    breaker = Breaker(3, rest=10)
    assert [breaker.failed(0), breaker.failed(0)] == [False, False]
    breaker.succeeded()
    assert [breaker.failed(1) for _ in range(3)] == [False, False, True]
    assert breaker.is_open
    assert breaker.seconds_left(1) == 10
    assert [breaker.admits(now) for now in (1, 10.9, 11, 11, 20.9)] == [False, False, True, False, False]
    assert not breaker.failed(12)
    assert [breaker.admits(now) for now in (21.9, 22)] == [False, True]
    breaker.succeeded()
    assert not breaker.is_open
    assert breaker.seconds_left(22) == 0
    assert [breaker.admits(22) for _ in range(3)] == [True] * 3


def test_a_probe_that_nobody_reports_on_does_not_close_the_way_for_good() -> None:
    """The next one comes after another rest."""
    breaker = Breaker(1, rest=10)
    assert breaker.failed(0)
    assert breaker.admits(10)
    assert not breaker.admits(15)
    assert breaker.admits(20)
    breaker.after_fork()
    assert breaker.is_open


class Machine(RuleBasedStateMachine):
    """Against a list of everything that happened."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.now = Breaker(2, rest=5), 0.0
        self.failures, self.asked_at, self.opened_at = 0, None, None

    @rule(seconds=st.sampled_from([0.0, 1.0, 4.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def ask(self) -> None:
        since = max((at for at in (self.opened_at, self.asked_at) if at is not None), default=None)
        wanted = self.opened_at is None or (since is not None and self.now >= since + 5)
        assert self.breaker.admits(self.now) is wanted
        if wanted and self.opened_at is not None:
            self.asked_at = self.now

    @rule()
    def fail(self) -> None:
        self.failures += 1
        opened = self.breaker.failed(self.now)
        if self.failures >= 2:
            assert opened is (self.opened_at is None)
            self.opened_at, self.asked_at = self.now, None

    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded()
        self.failures, self.opened_at, self.asked_at = 0, None, None

    @invariant()
    def agrees(self) -> None:
        assert self.breaker.is_open is (self.opened_at is not None)
        assert 0 <= self.breaker.seconds_left(self.now) <= 5


TestBreakerMachine: Any = Machine.TestCase
