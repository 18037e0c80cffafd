"""Explanations: which statement decided and how it came to apply, what was indeterminate, and what nearly applied.

A slow second reading of the same statements, which a property test holds to the decision. The same question always
gets the same explanation: the lowest document, then the lowest statement. Without `values` no text holds a value of a
condition or of the request, so that it may be shown to somebody who may not read the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bearerkit.policy.answers import NO_CONTEXT
from bearerkit.policy.compiled import Parts
from bearerkit.policy.condition import Condition, Context, Truth, values_of, why
from bearerkit.policy.decision import IDENTITY, Decision
from bearerkit.policy.effect import BOUNDARY_DENY, EXPLICIT_DENY, IMPLICIT_DENY
from bearerkit.policy.pattern import Pattern
from bearerkit.policy.principal import EVERYBODY, UNKNOWN, Principal, principal_from
from bearerkit.policy.scheme import with_descendants
from bearerkit.policy.statement import Statement

if TYPE_CHECKING:
    from bearerkit.policy.policy import Policy

__all__ = ["Explanation", "Indeterminate", "NearMiss", "Trace", "explained"]

NEAR_MISSES_MAX: Final = 5


class Trace(NamedTuple):
    """The statement that decided, and how it came to apply.

    `via` is the way from the caller to `matched_principal`: groups and roles in between, outermost first.
    """

    policy_id: str | None
    version: str | None
    statement: str
    allows: bool
    matched_action: str
    matched_resource: str
    matched_principal: str | None
    via: tuple[str, ...]
    conditions: tuple[Condition, ...]


class Indeterminate(NamedTuple):
    """A condition, or a variable of a resource, that could not be decided."""

    policy_id: str | None
    statement: str
    key: str
    why: str


class NearMiss(NamedTuple):
    """An allow that would have applied but for what `lacks` says: `principal`, `condition` or `resource`."""

    policy_id: str | None
    statement: str
    lacks: str
    conditions: tuple[Condition, ...] = ()


class Explanation(NamedTuple):
    """Why a policy decided as it did. `str()` and `reasons` are for a log; `as_dict()` for a program."""

    decision: Decision
    action: str
    resource: str
    decided_by: Trace | None
    indeterminate: tuple[Indeterminate, ...]
    near_misses: tuple[NearMiss, ...]
    statements: int
    about_the_action: int

    @property
    def allowed(self) -> bool:
        """What `decide` said."""
        return self.decision.allowed

    def as_dict(self, *, values: bool = False) -> dict[str, Any]:
        """JSON values. `values` adds those of conditions, for somebody who may read the policy."""
        trace = self.decided_by
        return {
            "decision": self.decision.effect,
            "layer": self.decision.layer,
            "error": self.decision.error,
            "action": self.action,
            "resource": self.resource,
            "decided_by": None if trace is None else _trace_dict(trace, values),
            "indeterminate": [
                {"policy_id": item.policy_id, "sid": item.statement, "key": item.key, "why": item.why}
                for item in self.indeterminate
            ],
            "near_misses": [
                {
                    "policy_id": item.policy_id,
                    "sid": item.statement,
                    "lacks": item.lacks,
                    "conditions": [_condition_dict(condition, values) for condition in item.conditions],
                }
                for item in self.near_misses
            ],
            "stats": {"statements": self.statements, "about_the_action": self.about_the_action},
        }

    @property
    def reasons(self) -> str:
        """The text without the decision's effect, for where that is said already."""
        layer = "" if self.decision.layer == IDENTITY else f"by the boundary {self.decision.layer!r}: "
        return layer + "\n".join(map(_on_one_line, self._lines()))

    def __str__(self) -> str:
        between = ": " if self.decision.layer == IDENTITY else " "
        return f"{self.decision.effect}{between}{self.reasons}"

    def _lines(self) -> Iterator[str]:
        yield f"{self.action!r} on {self.resource!r}"
        if self.decision.error is not None:
            yield f"  an error: {self.decision.error}"
        trace = self.decided_by
        if trace is not None:
            kind = "allow" if trace.allows else "deny"
            yield f"  decided by the {kind} {_named(trace.policy_id, trace.statement)}"
            yield f"    action {trace.matched_action!r}, resource {trace.matched_resource!r}"
            if trace.matched_principal is not None:
                yield f"    principal {' -> '.join((*trace.via, trace.matched_principal))}"
            if trace.conditions:
                yield f"    conditions {', '.join(f'{item.spelled} {item.key}' for item in trace.conditions)}"
        elif not self.allowed:
            yield f"  no statement allows it ({self.statements} in force, {self.about_the_action} about the action)"
        for item in self.indeterminate:
            yield f"  indeterminate: {item.key} in {_named(item.policy_id, item.statement)} is {item.why}"
        for miss in self.near_misses:
            failed = ", ".join(f"{item.spelled} {item.key}" for item in miss.conditions)
            of = f" ({failed})" if failed else ""
            yield f"  nearly: {_named(miss.policy_id, miss.statement)} lacks the {miss.lacks}{of}"


