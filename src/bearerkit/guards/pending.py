"""What the answer to a request still depends on, while some facts are not loaded yet.

Facts are loaded one requirement at a time, in the order of refusal, and only as long as they can change the answer. So
somebody whom an earlier stage refuses causes no call to anybody, whatever it is that he asks about, and a callback of
the team runs after everything else has passed. Nothing is loaded here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

from bearerkit.context import AuthContext
from bearerkit.errors import CredentialsMissing
from bearerkit.guards.requirement import AllOf, AnyOf, Fact, Facts, Refusal, Requirement, Stage
from bearerkit.http import Request

__all__ = ["facts_to_load", "refuse_early"]

_NOTHING: Final[Facts] = MappingProxyType({})


class _Open(NamedTuple):
    """Not decided: the earliest stage at which it may refuse, and the facts to load first."""

    stage: Stage
    facts: tuple[Fact, ...]


def facts_to_load(
    need: Requirement, ctx: AuthContext, request: Request, now: float, known: Facts = _NOTHING
) -> tuple[Fact, ...]:
    """The facts to load next, beside those that are `known`; () when no further fact can change the answer.

    `enforce` with the facts that were loaded until then gives the same answer as with all of them.
    """
    if ctx.is_anonymous:
        return ()
    found = _judged(need, ctx, request, known, now)
    return found.facts if isinstance(found, _Open) else ()


def refuse_early(need: Requirement, ctx: AuthContext, request: Request, now: float) -> None:
    """Raise what `enforce` would raise by stages before `Stage.POLICY`, if no fact can change it; return otherwise.

    Asked before policies are loaded, so that an outage of their store hides no refusal that does not depend on them.
    """
    if ctx.is_anonymous:
        raise CredentialsMissing("the route needs an authenticated caller")
    found = _judged(need, ctx, request, _NOTHING, now)
    if isinstance(found, Refusal) and found.stage < Stage.POLICY:
        refusal = need.refusal(ctx, request, _NOTHING, now)
        raise found.error if refusal is None else refusal.error


def _judged(need: Requirement, ctx: AuthContext, request: Request, known: Facts, now: float) -> Refusal | _Open | None:
    """A refusal or a pass that no further fact changes, or what is open."""
    if not isinstance(need, AllOf | AnyOf):
        missing = tuple(fact for fact in need.facts(request) if fact not in known)
        return _Open(need.stage, missing) if missing else need.refusal(ctx, request, known, now)
    each = [_judged(member, ctx, request, known, now) for member in need.members]
    undone = [found for found in each if found is not None]
    if isinstance(need, AllOf):
        # Whatever is earliest decides: a refusal, if nothing that is open can come before it.
        return min(undone, key=_stage, default=None)
    if len(undone) < len(each):
        return None
    waiting = [found for found in undone if isinstance(found, _Open)]
    furthest = max(undone, key=_stage)
    return _Open(furthest.stage, min(waiting, key=_stage).facts) if waiting else furthest


def _stage(found: Refusal | _Open) -> Stage:
    return found.stage
