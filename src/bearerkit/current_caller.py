"""The caller of the request that is being handled, for code that is not handed the request.

`current_auth` reads a context variable: it is right in sync endpoints (thread pools copy the context), in tasks that
a handler starts, and with any number of interleaved requests. Only adapters write it. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, Final, NoReturn, TypeVar, cast, final

from bearerkit.context import AuthContext

__all__ = ["CALLER", "OUTSIDE", "CurrentAuth", "async_parts", "current_auth", "parts"]

T = TypeVar("T")

CALLER: ContextVar[AuthContext | None] = ContextVar("bearerkit_caller", default=None)
"""Set by adapters around a handler."""

OUTSIDE: Final = (
    "nobody is calling: there is no caller outside a request, before RequireBearer or BearerMiddleware ran, "
    "on a route that neither of them guards (a decorator above the route guards nothing), or in a thread that was "
    "started without the context (contextvars.copy_context().run hands it on)"
)


@final
class CurrentAuth:
    """Stands for the `AuthContext` of the current request: every read goes to it, nothing is kept.

    `find` says who is calling, None for nobody; it is asked anew at each read.
    """

    __slots__ = ("_find",)
    _find: Callable[[], AuthContext | None]

    def __init__(self, find: Callable[[], AuthContext | None]) -> None:
        object.__setattr__(self, "_find", find)

    def _caller(self) -> AuthContext:
        context = self._find()
        if context is None:
            raise RuntimeError(f"current_auth: {OUTSIDE}")
        return context

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Introspection (inspect.unwrap, copy, pickle) probes for such names outside any request.
            raise AttributeError(name)
        return getattr(self._caller(), name)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("AuthContext is immutable")

    @property  # type: ignore[misc]
    def __class__(self) -> type[AuthContext]:  # type: ignore[override]
        return AuthContext

    def __eq__(self, other: object) -> bool:
        return self._caller() == other

    def __hash__(self) -> int:
        return hash(self._caller())

    def __repr__(self) -> str:
        context = self._find()
        return "<current_auth: nobody is calling>" if context is None else repr(context)


current_auth: Final = cast(AuthContext, CurrentAuth(CALLER.get))
"""The `AuthContext` of the request that is being handled. Raises RuntimeError where there is none."""


def parts(context: AuthContext, source: Iterable[T]) -> Iterator[T]:
    """The parts of a body that is made while it is sent, each of them made under the caller.

    Whoever iterates goes on with other work between two parts, so the caller is there for each part by itself.
    `source` is not closed here: that is for its owner.
    """
    made = iter(source)
    while True:
        before = CALLER.set(context)
        try:
            part = next(made)
        except StopIteration:
            return
        finally:
            CALLER.reset(before)
        yield part


async def async_parts(context: AuthContext, source: AsyncIterable[T]) -> AsyncIterator[T]:
    """`parts` for async bodies. A generator that makes them is closed with this one."""
    made = aiter(source)
    try:
        while True:
            before = CALLER.set(context)
            try:
                part = await anext(made)
            except StopAsyncIteration:
                return
            finally:
                CALLER.reset(before)
            yield part
    finally:
        close = getattr(made, "aclose", None)
        if close is not None:
            await close()
