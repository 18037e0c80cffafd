"""Rules about what may be bound and inherited in a tenant. Pure functions of its rows, in whatever order those come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bearerkit.policy import PolicyProblem, Principal
from bearerkit.policy.limits import ROLE_DEPTH
from bearerkit.stores.policy_records import TENANT_WIDE, BoundRow, BoundTo, LinkKind, LinkRow, PolicyRow

__all__ = ["hierarchy_problem", "reach_problem", "targets_by_child"]


def targets_by_child(links: Iterable[LinkRow], kind: LinkKind) -> dict[str, tuple[str, ...]]:
    """Each role and its parents, or each group and its roles, in order of their names."""
    found: dict[str, tuple[str, ...]] = {}
    for link in links:
        if link.kind == kind:
            found[link.child] = (*found.get(link.child, ()), link.role)
    return {child: tuple(sorted(roles)) for child, roles in sorted(found.items())}


def hierarchy_problem(parents: Mapping[str, Sequence[str]]) -> PolicyProblem | None:
    """What is wrong with the parents of roles: a role above itself, or more than sixteen one above the other."""
    heights: dict[str, int] = {}

    def height(role: str, below: tuple[str, ...]) -> int | PolicyProblem:
        if role in below:
            circle = " → ".join((*below[below.index(role) :], role))
            return PolicyProblem("role_cycle", "", f"a role would be its own parent: {circle}")
        if role in heights:
            return heights[role]
        highest = 0
        for parent in parents.get(role, ()):
            # A chain that is too long ends here, so that a hierarchy made elsewhere cannot exhaust the stack.
            found = height(parent, (*below, role)) if len(below) <= ROLE_DEPTH else _too_deep(role)
            if isinstance(found, PolicyProblem):
                return found
            highest = max(highest, found + 1)
        if highest > ROLE_DEPTH:
            return _too_deep(role)
        heights[role] = highest
        return highest

    for role in parents:
        if isinstance(found := height(role, ()), PolicyProblem):
            return found
    return None


def _too_deep(role: str) -> PolicyProblem:
    text = f"more than {ROLE_DEPTH} parents would be one above the other, at role {role!r}"
    return PolicyProblem("role_depth", "", text)


def reach_problem(
    rows: Iterable[PolicyRow],
    bindings: Iterable[BoundRow],
    links: Sequence[LinkRow],
    *,
    most_policies: int,
    most_statements: int,
) -> PolicyProblem | None:
    """Who has too much bound to it, with what everybody has and with what its roles inherit."""
    sizes = {row.number: row.statements for row in rows}
    bound: dict[BoundTo, set[int]] = {}
    for row in bindings:
        bound.setdefault(BoundTo(row.kind, row.to), set()).add(row.number)
    everybody = bound.get(TENANT_WIDE, set())
    for who, principals in _everyone(bound, links):
        policies = everybody.union(*(bound.get(principal, ()) for principal in principals))
        if len(policies) > most_policies:
            text = f"{len(policies)} policies would be in force for {who}; at most {most_policies} are allowed"
            return PolicyProblem("too_many_policies", "", text)
        statements = sum(sizes[number] for number in policies)
        if statements > most_statements:
            text = f"{statements} statements would be in force for {who}; at most {most_statements} are allowed"
            return PolicyProblem("too_many_statements", "", text)
    return None


def _everyone(bound: Iterable[BoundTo], links: Sequence[LinkRow]) -> Iterator[tuple[str, Sequence[BoundTo]]]:
    """Everybody who has something, in words, and the principals that this is by itself."""
    parents, group_roles = targets_by_child(links, "role"), targets_by_child(links, "group")
    alone = {*bound, *(BoundTo("role", role) for role in parents), *(BoundTo("group", name) for name in group_roles)}
    for kind, name in sorted(alone):
        principal = Principal(
            roles=(name,) if kind == "role" else (),
            groups=(name,) if kind == "group" else (),
            role_parents=parents,
            group_roles=group_roles,
        )
        roles: list[BoundTo] = [BoundTo("role", role) for role in principal.effective_roles]
        own: list[BoundTo] = [] if kind in ("role", "tenant") else [BoundTo(kind, name)]
        yield ("everybody" if kind == "tenant" else f"{kind} {name!r}"), [*own, *roles]
