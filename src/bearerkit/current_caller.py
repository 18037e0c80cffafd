"""The caller of the request that is being handled, for code that is not handed the request.

`current_auth` reads a context variable: it is right in sync endpoints (thread pools copy the context), in tasks that
a handler starts, and with any number of interleaved requests. Only adapters write it. Nothing is decided here.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final, NoReturn, cast, final

from bearerkit.context import AuthContext

__all__ = ["CALLER", "OUTSIDE", "current_auth"]

CALLER: ContextVar[AuthContext | None] = ContextVar("bearerkit_caller", default=None)
"""Set by adapters around a handler."""

OUTSIDE: Final = (
    "nobody is calling: there is no caller outside a request, before RequireBearer or BearerMiddleware ran, "
    "or on a route that neither of them guards"
)


@final
class _Current:
    """Stands for the `AuthContext` of the current request: every read goes to it, nothing is kept."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Introspection (inspect.unwrap, copy, pickle) probes for such names outside any request.
            raise AttributeError(name)
        return getattr(_caller(), name)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("AuthContext is immutable")

    @property  # type: ignore[misc]
    def __class__(self) -> type[AuthContext]:  # type: ignore[override]
        return AuthContext

    def __eq__(self, other: object) -> bool:
        return _caller() == other

    def __hash__(self) -> int:
        return hash(_caller())

    def __repr__(self) -> str:
        context = CALLER.get()
        return "<current_auth: nobody is calling>" if context is None else repr(context)


def _caller() -> AuthContext:
    context = CALLER.get()
    if context is None:
        raise RuntimeError(f"current_auth: {OUTSIDE}")
    return context


current_auth: Final = cast(AuthContext, _Current())
"""The `AuthContext` of the request that is being handled. Raises RuntimeError where there is none."""
