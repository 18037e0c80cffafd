"""Many callers at once on one `RemoteKeys`: threads, asyncio tasks, trio tasks, and a mix of all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from bearerkit._drive import run
from bearerkit.errors import KeyNotFound, KeysUnavailable
from bearerkit.http import FetchFailed
from bearerkit.system import AsyncWaits, BlockingWaits
from bearerkit.verify.keys import RemoteKeys
from key_doubles import JWKS_URL, PATIENCE, HandClock, LaterThreads, NoThreads, Origin, jwks, remote

CALLERS = 200
Outcome = Any


class Crowd:
    """Callers of one source. They are counted in before the held fetch is released, so they truly overlap."""

    def __init__(self, source: RemoteKeys, kid: Callable[[int], str] = lambda number: "k1") -> None:
        self.source = source
        self.kid = kid
        self.outcomes: list[Outcome] = []
        self.arrived = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def record(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def call(self, number: int) -> None:
        self.arrived.release()
        try:
            self.record(run(self.source.obtain(self.kid(number), "ES256", BlockingWaits())))
        except (KeyNotFound, KeysUnavailable) as error:
            self.record(type(error))

    async def acall(self, number: int) -> None:
        self.arrived.release()
        try:
            self.record(await self.source.obtain(self.kid(number), "ES256", AsyncWaits()))
        except (KeyNotFound, KeysUnavailable) as error:
            self.record(type(error))

    def threads(self, first: int, last: int) -> None:
        for number in range(first, last):
            self._start(self.call, number)

    def tasks(self, first: int, last: int, backend: str) -> None:
        async def main() -> None:
            async with anyio.create_task_group() as group:
                for number in range(first, last):
                    group.start_soon(self.acall, number)

        self._start(lambda: anyio.run(main, backend=backend))

    def _start(self, work: Callable[..., Any], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait_for_arrivals(self, number: int) -> None:
        for _ in range(number):
            assert self.arrived.acquire(timeout=PATIENCE)

    def finish(self) -> list[Outcome]:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a caller was stranded"
        return self.outcomes


def gather(crowd: Crowd, mix: str, callers: int = CALLERS) -> None:
    match mix:
        case "threads":
            crowd.threads(0, callers)
        case "asyncio" | "trio":
            crowd.tasks(0, callers, mix)
        case _:
            third = callers // 3
            crowd.threads(0, third)
            crowd.tasks(third, 2 * third, "asyncio")
            crowd.tasks(2 * third, callers, "trio")


MIXES = pytest.mark.parametrize("mix", ["threads", "asyncio", "trio", "mix"])


@pytest.fixture
def origin() -> Origin:
    return Origin({JWKS_URL: jwks("k1")})


@MIXES
def test_cold_callers_cause_one_fetch(mix: str, origin: Origin) -> None:
    source = remote(origin)
    origin.hold()
    crowd = Crowd(source)
    gather(crowd, mix)
    origin.wait_until_asked()
    crowd.wait_for_arrivals(CALLERS)
    origin.release()
    outcomes = crowd.finish()
    assert len(outcomes) == CALLERS
    assert {keys[0].kid for keys in outcomes} == {"k1"}
    assert origin.count == 1


@MIXES
def test_callers_past_fresh_cause_one_fetch(mix: str, origin: Origin) -> None:
    clock = HandClock()
    source = remote(origin, clock)
    run(source.warm_up(BlockingWaits()))
    clock.advance(600)
    crowd = Crowd(source)
    gather(crowd, mix)
    assert len(crowd.finish()) == CALLERS
    assert origin.count == 2


@MIXES
def test_a_freshly_rotated_kid_costs_one_fetch_and_everybody_passes(mix: str, origin: Origin) -> None:
    """Those who come while the fetch for that kid is in the air wait for it, cooldown or not."""
    source = remote(origin)
    run(source.warm_up(BlockingWaits()))
    origin.started.acquire()
    origin.answers[JWKS_URL] = jwks("k1", "k2")
    origin.hold()
    crowd = Crowd(source, lambda number: "k2")
    gather(crowd, mix)
    origin.wait_until_asked()
    crowd.wait_for_arrivals(CALLERS)
    origin.release()
    outcomes = crowd.finish()
    assert {keys[0].kid for keys in outcomes} == {"k2"}
    assert origin.count == 2


@MIXES
def test_a_thousand_random_kids_on_a_warm_set_cost_one_fetch(mix: str, origin: Origin) -> None:
    source = remote(origin)
    run(source.warm_up(BlockingWaits()))
    crowd = Crowd(source, lambda number: f"random-{number}")
    gather(crowd, mix, 1_000)
    assert crowd.finish() == [KeyNotFound] * 1_000
    assert origin.count <= 2


@MIXES
def test_cold_and_down_is_one_fetch_and_503_for_everybody(mix: str) -> None:
    origin = Origin()
    source = remote(origin)
    origin.hold()
    crowd = Crowd(source)
    gather(crowd, mix, 40)
    origin.wait_until_asked()
    crowd.wait_for_arrivals(40)
    origin.release()
    assert crowd.finish() == [KeysUnavailable] * 40
    late = Crowd(source)
    for number in range(40):
        late.call(number)
    assert late.outcomes == [KeysUnavailable] * 40
    assert origin.count == 1


@MIXES
def test_an_outage_while_the_set_is_fresh_is_no_503_for_random_kids(mix: str, origin: Origin) -> None:
    source = remote(origin)
    run(source.warm_up(BlockingWaits()))
    origin.answers[JWKS_URL] = FetchFailed("down")
    crowd = Crowd(source, lambda number: f"random-{number}")
    gather(crowd, mix)
    assert crowd.finish() == [KeyNotFound] * CALLERS
    assert origin.count <= 2


def test_known_callers_never_wait_for_a_fetch_for_an_unknown_kid(origin: Origin) -> None:
    clock = HandClock()
    source = remote(origin, clock)
    run(source.warm_up(BlockingWaits()))
    origin.started.acquire()
    origin.hold()
    stranger = Crowd(source, lambda number: "unknown")
    stranger.threads(0, 1)
    origin.wait_until_asked()
    for _ in range(50):
        assert source.ready("k1", "ES256", clock.monotonic()) is not None
        assert run(source.obtain("k1", "ES256", BlockingWaits()))
    assert stranger.outcomes == []
    origin.release()
    assert stranger.finish() == [KeyNotFound]


def test_known_callers_never_wait_for_a_refresh_ahead(origin: Origin) -> None:
    clock = HandClock()
    source = remote(origin, clock)
    run(source.warm_up(BlockingWaits()))
    origin.started.acquire()
    origin.hold()
    clock.advance(480)
    for _ in range(50):
        assert source.ready("k1", "ES256", clock.monotonic()) is not None
    origin.wait_until_asked()
    assert source.ready("k1", "ES256", clock.monotonic()) is not None
    flight = source._flight
    assert flight is not None
    origin.release()
    flight.future.result(PATIENCE)
    assert origin.count == 2


@pytest.mark.anyio
async def test_a_cancelled_leader_strands_nobody(origin: Origin) -> None:
    """The fetch is nobody's task, so cancelling who asked first neither stops nor repeats it."""
    source = remote(origin)
    origin.hold()
    crowd = Crowd(source)
    leader = anyio.CancelScope()

    async def lead() -> None:
        with leader:
            await crowd.acall(0)

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(lead)
            while source._flight is None:
                await anyio.lowlevel.checkpoint()
            for number in range(1, 50):
                group.start_soon(crowd.acall, number)
            await anyio.wait_all_tasks_blocked()
            leader.cancel()
            await anyio.wait_all_tasks_blocked()
            origin.release()
    assert leader.cancelled_caught
    assert len(crowd.outcomes) == 49
    assert origin.count == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_follower_whose_loop_died_does_not_hurt_the_others(backend: str, origin: Origin) -> None:
    source = remote(origin)
    origin.hold()

    async def give_up() -> None:
        with anyio.move_on_after(0.02):
            await source.obtain("k1", "ES256", AsyncWaits())

    anyio.run(give_up, backend=backend)
    crowd = Crowd(source)
    gather(crowd, "mix", 30)
    crowd.wait_for_arrivals(30)
    origin.release()
    assert len(crowd.finish()) == 30
    assert origin.count == 1


