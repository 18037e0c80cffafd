"""One task asks for all, on its own loop, and nobody is left waiting for one that is gone."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from bearerkit._drive import run
from bearerkit.system import AsyncWaits, BlockingWaits
from bearerkit.verify.shared_call import SharedCall

pytestmark = pytest.mark.anyio


class Work:
    """Counts, and ends when it is let go, on the loop of whoever awaits it."""

    def __init__(self, outcome: Any = "done") -> None:
        self.outcome, self.calls, self.go = outcome, 0, anyio.Event()

    async def __call__(self) -> Any:
        self.calls += 1
        await self.go.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def until(what: Any) -> None:
    with anyio.fail_after(5):
        while not what():
            await anyio.sleep(0.001)


async def test_tasks_share_one_call() -> None:
    """200 of them; another key is another question."""
    call, work, other, got = SharedCall[str](), Work(), Work("other"), []

    async def ask(key: str, of: Work) -> None:
        got.append(await call.ask(key, of, AsyncWaits()))

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(ask, "k", work)
        tasks.start_soon(ask, "other", other)
        await until(lambda: work.calls and other.calls)
        await anyio.sleep(0.01)
        work.go.set()
        other.go.set()
    assert sorted(got) == ["done"] * 200 + ["other"]
    assert (work.calls, other.calls, len(call)) == (1, 1, 0)


async def test_when_the_first_is_cancelled_the_next_asks() -> None:
    """And the rest go on waiting for that one."""
    call, work, got = SharedCall[str](), Work(), []
    first = anyio.CancelScope()

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            got.append(await call.ask("k", work, AsyncWaits()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, first)
        await until(lambda: work.calls == 1)
        for _ in range(10):
            tasks.start_soon(ask, anyio.CancelScope())
        await anyio.sleep(0.01)
        first.cancel()
        await until(lambda: work.calls == 2)
        work.go.set()
    assert got == ["done"] * 10
    assert (work.calls, len(call)) == (2, 0)


async def test_a_waiter_that_is_cancelled_disturbs_nobody() -> None:
    """Neither the one that asks nor the others."""
    call, work, got = SharedCall[str](), Work(), []
    waiter = anyio.CancelScope()

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            got.append(await call.ask("k", work, AsyncWaits()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, anyio.CancelScope())
        await until(lambda: work.calls == 1)
        tasks.start_soon(ask, waiter)
        tasks.start_soon(ask, anyio.CancelScope())
        await anyio.sleep(0.01)
        waiter.cancel()
        work.go.set()
    assert got == ["done", "done"]
    assert work.calls == 1


async def test_an_error_is_everybodys_and_is_not_kept() -> None:
    """The next caller asks anew."""
    call, work, failed = SharedCall[str](), Work(OSError("down")), []

    async def ask() -> None:
        with pytest.raises(OSError, match="down"):
            await call.ask("k", work, AsyncWaits())
        failed.append(1)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
        await until(lambda: work.calls)
        await anyio.sleep(0.01)
        work.go.set()
    assert (len(failed), work.calls) == (5, 1)
    work.outcome = "up"
    assert await call.ask("k", work, AsyncWaits()) == "up"


async def test_a_thread_that_blocks_waits_for_no_task() -> None:
    """It may hold up the very loop of that task."""
    call, work, got = SharedCall[str](), Work(), []

    async def mine() -> str:
        return "mine"

    async def ask() -> None:
        got.append(await call.ask("k", work, AsyncWaits()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: work.calls)
        assert run(call.ask("k", mine, BlockingWaits())) == "mine"
        work.go.set()
    assert got == ["done"]


async def test_a_child_process_waits_for_nobody_of_the_parent() -> None:
    """The questions of the parent's loops are not answered there."""
    call, work = SharedCall[str](), Work()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call.ask, "k", work, AsyncWaits())
        await until(lambda: work.calls)
        call.after_fork()
        assert len(call) == 0
        tasks.cancel_scope.cancel()
