"""The requirement that the caller's account may still be used: its access period has not ended, and nobody locked it.

A credential may outlive the account it was issued for, so this is no matter of `exp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from bearerkit.context import AuthContext
from bearerkit.errors import AccessExpired, ConfigError
from bearerkit.guards.loaders import Loader, fact_of, no_answer
from bearerkit.guards.requirement import Fact, Facts, Requirement, Stage
from bearerkit.http import Request

__all__ = ["access_valid"]

_UNSAID: Final = (
    'Map the claim that says it (claims={"access_expires_at": …}), pass load=, or say access_valid(optional=True) if '
    "accounts without an end do not have it."
)


@final
@dataclass(frozen=True)
class _AccessValid(Requirement):
    fact: Fact | None
    optional: bool
    stage: Stage

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        end = self._said(ctx) if self.fact is None else self._loaded(self.fact, facts)
        # Not `end <= now`: what is no number at all (NaN) is no time that lies ahead.
        if not end > now:
            raise AccessExpired(f"the account had access until {end:.0f}, now is {now:.0f}")

    def _said(self, ctx: AuthContext) -> float:
        end = ctx.access_expires_at
        if end is None and not self.optional:
            raise AccessExpired(
                "the credential does not say until when the account has access", reason="access_unknown", hint=_UNSAID
            )
        return float("inf") if end is None else end

    @staticmethod
    def _loaded(fact: Fact, facts: Facts) -> float:
        end: object = facts.get(fact)
        if end is False:
            raise AccessExpired("the loader says that the account has no access")
        if end is True:
            return float("inf")
        if not isinstance(end, int | float):
            raise no_answer(fact, facts, "epoch seconds, or True or False")
        return end

    def facts(self, request: Request) -> tuple[Fact, ...]:
        return () if self.fact is None else (self.fact,)

    def describe(self) -> str:
        return "an account whose access has not ended"


def access_valid(*, load: Loader[float | bool] | None = None, optional: bool = False) -> Requirement:
    """The account must still have access; otherwise AccessExpired (403).

    Without `load` what counts is `ctx.access_expires_at`, and a credential that does not say it is refused
    (`access_unknown`) unless `optional`. `load(ctx, request)` returns until when the account has access, in epoch
    seconds, or True or False; it may also raise AccessExpired itself, with `reason="account_locked"`, say. ConfigError
    for `optional` beside `load`.
    """
    fact = fact_of("access_valid()", "access", load)
    if fact is not None and optional:
        raise ConfigError("access_valid(): optional is about the credential, and with load= it is not looked at")
    return _AccessValid(fact, optional, Stage.SCOPE if fact is None else Stage.REMOTE)
