"""`MemoryPolicies`: stored policies in the memory of this process. Another worker knows nothing of them.

Each change makes a new state of its tenant and puts it in place at once, so that readers need no lock. What may be
changed, and what follows from it, is decided in `policy_store.py`, never here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar, Unpack, final

from bearerkit.stores.policy_records import BoundRow, BoundTo, LinkKind, LinkRow, PolicyRow
from bearerkit.stores.policy_rows import Change, Rows
from bearerkit.stores.policy_store import PolicyStore, PolicyStoreOptions
from bearerkit.verify.forks import survives_fork

__all__ = ["MemoryPolicies"]

T = TypeVar("T")


@final
class MemoryPolicies(PolicyStore):
    """Policies of tenants in memory. `options` are those of `PolicyStoreOptions`."""

    def __init__(self, **options: Unpack[PolicyStoreOptions]) -> None:
        super().__init__(_Tables(), **options)


@final
class _State:
    """The rows of one tenant; never changed once it is in place."""

    def __init__(self, before: _State | None = None) -> None:
        self.count: int = before.count if before else 0
        self.policies: dict[int, tuple[PolicyRow, ...]] = dict(before.policies) if before else {}
        self.bound: dict[BoundRow, None] = dict(before.bound) if before else {}
        self.linked: dict[tuple[LinkKind, str], tuple[str, ...]] = dict(before.linked) if before else {}

    def epoch(self) -> int:
        return self.count

    def links(self) -> Sequence[LinkRow]:
        return [LinkRow(kind, child, role) for (kind, child), roles in self.linked.items() for role in roles]

    def bindings(self, of: Collection[BoundTo] | None = None) -> Sequence[BoundRow]:
        return [row for row in self.bound if of is None or (row.kind, row.to) in of]

    def current(self, numbers: Collection[int] | None = None) -> Sequence[PolicyRow]:
        chosen = self.policies if numbers is None else [number for number in numbers if number in self.policies]
        return [self.policies[number][-1] for number in sorted(chosen)]

    def named(self, name: str) -> PolicyRow | None:
        return next((versions[-1] for versions in self.policies.values() if versions[-1].name == name), None)

    def versions(self, number: int) -> Sequence[PolicyRow]:
        return self.policies.get(number, ())

    def add(self, row: PolicyRow) -> None:
        self.policies[row.number] = (*self.policies.get(row.number, ()), row)

    def remove(self, number: int) -> None:
        del self.policies[number]
        self.bound = {row: None for row in self.bound if row.number != number}

    def bind(self, row: BoundRow) -> None:
        self.bound[row] = None

    def unbind(self, row: BoundRow) -> None:
        del self.bound[row]

    def link(self, kind: LinkKind, child: str, roles: Iterable[str]) -> None:
        self.linked[kind, child] = tuple(roles)


_NOTHING = _State()


@final
class _Tables:
    """Implements `Tables`."""

    def __init__(self) -> None:
        self._tenants: dict[str, _State] = {}
        self._lock = threading.Lock()
        survives_fork(self)

    async def read(self, tenant: str, work: Callable[[Rows], T]) -> T:
        return work(self._tenants.get(tenant, _NOTHING))

    async def snapshot(self, tenant: str, work: Callable[[Rows], T]) -> T:
        return await self.read(tenant, work)

    async def write(self, tenant: str, work: Callable[[Change], T]) -> T:
        with self._lock:
            state = _State(self._tenants.get(tenant))
            state.count += 1
            result = work(state)
            self._tenants[tenant] = state
            return result

    def after_fork(self) -> None:
        """In a forked child nobody holds the lock."""
        self._lock = threading.Lock()
