"""The statements about one action, compiled: who may do it to what, and under which conditions.

Deny goes first. A deny holds unless it is false, an allow only if it is true; the order of statements decides nothing.
Plain statements are joined into one question for each principal, the others are asked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bearerkit.policy.condition import Context, Test, Truth, all_of, compiled, values_of
from bearerkit.policy.pattern import Match, Pattern
from bearerkit.policy.principal import UNKNOWN, Principal
from bearerkit.policy.resource_set import matches_any
from bearerkit.policy.scheme import Scheme, with_descendants
from bearerkit.policy.statement import Statement

__all__ = [
    "ALLOW",
    "EXPLICIT_DENY",
    "IMPLICIT_DENY",
    "NOBODY_SAID",
    "Ask",
    "Effect",
    "ResourceTest",
    "bucket_of",
    "resource_truth",
]

Effect = Literal["allow", "explicit_deny", "implicit_deny", "boundary_deny"]
ALLOW: Final = "allow"
EXPLICIT_DENY: Final = "explicit_deny"
IMPLICIT_DENY: Final = "implicit_deny"

Ask = Callable[[str, Principal | None, Context], Effect]
"""Resource, principal and context → the effect."""
ResourceTest = Callable[[str, Principal | None, Context], Truth]
Holds = Callable[[str, Principal | None, Context], Truth]


def NOBODY_SAID(resource: str, principal: Principal | None, context: Context) -> Effect:  # noqa: N802
    """The bucket of an action that no statement is about."""
    return IMPLICIT_DENY


def resource_truth(statement: Statement, schemes: Sequence[Scheme]) -> ResourceTest:
    """Whether one of the statement's resources matches; indeterminate if only one with an unfilled variable may."""
    constant = matches_any(_patterns((p for p in statement.resources if not p.variables), schemes))
    templates = tuple(pattern for pattern in statement.resources if pattern.variables)
    if not templates:
        return lambda resource, principal, context: constant(resource)

    def test(resource: str, principal: Principal | None, context: Context) -> Truth:
        if constant(resource):
            return True
        result: Truth = False
        for template in templates:
            values = values_of(template.variables, principal, context)
            if values is None:
                result = None
            elif matches_any(_patterns([template.filled(values)], schemes))(resource):
                return True
        return result

    return test


def _patterns(patterns: Iterable[Pattern], schemes: Sequence[Scheme]) -> list[Pattern]:
    return [covered for pattern in patterns for covered in with_descendants(pattern, schemes)]


@dataclass(frozen=True, slots=True)
class _Side:
    """All denies, or all allows, of an action. Keys of the dicts are principals."""

    plain: Match | None
    plain_for: dict[str, Match]
    others: tuple[Holds, ...]
    others_for: dict[str, tuple[Holds, ...]]

    @property
    def is_plain(self) -> bool:
        """True if the resource alone decides."""
        return not (self.plain_for or self.others or self.others_for)

    @property
    def is_empty(self) -> bool:
        return self.plain is None and self.is_plain


def bucket_of(statements: Sequence[Statement], schemes: Sequence[Scheme]) -> Ask:
    """The decision about one action by the statements whose actions match it."""
    deny = _side([statement for statement in statements if not statement.allows], schemes)
    allow = _side([statement for statement in statements if statement.allows], schemes)
    if allow.plain is not None and allow.is_plain and deny.is_empty:
        may = allow.plain
        return lambda resource, principal, context: ALLOW if may(resource) else IMPLICIT_DENY
    if deny.is_plain and allow.is_plain and (deny.plain is not None and allow.plain is not None):
        return _plain(deny.plain, allow.plain)
    denied, allowed = _holds(deny, if_unknown=True), _holds(allow, if_unknown=False)

    def ask(resource: str, principal: Principal | None, context: Context) -> Effect:
        if denied(resource, principal, context):
            return EXPLICIT_DENY
        return ALLOW if allowed(resource, principal, context) else IMPLICIT_DENY

    return ask


def _plain(denied: Match, allowed: Match) -> Ask:
    def ask(resource: str, principal: Principal | None, context: Context) -> Effect:
        if denied(resource):
            return EXPLICIT_DENY
        return ALLOW if allowed(resource) else IMPLICIT_DENY

    return ask


def _side(statements: Sequence[Statement], schemes: Sequence[Scheme]) -> _Side:
    plain: dict[str | None, list[Pattern]] = {}
    others: dict[str | None, list[Holds]] = {}
    for statement in statements:
        who: Iterable[str | None] = (None,) if statement.principals is None else statement.principals
        if statement.is_plain:
            covered = _patterns(statement.resources, schemes)
            for name in who:
                plain.setdefault(name, []).extend(covered)
        else:
            holds = _conditional(statement, schemes)
            for name in who:
                others.setdefault(name, []).append(holds)
    return _Side(
        matches_any(plain[None]) if None in plain else None,
        {name: matches_any(patterns) for name, patterns in plain.items() if name is not None},
        tuple(others.get(None, ())),
        {name: tuple(tests) for name, tests in others.items() if name is not None},
    )


def _conditional(statement: Statement, schemes: Sequence[Scheme]) -> Holds:
    matches = resource_truth(statement, schemes)
    test: Test | None = all_of([compiled(item) for item in statement.conditions]) if statement.conditions else None

    def holds(resource: str, principal: Principal | None, context: Context) -> Truth:
        about = matches(resource, principal, context)
        if about is False or test is None:
            return about
        met = test(principal, context)
        return met if about is True or met is False else None

    return holds


def _holds(side: _Side, *, if_unknown: bool) -> Callable[[str, Principal | None, Context], bool]:
    """True if a statement of this side holds. An indeterminate one holds if it is a deny."""
    plain, plain_for, others, others_for = side.plain, side.plain_for, side.others, side.others_for
    named = bool(plain_for or others_for)

    def test(resource: str, principal: Principal | None, context: Context) -> bool:
        if plain is not None and plain(resource):
            return True
        for one in others:
            met = one(resource, principal, context)
            if met is True or (met is None and if_unknown):
                return True
        if not named:
            return False
        for name in UNKNOWN if principal is None else principal.identities:
            match = plain_for.get(name)
            if match is not None and match(resource):
                return True
            for one in others_for.get(name, ()):
                met = one(resource, principal, context)
                if met is True or (met is None and if_unknown):
                    return True
        return False

    return test
