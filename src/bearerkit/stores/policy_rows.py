"""The rows of one tenant, as what keeps policies offers them to what decides about them. Protocols only.

A store implements reading rows, changing rows, and running either as one piece. Every object here is
about one tenant and cannot name another one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from bearerkit.stores.policy_records import BoundRow, BoundTo, LinkKind, LinkRow, PolicyRow

__all__ = ["Change", "Rows", "Tables"]

T = TypeVar("T")


class Rows(Protocol):
    """The rows of one tenant."""

    def epoch(self) -> int:
        """How often the tenant's rows have changed. The cheapest of all readings: one row."""
        ...

    def links(self) -> Sequence[LinkRow]:
        """All parents of roles and roles of groups."""
        ...

    def bindings(self, of: Collection[BoundTo] | None = None) -> Sequence[BoundRow]:
        """The bindings of these, or all."""
        ...

    def current(self, numbers: Collection[int] | None = None) -> Sequence[PolicyRow]:
        """The newest version of these policies, or of all, by number."""
        ...

    def named(self, name: str) -> PolicyRow | None:
        """The newest version of the policy of this name."""
        ...

    def versions(self, number: int) -> Sequence[PolicyRow]:
        """All versions of a policy, oldest first."""
        ...


class Change(Rows, Protocol):
    """The rows of one tenant while nobody else can change them. `epoch` counts this change already."""

    def add(self, row: PolicyRow) -> None:
        """A new policy, or the next version of one."""
        ...

    def remove(self, number: int) -> None:
        """A policy, its versions and its bindings."""
        ...

    def bind(self, row: BoundRow) -> None:
        """A binding that is not there yet."""
        ...

    def unbind(self, row: BoundRow) -> None:
        """Take a binding away."""
        ...

    def link(self, kind: LinkKind, child: str, roles: Iterable[str]) -> None:
        """Give a role these parents, or a group these roles, instead of those it has."""
        ...


class Tables(Protocol):
    """Where rows are kept. `async` for stores that wait; a blocking one never suspends."""

    async def read(self, tenant: str, work: Callable[[Rows], T]) -> T:
        """What `work` returns, which reads once. Raises StoreUnavailable."""
        ...

    async def snapshot(self, tenant: str, work: Callable[[Rows], T]) -> T:
        """What `work` returns, all of whose readings are of one state. It keeps no writer waiting.

        Raises StoreUnavailable.
        """
        ...

    async def write(self, tenant: str, work: Callable[[Change], T]) -> T:
        """Count the epoch up, run `work`, keep both; or neither, if anything raises. One change of a tenant at a time.

        Raises StoreUnavailable.
        """
        ...
