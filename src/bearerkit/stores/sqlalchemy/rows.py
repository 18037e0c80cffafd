"""The statements of `SqlPolicies`, over one blocking connection and for one tenant. No decision belongs here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar, final

from sqlalchemy import Connection, and_, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bearerkit.stores.policy_records import BoundRow, BoundTo, LinkKind, LinkRow, PolicyRow
from bearerkit.stores.sqlalchemy.tables import PolicyTables

__all__ = ["SqlChange", "SqlRows"]

T = TypeVar("T")

_AT_ONCE: Final = 500
"""Values in one statement; some builds of SQLite take no more than 999."""
_UPSERT: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class SqlRows:
    """Implements `Rows`."""

    def __init__(self, connection: Connection, tables: PolicyTables, tenant: str) -> None:
        self._connection = connection
        self._tables = tables
        self._tenant = tenant

    def epoch(self) -> int:
        """One row, by primary key."""
        epochs = self._tables.epochs
        found = self._connection.scalar(select(epochs.c.epoch).where(epochs.c.tenant == self._tenant))
        return found or 0

    def links(self) -> Sequence[LinkRow]:
        """All rows of the tenant."""
        links = self._tables.links
        rows = select(links.c.kind, links.c.child, links.c.role).where(links.c.tenant == self._tenant)
        return [LinkRow(*row) for row in self._connection.execute(rows)]

    def bindings(self, of: Collection[BoundTo] | None = None) -> Sequence[BoundRow]:
        """By primary key, or all."""
        bindings = self._tables.bindings
        rows = select(bindings.c.kind, bindings.c.bound_to, bindings.c.number).where(bindings.c.tenant == self._tenant)
        if of is None:
            return [BoundRow(*row) for row in self._connection.execute(rows)]
        return [
            BoundRow(*row)
            for some in _batches(sorted(of))
            for row in self._connection.execute(rows.where(or_(*_by_kind(bindings.c, some))))
        ]

    def current(self, numbers: Collection[int] | None = None) -> Sequence[PolicyRow]:
        """Policies with their newest version."""
        policies, versions = self._tables.policies.c, self._tables.versions.c
        rows = self._versions().where(policies.version == versions.version).order_by(policies.number)
        if numbers is None:
            return [PolicyRow(*row) for row in self._connection.execute(rows)]
        return [
            PolicyRow(*row)
            for some in _batches(sorted(numbers))
            for row in self._connection.execute(rows.where(policies.number.in_(some)))
        ]

    def named(self, name: str) -> PolicyRow | None:
        """One policy, by its unique name."""
        policies, versions = self._tables.policies.c, self._tables.versions.c
        row = self._versions().where(policies.version == versions.version, policies.name == name)
        found = self._connection.execute(row).one_or_none()
        return None if found is None else PolicyRow(*found)

    def versions(self, number: int) -> Sequence[PolicyRow]:
        """One policy with all its versions."""
        rows = self._versions().where(self._tables.policies.c.number == number)
        return [PolicyRow(*row) for row in self._connection.execute(rows.order_by(self._tables.versions.c.version))]

    def _versions(self) -> Any:
        policies, versions = self._tables.policies.c, self._tables.versions.c
        both = and_(policies.tenant == versions.tenant, policies.number == versions.number)
        columns = (
            policies.number, policies.name, versions.version, versions.document, versions.resolved,
            versions.statements, versions.created_at,
        )  # fmt: skip
        chosen = select(*columns).join_from(self._tables.policies, self._tables.versions, both)
        return chosen.where(policies.tenant == self._tenant)


@final
class SqlChange(SqlRows):
    """Implements `Change`. Counting the epoch up comes first: it locks the tenant until the transaction ends."""

    def __init__(self, connection: Connection, tables: PolicyTables, tenant: str) -> None:
        super().__init__(connection, tables, tenant)
        first = _UPSERT[connection.dialect.name](tables.epochs).values(tenant=tenant, epoch=1)
        counted = first.on_conflict_do_update(index_elements=["tenant"], set_={"epoch": tables.epochs.c.epoch + 1})
        connection.execute(counted)

    def add(self, row: PolicyRow) -> None:
        """A version, and a policy with the first one."""
        policies = self._tables.policies
        key = {"tenant": self._tenant, "number": row.number}
        if row.version == 1:
            self._connection.execute(insert(policies).values(**key, name=row.name, version=1))
        else:
            this = and_(policies.c.tenant == self._tenant, policies.c.number == row.number)
            self._connection.execute(update(policies).where(this).values(version=row.version))
        self._connection.execute(
            insert(self._tables.versions).values(
                **key,
                version=row.version,
                document=row.written,
                resolved=row.resolved,
                statements=row.statements,
                created_at=row.created_at,
            )
        )

    def remove(self, number: int) -> None:
        """Rows that point at the policy go first."""
        for table in (self._tables.bindings, self._tables.versions, self._tables.policies):
            this = and_(table.c.tenant == self._tenant, table.c.number == number)
            self._connection.execute(delete(table).where(this))

    def bind(self, row: BoundRow) -> None:
        """One row."""
        values = {"tenant": self._tenant, "kind": row.kind, "bound_to": row.to, "number": row.number}
        self._connection.execute(insert(self._tables.bindings).values(values))

    def unbind(self, row: BoundRow) -> None:
        """One row."""
        bindings = self._tables.bindings
        this = and_(bindings.c.kind == row.kind, bindings.c.bound_to == row.to, bindings.c.number == row.number)
        self._connection.execute(delete(bindings).where(bindings.c.tenant == self._tenant, this))

    def link(self, kind: LinkKind, child: str, roles: Iterable[str]) -> None:
        """New rows in place of the old ones."""
        links = self._tables.links
        this = and_(links.c.tenant == self._tenant, links.c.kind == kind, links.c.child == child)
        self._connection.execute(delete(links).where(this))
        values = [{"tenant": self._tenant, "kind": kind, "child": child, "role": role} for role in roles]
        if values:
            self._connection.execute(insert(links), values)


def _by_kind(columns: Any, some: Sequence[BoundTo]) -> Iterator[Any]:
    for kind in sorted({kind for kind, _ in some}):
        yield and_(columns.kind == kind, columns.bound_to.in_([to for own, to in some if own == kind]))


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
