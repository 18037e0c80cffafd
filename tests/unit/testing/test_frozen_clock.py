"""The clock that stands still."""

from __future__ import annotations

import pytest

from bearerkit.testing import FrozenClock


def test_it_stands_still_at_the_time_it_was_given() -> None:
    clock = FrozenClock(1_790_000_123.5)
    assert [clock.now(), clock.now()] == [1_790_000_123.5, 1_790_000_123.5]
    assert clock.monotonic() == clock.monotonic()


def test_the_default_is_the_moment_that_the_provider_samples_count_from() -> None:
    assert FrozenClock().now() == 1_790_000_000.0


def test_advance_moves_both_clocks_by_the_same_amount() -> None:
    clock = FrozenClock(100.0)
    before = clock.monotonic()
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic() - before) == (102.5, 2.5)


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_jump_moves_the_wall_clock_only(step: float) -> None:
    clock = FrozenClock(10_000.0)
    before = clock.monotonic()
    clock.jump(step)
    assert (clock.now(), clock.monotonic()) == (10_000.0 + step, before)


def test_time_does_not_run_backwards() -> None:
    clock = FrozenClock(100.0)
    with pytest.raises(ValueError, match="jump"):
        clock.advance(-1)
    assert clock.now() == 100.0


def test_the_two_clocks_read_differently_so_that_code_which_mixes_them_up_is_found() -> None:
    clock = FrozenClock()
    assert abs(clock.now() - clock.monotonic()) > 1_000_000


def test_repr_shows_the_time() -> None:
    assert repr(FrozenClock(5)) == "FrozenClock(now=5.0)"