def _on_one_line(text: str) -> str:
    # Ids of documents and names of groups are anybody's text: in a log they must not look like lines of their own.
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _named(policy_id: str | None, statement: str) -> str:
    return statement if policy_id is None else f"{policy_id}/{statement}"


def _condition_dict(condition: Condition, values: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"op": condition.spelled, "key": condition.key}
    if values:
        shown["values"] = [value.text if isinstance(value, Pattern) else str(value) for value in condition.values]
    return shown


def _trace_dict(trace: Trace, values: bool) -> dict[str, Any]:
    return {
        "policy_id": trace.policy_id,
        "version": trace.version,
        "sid": trace.statement,
        "effect": "allow" if trace.allows else "deny",
        "matched_action": trace.matched_action,
        "matched_resource": trace.matched_resource,
        "matched_principal": trace.matched_principal,
        "via": list(trace.via),
        "conditions": [_condition_dict(condition, values) for condition in trace.conditions],
    }


class _Reading(NamedTuple):
    """One statement about the action, and how each part of it came out."""

    parts: Parts
    named: bool
    """False if none of its principals is the caller."""
    resource: Truth
    conditions: tuple[Truth, ...]

    @property
    def truth(self) -> Truth:
        if not self.named or self.resource is False or False in self.conditions:
            return False
        return None if self.resource is None or None in self.conditions else True


def explained(
    policy: Policy,
    decision: Decision,
    action: str,
    resource: str,
    principal: Principal | Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
) -> Explanation:
    """Why `policy` decided so. Inside the boundary that decided, if one did."""
    if decision.effect == BOUNDARY_DENY:
        for name, boundary in policy.boundaries:
            inner = boundary.explain(action, resource, principal, context)
            if name == decision.layer and not inner.allowed:
                return inner._replace(decision=decision)
    elif decision.error is None:
        try:
            return _read_again(policy, decision, action, resource, principal_from(principal), context or NO_CONTEXT)
        except Exception:  # it looks at more than the decision had to
            return _without_reasons(policy, decision, action, resource)
    return _without_reasons(policy, decision, action, resource)


def _without_reasons(policy: Policy, decision: Decision, action: str, resource: str) -> Explanation:
    return Explanation(decision, str(action)[:256], str(resource)[:2_048], None, (), (), len(policy), 0)


def _read_again(
    policy: Policy, decision: Decision, action: str, resource: str, who: Principal | None, context: Context
) -> Explanation:
    about = policy.compiled.about(action) if len(resource) <= policy.limits.resource_length else ()
    identities = UNKNOWN if who is None else who.identities
    readings = []
    for parts in about:
        principals, tests = parts.statement.principals, parts.conditions
        readings.append(
            _Reading(
                parts,
                principals is None or not principals.isdisjoint(identities),
                parts.resource(resource, who, context),
                tuple([test(who, context) for test in tests]) if tests else (),
            )
        )
    return Explanation(
        decision,
        action[:256],
        resource[:2_048],
        _decided_by(readings, decision, resource, who, context, policy),
        tuple([item for reading in readings if _has_unknown(reading) for item in _unknowns(reading, who, context)]),
        _near_misses(readings) if decision.effect == IMPLICIT_DENY else (),
        len(policy),
        len(about),
    )


