"""The requirement that the issuer calls a credential active now, however good it looks by itself.

A JWT is verified without asking anybody, so a revoked one is good until it expires. Where that is too long, the fact
`LIVE` is asked for: the answer of the issuer about this very credential, past every cache. A procedure knows the
credential and whom to ask; this rule knows neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn, final

from bearerkit.context import AuthContext
from bearerkit.errors import PermissionDenied
from bearerkit.guards.requirement import Fact, Facts, Requirement, Stage
from bearerkit.http import Request

__all__ = ["LIVE", "live", "live_with"]


def _not_by_itself(ctx: AuthContext, request: Request) -> NoReturn:
    raise TypeError("the issuer is asked by the procedure that knows the credential")


LIVE: Final = Fact("the issuer's answer", _not_by_itself, remote=True)
"""Loads as the `AuthContext` that the issuer gives now. What it calls inactive is refused while loading."""


@final
@dataclass(frozen=True)
class _Live(Requirement):
    scopes_too: Requirement | None = None
    stage = Stage.LIVE
    only_scopes = True

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        answer = facts.get(LIVE)
        if not isinstance(answer, AuthContext) or answer.is_anonymous:
            raise PermissionDenied("the issuer was not asked about the credential", reason="check_failed")
        # RFC 7662 section 2.2: an answer need not name scopes, but one that does is newer than the token.
        if self.scopes_too is not None and (answer.scopes or "scope" in answer.claims):
            self.scopes_too.check(answer, request, facts, now)

    def facts(self, request: Request) -> tuple[Fact, ...]:
        return (LIVE,)

    def describe(self) -> str:
        return "a credential that its issuer calls active"


def live() -> Requirement:
    """The issuer must call the credential active now; otherwise Revoked (401).

    It is asked for every request, past every cache, after tenant, scopes and roles have passed. The JWTs of an `Issuer`
    need an `Introspection` with the same `issuer` in the `Auth`; without, the first request raises ConfigError.
    """
    return _Live()


def live_with(scopes: Requirement) -> Requirement:
    """`scopes`, and `live()`, and where the issuer's answer names scopes, `scopes` of those."""
    return scopes & _Live(scopes)
