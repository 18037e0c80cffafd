"""The statements about one action, compiled: who may do it to what, and under which conditions.

Deny goes first. A deny holds unless it is false, an allow only if it is true; the order of statements decides nothing.
Plain statements are joined into one question for each principal, the others are asked one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bearerkit.policy.answers import Answers, Ask, Asked, DenyAndAllow, OnlyAllow, Room
from bearerkit.policy.condition import Condition, Context, Truth, all_of, compiled, values_of
from bearerkit.policy.effect import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY, Effect
from bearerkit.policy.pattern import Match, Pattern
from bearerkit.policy.principal import UNKNOWN, Principal
from bearerkit.policy.resource_set import matches_any
from bearerkit.policy.scheme import Scheme, with_descendants
from bearerkit.policy.statement import Statement

__all__ = ["ResourceTest", "bucket_of", "resource_truth"]

ResourceTest = Callable[[str, Principal | None, Context], Truth]
Holds = Callable[[str, Principal | None, Context], Truth]
_Holding = Callable[[str, Principal | None, Context], Truth]
"""Whether something of one side holds; what is indeterminate was settled, so that None is no more than false."""

_FEW = 4
"""Up to so many named principals are looked up among those of the caller; more, the other way round."""


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


def bucket_of(statements: Sequence[Statement], schemes: Sequence[Scheme], room: Room) -> Answers:
    """The answers about one action by the statements whose actions match it."""
    deny = _side([statement for statement in statements if not statement.allows], schemes)
    allow = _side([statement for statement in statements if statement.allows], schemes)
    if allow.attached.plain and allow.is_plain and deny.is_plain:
        may = matches_any(allow.attached.plain)
        denied = deny.attached.plain
        return DenyAndAllow(room, matches_any(denied), may) if denied else OnlyAllow(room, may)
    return Asked(room, _either(_holds(deny, if_unknown=True), _holds(allow, if_unknown=False), room.longest))


def _either(denied: _Holding | None, allowed: _Holding | None, longest: int) -> Ask:
    """The effect; None is a side that never holds."""

    def ask(resource: str, principal: Principal | None, context: Context) -> Effect:
        if len(resource) > longest:
            return IMPLICIT_DENY
        if denied is not None and denied(resource, principal, context):
            return EXPLICIT_DENY
        return ALLOW if allowed is not None and allowed(resource, principal, context) else IMPLICIT_DENY

    return ask


@dataclass(slots=True)
class _Rules:
    """What one principal is denied or allowed: plain resources, resources under the same conditions, and the rest.

    Statements that differ in their resources only are one rule, so that a thousand of them cost as much as one.
    """

    plain: list[Pattern] = field(default_factory=list)
    conditional: dict[tuple[Condition, ...], list[Pattern]] = field(default_factory=dict)
    with_variables: list[Holds] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        return not (self.conditional or self.with_variables)

    def add(self, statement: Statement, schemes: Sequence[Scheme]) -> None:
        if any(pattern.variables for pattern in statement.resources):
            self.with_variables.append(_under(resource_truth(statement, schemes), statement.conditions))
        elif statement.conditions:
            self.conditional.setdefault(statement.conditions, []).extend(_patterns(statement.resources, schemes))
        else:
            self.plain.extend(_patterns(statement.resources, schemes))

    def holds(self, *, if_unknown: bool) -> _Holding:
        """True if one of them holds. An indeterminate one holds if it is a deny."""
        plain = matches_any(self.plain) if self.plain else None
        rules = [_constant(matches_any(patterns), conditions) for conditions, patterns in self.conditional.items()]
        rules += self.with_variables
        if not rules and plain is not None:
            return lambda resource, principal, context: plain(resource)
        if plain is None and len(rules) == 1:
            (only,) = rules
            return _unless_false(only) if if_unknown else only
        # Most resources are none of these: one question rules them out, however many the conditions are.
        near = None if self.with_variables else matches_any(p for found in self.conditional.values() for p in found)

        def holding(resource: str, principal: Principal | None, context: Context) -> bool:
            if plain is not None and plain(resource):
                return True
            if near is not None and not near(resource):
                return False
            for rule in rules:
                met = rule(resource, principal, context)
                if met is True or (met is None and if_unknown):
                    return True
            return False

        return holding


@dataclass(frozen=True, slots=True)
class _Side:
    """All denies, or all allows, of an action: of whoever the policy is attached to, and of named principals."""

    attached: _Rules
    named: Mapping[str, _Rules]

    @property
    def is_plain(self) -> bool:
        """True if the resource alone decides."""
        return self.attached.is_plain and not self.named


def _side(statements: Sequence[Statement], schemes: Sequence[Scheme]) -> _Side:
    side = _Side(_Rules(), defaultdict(_Rules))
    for statement in statements:
        if statement.principals is None:
            side.attached.add(statement, schemes)
        else:
            for name in statement.principals:
                side.named[name].add(statement, schemes)
    return side


def _holds(side: _Side, *, if_unknown: bool) -> _Holding | None:
    """Whether something of this side holds; None if nothing ever does."""
    attached = side.attached.holds(if_unknown=if_unknown) if side.attached.plain or not side.attached.is_plain else None
    named = {name: rules.holds(if_unknown=if_unknown) for name, rules in side.named.items()}
    if not named:
        return attached
    listed = tuple(named.items()) if len(named) <= _FEW else None

    def holding(resource: str, principal: Principal | None, context: Context) -> bool:
        if attached is not None and attached(resource, principal, context):
            return True
        mine = UNKNOWN if principal is None else principal.identities
        if listed is None:
            return any(named[name](resource, principal, context) for name in mine if name in named)
        for name, holds in listed:  # noqa: SIM110 - `any` makes a generator, and this is the most frequent kind
            if name in mine and holds(resource, principal, context):
                return True
        return False

    return holding


def _unless_false(rule: Holds) -> _Holding:
    return lambda resource, principal, context: rule(resource, principal, context) is not False


def _constant(matches: Match, conditions: Sequence[Condition]) -> Holds:
    """Resources without variables under conditions: the rule of all statements that have these."""
    test = all_of([compiled(item) for item in conditions])
    return lambda resource, principal, context: test(principal, context) if matches(resource) else False


def _under(matches: ResourceTest, conditions: Sequence[Condition]) -> Holds:
    """A resource with variables under conditions, if there are any."""
    if not conditions:
        return matches
    test = all_of([compiled(item) for item in conditions])

    def holds(resource: str, principal: Principal | None, context: Context) -> Truth:
        about = matches(resource, principal, context)
        if about is False:
            return False
        met = test(principal, context)
        return met if about is True or met is False else None

    return holds
