"""`Outage`: told once when Redis goes and once when it is back, however the answers of many callers interleave."""

from __future__ import annotations

import pytest

pytest.importorskip("redis")

from auth_doubles import Events
from bearerkit.stores.redis.outage import Outage
from key_doubles import HandClock


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def outage(clock, events):
    return Outage("cache", "meanwhile", clock, events)


def names(events):
    return [name for name, _ in events.seen]


def go_down(outage):
    spells = [outage.admits() for _ in range(2)]
    for spell in spells:
        outage.failed(OSError("down"), spell)


def test_two_failures_close_it_for_a_while(outage, clock, events):
    go_down(outage)
    assert not outage.admits()
    clock.advance(3)
    assert outage.admits()
    assert not outage.admits(), "one question at a time"
    assert names(events) == ["cache.unavailable"]


def test_a_late_answer_from_before_does_not_end_it(outage, clock, events):
    """It was given before Redis went, and is noted only now."""
    early = outage.admits()
    go_down(outage)
    outage.succeeded(early)
    assert not outage.admits()
    assert names(events) == ["cache.unavailable"]


def test_a_late_failure_from_the_outage_does_not_begin_another(outage, clock, events):
    early = [outage.admits() for _ in range(5)]
    go_down(outage)
    clock.advance(3)
    outage.succeeded(outage.admits())
    for spell in early:
        outage.failed(OSError("late"), spell)
    assert outage.admits()
    assert names(events) == ["cache.unavailable", "cache.back"]


def test_each_outage_is_told(outage, clock, events):
    for _ in range(2):
        go_down(outage)
        for _ in range(5):
            clock.advance(3)
            outage.failed(OSError("still down"), outage.admits())
        clock.advance(3)
        outage.succeeded(outage.admits())
    assert names(events) == ["cache.unavailable", "cache.back"] * 2
