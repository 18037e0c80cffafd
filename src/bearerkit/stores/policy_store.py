"""`PolicyStore`: a policy source with the means to change it, over whatever keeps the rows.

Written once for all stores: answering callers is here, changing policies in `policy_changes.py`, the rules are pure
functions in `policy/` and `policy_reach.py`. Nothing is remembered longer than the tenant's epoch stays the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypedDict, Unpack

from cachetools import LRUCache

from bearerkit.errors import ConfigError
from bearerkit.policy import Attachment, Catalog, Limits, Operator, Policy, Principal, Scheme
from bearerkit.policy.clauses import Resolve
from bearerkit.policy.scheme import DEFAULT_SCHEMES
from bearerkit.ports import Clock
from bearerkit.stores.policy_changes import PolicyChanges
from bearerkit.stores.policy_documents import Documents
from bearerkit.stores.policy_reach import targets_by_child
from bearerkit.stores.policy_records import TENANT_WIDE, BoundTo, PolicyRow, is_storable
from bearerkit.stores.policy_rows import Rows, Tables
from bearerkit.system import SystemClock
from bearerkit.verify.forks import survives_fork

__all__ = ["PolicyStore", "PolicyStoreOptions"]

InForce = Callable[[Sequence[PolicyRow]], Policy]


class PolicyStoreOptions(TypedDict, total=False):
    """What every policy store can be told.

    `catalog`, `limits`, `schemes`, `resolve` and `operators` are those of `Policy.parse`. `resolve` is asked when a
    document is written, never when a caller comes. `limits.effective_statements` is for all policies of a caller.
    """

    catalog: Catalog | None
    limits: Limits
    schemes: Iterable[Scheme | Sequence[str]]
    resolve: Resolve | None
    operators: Sequence[Operator]
    policies_per_caller: int
    """How many policies one role, group, user or key may have, what it inherits included; 25 unless given."""
    kept_callers: int
    """How many different sets of roles, groups, user and key are remembered; 4096 unless given."""
    clock: Clock | None


class _Caller(NamedTuple):
    """All that a store looks at: two callers with the same have the same policies."""

    roles: tuple[str, ...]
    groups: tuple[str, ...]
    user: str | None
    key: str | None
    is_key: bool

    @classmethod
    def of(cls, context: Any) -> _Caller:
        is_key = context.credential_kind == "api_key"
        return cls(
            tuple(sorted({role for role in context.roles if is_storable(role)})),
            tuple(sorted({group for group in context.groups if is_storable(group)})),
            context.subject if is_storable(context.subject) else None,
            context.token_id if is_key and is_storable(context.token_id) else None,
            is_key,
        )


class PolicyStore(PolicyChanges):
    """Implements `bearerkit.ports.PolicySource`, and lets policies be stored and bound.

    Every method takes a tenant and sees nothing of another one. Each has two names: `put` for sync code, `aput` to be
    awaited.
    """

    def __init__(self, tables: Tables, **options: Unpack[PolicyStoreOptions]) -> None:
        unknown = options.keys() - PolicyStoreOptions.__annotations__.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}")
        numbers = {"policies_per_caller": 25, "kept_callers": 4_096}
        sizes = {name: options.get(name, default) for name, default in numbers.items()}
        wrong = [name for name, size in sizes.items() if type(size) is not int or size < 1]
        if wrong:
            raise ConfigError([f"{name} must be a positive whole number" for name in wrong])
        documents = Documents(
            options.get("catalog"),
            options.get("limits") or Limits(),
            options.get("schemes", DEFAULT_SCHEMES),
            options.get("resolve"),
            options.get("operators", ()),
        )
        super().__init__(
            tables, documents, options.get("clock") or SystemClock(), options.get("policies_per_caller", 25)
        )
        self._kept: LRUCache[tuple[str, int, _Caller], Attachment] = LRUCache(options.get("kept_callers", 4_096))
        self._nobody = Attachment(documents.in_force("", ()))
        self._forgotten = 0
        self._lock = threading.Lock()
        survives_fork(self)

    async def policies_for(self, context: Any) -> Attachment:
        """What is in force for this caller now; nothing for a caller without `tenant_id`, who is denied everything.

        A caller has what is bound to the user, to the roles and groups of the context, to what these inherit, and to
        the whole tenant. An API key has what is bound to the key and to the whole tenant, within what its user has.

        Raises StoreUnavailable if the store does not answer, or if a policy of this caller cannot be used.
        """
        tenant = context.tenant_id
        if context.is_anonymous or not is_storable(tenant):
            return self._nobody
        caller = _Caller.of(context)
        epoch = await self._tables.read(tenant, lambda rows: rows.epoch())
        with self._lock:
            known, forgotten = self._kept.get((tenant, epoch, caller)), self._forgotten
        if known is not None:
            return known
        # The epoch again, with the rows: of one state, so that nobody is judged by half of a change.
        epoch, load = await self._tables.snapshot(tenant, lambda rows: (rows.epoch(), _read(rows, caller)))
        attachment = load(lambda rows: self._documents.in_force(tenant, rows))
        with self._lock:
            if self._forgotten == forgotten:
                self._kept[tenant, epoch, caller] = attachment
        return attachment

    def invalidate(self, tenant: str | None = None) -> None:
        """Forget what this process remembers of a tenant, or of all: after rows were changed by other means.

        Other processes are reached by `touch`.
        """
        with self._lock:
            self._forgotten += 1
            for key in [key for key in self._kept if tenant is None or key[0] == tenant]:
                del self._kept[key]
        self._documents.forget()

    def after_fork(self) -> None:
        """In a forked child nobody holds the locks."""
        self._lock = threading.Lock()
        self._documents.after_fork()


def _read(rows: Rows, caller: _Caller) -> Callable[[InForce], Attachment]:
    """Read the rows of a caller; what they mean comes later, when no connection is held any more."""
    links = rows.links()
    parents, group_roles = targets_by_child(links, "role"), targets_by_child(links, "group")
    roles = Principal(
        roles=caller.roles, groups=caller.groups, role_parents=parents, group_roles=group_roles
    ).effective_roles
    person: list[BoundTo] = [TENANT_WIDE]
    person += [BoundTo("role", role) for role in roles] + [BoundTo("group", name) for name in caller.groups]
    person += [BoundTo("user", caller.user)] if caller.user is not None else []
    machine: list[BoundTo] = [TENANT_WIDE]
    machine += [BoundTo("key", caller.key)] if caller.key is not None else []
    bindings = rows.bindings({*person, *machine} if caller.is_key else person)
    current = {row.number: row for row in rows.current({row.number for row in bindings})} if bindings else {}

    def of(whom: Sequence[BoundTo]) -> list[PolicyRow]:
        names = set(whom)
        numbers = sorted({row.number for row in bindings if (row.kind, row.to) in names})
        return [current[number] for number in numbers]

    def attachment(in_force: InForce) -> Attachment:
        policy = in_force(of(person))
        if caller.is_key:
            policy = in_force(of(machine)).bounded_by(policy, "author")
        return Attachment(
            policy,
            role_parents={role: parents[role] for role in roles if role in parents},
            group_roles={group: group_roles[group] for group in caller.groups if group in group_roles},
        )

    return attachment
