"""`RemoteKeys` over doubles: who fetches, who waits, what is refused and with which status."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from bearerkit._drive import PortNeedsLoop, run
from bearerkit.errors import KeyNotFound, KeysUnavailable
from bearerkit.http import Fetch, Fetched, FetchFailed
from bearerkit.jose.key_cache import KeyCache
from bearerkit.jose.key_set import KeySet, parse_jwks
from bearerkit.system import BlockingWaits
from bearerkit.verify.keys import RemoteKeys, StaticKeys
from key_doubles import (
    JWKS_URL,
    PATIENCE,
    HandClock,
    LaterThreads,
    NoThreads,
    Origin,
    Recorder,
    answer,
    jwk,
    jwks,
    remote,
)

WAITS = BlockingWaits()


def obtain(source: Any, kid: str | None = "k1", alg: str = "ES256") -> Any:
    return run(source.obtain(kid, alg, WAITS))


def warm(origin: Origin, clock: HandClock, **also: Any) -> RemoteKeys:
    source = remote(origin, clock, **also)
    run(source.warm_up(WAITS))
    return source


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def origin() -> Origin:
    return Origin({JWKS_URL: jwks("k1")})


# The ordinary path


def test_nothing_is_ready_before_the_first_fetch(origin: Origin, clock: HandClock) -> None:
    source = remote(origin, clock)
    assert source.snapshot is None
    assert source.ready("k1", "ES256", clock.monotonic()) is None
    assert origin.count == 0


def test_a_cold_caller_fetches_and_the_next_one_finds_the_keys_ready(origin: Origin, clock: HandClock) -> None:
    source = remote(origin, clock)
    (key,) = obtain(source)
    assert key.kid == "k1"
    assert source.ready("k1", "ES256", clock.monotonic()) == (key,)
    assert source.snapshot is not None
    assert key in source.snapshot.keys
    assert source.snapshot.calm_until == clock.time + 480
    assert source.still_good(key, clock.monotonic())
    assert origin.count == 1


def test_the_ordinary_path_takes_no_lock_and_reads_no_clock(origin: Origin, clock: HandClock) -> None:
    """With the lock held by somebody else and a clock that fails, a fresh set still answers."""
    source = warm(origin, clock)
    (key,) = obtain(source)

    class Broken:
        def monotonic(self) -> float:
            raise AssertionError("read")

    source._clock = Broken()  # type: ignore[assignment]
    with source._lock:
        assert source.ready("k1", "ES256", clock.time) == (key,)
        assert source.still_good(key, clock.time)


def test_ready_does_not_answer_for_an_unknown_kid_or_algorithm(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    assert source.ready("k2", "ES256", clock.time) is None
    assert source.ready("k1", "ES384", clock.time) is None


def test_without_a_kid_all_fitting_keys_are_tried(clock: HandClock) -> None:
    source = warm(Origin({JWKS_URL: jwks("k1", "k2")}), clock)
    assert [key.kid for key in obtain(source, None)] == ["k1", "k2"]


# Refresh ahead


def test_refresh_ahead_runs_on_a_thread_and_swaps_the_set(origin: Origin, clock: HandClock) -> None:
    threads = LaterThreads()
    source = warm(origin, clock, threads=threads)
    (old,) = obtain(source)
    origin.answers[JWKS_URL] = jwks("k1", "k2")
    clock.advance(480)
    for _ in range(5):
        assert source.ready("k1", "ES256", clock.time) == (old,)
        assert source.still_good(old, clock.time)
    assert (origin.count, len(threads.work)) == (1, 1)
    threads.run_all()
    assert origin.count == 2
    assert source.ready("k2", "ES256", clock.time) is not None


def test_refresh_ahead_without_a_thread_is_done_inline(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock, threads=NoThreads())
    clock.advance(480)
    assert source.ready("k1", "ES256", clock.time) is not None
    assert origin.count == 2
    assert source.snapshot is not None
    assert source.snapshot.calm_until == clock.time + 480


def test_obtain_too_refreshes_ahead(origin: Origin, clock: HandClock) -> None:
    threads = LaterThreads()
    source = warm(origin, clock, threads=threads)
    clock.advance(480)
    obtain(source)
    obtain(source)
    assert len(threads.work) == 1


def test_a_failed_refresh_ahead_is_retried_after_the_back_off(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock, threads=NoThreads())
    (key,) = obtain(source)
    origin.answers.clear()
    clock.advance(480)
    for _ in range(10):
        assert source.ready("k1", "ES256", clock.time) == (key,)
    assert origin.count == 2
    clock.advance(1)
    assert source.ready("k1", "ES256", clock.time) == (key,)
    assert origin.count == 3


def test_two_who_see_the_refresh_due_start_one(origin: Origin, clock: HandClock) -> None:
    """The second finds, under the lock, that the first was quicker."""
    threads = LaterThreads()
    source = warm(origin, clock, threads=threads)
    clock.advance(480)
    source.ready("k1", "ES256", clock.time)
    source._refresh_ahead()
    assert len(threads.work) == 1
    threads.run_all()
    source._refresh_ahead()
    assert threads.work == []


# Rotation


def test_an_equal_jwk_keeps_the_very_object(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    (key,) = obtain(source)
    origin.answers[JWKS_URL] = jwks("k2", "k1")
    run(source.refresh(WAITS))
    assert obtain(source) == (key,)
    assert source.still_good(key, clock.time)


def test_a_removed_key_stops_at_the_next_refresh(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    (key,) = obtain(source)
    origin.answers[JWKS_URL] = jwks("k2")
    run(source.refresh(WAITS))
    assert not source.still_good(key, clock.time)
    assert source.ready("k1", "ES256", clock.time) is None
    with pytest.raises(KeyNotFound):
        obtain(source)


def test_a_changed_key_under_the_same_kid_is_another_key(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    (old,) = obtain(source)
    origin.answers[JWKS_URL] = answer({"keys": [jwk("k1", key="other")]})
    run(source.refresh(WAITS))
    assert obtain(source) != (old,)
    assert not source.still_good(old, clock.time)


def test_a_rotated_kid_is_found_right_after_start_up(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    origin.answers[JWKS_URL] = jwks("k1", "k2")
    assert obtain(source, "k2")[0].kid == "k2"
    assert origin.count == 2


def test_past_fresh_the_caller_waits_for_new_keys(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    (key,) = obtain(source)
    origin.answers[JWKS_URL] = jwks("k2")
    clock.advance(600)
    assert source.ready("k1", "ES256", clock.time) is None
    assert not source.still_good(key, clock.time)
    with pytest.raises(KeyNotFound):
        obtain(source)
    assert origin.count == 2


def test_the_issuers_max_age_counts(clock: HandClock) -> None:
    origin = Origin({JWKS_URL: jwks("k1", cache_control="max-age=100", age="10")})
    source = warm(origin, clock)
    assert source.snapshot is not None
    assert source.snapshot.calm_until == clock.time + 72


# Unknown kids


def test_a_flood_of_unknown_kids_costs_one_fetch_per_cooldown(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    for number in range(200):
        with pytest.raises(KeyNotFound):
            obtain(source, f"random-{number}")
    assert origin.count == 2
    clock.advance(30)
    for number in range(200):
        with pytest.raises(KeyNotFound):
            obtain(source, f"more-{number}")
    assert origin.count == 3


def test_a_missing_kid_is_remembered_beyond_the_cooldown(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    for _ in range(2):
        with pytest.raises(KeyNotFound):
            obtain(source, "gone")
        clock.advance(31)
    assert origin.count == 2
    with pytest.raises(KeyNotFound):
        obtain(source, "gone")
    assert origin.count == 3


def test_a_new_set_clears_the_memory_of_missing_kids(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock, settings=KeyCache(absent=300))
    with pytest.raises(KeyNotFound):
        obtain(source, "k3")
    origin.answers[JWKS_URL] = jwks("k1", "k2")
    clock.advance(30)
    obtain(source, "k2")
    origin.answers[JWKS_URL] = jwks("k1", "k2", "k3")
    clock.advance(29)
    with pytest.raises(KeyNotFound):
        obtain(source, "k3")
    clock.advance(1)
    assert obtain(source, "k3")[0].kid == "k3"


def test_an_unchanged_set_keeps_the_memory_of_missing_kids(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    with pytest.raises(KeyNotFound):
        obtain(source, "k3")
    clock.advance(30)
    run(source.refresh(WAITS))
    with pytest.raises(KeyNotFound):
        obtain(source, "k3")
    assert origin.count == 3


def test_a_kid_with_the_wrong_algorithm_fetches_nothing(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    with pytest.raises(KeyNotFound) as caught:
        obtain(source, "k1", "ES384")
    assert origin.count == 1
    assert "not a key for 'ES384'" in (caught.value.hint or "")


def test_a_cold_unknown_kid_fetches_once_and_leaves_the_cooldown_alone(origin: Origin, clock: HandClock) -> None:
    source = remote(origin, clock)
    with pytest.raises(KeyNotFound):
        obtain(source, "k2")
    with pytest.raises(KeyNotFound):
        obtain(source, "k2")
    assert origin.count == 1
    origin.answers[JWKS_URL] = jwks("k1", "k3")
    assert obtain(source, "k3")[0].kid == "k3"
    assert origin.count == 2


def test_the_hint_says_which_set_was_searched(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    with pytest.raises(KeyNotFound):
        obtain(source, "random")
    clock.advance(7)
    with pytest.raises(KeyNotFound) as caught:
        obtain(source, "nope")
    assert caught.value.hint is not None
    assert f'Key "nope" is not among the 1 key of {JWKS_URL} (fetched 7 s ago).' in caught.value.hint
    assert "'nope'" in caught.value.detail


def test_a_kid_cannot_write_lines_of_its_own_into_a_log(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    with pytest.raises(KeyNotFound) as caught:
        obtain(source, 'x"\r\nERROR forged', "ES256\n")
    assert "\n" not in str(caught.value)


def test_an_overlong_kid_is_cut_in_texts(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    with pytest.raises(KeyNotFound) as caught:
        obtain(source, "x" * 4_000)
    assert len(caught.value.detail) < 400
    assert len(caught.value.hint or "") < 1_000


def test_an_empty_set_is_a_configuration_hint_and_no_outage(clock: HandClock) -> None:
    source = remote(Origin({JWKS_URL: answer({})}), clock)
    with pytest.raises(KeyNotFound) as caught:
        obtain(source, None)
    assert "The key set is empty" in (caught.value.hint or "")


# Outages


def test_cold_and_down_is_one_fetch_and_503_for_everybody(clock: HandClock) -> None:
    origin = Origin()
    source = remote(origin, clock)
    for _ in range(40):
        with pytest.raises(KeysUnavailable) as caught:
            obtain(source)
        assert caught.value.retry_after == 1
        assert "nobody answers" in caught.value.detail
    assert origin.count == 1
    clock.advance(1)
    with pytest.raises(KeysUnavailable) as caught:
        obtain(source)
    assert (origin.count, caught.value.retry_after) == (2, 2)


def test_warm_and_down_known_kids_pass_until_stale(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock, settings=KeyCache(backoff=9_999, backoff_max=9_999))
    (key,) = obtain(source)
    origin.answers.clear()
    clock.advance(600)
    assert obtain(source) == (key,)
    assert source.still_good(key, clock.time)
    clock.advance(3_600)
    assert source.ready("k1", "ES256", clock.time) == (key,)
    clock.advance(1)
    assert source.ready("k1", "ES256", clock.time) is None
    assert not source.still_good(key, clock.time)
    with pytest.raises(KeysUnavailable):
        obtain(source)
    assert origin.count == 2


def test_known_kids_wait_once_per_outage_and_not_for_each_retry(origin: Origin, clock: HandClock) -> None:
    """The first caller past fresh waits and learns of the outage; retries after that run in the background."""
    threads = LaterThreads()
    source = warm(origin, clock, threads=threads)
    (key,) = obtain(source)
    good = origin.answers.pop(JWKS_URL)
    clock.advance(600)
    assert obtain(source) == (key,)
    clock.advance(1)
    assert source.ready("k1", "ES256", clock.time) == (key,)
    assert origin.count == 2
    origin.answers[JWKS_URL] = good
    threads.run_all()
    assert origin.count == 3
    assert source.snapshot is not None
    assert source.snapshot.calm_until > clock.time + 400


def test_warm_and_down_a_random_kid_is_401_while_fresh_and_503_after(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    origin.answers.clear()
    with pytest.raises(KeyNotFound):
        obtain(source, "random")
    with pytest.raises(KeyNotFound):
        obtain(source, "random-2")
    assert origin.count == 2
    clock.advance(600)
    with pytest.raises(KeysUnavailable):
        obtain(source, "random-3")
    assert origin.count == 3


def test_a_kid_that_a_failed_fetch_did_not_find_is_not_remembered(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    good = origin.answers.pop(JWKS_URL)
    with pytest.raises(KeyNotFound):
        obtain(source, "k2")
    clock.advance(30)
    origin.answers[JWKS_URL] = jwks("k1", "k2")
    assert good is not None
    assert obtain(source, "k2")[0].kid == "k2"


def test_recovery_ends_the_outage(origin: Origin, clock: HandClock) -> None:
    good = origin.answers.pop(JWKS_URL)
    source = remote(origin, clock)
    with pytest.raises(KeysUnavailable):
        obtain(source)
    origin.answers[JWKS_URL] = good
    clock.advance(1)
    assert obtain(source)[0].kid == "k1"


def test_an_exception_that_nobody_expected_is_an_outage_without_its_text(clock: HandClock) -> None:
    """Its message may hold anything, key material included."""
    origin = Origin({JWKS_URL: ZeroDivisionError("secret-material")})
    with pytest.raises(KeysUnavailable) as caught:
        obtain(remote(origin, clock))
    assert "unexpected ZeroDivisionError" in caught.value.detail
    assert "secret-material" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_os_error_of_a_foreign_client_is_an_outage(clock: HandClock) -> None:
    with pytest.raises(KeysUnavailable, match="ConnectionResetError"):
        obtain(remote(Origin({JWKS_URL: ConnectionResetError(104, "reset")}), clock))


@pytest.mark.parametrize(
    "reply",
    [
        answer({"keys": [jwk()]}, 201),
        answer({"keys": [jwk()]}, 404),
        answer({"keys": [jwk()]}, 302, location="https://id.example/other"),
        answer({"keys": [jwk()]}, 500),
        answer(b"<html>"),
        answer(b'{"keys": ['),
        answer(b'{"keys": [], "keys": []}'),
        answer([]),
        answer({"keys": {}}),
        answer({"keys": [jwk(f"k{number}") | {"kid": str(number)} for number in range(101)]}),
    ],
    ids=["201", "404", "302", "500", "html", "truncated", "duplicate", "array", "object", "too many"],
)
def test_answers_that_are_no_key_set_are_outages(reply: Fetched, clock: HandClock) -> None:
    """Exactly 200 and a JWKS, or the keys we hold are kept."""
    origin = Origin({JWKS_URL: jwks("k1")})
    source = warm(origin, clock)
    origin.answers[JWKS_URL] = reply
    with pytest.raises(KeysUnavailable):
        run(source.refresh(WAITS))
    assert obtain(source)[0].kid == "k1"


def test_a_redirect_is_named_as_what_it_is(clock: HandClock) -> None:
    with pytest.raises(KeysUnavailable, match="redirects are not followed"):
        obtain(remote(Origin({JWKS_URL: answer({}, 302)}), clock))


# Warm-up and forced refresh


def test_warm_up_fetches_once(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    run(source.warm_up(WAITS))
    assert origin.count == 1


def test_warm_up_reports_an_outage_unless_stale_keys_are_left(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    origin.answers.clear()
    clock.advance(600)
    run(source.warm_up(WAITS))
    with pytest.raises(KeysUnavailable):
        run(remote(origin, clock).warm_up(WAITS))


def test_warm_up_joins_a_fetch_in_the_air(origin: Origin, clock: HandClock) -> None:
    source = remote(origin, clock)
    origin.hold()
    threads = [threading.Thread(target=lambda: run(source.warm_up(WAITS))) for _ in range(2)]
    threads[0].start()
    origin.wait_until_asked()
    threads[1].start()
    origin.release()
    for thread in threads:
        thread.join(PATIENCE)
    assert origin.count == 1


def test_refresh_ignores_back_off_and_freshness(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    good = origin.answers.pop(JWKS_URL)
    with pytest.raises(KeysUnavailable):
        run(source.refresh(WAITS))
    origin.answers[JWKS_URL] = good
    run(source.refresh(WAITS))
    assert origin.count == 3


def test_refresh_does_not_settle_for_an_older_fetch(origin: Origin, clock: HandClock) -> None:
    """One that was in the air may have been answered before the change that the caller wants to see."""
    source = remote(origin, clock)
    origin.hold()
    first = threading.Thread(target=lambda: run(source.warm_up(WAITS)))
    first.start()
    origin.wait_until_asked()
    second = threading.Thread(target=lambda: run(source.refresh(WAITS)))
    second.start()
    origin.release()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert origin.count == 2


# Misuse and interruption


class AsyncOnly:
    """An HTTP client that needs an event loop."""

    async def fetch(self, fetch: Fetch) -> Fetched:
        import asyncio

        await asyncio.sleep(0)
        raise FetchFailed("unreachable")


def test_an_async_http_client_is_a_type_error_that_names_the_port(clock: HandClock) -> None:
    source = remote(AsyncOnly(), clock)
    with pytest.raises(PortNeedsLoop, match=r"http\.fetch"):
        obtain(source)
    with pytest.raises(KeysUnavailable, match=r"http\.fetch"):
        obtain(source)


def test_a_keyboard_interrupt_in_the_leader_frees_the_place(origin: Origin, clock: HandClock) -> None:
    """The next caller fetches at once: an interruption says nothing about the issuer."""
    good = origin.answers[JWKS_URL]
    origin.answers[JWKS_URL] = KeyboardInterrupt()
    source = remote(origin, clock)
    with pytest.raises(KeyboardInterrupt):
        obtain(source)
    origin.answers[JWKS_URL] = good
    assert obtain(source)[0].kid == "k1"


def test_an_interrupted_attempt_for_an_unknown_kid_gives_the_cooldown_back(origin: Origin, clock: HandClock) -> None:
    source = warm(origin, clock)
    origin.answers[JWKS_URL] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        obtain(source, "k2")
    origin.answers[JWKS_URL] = jwks("k1", "k2")
    assert obtain(source, "k2")[0].kid == "k2"


def test_a_threads_port_that_is_interrupted_strands_nobody(origin: Origin, clock: HandClock) -> None:
    class Interrupted:
        def start(self, work: Any) -> bool:
            raise KeyboardInterrupt

    source = warm(origin, clock, threads=Interrupted())
    clock.advance(480)
    with pytest.raises(KeyboardInterrupt):
        source.ready("k1", "ES256", clock.time)
    assert source._flight is None


def test_flights_that_are_always_given_up_end_in_503(clock: HandClock) -> None:
    """Bounded: a caller does not follow abandoned flights forever."""

    class Vanishing:
        inline = False

        async def wait(self, future: Any) -> Any:
            return future.result()

    class GivesUp:
        def __init__(self) -> None:
            self.started = 0

        def start(self, work: Any) -> bool:
            self.started += 1
            source._give_up(source._flight)  # type: ignore[arg-type]
            return True

    threads = GivesUp()
    source = remote(Origin(), clock, threads=threads)
    with pytest.raises(KeysUnavailable, match="given up"):
        run(source.obtain("k1", "ES256", Vanishing()))
    with pytest.raises(KeysUnavailable, match="given up"):
        run(source.refresh(Vanishing()))
    assert threads.started == 8


def test_giving_up_a_flight_leaves_a_newer_one_alone(origin: Origin, clock: HandClock) -> None:
    source = remote(origin, clock)
    with source._lock:
        old = source._depart(clock.time)
        new = source._depart(clock.time)
    source._give_up(old)
    assert source._flight is new
    assert old.future.done()
    source._fly(new)
    assert source._flight is None


def test_a_fetch_that_asks_for_its_own_keys_does_not_wait_for_itself(clock: HandClock) -> None:
    class Recursive:
        async def fetch(self, fetch: Fetch) -> Fetched:
            await source.obtain("k1", "ES256", WAITS)
            raise AssertionError("unreachable")

    source = remote(Recursive(), clock)
    refused: list[KeysUnavailable] = []

    def ask() -> None:
        with pytest.raises(KeysUnavailable) as caught:
            obtain(source)
        refused.append(caught.value)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert len(refused) == 1


def test_a_late_older_answer_changes_nothing(origin: Origin, clock: HandClock) -> None:
    """Two flights at once happen only around fork and interruption; numbers decide then."""
    source = remote(origin, clock)
    with source._lock:
        old = source._depart(clock.time)
        source._flight = None
    origin.answers[JWKS_URL] = jwks("k2")
    run(source.refresh(WAITS))
    before = source.snapshot
    origin.answers[JWKS_URL] = jwks("k1")
    source._fly(old)
    assert before is not None
    assert source.snapshot is not None
    assert [key.kid for key in source.snapshot.keys.keys] == ["k2"]


# What operators see


def test_an_outage_is_logged_once_and_so_is_its_end(
    origin: Origin, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bearerkit.keys")
    recorder = Recorder()
    good = origin.answers.pop(JWKS_URL)
    source = remote(origin, clock, observer=recorder)
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            obtain(source)
        clock.advance(60)
    origin.answers[JWKS_URL] = good
    obtain(source)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert recorder.names == ["keys.failed"] * 3 + ["keys.fetched"]
    assert recorder.events[-1][1] == {"url": JWKS_URL, "keys": 1, "seconds": 0.0}


def test_skipped_keys_are_logged_once_per_set(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    origin = Origin({JWKS_URL: answer({"keys": [jwk("k1"), {"kty": "??", "kid": "odd"}]})})
    source = warm(origin, clock)
    run(source.refresh(WAITS))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "odd" in caplog.text


def test_an_observer_that_raises_costs_nothing(origin: Origin, clock: HandClock) -> None:
    class Broken:
        def event(self, name: str, fields: Any) -> None:
            raise RuntimeError("metrics are down")

    assert obtain(remote(origin, clock, observer=Broken()))[0].kid == "k1"


def test_describe(origin: Origin, clock: HandClock) -> None:
    source = remote(origin, clock)
    assert source.describe() == f"no keys yet of {JWKS_URL}"
    obtain(source)
    clock.advance(12)
    assert source.describe() == f"1 key of {JWKS_URL}, fetched 12 s ago"
    origin.answers.clear()
    with pytest.raises(KeysUnavailable):
        run(source.refresh(WAITS))
    assert source.describe().endswith("last fetch failed: https://id.example/jwks: nobody answers")


# Static keys


def test_static_keys_never_change_and_never_fetch() -> None:
    keys = parse_jwks({"keys": [jwk("k1"), jwk("k2")]})
    source = StaticKeys(keys)
    (key,) = obtain(source)
    assert source.ready("k1", "ES256", 1e12) == (key,)
    assert source.ready("nope", "ES256", 0.0) is None
    assert source.still_good(key, 1e12)
    assert source.snapshot is not None
    assert source.snapshot.calm_until == float("inf")
    run(source.warm_up(WAITS))
    assert source.describe() == "2 keys, configured"
    with pytest.raises(KeyNotFound, match="the configured set"):
        obtain(source, "nope")


def test_an_empty_static_set_refuses_every_token() -> None:
    source = StaticKeys(KeySet(()))
    for kid in ("k1", None):
        with pytest.raises(KeyNotFound):
            obtain(source, kid)


def test_skipped_keys_are_named_in_the_hint() -> None:
    keys = parse_jwks({"keys": [jwk("k1"), {"kty": "??", "kid": "odd"}]})
    with pytest.raises(KeyNotFound, match=r"could not be used: .*odd"):
        obtain(StaticKeys(keys), "odd")
