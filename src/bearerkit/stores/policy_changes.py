"""`PolicyChanges`: storing, binding and listing the policies of a tenant, over whatever keeps the rows.

Each method is one piece: all of it happens or none, and a change counts the tenant's epoch up with it. What may be
bound and inherited is decided by `policy_reach.py`, what parses by `policy/`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from bearerkit._drive import port, run
from bearerkit.errors import PolicyError
from bearerkit.ports import Clock
from bearerkit.stores.policy_documents import Documents
from bearerkit.stores.policy_errors import PolicyConflict, PolicyUnknown
from bearerkit.stores.policy_reach import hierarchy_problem, reach_problem, targets_by_child
from bearerkit.stores.policy_records import (
    TENANT_WIDE,
    Binding,
    BoundRow,
    BoundTo,
    Kind,
    LinkKind,
    PolicyRow,
    StoredPolicy,
    checked_name,
    checked_text,
    id_of,
    number_of,
    stored,
)  # fmt: skip
from bearerkit.stores.policy_rows import Change, Rows, Tables

__all__ = ["PolicyChanges"]

S = TypeVar("S")
T = TypeVar("T")
P = ParamSpec("P")


def _blocking(method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[S, P], T]:
    """The same method for sync code, over a store that never suspends."""

    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(port("policies", method(self, *args, **kwargs)))

    update_wrapper(call, method)
    call.__name__ = method.__name__.removeprefix("a")
    call.__qualname__ = f"{method.__qualname__.rpartition('.')[0]}.{call.__name__}"
    return call


class _Unchanged(Exception):
    """There is nothing to change, so that the epoch must not change either."""


class PolicyChanges:
    """The part of a `PolicyStore` that changes and lists. `policy` is everywhere the id of a policy, or its name."""

    def __init__(self, tables: Tables, documents: Documents, clock: Clock, most_policies: int) -> None:
        self._tables = tables
        self._documents = documents
        self._clock = clock
        self._most_policies = most_policies

    # Policies

    async def aput(self, tenant: str, name: str, document: Any, *, expected_version: int | None = None) -> StoredPolicy:
        """Store a new policy, or the next version of the one of this name; it is in force from the next request on.

        `expected_version` is the version that the change was made from, 0 for none yet.

        Raises:
            PolicyError: it does not parse, or somebody it is bound to would have too many statements.
            PolicyConflict: there is another version by now than `expected_version`.
        """
        checked_name(name)
        checked = self._documents.checked(document)
        now = self._clock.now()

        def work(change: Change) -> StoredPolicy:
            before = change.named(name)
            version = before.version if before else 0
            _expect(expected_version, version, name)
            number = before.number if before else change.epoch()
            row = PolicyRow(number, name, version + 1, checked.written, checked.resolved, checked.statements, now)
            change.add(row)
            if before is not None and checked.statements > before.statements:
                self._check_reach(change)
            return stored(row)

        return await self._write(tenant, work)

    async def aget(self, tenant: str, policy: str, *, version: int | None = None) -> StoredPolicy:
        """A policy, or an earlier version of it. Raises PolicyUnknown."""

        def work(rows: Rows) -> StoredPolicy:
            row = _found(rows, policy)
            if version is not None and version != row.version:
                row = next((old for old in rows.versions(row.number) if old.version == version), None)  # type: ignore[assignment]
                if row is None:
                    raise PolicyUnknown(f"policy {policy!r:.80} has no version {version!r:.20}")
            return stored(row)

        return await self._read(tenant, work)

    async def alist(self, tenant: str) -> tuple[StoredPolicy, ...]:
        """The policies of a tenant, by name."""

        def work(rows: Rows) -> tuple[StoredPolicy, ...]:
            return tuple(sorted(map(stored, rows.current()), key=lambda policy: policy.name))

        return await self._read(tenant, work)

    async def ahistory(self, tenant: str, policy: str) -> tuple[StoredPolicy, ...]:
        """All versions of a policy, oldest first. Raises PolicyUnknown."""

        def work(rows: Rows) -> tuple[StoredPolicy, ...]:
            return tuple(map(stored, rows.versions(_found(rows, policy).number)))

        return await self._read(tenant, work)

    async def adelete(self, tenant: str, policy: str, *, expected_version: int | None = None) -> None:
        """Delete a policy with its versions and bindings. Raises PolicyUnknown, PolicyConflict."""

        def work(change: Change) -> None:
            row = _found(change, policy)
            _expect(expected_version, row.version, row.name)
            change.remove(row.number)

        await self._write(tenant, work)

    # Bindings

    async def abind(
        self,
        tenant: str,
        policy: str,
        *,
        role: str | None = None,
        group: str | None = None,
        user: str | None = None,
        key: str | None = None,
    ) -> None:
        """Bind a policy to one role, group, user or key, spelt as in the tokens. Nothing happens if it is bound.

        Raises PolicyUnknown; PolicyError if somebody would have too many policies or statements.
        """
        await self._bind(tenant, policy, _whom(role, group, user, key))

    async def aunbind(
        self,
        tenant: str,
        policy: str,
        *,
        role: str | None = None,
        group: str | None = None,
        user: str | None = None,
        key: str | None = None,
    ) -> None:
        """Take such a binding away. Nothing happens if there is none. Raises PolicyUnknown."""
        await self._unbind(tenant, policy, _whom(role, group, user, key))

    async def aattach(self, tenant: str, policy: str) -> None:
        """Bind a policy to everybody in the tenant. Raises PolicyUnknown, PolicyError."""
        await self._bind(tenant, policy, TENANT_WIDE)

    async def adetach(self, tenant: str, policy: str) -> None:
        """Take that away. Raises PolicyUnknown."""
        await self._unbind(tenant, policy, TENANT_WIDE)

    async def abindings(self, tenant: str, policy: str | None = None) -> tuple[Binding, ...]:
        """The bindings of a policy, or all, in order of name, kind and whom. Raises PolicyUnknown."""

        def work(rows: Rows) -> tuple[Binding, ...]:
            listed = rows.current() if policy is None else [_found(rows, policy)]
            names = {row.number: row.name for row in listed}
            found = [
                Binding(id_of(row.number), names[row.number], row.kind, row.to)
                for row in rows.bindings()
                if row.number in names
            ]
            return tuple(sorted(found, key=lambda binding: binding[1:]))

        return await self._read(tenant, work)

    # Roles and groups

    async def aset_role_parents(self, tenant: str, role: str, parents: Iterable[str]) -> None:
        """Let a role inherit from these and no others; an empty list takes all parents away.

        Raises PolicyError for a role that would be above itself, for more than sixteen one above the other, and if
        somebody would have too many policies or statements.
        """
        await self._link(tenant, "role", role, parents)

    async def aset_group_roles(self, tenant: str, group: str, roles: Iterable[str]) -> None:
        """Give the members of a group these roles and no others. Raises PolicyError as `set_role_parents`."""
        await self._link(tenant, "group", group, roles)

    async def arole_parents(self, tenant: str) -> dict[str, tuple[str, ...]]:
        """Each role that has parents → its parents."""
        return await self._read(tenant, lambda rows: targets_by_child(rows.links(), "role"))

    async def agroup_roles(self, tenant: str) -> dict[str, tuple[str, ...]]:
        """Each group that has roles → its roles."""
        return await self._read(tenant, lambda rows: targets_by_child(rows.links(), "group"))

    # The epoch

    async def aepoch(self, tenant: str) -> int:
        """How often the policies of a tenant have changed."""
        return await self._read(tenant, lambda rows: rows.epoch())

    async def atouch(self, tenant: str) -> int:
        """Have every process load the policies of a tenant anew: after rows were changed by other means."""
        return await self._write(tenant, lambda change: change.epoch())

    put = _blocking(aput)
    get = _blocking(aget)
    list = _blocking(alist)
    history = _blocking(ahistory)
    delete = _blocking(adelete)
    bind = _blocking(abind)
    unbind = _blocking(aunbind)
    attach = _blocking(aattach)
    detach = _blocking(adetach)
    bindings = _blocking(abindings)
    set_role_parents = _blocking(aset_role_parents)
    set_group_roles = _blocking(aset_group_roles)
    role_parents = _blocking(arole_parents)
    group_roles = _blocking(agroup_roles)
    epoch = _blocking(aepoch)
    touch = _blocking(atouch)

    # What these have in common

    async def _read(self, tenant: str, work: Callable[[Rows], T]) -> T:
        return await self._tables.snapshot(checked_text("the tenant", tenant), work)

    async def _write(self, tenant: str, work: Callable[[Change], T]) -> T:
        return await self._tables.write(checked_text("the tenant", tenant), work)

    async def _write_if_needed(self, tenant: str, work: Callable[[Change], None]) -> None:
        try:
            await self._write(tenant, work)
        except _Unchanged:
            return

    async def _bind(self, tenant: str, policy: str, whom: BoundTo) -> None:
        def work(change: Change) -> None:
            row = BoundRow(*whom, _found(change, policy).number)
            if row in change.bindings([whom]):
                raise _Unchanged
            change.bind(row)
            self._check_reach(change)

        await self._write_if_needed(tenant, work)

    async def _unbind(self, tenant: str, policy: str, whom: BoundTo) -> None:
        def work(change: Change) -> None:
            row = BoundRow(*whom, _found(change, policy).number)
            if row not in change.bindings([whom]):
                raise _Unchanged
            change.unbind(row)

        await self._write_if_needed(tenant, work)

    async def _link(self, tenant: str, kind: LinkKind, child: str, roles: Iterable[str]) -> None:
        if isinstance(roles, str):
            raise TypeError("roles are a list of names, not one text")
        checked_text(f"the {kind}", child)
        chosen = sorted({checked_text("a role", role) for role in roles})

        def work(change: Change) -> None:
            if [*targets_by_child(change.links(), kind).get(child, ())] == chosen:
                raise _Unchanged
            change.link(kind, child, chosen)
            if problem := hierarchy_problem(targets_by_child(change.links(), "role")):
                raise PolicyError([problem])
            self._check_reach(change)

        await self._write_if_needed(tenant, work)

    def _check_reach(self, change: Change) -> None:
        problem = reach_problem(
            change.current(),
            change.bindings(),
            change.links(),
            most_policies=self._most_policies,
            most_statements=self._documents.limits.effective_statements,
        )
        if problem is not None:
            raise PolicyError([problem])


def _found(rows: Rows, policy: str) -> PolicyRow:
    number = number_of(checked_text("the policy", policy))
    row = rows.named(policy) if number is None else next(iter(rows.current([number])), None)
    if row is None:
        raise PolicyUnknown(f"there is no policy {policy!r:.80} in this tenant")
    return row


def _expect(expected: int | None, version: int, name: str) -> None:
    if expected is not None and expected != version:
        raise PolicyConflict(f"policy {name!r} is at version {version}, not {expected}", version=version)


def _whom(role: str | None, group: str | None, user: str | None, key: str | None) -> BoundTo:
    given: dict[Kind, str | None] = {"role": role, "group": group, "user": user, "key": key}
    chosen = [BoundTo(kind, name) for kind, name in given.items() if name is not None]
    if len(chosen) != 1:
        raise TypeError("a policy is bound to exactly one of role=, group=, user=, key=")
    checked_text(f"the {chosen[0].kind}", chosen[0].to)
    return chosen[0]
