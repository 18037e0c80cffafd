"""The default ports of a running process: its clocks, its randomness, its threads, and how it waits.

Thin adapters that decide nothing. asyncio, trio and anyio are imported only by who waits on an event loop.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar, final

__all__ = [
    "AsyncWaits",
    "BlockingWaits",
    "DaemonThreads",
    "SilentObserver",
    "SystemClock",
    "SystemEntropy",
    "random_bytes",
]

T = TypeVar("T")


@final
class SystemClock:
    """The clocks of the operating system."""

    # The functions themselves: four readings per request need no frame of ours around them.
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


@final
class SystemEntropy:
    """The randomness of the operating system, which a fork does not duplicate."""

    def jitter(self) -> float:
        """A float in [0, 1)."""
        return secrets.randbits(53) / (1 << 53)

    def token(self, nbytes: int) -> str:
        """`nbytes` random bytes as base64url text."""
        return secrets.token_urlsafe(nbytes)


def random_bytes(count: int) -> bytes:
    """Bytes for secrets, from the operating system."""
    return secrets.token_bytes(count)


@final
class DaemonThreads:
    """One short-lived daemon thread per piece of work: it never keeps a process from ending."""

    def start(self, work: Callable[[], None]) -> bool:
        """Run `work` on a thread; False when there is none to be had (a limit, or the interpreter is ending)."""
        try:
            threading.Thread(target=work, name="bearerkit", daemon=True).start()
        except RuntimeError:
            return False
        return True


@final
class BlockingWaits:
    """How a thread waits: it blocks."""

    inline = True

    async def wait(self, future: Future[T]) -> T:
        """The result of `future`; never suspends."""
        return future.result()


@final
class AsyncWaits:
    """How a task waits, on asyncio or trio, without blocking its loop."""

    inline = False

    async def wait(self, future: Future[T]) -> T:
        """The result of `future`. A task that is cancelled here leaves `future` and everybody else alone."""
        if not future.done():
            import anyio
            from anyio.lowlevel import current_token

            event, loop = anyio.Event(), current_token().native_token
            # asyncio's loop or trio's token: both queue a call from any thread and return at once.
            post: Callable[[Callable[[], object]], object]
            post = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon  # type: ignore[attr-defined]

            def wake(_: Future[T]) -> None:
                # The loop may have ended while its task waited; that is nobody else's business.
                with suppress(RuntimeError):
                    post(event.set)

            future.add_done_callback(wake)
            await event.wait()
        return future.result()


@final
class SilentObserver:
    """Takes no notice."""

    def event(self, name: str, fields: Mapping[str, Any]) -> None:
        """Nothing happens."""
