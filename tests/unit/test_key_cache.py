"""The rules of the key cache, cell by cell of the table in its docstring."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bearerkit.errors import ConfigError
from bearerkit.http import Headers
from bearerkit.jose.key_cache import (
    AbsentKids,
    KeyCache,
    KeyState,
    Verdict,
    cache_lifetime,
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

S = KeyCache()
KEYS = parse_jwks({"keys": [jwk("k1")]})
OTHER = parse_jwks({"keys": [jwk("k2")]})
T = 1_000.0


def fetched(at: float = T, keys: KeySet = KEYS, max_age: float | None = None, number: int = 1) -> KeyState:
    return succeeded(KeyState(), S, at, keys, max_age=max_age, sequence=number)


def judge(state: KeyState, now: float, *, known: bool = True, **also: bool) -> Verdict:
    return decide(state, S, now, known=known, absent=also.pop("absent", False), **also)


FRESH = fetched()
FAILED_ONCE = failed(FRESH, S, T + 500, jitter=0.0, sequence=2)
STALE = failed(FRESH, S, T + 600, jitter=0.0, sequence=2)
COLD_FAILED = failed(KeyState(), S, T, jitter=0.0, sequence=1)


@pytest.mark.parametrize(
    ("state", "now", "verdict"),
    [
        (KeyState(), T, Verdict.FETCH),
        (FRESH, T, Verdict.USE),
        (FRESH, T + 479, Verdict.USE),
        (FRESH, T + 480, Verdict.USE_AND_REFRESH),
        (FRESH, T + 599, Verdict.USE_AND_REFRESH),
        (FRESH, T + 600, Verdict.FETCH),
        (FAILED_ONCE, T + 500.5, Verdict.USE),
        (FAILED_ONCE, T + 501, Verdict.USE_AND_REFRESH),
        (FAILED_ONCE, T + 600, Verdict.FETCH),
        (STALE, T + 600.5, Verdict.USE),
        (STALE, T + 601, Verdict.USE_AND_REFRESH),
        (STALE, T + 601 + 59, Verdict.USE_AND_REFRESH),
        (STALE, T + 601 + 60, Verdict.FETCH),
        (replace(STALE, retry_at=math.inf), T + 600 + 3_600, Verdict.USE),
        (replace(STALE, retry_at=math.inf), T + 600 + 3_601, Verdict.UNAVAILABLE),
        (COLD_FAILED, T + 0.5, Verdict.UNAVAILABLE),
        (COLD_FAILED, T + 1, Verdict.FETCH),
    ],
)
def test_known_callers(state: KeyState, now: float, verdict: Verdict) -> None:
    """A caller whose kid is in the set uses it, refreshes it, waits, or gives up, by age and back-off alone."""
    assert judge(state, now) is verdict


@pytest.mark.parametrize(
    ("state", "now", "verdict"),
    [
        (KeyState(), T, Verdict.FETCH),
        (FRESH, T, Verdict.FETCH),
        (FRESH, T + 599, Verdict.FETCH),
        (FRESH, T + 600, Verdict.FETCH),
        (unknown_attempted(FRESH, T + 10), T + 39, Verdict.NOT_FOUND),
        (unknown_attempted(FRESH, T + 10), T + 40, Verdict.FETCH),
        (FAILED_ONCE, T + 500.5, Verdict.NOT_FOUND),
        (FAILED_ONCE, T + 501, Verdict.FETCH),
        (STALE, T + 600.5, Verdict.UNAVAILABLE),
        (STALE, T + 601, Verdict.FETCH),
        (COLD_FAILED, T + 0.5, Verdict.UNAVAILABLE),
    ],
)
def test_unknown_callers(state: KeyState, now: float, verdict: Verdict) -> None:
    """An unknown kid is a refusal while the set is fresh, and an outage only when there is one."""
    assert judge(state, now, known=False) is verdict


def test_a_kid_that_was_missing_a_moment_ago_is_not_asked_for_again() -> None:
    assert judge(FRESH, T, known=False, absent=True) is Verdict.NOT_FOUND
    assert judge(FRESH, T, known=False, absent=True, flying=True) is Verdict.NOT_FOUND


def test_an_unknown_kid_joins_a_fetch_in_the_air_whatever_the_cooldown() -> None:
    """Otherwise the second caller with a freshly rotated kid would be refused while the first one fetches it."""
    cooling = unknown_attempted(FRESH, T)
    assert judge(cooling, T, known=False) is Verdict.NOT_FOUND
    assert judge(cooling, T, known=False, flying=True) is Verdict.FETCH
    assert judge(FAILED_ONCE, T + 500.5, known=False, flying=True) is Verdict.FETCH
    assert judge(STALE, T + 600.5, known=False, flying=True) is Verdict.UNAVAILABLE


@pytest.mark.parametrize(
    ("state", "now", "known", "verdict"),
    [
        (KeyState(), T, True, Verdict.UNAVAILABLE),
        (FRESH, T + 500, True, Verdict.USE),
        (FRESH, T, False, Verdict.NOT_FOUND),
        (FRESH, T + 700, True, Verdict.USE),
        (FRESH, T + 700, False, Verdict.NOT_FOUND),
        (STALE, T + 700, True, Verdict.USE),
        (STALE, T + 700, False, Verdict.UNAVAILABLE),
        (STALE, T + 600 + 3_601, True, Verdict.UNAVAILABLE),
        (COLD_FAILED, T + 2, True, Verdict.UNAVAILABLE),
    ],
)
def test_who_has_tried_gets_an_answer(state: KeyState, now: float, known: bool, verdict: Verdict) -> None:
    """After a fetch of its own a caller is never sent to fetch again, not even when the back-off is over already."""
    assert judge(state, now, known=known, tried=True) is verdict


def test_scheduled_fetches_do_not_start_the_cooldown() -> None:
    """A key that was rotated right after start-up is found."""
    refreshed = succeeded(FRESH, S, T + 480, KEYS, max_age=None, sequence=2)
    assert judge(refreshed, T + 481, known=False) is Verdict.FETCH


def test_a_scheduled_fetch_does_not_end_the_cooldown() -> None:
    cooling = unknown_attempted(FRESH, T + 470)
    refreshed = succeeded(cooling, S, T + 480, KEYS, max_age=None, sequence=2)
    assert judge(refreshed, T + 481, known=False) is Verdict.NOT_FOUND


def test_failures_double_the_back_off_up_to_its_maximum() -> None:
    state, delays = KeyState(), []
    for number in range(1, 10):
        state = failed(state, S, T, jitter=0.0, sequence=number)
        delays.append(state.retry_at - T)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert failed(replace(state, failures=10_000), S, T, jitter=0.0, sequence=99).retry_at == T + 60


def test_jitter_shortens_the_back_off_by_up_to_a_quarter() -> None:
    assert failed(KeyState(), S, T, jitter=0.8, sequence=1).retry_at == pytest.approx(T + 0.8)


def test_success_ends_the_outage_and_keeps_the_cooldown() -> None:
    state = succeeded(unknown_attempted(STALE, T + 600), S, T + 610, OTHER, max_age=None, sequence=3)
    assert (state.failures, state.keys, state.fetched_at, state.unknown_attempt_at) == (0, OTHER, T + 610, T + 600)
    assert retry_after(state, T + 610) == 1


def test_a_failure_keeps_the_keys() -> None:
    assert STALE.keys is KEYS


def test_an_older_answer_never_overwrites_a_newer_one() -> None:
    newer = fetched(keys=OTHER, number=5)
    assert succeeded(newer, S, T + 99, KEYS, max_age=None, sequence=4) is newer
    assert succeeded(newer, S, T + 99, KEYS, max_age=None, sequence=5) is newer
    assert failed(newer, S, T + 99, jitter=0.0, sequence=4) is newer


@pytest.mark.parametrize(
    ("max_age", "fresh_for"), [(None, 600), (0, 60), (59, 60), (61, 61), (3_600, 3_600), (86_400, 3_600)]
)
def test_the_issuers_lifetime_is_kept_within_bounds(max_age: float | None, fresh_for: float) -> None:
    assert fetched(max_age=max_age).fresh_for == fresh_for


@pytest.mark.parametrize(
    ("state", "until"),
    [
        (KeyState(), -math.inf),
        (COLD_FAILED, -math.inf),
        (FRESH, T + 480),
        (FAILED_ONCE, T + 501),
        (failed(FRESH, S, T + 10, jitter=0.0, sequence=2), T + 480),
        (STALE, T + 601),
        (replace(STALE, retry_at=math.inf), T + 4_200),
    ],
)
def test_calm_lasts_until_something_needs_doing(state: KeyState, until: float) -> None:
    assert calm_until(state, S) == until


@pytest.mark.parametrize(("wait", "seconds"), [(0.2, 1), (1.0, 1), (1.2, 2), (59.5, 60), (-5, 1)])
def test_retry_after_is_whole_seconds(wait: float, seconds: int) -> None:
    assert retry_after(replace(STALE, retry_at=T + wait), T) == seconds


def test_freshness() -> None:
    assert not is_fresh(KeyState(), T)
    assert is_fresh(FRESH, T + 599)
    assert not is_fresh(FRESH, T + 600)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([("Cache-Control", "public")], None),
        ([("Cache-Control", "public, max-age=300")], 300),
        ([("Cache-Control", "public"), ("Cache-Control", "MAX-AGE = 300")], 300),
        ([("Cache-Control", 'max-age="300"')], 300),
        ([("Cache-Control", "max-age=300"), ("Age", "100")], 200),
        ([("Cache-Control", "max-age=300"), ("Age", "400")], 0),
        ([("Cache-Control", "max-age=300"), ("Age", "soon")], 300),
        ([("Cache-Control", "max-age=300, max-age=100")], 100),
        ([("Cache-Control", "max-age=300, no-cache")], 0),
        ([("Cache-Control", "no-store")], 0),
        ([("Cache-Control", 'no-cache="set-cookie"')], 0),
        ([("Cache-Control", "max-age=-1")], 0),
        ([("Cache-Control", "max-age=never")], 0),
        ([("Cache-Control", "max-age=٣")], 0),
        ([("Cache-Control", "s-maxage=10")], None),
        ([("Cache-Control", "max-age=" + "9" * 5_000)], 2**31),
        ([("Cache-Control", "max-age=9999999999")], 2**31),
        ([("Age", "10")], None),
    ],
)
def test_cache_lifetime(headers: list[tuple[str, str]], seconds: float | None) -> None:
    assert cache_lifetime(Headers(headers)) == seconds


def test_absent_kids_are_remembered_for_a_while() -> None:
    absent = AbsentKids()
    absent.add("a", T + 60)
    absent.add(None, T + 60)
    assert absent.holds("a", T + 59)
    assert absent.holds(None, T + 59)
    assert not absent.holds("a", T + 60)
    assert not absent.holds("b", T)
    absent.clear()
    assert not absent.holds("a", T)


def test_absent_kids_are_bounded_in_number_and_size() -> None:
    absent = AbsentKids()
    absent.add("x" * 201, T + 60)
    assert not absent.holds("x" * 201, T)
    for number in range(1_001):
        absent.add(str(number), T + 60)
    absent.add("1000", T + 61)
    assert not absent.holds("0", T)
    assert sum(absent.holds(str(number), T) for number in range(1_001)) == 1_000


def test_settings_that_cannot_work_are_all_named() -> None:
    with pytest.raises(ConfigError) as caught:
        KeyCache(fresh=0, stale=-1, refresh_ahead=1.5, fresh_min=10, fresh_max=5, backoff=9, backoff_max=3)
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 5
    for name in ("fresh=0", "stale=-1", "refresh_ahead=1.5", "fresh_min=10", "backoff=9"):
        assert name in text


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_settings_are_finite(value: float) -> None:
    with pytest.raises(ConfigError):
        KeyCache(fresh=value)
    with pytest.raises(ConfigError):
        KeyCache(cooldown=value)
