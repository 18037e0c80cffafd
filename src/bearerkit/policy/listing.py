"""Whether an action is allowed on a resource, or on the resource and whatever may lie below it.

The second question is about names that nobody has listed, so it is answered on the safe side: yes only if one allow
covers everything below, and no deny reaches into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bearerkit.policy.condition import Test, Truth, all_of, values_of
from bearerkit.policy.pattern import Pattern
from bearerkit.policy.principal import UNKNOWN, Principal, principal_from
from bearerkit.policy.scheme import with_descendants
from bearerkit.policy.statement import Statement

if TYPE_CHECKING:
    from bearerkit.policy.policy import Policy

__all__ = ["decided_below", "decided_here"]

Who = Principal | Mapping[str, Any] | None


def decided_here(policy: Policy, action: str, resource: str, principal: Who, context: Mapping[str, Any] | None) -> bool:
    """The decision about the resource itself."""
    return policy.allows(action, resource, principal, context)


def decided_below(
    policy: Policy, action: str, resource: str, principal: Who, context: Mapping[str, Any] | None
) -> bool:
    """True if the resource and everything below it is surely allowed."""
    if not policy.allows(action, resource, principal, context):
        return False
    try:
        return _surely_below(policy, action, resource, principal_from(principal), {} if context is None else context)
    except Exception:  # it looks at more than the decision had to
        return False


def _surely_below(policy: Policy, action: str, resource: str, who: Principal | None, known: Mapping[str, Any]) -> bool:
    layers = [policy, *(boundary for _, boundary in policy.boundaries)]
    return all(_covers(layer, action, resource, who, known) for layer in layers) and all(
        decided_below(boundary, action, resource, who, known) for _, boundary in policy.boundaries
    )


def _covers(
    policy: Policy, action: str, resource: str, principal: Principal | None, context: Mapping[str, Any]
) -> bool:
    below = f"{resource}/"
    covered = False
    identities = UNKNOWN if principal is None else principal.identities
    for _, statement, _, _, conditions in policy.compiled.about(action):
        if statement.principals is not None and statement.principals.isdisjoint(identities):
            continue
        met = _met_below(statement, conditions, principal, context)
        for pattern in _filled(statement, principal, context):
            if statement.allows:
                covered |= met is True and pattern is not None and _takes_all(pattern, below, policy)
            elif met is not False and (pattern is None or _may_reach(pattern, below, policy)):
                return False
    return covered


def _met_below(
    statement: Statement, tests: Sequence[Test], principal: Principal | None, context: Mapping[str, Any]
) -> Truth:
    """The conditions for whatever lies below: what is known of this resource says nothing about that one."""
    pairs = zip(statement.conditions, tests, strict=True)
    here = [test for condition, test in pairs if condition.key.partition(".")[0] != "resource"]
    met = all_of(here)(principal, context)
    return None if met and len(here) < len(tests) else met


def _filled(statement: Statement, principal: Principal | None, context: Mapping[str, Any]) -> Iterator[Pattern | None]:
    """The resources with their variables filled, None for one that cannot be."""
    for pattern in statement.resources:
        values = values_of(pattern.variables, principal, context)
        yield None if values is None else pattern.filled(values)


def _takes_all(pattern: Pattern, below: str, policy: Policy) -> bool:
    prefixes = [covered.prefix for covered in with_descendants(pattern, policy.schemes)]
    return any(prefix is not None and below.startswith(prefix) for prefix in prefixes)


def _may_reach(pattern: Pattern, below: str, policy: Policy) -> bool:
    """False only if nothing that begins with `below` can match."""
    for covered in with_descendants(pattern, policy.schemes):
        exact = covered.exact
        if exact is not None:
            if exact.startswith(below):
                return True
        elif covered.head.startswith(below) or below.startswith(covered.head):
            return True
    return False