def test_a_keyboard_interrupt_in_an_inline_leader_lets_a_follower_lead(origin: Origin) -> None:
    good = origin.answers[JWKS_URL]
    origin.answers[JWKS_URL] = KeyboardInterrupt()
    source = remote(origin)
    origin.hold()
    interrupted: list[bool] = []

    def lead() -> None:
        try:
            run(source.obtain("k1", "ES256", BlockingWaits()))
        except KeyboardInterrupt:
            interrupted.append(True)

    leader = threading.Thread(target=lead)
    leader.start()
    origin.wait_until_asked()
    crowd = Crowd(source)
    gather(crowd, "mix", 30)
    crowd.wait_for_arrivals(30)
    origin.answers[JWKS_URL] = good
    origin.release()
    leader.join(PATIENCE)
    outcomes = crowd.finish()
    assert interrupted == [True]
    assert len(outcomes) == 30
    assert {keys[0].kid for keys in outcomes} == {"k1"}
    assert origin.count == 2


@pytest.mark.anyio
async def test_without_threads_an_async_leader_fetches_inline(origin: Origin) -> None:
    source = remote(origin, threads=NoThreads())
    assert await source.obtain("k1", "ES256", AsyncWaits())
    assert origin.count == 1


@pytest.mark.anyio
async def test_an_async_leader_never_fetches_on_the_loop(origin: Origin) -> None:
    """The work is handed to the threads port; the caller waits for its result only."""
    threads = LaterThreads()
    source = remote(origin, threads=threads)
    crowd = Crowd(source)
    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(crowd.acall, number)
        await anyio.wait_all_tasks_blocked()
        assert (origin.count, len(threads.work)) == (0, 1)
        threads.run_all()
    assert len(crowd.outcomes) == 5


@pytest.mark.anyio
async def test_a_sync_caller_on_the_leaders_loop_does_not_deadlock(origin: Origin) -> None:
    """The async leader's fetch runs on a thread, so a blocking caller on the same loop is served."""
    source = remote(origin)
    crowd = Crowd(source)
    async with anyio.create_task_group() as group:
        group.start_soon(crowd.acall, 0)
        while source._flight is None and source.snapshot is None:
            await anyio.lowlevel.checkpoint()
        crowd.call(1)
    assert len(crowd.outcomes) == 2
    assert origin.count == 1
