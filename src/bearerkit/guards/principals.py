"""Requirements about the kind of caller: signed in at all, a user, a service.

Which claims make a user or a service is the business of the claim mapping, never of this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import CredentialsMissing, PermissionDenied
from bearerkit.guards.names import checked, quoted
from bearerkit.guards.requirement import Facts, Requirement, Stage
from bearerkit.http import Request
from bearerkit.jose.claims import shown
from bearerkit.jose.mapping import principal_type

__all__ = ["authenticated", "principal"]


@final
@dataclass(frozen=True)
class _Authenticated(Requirement):
    stage = Stage.AUTHENTICATED
    only_scopes = True

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        if not ctx.is_authenticated:
            raise CredentialsMissing("the route needs an authenticated caller")

    def describe(self) -> str:
        return "an authenticated caller"


@final
@dataclass(frozen=True)
class _Principal(Requirement):
    types: tuple[str, ...]
    stage = Stage.SCOPE

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        if ctx.principal_type not in self.types:
            raise PermissionDenied(
                f"needed is {self.describe()}, the caller is {shown(ctx.principal_type)}", reason="wrong_principal"
            )

    def describe(self) -> str:
        return f"a caller of type {quoted(self.types, 'or')}"


def authenticated() -> Requirement:
    """Any verified credential will do; otherwise CredentialsMissing (401)."""
    return _Authenticated()


def principal(*types: str) -> Requirement:
    """The caller must be of one of `types` (`user`, `service`, …); otherwise PermissionDenied (403).

    `machine` and `m2m` mean `service`, `end_user` means `user`. ConfigError without a type.
    """
    names = checked("principal()", "principal type", types)
    return _Principal(tuple(dict.fromkeys(principal_type(name) for name in names)))
