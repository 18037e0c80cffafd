"""`SqlPolicies`: stored policies in SQLite or PostgreSQL, through SQLAlchemy Core, from sync code or awaited.

Every process sees a change with its next request: each request reads the tenant's epoch, which is one row. What may be
changed is decided in `policy_store.py`; here stand tables and statements only, in `tables.py` and `rows.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, Unpack, final

from bearerkit._drive import port, run
from bearerkit.errors import ConfigError
from bearerkit.stores.policy_rows import Change, Rows
from bearerkit.stores.policy_store import PolicyStore, PolicyStoreOptions

try:
    from sqlalchemy import Connection, Engine, MetaData
    from sqlalchemy.ext.asyncio import AsyncEngine
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.stores.sqlalchemy needs SQLAlchemy: pip install "bearerkit[sqlalchemy]"', name=missing.name
    ) from None

from bearerkit.stores.sqlalchemy.api_keys import ApiKeyTables, SqlApiKeys
from bearerkit.stores.sqlalchemy.connections import work_in
from bearerkit.stores.sqlalchemy.revocations import RevocationTables, SqlRevocations
from bearerkit.stores.sqlalchemy.rows import SqlChange, SqlRows
from bearerkit.stores.sqlalchemy.tables import PolicyTables

__all__ = ["ApiKeyTables", "PolicyTables", "RevocationTables", "SqlApiKeys", "SqlPolicies", "SqlRevocations"]

T = TypeVar("T")

_WRITING = {"sqlite": "SERIALIZABLE", "postgresql": "READ COMMITTED"}
"""Databases that compare text exactly, and the isolation that a change needs there: its first statement locks the
tenant's row, and what it reads after that must be what was committed before.
"""
_SNAPSHOT = {"sqlite": "AUTOCOMMIT", "postgresql": "REPEATABLE READ"}
"""For several readings of one state. The driver of SQLite begins no transaction for readings, so that we do."""


@final
class SqlPolicies(PolicyStore):
    """Policies of tenants in a database.

    Args:
        engine: An `Engine` for sync code, or an `AsyncEngine` to be awaited under asyncio. It stays yours to dispose.
        tables: Their names and schema: `PolicyTables(prefix="authz_", schema="iam")`.
        options: Those of `PolicyStoreOptions`.

    Raises ConfigError for what is no engine, and for a database that is neither SQLite nor PostgreSQL.
    """

    def __init__(
        self, engine: Engine | AsyncEngine, *, tables: PolicyTables | None = None, **options: Unpack[PolicyStoreOptions]
    ) -> None:
        self._sql = _Sql(engine, tables or PolicyTables())
        super().__init__(self._sql, **options)

    @property
    def metadata(self) -> MetaData:
        """The tables, for Alembic's `target_metadata`."""
        return self._sql.tables.metadata

    async def acreate_all(self) -> None:
        """Create the tables that are missing. Raises StoreUnavailable."""
        await self._sql.work_in(self._sql.changing, self.metadata.create_all)

    def create_all(self) -> None:
        """As `acreate_all`, for sync code."""
        run(port("policies", self.acreate_all()))


@final
class _Sql:
    """Implements `Tables`. The two worlds differ in `work_in` only."""

    def __init__(self, engine: Engine | AsyncEngine, tables: PolicyTables) -> None:
        if not hasattr(engine, "dialect"):
            raise ConfigError(f"SqlPolicies takes what create_engine makes, not {type(engine).__name__}")
        name = engine.dialect.name
        if name not in _WRITING:
            raise ConfigError(
                f"policies are kept in SQLite or PostgreSQL, not {name}: names that differ in case only must differ"
            )
        self.tables = tables
        # Copies over the same pool. Single statements need no transaction, and one round trip fewer without.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._snapshots = engine.execution_options(isolation_level=_SNAPSHOT[name])
        self._begins = name == "sqlite"
        self.changing = engine.execution_options(isolation_level=_WRITING[name])

    async def read(self, tenant: str, work: Callable[[Rows], T]) -> T:
        return await self.work_in(self._reading, lambda connection: work(SqlRows(connection, self.tables, tenant)))

    async def snapshot(self, tenant: str, work: Callable[[Rows], T]) -> T:
        def all_at_once(connection: Connection) -> T:
            if not self._begins:
                return work(SqlRows(connection, self.tables, tenant))
            connection.exec_driver_sql("BEGIN")
            try:
                return work(SqlRows(connection, self.tables, tenant))
            finally:
                connection.exec_driver_sql("ROLLBACK")

        return await self.work_in(self._snapshots, all_at_once)

    async def write(self, tenant: str, work: Callable[[Change], T]) -> T:
        return await self.work_in(self.changing, lambda connection: work(SqlChange(connection, self.tables, tenant)))

    async def work_in(self, engine: Engine | AsyncEngine, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction of `engine`, on a connection that it finds blocking in both worlds."""
        return await work_in("policy store", engine, work)
