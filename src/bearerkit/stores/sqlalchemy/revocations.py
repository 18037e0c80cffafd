"""`SqlRevocations`: what was revoked, in SQLite or PostgreSQL, for all processes, from sync code or awaited.

One table, one statement for each question and each change. Fail closed: a database that does not answer is a 503.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

from sqlalchemy import Column, Double, Engine, MetaData, String, Table, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from bearerkit._drive import port, run
from bearerkit.errors import ConfigError
from bearerkit.ports import Clock
from bearerkit.stores.revocation_list import RevocationList
from bearerkit.stores.sqlalchemy.connections import work_in

__all__ = ["RevocationTables", "SqlRevocations"]

_WHAT: Final = "list of revocations"
_INSERT: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


@final
class RevocationTables:
    """Describes the table, in `metadata` if given, for a team that keeps one for all its tables."""

    def __init__(
        self, *, prefix: str = "bearerkit_", schema: str | None = None, metadata: MetaData | None = None
    ) -> None:
        self.metadata = metadata = MetaData() if metadata is None else metadata
        self.entries = Table(
            f"{prefix}revocations",
            metadata,
            Column("entry", String(64), primary_key=True),
            Column("moment", Double, nullable=False),
            Column("ends", Double, nullable=False, index=True),
            schema=schema,
        )


@final
class SqlRevocations(RevocationList):
    """Revocations in a database.

    Args:
        engine: An `Engine` for sync code, or an `AsyncEngine` to be awaited under asyncio. It stays yours to dispose.
        tables: Name and schema: `RevocationTables(prefix="authz_", schema="iam")`.
        clock: A port.

    Raises ConfigError for a database that is neither SQLite nor PostgreSQL.
    """

    def __init__(
        self, engine: Engine | AsyncEngine, *, tables: RevocationTables | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(clock)
        if engine.dialect.name not in _INSERT:
            raise ConfigError(f"revocations are kept in SQLite or PostgreSQL, not {engine.dialect.name}")
        self._engine = engine
        # A copy over the same pool: one statement needs no transaction, and one round trip fewer without.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._tables = tables or RevocationTables()

    @property
    def metadata(self) -> MetaData:
        """The table, for Alembic's `target_metadata`."""
        return self._tables.metadata

    async def acreate_all(self) -> None:
        """Create the table if it is missing. Raises StoreUnavailable."""
        await work_in(_WHAT, self._engine, self.metadata.create_all)

    def create_all(self) -> None:
        """As `acreate_all`, for sync code."""
        run(port("revocations", self.acreate_all()))

    async def apurge(self) -> int:
        """Delete entries that have ended; says how many. Call it now and then. Raises StoreUnavailable."""
        entries, now = self._tables.entries, self._clock.now()
        return await work_in(
            _WHAT,
            self._engine,
            lambda connection: connection.execute(delete(entries).where(entries.c.ends < now)).rowcount,
        )

    def purge(self) -> int:
        """As `apurge`, for sync code."""
        return run(port("revocations", self.apurge()))

    async def _keep(self, key: str, moment: float, ends: float) -> None:
        entries = self._tables.entries
        first = _INSERT[self._engine.dialect.name](entries).values(entry=key, moment=moment, ends=ends)
        later = {
            name: case((first.excluded[name] > entries.c[name], first.excluded[name]), else_=entries.c[name])
            for name in ("moment", "ends")
        }
        statement = first.on_conflict_do_update(index_elements=["entry"], set_=later)
        await work_in(_WHAT, self._engine, lambda connection: connection.execute(statement))

    async def _moments(self, keys: Sequence[str]) -> Sequence[float]:
        if not keys:
            return ()
        entries = self._tables.entries
        statement = select(entries.c.moment).where(entries.c.entry.in_(keys))
        return await work_in(_WHAT, self._reading, lambda connection: connection.scalars(statement).all())