def _rank(principal: str) -> tuple[int, str]:
    """The most particular first: the user himself, his key, a group, a role, everybody."""
    kinds = ("user", "key", "group", "role")
    kind = principal.partition(":")[0]
    return (kinds.index(kind) if kind in kinds else len(kinds), principal)


def _decided_by(
    readings: Sequence[_Reading],
    decision: Decision,
    resource: str,
    principal: Principal | None,
    context: Context,
    policy: Policy,
) -> Trace | None:
    if decision.effect == IMPLICIT_DENY:
        return None
    denied = decision.effect == EXPLICIT_DENY
    for reading in readings:
        source, statement, action, _, _ = reading.parts
        if statement.allows is denied or not (reading.truth or (denied and reading.truth is None)):
            continue
        who, via = _path(statement, principal)
        return Trace(
            source.id,
            source.version,
            statement.name,
            statement.allows,
            action.text,
            _matched_resource(statement, resource, principal, context, policy),
            who,
            via,
            statement.conditions,
        )
    return None


def _path(statement: Statement, principal: Principal | None) -> tuple[str | None, tuple[str, ...]]:
    """The principal of the statement that is the caller, and how the caller came to be it."""
    if statement.principals is None:
        return None, ()
    if principal is None:
        return EVERYBODY, ()
    mine = min(principal.identities & statement.principals, key=_rank)
    return mine, principal.paths[mine]


def _matched_resource(
    statement: Statement, resource: str, principal: Principal | None, context: Context, policy: Policy
) -> str:
    """The pattern that matched; one with a variable that cannot be filled, if only such a one may have."""
    if len(statement.resources) == 1:
        return statement.resources[0].text
    for pattern in statement.resources:
        values = values_of(pattern.variables, principal, context)
        if values is None:
            continue
        covered = with_descendants(pattern.filled(values), policy.schemes)
        if any(one.matcher()(resource) for one in covered):
            return pattern.text
    return next(pattern.text for pattern in statement.resources if pattern.variables)


def _has_unknown(reading: _Reading) -> bool:
    return reading.named and (
        reading.resource is None or (reading.resource is not False and None in reading.conditions)
    )


def _unknowns(reading: _Reading, principal: Principal | None, context: Context) -> Iterator[Indeterminate]:
    source, statement, *_ = reading.parts
    where = (source.id, statement.name)
    if reading.resource is None:
        for name in dict.fromkeys(name for pattern in statement.resources for name in pattern.variables):
            if values_of([name], principal, context) is None:
                yield Indeterminate(*where, f"${{{name}}}", "a variable that cannot be filled")
    for condition, truth in zip(statement.conditions, reading.conditions, strict=True):
        if truth is None:
            yield Indeterminate(*where, condition.key, why(condition, principal, context))


def _near_misses(readings: Sequence[_Reading]) -> tuple[NearMiss, ...]:
    """Allows of which one part failed: first those about this very resource."""
    close: list[NearMiss] = []
    further: list[NearMiss] = []
    for reading in readings:
        source, statement, *_ = reading.parts
        if not statement.allows:
            continue
        pairs = zip(statement.conditions, reading.conditions, strict=True)
        failed = tuple(condition for condition, truth in pairs if truth is not True)
        where = (source.id, statement.name)
        if reading.resource is True and not reading.named:
            close.append(NearMiss(*where, "principal"))
        elif reading.resource is True and failed:
            close.append(NearMiss(*where, "condition", failed))
        elif reading.resource is not True and reading.named and not failed:
            further.append(NearMiss(*where, "resource"))
    return (*close, *further)[:NEAR_MISSES_MAX]
