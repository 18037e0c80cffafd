"""`run` and `port`: the only place where sync and async code differ."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest

from bearerkit._drive import PortNeedsLoop, needs_loop, port, run


async def blocking(value: int) -> int:
    return value


async def fails() -> int:
    raise LookupError("from the port")


class Suspends:
    """An awaitable that truly suspends."""

    def __await__(self) -> Any:
        yield "suspended"
        return 1


async def suspends() -> int:
    value: int = await Suspends()
    return value


def test_run_returns_what_the_coroutine_returns() -> None:
    async def procedure() -> int:
        return await port("a", blocking(1)) + await port("b", blocking(2))

    assert run(procedure()) == 3


def test_run_raises_what_the_coroutine_raises() -> None:
    async def procedure() -> int:
        return await port("a", fails())

    with pytest.raises(LookupError, match="from the port"):
        run(procedure())


def test_a_port_that_suspends_is_named_and_the_coroutine_closed() -> None:
    closed: list[bool] = []

    async def procedure() -> int:
        try:
            return await port("store.get", suspends())
        finally:
            closed.append(True)

    with pytest.raises(PortNeedsLoop, match=r"the port 'store\.get' needs an event loop") as caught:
        run(procedure())
    assert closed == [True]
    assert isinstance(caught.value, TypeError)


def test_suspending_outside_of_a_port_is_named_as_unnamed() -> None:
    with pytest.raises(PortNeedsLoop, match="unnamed"):
        run(suspends())


@pytest.mark.parametrize("call", [lambda: asyncio.sleep(0.01), lambda: anyio.sleep(0), lambda: trio_sleep()])
def test_the_libraries_complaint_about_a_missing_loop_becomes_the_ports_name(call: Any) -> None:
    async def procedure() -> None:
        await port("http.fetch", call())

    with pytest.raises(PortNeedsLoop, match=r"http\.fetch"):
        run(procedure())


async def trio_sleep() -> None:
    import trio

    await trio.sleep(0.01)


def test_another_runtime_error_of_a_port_stays_what_it_is() -> None:
    async def broken() -> None:
        raise RuntimeError("the disk is full")

    async def procedure() -> None:
        await port("store.put", broken())

    with pytest.raises(RuntimeError, match="the disk is full"):
        run(procedure())


def test_after_a_ports_error_its_name_is_gone() -> None:
    """A procedure that catches the error and then suspends elsewhere must not blame that port."""

    async def procedure() -> int:
        with suppress(LookupError):
            await port("first", fails())
        return await suspends()

    with pytest.raises(PortNeedsLoop) as caught:
        run(procedure())
    assert "first" not in str(caught.value)


def test_nested_ports_and_runs_restore_the_outer_name() -> None:
    async def inner() -> int:
        return await port("inner", blocking(1))

    async def nested() -> int:
        value = run(inner())
        await port("inner too", blocking(value))
        return await suspends()

    async def procedure() -> int:
        return await port("outer", nested())

    with pytest.raises(PortNeedsLoop, match="outer"):
        run(procedure())


def test_a_coroutine_that_will_not_close_still_names_the_port() -> None:
    async def stubborn() -> int:
        try:
            return await port("store.get", suspends())
        finally:
            await Suspends()

    with pytest.raises(PortNeedsLoop, match=r"store\.get"):
        run(stubborn())


@pytest.mark.anyio
async def test_under_a_loop_a_port_is_just_awaited() -> None:
    async def waits() -> int:
        await anyio.lowlevel.checkpoint()
        return 5

    assert await port("a", waits()) == 5


@pytest.mark.anyio
async def test_run_inside_a_loop_leaves_the_loops_ports_alone() -> None:
    async def procedure() -> int:
        return await port("a", blocking(1))

    assert run(procedure()) == 1
    await port("b", anyio.lowlevel.checkpoint())


def test_run_takes_any_coroutine() -> None:
    def make() -> Coroutine[Any, Any, int]:
        return blocking(4)

    assert run(make()) == 4


def test_a_port_that_needs_a_loop_can_say_so_before_it_takes_anything() -> None:
    """By name in sync code, and not at all under a loop."""
    import asyncio

    async def taking() -> str:
        needs_loop()
        return "taken"

    with pytest.raises(PortNeedsLoop, match="database"):
        run(port("database", taking()))
    assert asyncio.run(taking()) == "taken"
