"""Requirements about OAuth scopes (RFC 6749 section 3.3, RFC 6750 section 3.1).

What covers a scope, wildcards included, is `AuthContext.has_scope`; nothing here compares scopes itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import InsufficientScope
from bearerkit.guards.liveness import live_with
from bearerkit.guards.names import SCOPE_TOKEN, checked, quoted
from bearerkit.guards.requirement import Facts, Requirement, Stage
from bearerkit.guards.unread import scope_hint
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["any_scope", "scope"]


@final
@dataclass(frozen=True)
class _Scopes(Requirement):
    names: tuple[str, ...]
    stage = Stage.SCOPE
    only_scopes = True

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        if not ctx.has_scope(*self.names):
            raise _lacking(ctx, self)

    def describe(self) -> str:
        return f"{'scope' if len(self.names) == 1 else 'scopes'} {quoted(self.names, 'and')}"

    def scopes(self) -> tuple[str, ...]:
        return self.names


@final
@dataclass(frozen=True)
class _AnyScope(Requirement):
    names: tuple[str, ...]
    stage = Stage.SCOPE
    only_scopes = True

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        if not any(ctx.has_scope(name) for name in self.names):
            raise _lacking(ctx, self)

    def describe(self) -> str:
        return f"{'scope' if len(self.names) == 1 else 'one of the scopes'} {quoted(self.names, 'or')}"


def _lacking(ctx: AuthContext, need: _Scopes | _AnyScope) -> InsufficientScope:
    return InsufficientScope(
        f"needed is {need.describe()}, granted is {shown(ctx.scopes)}",
        required=need.names,
        hint=scope_hint(ctx, need.names),
    )


def scope(*names: str, live: bool = False) -> Requirement:
    """The token must carry every one of `names`; otherwise InsufficientScope (403).

    `live` also asks the issuer whether it is still so, as `live()` does. Raises ConfigError when there is no name, or
    one that is no RFC 6749 scope token.
    """
    need = _Scopes(checked("scope()", "scope", names, shape=SCOPE_TOKEN))
    return live_with(need) if live else need


def any_scope(*names: str, live: bool = False) -> Requirement:
    """The token must carry at least one of `names`; otherwise InsufficientScope (403) that names them all.

    `live` also asks the issuer whether it is still so, as `live()` does. Raises ConfigError when there is no name, or
    one that is no RFC 6749 scope token.
    """
    need = _AnyScope(checked("any_scope()", "scope", names, shape=SCOPE_TOKEN))
    return live_with(need) if live else need
