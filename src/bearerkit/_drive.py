"""Run a core coroutine from sync code.

Procedures are `async def` over ports. Under an event loop they are awaited; from sync code `run` steps the very
same coroutine once over blocking ports, which never suspend, so that it returns at that first step. This module
is the only place where the two worlds differ: no rule, no I/O, no knowledge of any particular port belongs here.

Every port call goes through `port(name, …)`, a frame that carries the port's name: an async port that was wired
where a blocking one belongs then fails with a TypeError that names it, instead of a bare "no running event loop".
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

__all__ = ["PortNeedsLoop", "needs_loop", "port", "run"]

T = TypeVar("T")


class PortNeedsLoop(TypeError):
    """A port that needs an event loop was wired where a blocking one belongs; the message names it.

    A mistake in the wiring, never in the request.
    """


_driven: ContextVar[bool] = ContextVar("bearerkit_driven", default=False)
_current: ContextVar[str] = ContextVar("bearerkit_port", default="")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Step `coroutine` over blocking ports and return its result.

    Raises PortNeedsLoop (a TypeError) naming the port if a port tries to suspend, that is, if it needs an event loop.
    """
    driven, name = _driven.set(True), _current.set("")
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    else:
        suspended_in = _current.get()
        try:
            coroutine.close()
        finally:
            # Also when the coroutine's own clean-up fails: the port is what has to be mended.
            _reject(suspended_in)
    finally:
        _driven.reset(driven)
        _current.reset(name)


async def port(name: str, call: Awaitable[T]) -> T:
    """Await one port call under its name."""
    if not _driven.get():
        return await call
    token = _current.set(name)
    try:
        return await call
    except RuntimeError as error:
        # asyncio, trio and anyio all report a missing loop by a subclass of RuntimeError, before suspending.
        if _says_no_loop(error):
            _reject(name, error)
        raise
    finally:
        # Also after an error: the caller may catch it and go on to something that has no name.
        _current.reset(token)


def needs_loop() -> None:
    """Raise PortNeedsLoop in sync code: for a port that would have taken something before it suspends."""
    if _driven.get():
        _reject(_current.get())


def _says_no_loop(error: RuntimeError) -> bool:
    text = str(error).lower()
    return "event loop" in text or "async context" in text or "not currently running" in text


def _reject(name: str, cause: BaseException | None = None) -> NoReturn:
    raise PortNeedsLoop(
        f"the port {name or '(unnamed)'!r} needs an event loop but was called from sync code; "
        "configure its blocking counterpart, or call the a-prefixed method"
    ) from cause
