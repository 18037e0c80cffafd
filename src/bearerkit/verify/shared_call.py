"""The same question asked by many callers at once is asked once, of a port that may wait on an event loop.

`SingleFlight` is for blocking ports. Here the first caller asks in a task of its own; if that is cancelled, one of the
others asks again. Threads wait for threads only: a thread that blocks its loop would wait forever for a task of it.
Nothing is remembered here.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from inspect import iscoroutinefunction
from typing import Any, Generic, TypeVar, final

from bearerkit._drive import port
from bearerkit.ports import Waits
from bearerkit.verify.forks import survives_fork

__all__ = ["SharedCall", "must_be_awaited"]

T = TypeVar("T")


def must_be_awaited(function: Callable[..., Any]) -> bool:
    """True for an `async def`, and for an object whose `__call__` is one: such a port is asked on its caller's loop."""
    call = getattr(function, "__call__", None)  # noqa: B004 - not whether it can be called, but how
    return iscoroutinefunction(function) or iscoroutinefunction(call)


class _BrokenOff(Exception):
    """Whoever asked was cancelled."""


@final
class SharedCall(Generic[T]):
    """Questions that are being asked now, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[Hashable, Future[T]] = {}
        survives_fork(self)

    async def ask(self, key: Hashable, work: Callable[[], Awaitable[T]], waits: Waits) -> T:
        """The result of `work`, or of the same work that is on its way already. Raises what it raised."""
        own = (waits.inline, key)
        while True:
            with self._lock:
                future = self._asked.get(own)
                leads = future is None
                if future is None:
                    future = self._asked[own] = Future()
            if leads:
                return await self._lead(own, future, work)
            try:
                return await port("waits.wait", waits.wait(future))
            except _BrokenOff:
                continue

    async def _lead(self, own: Hashable, future: Future[T], work: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await work()
        except Exception as error:
            self._land(own, future)
            future.set_exception(error)
            raise
        except BaseException:  # a cancellation, which is this caller's alone
            self._land(own, future)
            future.set_exception(_BrokenOff())
            raise
        self._land(own, future)
        future.set_result(result)
        return result

    def _land(self, own: Hashable, future: Future[T]) -> None:
        with self._lock:
            if self._asked.get(own) is future:
                del self._asked[own]

    def after_fork(self) -> None:
        """The tasks and threads of the parent do not exist in the child."""
        self._lock = threading.Lock()
        self._asked = {}

    def __len__(self) -> int:
        return len(self._asked)
