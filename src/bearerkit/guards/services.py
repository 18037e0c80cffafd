"""The requirement that the tenant has a service switched on.

Which services those are says the credential, about the tenant that it was issued for, or a loader, which may look at
the tenant that the request names.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import ServiceDisabled
from bearerkit.guards.loaders import Loader, fact_of, names_from
from bearerkit.guards.names import checked, quoted
from bearerkit.guards.requirement import Fact, Facts, Requirement, Stage
from bearerkit.guards.unread import service_hint
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["service"]


@final
@dataclass(frozen=True)
class _Services(Requirement):
    names: tuple[str, ...]
    fact: Fact | None
    stage: Stage

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        on = ctx.services if self.fact is None else names_from(self.fact, facts)
        if not all(name in on for name in self.names):
            raise ServiceDisabled(
                f"needed is {self.describe()}, switched on are {shown(tuple(on))}",
                hint=service_hint(ctx) if self.fact is None else None,
            )

    def facts(self, request: Request) -> tuple[Fact, ...]:
        return () if self.fact is None else (self.fact,)

    def describe(self) -> str:
        return f"{'service' if len(self.names) == 1 else 'services'} {quoted(self.names, 'and')}"


def service(*names: str, load: Loader[Collection[str]] | None = None) -> Requirement:
    """Every one of `names` must be switched on; otherwise ServiceDisabled (403).

    Without `load` what counts is `ctx.services`, which the credential says about its own tenant. Where a caller has
    several, pass `load(ctx, request)`, which returns the names for the tenant of the request, and put `tenant(…)`
    beside it. ConfigError without a name.
    """
    fact = fact_of("service()", "services", load)
    return _Services(checked("service()", "service", names), fact, Stage.SCOPE if fact is None else Stage.REMOTE)
