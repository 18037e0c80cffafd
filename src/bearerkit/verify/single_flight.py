"""The same question asked by many callers at once is asked of the world once.

An answer belongs to no caller. A sync leader works inline; for async callers the work runs on a private daemon thread,
so that a request that is cancelled strands nobody, and a thread that blocks its loop waits for no task of that loop.
Only so many questions are on their way at once: a flood of invented credentials must not become a flood of threads.
Nothing is remembered here: whoever wants to keep an answer does so in the work itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Future
from typing import Any, Final, Generic, TypeVar, final

from bearerkit._drive import run
from bearerkit.errors import Unavailable
from bearerkit.ports import Threads, Waits
from bearerkit.verify.forks import survives_fork

__all__ = ["SingleFlight"]

FLIGHTS_MAX: Final = 100
"""Questions that are asked for async callers at the same time; whoever brings one more is told to come back."""

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]


@final
class SingleFlight(Generic[T]):
    """Questions that are being asked now, by key."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Future[T]] = {}
        survives_fork(self)

    async def ask(self, key: Hashable, work: Work[T], waits: Waits) -> T:
        """The result of `work`, or of the same work that is on its way already. Raises what it raised, or Unavailable.

        `work` is a procedure over blocking ports.
        """
        with self._lock:
            future = self._flights.get(key)
            leads = future is None
            if leads and not waits.inline and len(self._flights) >= FLIGHTS_MAX:
                raise Unavailable(f"{FLIGHTS_MAX} questions about credentials are on their way already")
            if future is None:
                future = self._flights[key] = Future()
        if leads and (waits.inline or not self._threads.start(lambda: self._fly(key, work, future))):
            self._fly(key, work, future)
        return await waits.wait(future)

    def _fly(self, key: Hashable, work: Work[T], future: Future[T]) -> None:
        result: T
        try:
            result = run(work())
        except BaseException as error:  # also KeyboardInterrupt: nobody may wait forever
            self._land(key, future)
            future.set_exception(error)
        else:
            self._land(key, future)
            future.set_result(result)

    def _land(self, key: Hashable, future: Future[T]) -> None:
        with self._lock:
            if self._flights.get(key) is future:
                del self._flights[key]

    def after_fork(self) -> None:
        """The threads of the parent do not exist in the child."""
        self._lock = threading.Lock()
        self._flights = {}

    def __len__(self) -> int:
        return len(self._flights)
