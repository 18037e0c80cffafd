"""Explanations: which statement decided and how it came to apply, what was indeterminate, and what nearly applied.

A slow second reading of the same statements, which a property test holds to the decision. The same question always
gets the same explanation: the lowest document, then the lowest statement. Without `values` no text holds a value of a
condition or of the request, so that it may be shown to somebody who may not read the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from bearerkit.policy.bucket import EXPLICIT_DENY, IMPLICIT_DENY
from bearerkit.policy.condition import Condition, Context, Truth, values_of, why
from bearerkit.policy.decision import Decision
from bearerkit.policy.pattern import Pattern
from bearerkit.policy.principal import UNKNOWN, Principal, principal_from
from bearerkit.policy.scheme import with_descendants
from bearerkit.policy.statement import Source, Statement

if TYPE_CHECKING:
    from bearerkit.policy.policy import Policy

__all__ = ["Explanation", "Indeterminate", "NearMiss", "Trace", "explained"]

NEAR_MISSES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Trace:
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


@dataclass(frozen=True, slots=True)
class Indeterminate:
    """A condition, or a variable of a resource, that could not be decided."""

    policy_id: str | None
    statement: str
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An allow that would have applied but for what `lacks` says: `principal`, `condition` or `resource`."""

    policy_id: str | None
    statement: str
    lacks: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a policy decided as it did. `str()` is for a log; `as_dict()` for a program."""

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

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        layer = "" if self.decision.layer == "identity" else f" by the boundary {self.decision.layer!r}"
        yield f"{self.decision.effect}{layer}: {self.action!r} on {self.resource!r}"
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """One statement about the action, and how each part of it came out."""

    source: Source
    statement: Statement
    action: Pattern
    principal: str | None
    named: bool
    """False if none of its principals is the caller."""
    resource: Truth
    conditions: tuple[Truth, ...]

    @property
    def truth(self) -> Truth:
        parts = (self.named, self.resource, *self.conditions)
        return False if False in parts else None if None in parts else True


def explained(
    policy: Policy,
    decision: Decision,
    action: str,
    resource: str,
    principal: Principal | Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
) -> Explanation:
    """Why `policy` decided so. Inside the boundary that decided, if one did."""
    nothing = Explanation(decision, str(action)[:256], str(resource)[:2_048], None, (), (), len(policy), 0)
    if decision.effect == "boundary_deny":
        for name, boundary in policy.boundaries:
            inner = boundary.explain(action, resource, principal, context)
            if name == decision.layer and not inner.allowed:
                return replace(inner, decision=decision)
    if decision.error is not None or decision.effect == "boundary_deny":
        return nothing
    try:
        return _read_again(policy, nothing, action, resource, principal, context)
    except Exception:  # it looks at more than the decision had to
        return nothing


def _read_again(
    policy: Policy,
    nothing: Explanation,
    action: str,
    resource: str,
    principal: Principal | Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
) -> Explanation:
    decision = nothing.decision
    who, known = principal_from(principal), {} if context is None else context
    about = list(_readings(policy, action, resource, who, known))
    paths = dict.fromkeys(UNKNOWN, ()) if who is None else who.paths
    return Explanation(
        decision,
        nothing.action,
        nothing.resource,
        _decided_by(about, decision, resource, who, known, paths, policy),
        tuple(item for reading in about for item in _unknowns(reading, who, known)),
        _near_misses(about) if decision.effect == IMPLICIT_DENY else (),
        len(policy),
        len(about),
    )


def _readings(
    policy: Policy, action: str, resource: str, principal: Principal | None, context: Context
) -> Iterator[_Reading]:
    if len(resource) > policy.limits.resource_length:
        return
    identities = UNKNOWN if principal is None else principal.identities
    for source, statement, about, conditions in policy.compiled.about(action):
        mine = sorted(identities & statement.principals, key=_rank) if statement.principals is not None else []
        yield _Reading(
            source,
            statement,
            next(pattern for pattern in statement.actions if pattern.matcher()(action)),
            mine[0] if mine else None,
            statement.principals is None or bool(mine),
            about(resource, principal, context),
            tuple(test(principal, context) for test in conditions),
        )


def _rank(principal: str) -> tuple[int, str]:
    """The most particular first: the user himself, his key, a group, a role, everybody."""
    kinds = ("user", "key", "group", "role")
    kind = principal.partition(":")[0]
    return (kinds.index(kind) if kind in kinds else len(kinds), principal)


def _decided_by(
    about: Sequence[_Reading],
    decision: Decision,
    resource: str,
    principal: Principal | None,
    context: Context,
    paths: Mapping[str, tuple[str, ...]],
    policy: Policy,
) -> Trace | None:
    for reading in about:
        statement, truth = reading.statement, reading.truth
        if decision.allowed:
            decides = statement.allows and truth is True
        else:
            decides = decision.effect == EXPLICIT_DENY and not statement.allows and truth is not False
        if decides:
            return Trace(
                reading.source.id,
                reading.source.version,
                statement.name,
                statement.allows,
                reading.action.text,
                _matched_resource(statement, resource, principal, context, policy),
                reading.principal,
                paths.get(reading.principal or "", ()),
                statement.conditions,
            )
    return None


def _matched_resource(
    statement: Statement, resource: str, principal: Principal | None, context: Context, policy: Policy
) -> str:
    """The pattern that matched; one with a variable that cannot be filled, if only such a one may have."""
    for pattern in statement.resources:
        values = values_of(pattern.variables, principal, context)
        if values is None:
            continue
        covered = with_descendants(pattern.filled(values), policy.schemes)
        if any(one.matcher()(resource) for one in covered):
            return pattern.text
    return next(pattern.text for pattern in statement.resources if pattern.variables)


def _unknowns(reading: _Reading, principal: Principal | None, context: Context) -> Iterator[Indeterminate]:
    if not reading.named or reading.resource is False:
        return
    where = (reading.source.id, reading.statement.name)
    if reading.resource is None:
        for name in dict.fromkeys(name for pattern in reading.statement.resources for name in pattern.variables):
            if values_of([name], principal, context) is None:
                yield Indeterminate(*where, f"${{{name}}}", "a variable that cannot be filled")
    for condition, truth in zip(reading.statement.conditions, reading.conditions, strict=True):
        if truth is None:
            yield Indeterminate(*where, condition.key, why(condition, principal, context))


def _near_misses(about: Sequence[_Reading]) -> tuple[NearMiss, ...]:
    """Allows of which one part failed: first those about this very resource."""
    close: list[NearMiss] = []
    further: list[NearMiss] = []
    for reading in about:
        statement = reading.statement
        if not statement.allows:
            continue
        pairs = zip(statement.conditions, reading.conditions, strict=True)
        failed = tuple(condition for condition, truth in pairs if truth is not True)
        where = (reading.source.id, statement.name)
        if reading.resource is True and not reading.named:
            close.append(NearMiss(*where, "principal"))
        elif reading.resource is True and failed:
            close.append(NearMiss(*where, "condition", failed))
        elif reading.resource is not True and reading.named and not failed:
            further.append(NearMiss(*where, "resource"))
    return (*close, *further)[:NEAR_MISSES_MAX]
