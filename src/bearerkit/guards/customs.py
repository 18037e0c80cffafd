"""The requirement that asks the team's own function.

The function is a fact: a procedure calls it (and awaits it), outside the pure rule. The rule only looks whether the
answer is True, the object: a truthy answer, a forgotten `await` and a fact that was never loaded all deny.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, PermissionDenied
from bearerkit.guards.loaders import loader_problems
from bearerkit.guards.requirement import Fact, Facts, Requirement, Stage
from bearerkit.http import Request

__all__ = ["custom"]


@final
@dataclass(frozen=True)
class _Custom(Requirement):
    fact: Fact
    description: str
    reason: str
    stage = Stage.CUSTOM

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        answer = facts.get(self.fact)
        if answer is not True:
            said = "no" if answer is False else f"neither True nor False but {type(answer).__name__}"
            raise PermissionDenied(f"{self.description}: the answer is {said}", reason=self.reason)

    def facts(self, request: Request) -> tuple[Fact, ...]:
        return (self.fact,)

    def describe(self) -> str:
        return self.description


def custom(
    fn: Callable[[AuthContext, Request], bool | Awaitable[bool]],
    *,
    description: str,
    reason: str = "permission_denied",
) -> Requirement:
    """`fn(ctx, request)` must answer True, or be awaited to True; otherwise PermissionDenied (403) with `reason`.

    `description` says in words what is needed, and `reason` is a stable code for metrics. `fn` is asked last, when
    everything else has passed. ConfigError for what cannot be called or hashed, and for empty texts.
    """
    texts: dict[str, object] = {"description": description, "reason": reason}
    problems = [
        f"custom(): {name} must be a non-empty string"
        for name, text in texts.items()
        if not isinstance(text, str) or not text.strip()
    ]
    problems += loader_problems("custom()", "fn", fn)
    if problems:
        raise ConfigError(problems)
    return _Custom(Fact(f"custom: {description}", fn), description, reason)
