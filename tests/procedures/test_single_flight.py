"""One question of many callers is asked once, and nobody waits forever or for himself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from bearerkit._drive import run
from bearerkit.errors import Unavailable
from bearerkit.system import AsyncWaits, BlockingWaits, DaemonThreads
from bearerkit.verify import single_flight
from bearerkit.verify.single_flight import SingleFlight


class NoThreads:
    """A machine without a thread to spare."""

    def start(self, work: Any) -> bool:
        return False


class Work:
    """Counts, and ends when it is let go."""

    def __init__(self, outcome: Any = "done") -> None:
        self.outcome, self.calls, self.began, self.go = outcome, 0, threading.Event(), threading.Event()

    async def __call__(self) -> Any:
        self.calls += 1
        self.began.set()
        assert self.go.wait(10)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def test_threads_share_one_call() -> None:
    """200 of them."""
    flights, work = SingleFlight[str](DaemonThreads()), Work()
    with ThreadPoolExecutor(200) as pool:
        asked = [pool.submit(lambda: run(flights.ask("k", work, BlockingWaits()))) for _ in range(200)]
        assert work.began.wait(10)
        while len(flights) != 1:  # pragma: no cover
            pass
        threading.Timer(0.2, work.go.set).start()
        assert {future.result(10) for future in asked} == {"done"}
    assert work.calls <= 2  # whoever comes after the first has landed asks anew
    assert len(flights) == 0


@pytest.mark.anyio
async def test_tasks_share_one_call_and_the_first_may_be_cancelled() -> None:
    """The work belongs to none of them."""
    flights, work, got = SingleFlight[str](DaemonThreads()), Work(), []

    async def ask() -> None:
        got.append(await flights.ask("k", work, AsyncWaits()))

    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def first() -> None:
            with scope:
                await ask()

        tasks.start_soon(first)
        while not work.began.is_set():
            await anyio.sleep(0.001)
        for _ in range(199):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        work.go.set()
    assert got == ["done"] * 199
    assert work.calls == 1
    assert len(flights) == 0


@pytest.mark.anyio
async def test_a_sync_caller_on_the_loop_waits_for_no_task_of_it() -> None:
    """The leader is a task, the work a thread: blocking the loop meanwhile strands nobody."""
    flights, work = SingleFlight[str](DaemonThreads()), Work()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(flights.ask, "k", work, AsyncWaits())
        while not work.began.is_set():
            await anyio.sleep(0.001)
        threading.Timer(0.1, work.go.set).start()
        assert run(flights.ask("k", work, BlockingWaits())) == "done"
    assert work.calls == 1


@pytest.mark.parametrize("threads", [DaemonThreads(), NoThreads()])
@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_reaches_everybody_and_is_not_kept(threads: Any, error: BaseException) -> None:
    """The next one asks anew."""
    flights, failing, good = SingleFlight[str](threads), Work(error), Work()
    failing.go.set(), good.go.set()
    with pytest.raises(type(error)):
        run(flights.ask("k", failing, BlockingWaits()))
    assert run(flights.ask("k", good, BlockingWaits())) == "done"


@pytest.mark.anyio
async def test_without_threads_the_leader_works_inline() -> None:
    """Slower, never wrong."""
    flights, work = SingleFlight[str](NoThreads()), Work()
    work.go.set()
    assert await flights.ask("k", work, AsyncWaits()) == "done"


def test_other_keys_are_other_questions() -> None:
    """And a forked child begins with none."""
    flights, one, two = SingleFlight[str](DaemonThreads()), Work("1"), Work("2")
    one.go.set(), two.go.set()
    assert [run(flights.ask(key, work, BlockingWaits())) for key, work in (("a", one), ("b", two))] == ["1", "2"]
    flights.after_fork()
    assert len(flights) == 0


@pytest.mark.anyio
async def test_a_flood_of_questions_is_no_flood_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes too much is told so at once; who asks what is on its way already still joins."""
    monkeypatch.setattr(single_flight, "FLIGHTS_MAX", 3)
    flights, work, got = SingleFlight[str](DaemonThreads()), Work(), []

    async def ask(key: int) -> None:
        try:
            got.append(await flights.ask(key, work, AsyncWaits()))
        except Unavailable as refused:
            got.append(refused.status)

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(ask, number)
        while work.calls < 3:
            await anyio.sleep(0.001)
        for key in (7, 8, 0):
            tasks.start_soon(ask, key)
        await anyio.wait_all_tasks_blocked()
        assert got == [503, 503]
        work.go.set()
    assert sorted(map(str, got)) == ["503", "503", *["done"] * 4]
    assert await flights.ask("next", work, AsyncWaits()) == "done"
