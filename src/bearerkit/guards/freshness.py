"""The step-up requirement: a recent enough or strong enough sign-in (RFC 9470).

The answer is a challenge that tells the client what sign-in to ask for, so it comes after every refusal that signing
in again could not cure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, StepUpRequired
from bearerkit.guards.names import SCOPE_TOKEN, checked, listed, quoted
from bearerkit.guards.requirement import Facts, Requirement, Stage
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["fresh", "sign_in_age"]

_LEEWAY: Final = 30
"""Seconds by which the clock of the sign-in may run ahead of ours."""


@final
@dataclass(frozen=True)
class _Fresh(Requirement):
    max_age: int | None
    acr: tuple[str, ...]
    amr: tuple[str, ...]
    stage = Stage.STEP_UP

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        lacking = self._lacking(ctx, now)
        if lacking is not None:
            raise StepUpRequired(lacking, max_age=self.max_age, acr_values=self.acr)

    def _lacking(self, ctx: AuthContext, now: float) -> str | None:
        if self.max_age is not None:
            if ctx.auth_time is None:
                return "the token does not say when the caller signed in (auth_time)"
            age = sign_in_age(ctx, now)
            if age is None:
                return f"auth_time lies {ctx.auth_time - now:.0f} s in the future"
            if age > self.max_age:
                return f"the caller signed in {age:.0f} s ago, allowed are {self.max_age} s"
        if self.acr and ctx.acr not in self.acr:
            return f"acr is {shown(ctx.acr)}, needed is {quoted(self.acr, 'or')}"
        if not all(method in ctx.amr for method in self.amr):
            return f"amr is {shown(ctx.amr)}, needed is {quoted(self.amr, 'and')}"
        return None

    def describe(self) -> str:
        parts = []
        if self.max_age is not None:
            parts.append(f"a sign-in at most {self.max_age} seconds ago")
        if self.acr:
            parts.append(f"authentication context {quoted(self.acr, 'or')}")
        if self.amr:
            parts.append(f"authentication {'method' if len(self.amr) == 1 else 'methods'} {quoted(self.amr, 'and')}")
        return listed(parts, "and")


def sign_in_age(ctx: AuthContext, now: float) -> float | None:
    """Seconds since the caller signed in; None if the token does not say, or says that it will be later than now."""
    age = None if ctx.auth_time is None else now - ctx.auth_time
    return None if age is None or age < -_LEEWAY else age


def fresh(max_age: int | None = None, *, acr: str | Sequence[str] = (), amr: str | Sequence[str] = ()) -> Requirement:
    """The caller must have signed in at most `max_age` seconds ago, and with one of `acr`, and by all of `amr`.

    `acr` is in order of preference, as the challenge names it. Otherwise StepUpRequired (401), also when the token
    has no `auth_time` or one in the future. ConfigError when nothing is asked for, or `max_age` is not positive.
    """
    problems = []
    age: object = max_age
    if age is not None and (not isinstance(age, int) or isinstance(age, bool) or age < 1):
        problems.append(f"fresh(): max_age must be a positive whole number of seconds, not {max_age!r}")
    if max_age is None and not acr and not amr:
        problems.append("fresh(): at least one of max_age, acr and amr is needed")
    if problems:
        raise ConfigError(problems)
    return _Fresh(max_age, _values("acr", acr), _values("amr", amr))


def _values(what: str, values: str | Sequence[str]) -> tuple[str, ...]:
    given = (values,) if isinstance(values, str) else tuple(values)
    return checked("fresh()", f"{what} value", given, shape=SCOPE_TOKEN) if given else ()
