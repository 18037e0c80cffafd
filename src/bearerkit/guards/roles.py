"""Requirements about roles. A role is compared as a whole and case-sensitively; there is no hierarchy here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import PermissionDenied
from bearerkit.guards.names import checked, quoted
from bearerkit.guards.requirement import Facts, Requirement, Stage
from bearerkit.guards.unread import role_hint
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["any_role", "role"]


@final
@dataclass(frozen=True)
class _Roles(Requirement):
    names: tuple[str, ...]
    stage = Stage.SCOPE

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        if not all(name in ctx.roles for name in self.names):
            raise _lacking(ctx, self)

    def describe(self) -> str:
        return f"{'role' if len(self.names) == 1 else 'roles'} {quoted(self.names, 'and')}"


@final
@dataclass(frozen=True)
class _AnyRole(Requirement):
    names: tuple[str, ...]
    stage = Stage.SCOPE

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        if not any(name in ctx.roles for name in self.names):
            raise _lacking(ctx, self)

    def describe(self) -> str:
        return f"{'role' if len(self.names) == 1 else 'one of the roles'} {quoted(self.names, 'or')}"


def _lacking(ctx: AuthContext, need: _Roles | _AnyRole) -> PermissionDenied:
    return PermissionDenied(
        f"needed is {need.describe()}, the caller has {shown(ctx.roles)}", reason="role_missing", hint=role_hint(ctx)
    )


def role(*names: str) -> Requirement:
    """The caller must have every one of `names`; otherwise PermissionDenied (403). ConfigError without a name."""
    return _Roles(checked("role()", "role", names))


def any_role(*names: str) -> Requirement:
    """The caller must have at least one of `names`; otherwise PermissionDenied (403). ConfigError without a name."""
    return _AnyRole(checked("any_role()", "role", names))
