"""The default ports of `bearerkit.system`: waiting on loops and threads, clocks, threads, entropy."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from typing import Any

import anyio
import pytest

from bearerkit._drive import PortNeedsLoop, port, run
from bearerkit.system import AsyncWaits, BlockingWaits, DaemonThreads, SilentObserver, SystemClock, SystemEntropy
from key_doubles import PATIENCE


def test_blocking_waits_return_and_raise() -> None:
    done: Future[int] = Future()
    done.set_result(1)
    assert run(BlockingWaits().wait(done)) == 1
    failed: Future[int] = Future()
    failed.set_exception(ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        run(BlockingWaits().wait(failed))
    assert BlockingWaits.inline
    assert not AsyncWaits.inline


@pytest.mark.anyio
async def test_a_finished_future_is_no_wait() -> None:
    done: Future[int] = Future()
    done.set_result(7)
    assert await AsyncWaits().wait(done) == 7


@pytest.mark.anyio
async def test_waiting_does_not_block_the_loop() -> None:
    """The future is resolved by a task of the very loop that waits for it."""
    future: Future[str] = Future()
    seen: list[str] = []

    async def wait() -> None:
        seen.append(await AsyncWaits().wait(future))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        future.set_result("done")
    assert seen == ["done"]


@pytest.mark.anyio
async def test_a_thread_wakes_the_loop_and_its_exception_arrives() -> None:
    future: Future[None] = Future()
    asked = threading.Event()

    def resolve() -> None:
        asked.wait(PATIENCE)
        future.set_exception(ValueError("from the thread"))

    thread = threading.Thread(target=resolve)
    thread.start()

    async def wait() -> None:
        with pytest.raises(ValueError, match="from the thread"):
            await AsyncWaits().wait(future)

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            asked.set()
    thread.join(PATIENCE)


@pytest.mark.anyio
async def test_a_cancelled_wait_leaves_the_future_alone() -> None:
    future: Future[int] = Future()
    with anyio.move_on_after(0.01) as scope:
        await AsyncWaits().wait(future)
    assert scope.cancelled_caught
    assert not future.cancelled()
    future.set_result(1)
    assert await AsyncWaits().wait(future) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_that_died_hurts_nobody_else(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its waiter is still registered; resolving the future must reach the others and log nothing."""
    future: Future[int] = Future()

    async def wait_in_vain() -> None:
        with anyio.move_on_after(0.01):
            await AsyncWaits().wait(future)

    anyio.run(wait_in_vain, backend=backend)
    reached: list[int] = []
    future.add_done_callback(lambda done: reached.append(done.result()))
    future.set_result(3)
    assert reached == [3]
    assert caplog.records == []


@pytest.mark.anyio
async def test_waking_never_blocks_the_resolving_thread() -> None:
    """The loop is busy (blocked) while the thread resolves the future: the thread gets away at once."""
    future: Future[int] = Future()
    resolved = threading.Event()
    results: list[int] = []

    async def wait() -> None:
        results.append(await AsyncWaits().wait(future))

    def resolve() -> None:
        future.set_result(5)
        resolved.set()

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        thread = threading.Thread(target=resolve)
        thread.start()
        assert resolved.wait(PATIENCE)
        thread.join(PATIENCE)
    assert results == [5]


def test_async_waits_in_sync_code_are_named() -> None:
    async def procedure() -> Any:
        return await port("waits.wait", AsyncWaits().wait(Future()))

    with pytest.raises(PortNeedsLoop, match=r"waits\.wait"):
        run(procedure())


def test_a_plain_asyncio_loop_needs_no_anyio_entry_point() -> None:
    """Users run uvicorn or asyncio.run, never anyio.run."""
    future: Future[int] = Future()

    async def main() -> int:
        waiting = asyncio.ensure_future(AsyncWaits().wait(future))
        await asyncio.sleep(0)
        future.set_result(9)
        return await waiting

    assert asyncio.run(main()) == 9


def test_daemon_threads_run_work_and_do_not_keep_the_process() -> None:
    seen: Future[threading.Thread] = Future()
    assert DaemonThreads().start(lambda: seen.set_result(threading.current_thread()))
    assert seen.result(PATIENCE).daemon
    assert seen.result() is not threading.current_thread()


def test_no_thread_to_be_had_is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert DaemonThreads().start(lambda: None) is False


def test_clock_and_entropy() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 60
    assert clock.monotonic() <= time.monotonic()
    values = {SystemEntropy().jitter() for _ in range(100)}
    assert len(values) > 90
    assert all(0 <= value < 1 for value in values)


def test_tokens_of_the_system_are_long_and_differ() -> None:
    found = {SystemEntropy().token(16) for _ in range(100)}
    assert len(found) == 100
    assert all(len(text) == 22 and text.isascii() for text in found)


def test_the_silent_observer_takes_no_notice() -> None:
    SilentObserver().event("keys.fetched", {})
