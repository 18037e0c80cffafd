"""The requirement of permissions by name. They are compared as a whole and case-sensitively: `billing.*` is a name.

Where what may be done depends on the resource, that is a policy's business: `can`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import PermissionDenied
from bearerkit.guards.loaders import Loader, fact_of, names_from
from bearerkit.guards.names import checked, quoted
from bearerkit.guards.requirement import Fact, Facts, Requirement, Stage
from bearerkit.guards.unread import permission_hint
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["permission"]


@final
@dataclass(frozen=True)
class _Permissions(Requirement):
    names: tuple[str, ...]
    fact: Fact | None
    stage: Stage

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        held = ctx.permissions if self.fact is None else names_from(self.fact, facts)
        if not all(name in held for name in self.names):
            raise PermissionDenied(
                f"needed is {self.describe()}, the caller has {shown(tuple(held))}",
                reason="permission_missing",
                hint=permission_hint(ctx) if self.fact is None else None,
            )

    def facts(self, request: Request) -> tuple[Fact, ...]:
        return () if self.fact is None else (self.fact,)

    def describe(self) -> str:
        return f"{'permission' if len(self.names) == 1 else 'permissions'} {quoted(self.names, 'and')}"


def permission(*names: str, load: Loader[Collection[str]] | None = None) -> Requirement:
    """The caller must have every one of `names`; otherwise PermissionDenied (403, `permission_missing`).

    Without `load` what counts is `ctx.permissions`; `load(ctx, request)` returns the names instead, and what stands in
    the credential then counts for nothing. ConfigError without a name.
    """
    fact = fact_of("permission()", "permissions", load)
    stage = Stage.SCOPE if fact is None else Stage.REMOTE
    return _Permissions(checked("permission()", "permission", names), fact, stage)
