"""The same question asked by many tasks at once is asked once, by one of them, on its own event loop.

For work of the team that only its loop can do: `SingleFlight` gives work to a private thread, where a client that
belongs to a loop is of no use. Here the first task does the work itself and the others wait for it. If it is cancelled,
or its loop ends, one of the others asks next; an answer or an error is everybody's. A thread that blocks asks for
itself and waits for no task, which may be one of the loop that it holds up. Nothing is remembered here.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar, final

from bearerkit.ports import Waits
from bearerkit.verify.forks import survives_fork

__all__ = ["Relay"]

T = TypeVar("T")


@final
class Relay(Generic[T]):
    """Questions that are being asked now, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[Hashable, Future[tuple[T] | None]] = {}
        survives_fork(self)

    async def ask(self, key: Hashable, work: Callable[[], Awaitable[T]], waits: Waits) -> T:
        """The result of `work`, or of the same work that another task is at. Raises what it raised."""
        if waits.inline:
            return await work()
        while True:
            with self._lock:
                asked = self._asked.get(key)
                mine: Future[tuple[T] | None] | None = None
                if asked is None:
                    mine = self._asked[key] = Future()
            if mine is not None:
                return await self._lead(key, mine, work)
            if asked is not None:
                answer = await waits.wait(asked)
                if answer is not None:
                    return answer[0]

    async def _lead(self, key: Hashable, mine: Future[tuple[T] | None], work: Callable[[], Awaitable[T]]) -> T:
        answer: tuple[T] | None = None
        failure: Exception | None = None
        try:
            answer = (await work(),)
            return answer[0]
        except Exception as error:
            failure = error
            raise
        finally:  # also when cancelled: then there is neither, and the others ask again
            with self._lock:
                if self._asked.get(key) is mine:
                    del self._asked[key]
            if failure is None:
                mine.set_result(answer)
            else:
                mine.set_exception(failure)

    def after_fork(self) -> None:
        """The loops of the parent do not run in the child."""
        self._lock = threading.Lock()
        self._asked = {}

    def __len__(self) -> int:
        return len(self._asked)
