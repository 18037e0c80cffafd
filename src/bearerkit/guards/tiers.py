"""The requirement of a plan. Tiers have no order here: whoever wants "at least pro" names every tier that will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import PermissionDenied
from bearerkit.guards.loaders import Loader, fact_of, no_answer
from bearerkit.guards.names import checked, quoted
from bearerkit.guards.requirement import Fact, Facts, Requirement, Stage
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["tier"]


@final
@dataclass(frozen=True)
class _Tier(Requirement):
    names: tuple[str, ...]
    fact: Fact | None
    stage: Stage

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        own = ctx.tier if self.fact is None else self._loaded(self.fact, facts)
        if own not in self.names:
            raise PermissionDenied(f"needed is {self.describe()}, there is {shown(own)}", reason="tier_required")

    @staticmethod
    def _loaded(fact: Fact, facts: Facts) -> str | None:
        own: object = facts.get(fact, ...)
        if own is not None and not isinstance(own, str):
            raise no_answer(fact, facts, "the name of a tier, or None")
        return own

    def facts(self, request: Request) -> tuple[Fact, ...]:
        return () if self.fact is None else (self.fact,)

    def describe(self) -> str:
        return f"tier {quoted(self.names, 'or')}"


def tier(*names: str, load: Loader[str | None] | None = None) -> Requirement:
    """The plan must be one of `names`; otherwise PermissionDenied (403, `tier_required`).

    Without `load` what counts is `ctx.tier`; `load(ctx, request)` returns the name of the tier instead, None if
    there is none. ConfigError without a name.
    """
    fact = fact_of("tier()", "tier", load)
    return _Tier(checked("tier()", "tier", names), fact, Stage.SCOPE if fact is None else Stage.REMOTE)
