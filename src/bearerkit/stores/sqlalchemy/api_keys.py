"""`SqlApiKeys`: records of API keys in SQLite or PostgreSQL, through SQLAlchemy Core, from sync code or awaited.

One table and its statements. Which key counts is decided in `api_key/`; here nothing is, but what must hold between two
statements of one change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar, final

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Engine,
    Executable,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    and_,
    case,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from bearerkit._drive import port, run
from bearerkit.api_key.peppers import StoredHash
from bearerkit.api_key.record import ApiKeyRecord
from bearerkit.errors import ConfigError
from bearerkit.stores.sqlalchemy.connections import work_in

__all__ = ["ApiKeyTables", "SqlApiKeys"]

T = TypeVar("T")

_WRITING: Final = {"sqlite": "SERIALIZABLE", "postgresql": "READ COMMITTED"}
"""Databases that compare text exactly, and what a change runs under there."""
_AT_ONCE: Final = 300
"""Keys in one statement, three values each; some builds of SQLite take no more than 999."""


@final
class ApiKeyTables:
    """Describes the table, in `metadata` if given, for a team that keeps one for all its tables."""

    def __init__(
        self, *, prefix: str = "bearerkit_", schema: str | None = None, metadata: MetaData | None = None
    ) -> None:
        self.metadata = metadata = MetaData() if metadata is None else metadata
        self.keys = Table(
            f"{prefix}api_keys",
            metadata,
            Column("id", String(32), primary_key=True),
            Column("pepper", SmallInteger, nullable=False),
            Column("digest", LargeBinary(32), nullable=False),
            Column("subject", String(255), nullable=False),
            Column("tenant", String(255)),
            Column("scopes", Text, nullable=False),
            Column("roles", Text, nullable=False),
            Column("name", String(255), nullable=False),
            Column("claims", Text, nullable=False),
            Column("created_at", Double, nullable=False),
            Column("expires_at", Double),
            Column("revoked_at", Double),
            Column("last_used_at", Double),
            Index(f"{prefix}api_keys_tenant", "tenant", "subject"),
            Index(f"{prefix}api_keys_subject", "subject"),
            schema=schema,
        )


@final
class SqlApiKeys:
    """Implements `bearerkit.ports.ApiKeyStore` over a database.

    Args:
        engine: An `Engine` for sync code, or an `AsyncEngine` to be awaited under asyncio. It stays yours to dispose.
        tables: Name and schema of the table: `ApiKeyTables(prefix="iam_")`.

    Raises ConfigError for a database that is neither SQLite nor PostgreSQL.
    """

    def __init__(self, engine: Engine | AsyncEngine, *, tables: ApiKeyTables | None = None) -> None:
        name = engine.dialect.name
        if name not in _WRITING:
            raise ConfigError(f"API keys are kept in SQLite or PostgreSQL, not {name}: ids must be compared exactly")
        self._tables = tables or ApiKeyTables()
        self._keys = self._tables.keys
        # A single statement needs no transaction, and one round trip fewer without.
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._changing = engine.execution_options(isolation_level=_WRITING[name])

    @property
    def metadata(self) -> MetaData:
        """The table, for Alembic's `target_metadata`."""
        return self._tables.metadata

    async def acreate_all(self) -> None:
        """Create the table if it is missing. Raises StoreUnavailable."""
        await self._work(self._changing, self.metadata.create_all)

    def create_all(self) -> None:
        """As `acreate_all`, for sync code."""
        run(port("api_keys", self.acreate_all()))

    async def find(self, key: str) -> ApiKeyRecord | None:
        """One row, by primary key."""
        row = select(self._keys).where(self._keys.c.id == key)
        found = await self._work(self._single, lambda connection: connection.execute(row).one_or_none())
        return None if found is None else _record(found)

    async def add(self, record: ApiKeyRecord) -> None:
        """One row. An id that is there already fails as the database says it."""
        row = insert(self._keys).values(_row(record))
        await self._work(self._single, partial(_execute, row))

    async def revoke(self, key: str, at: float) -> None:
        """One statement; the first revocation stays."""
        keys = self._keys
        ending = update(keys).where(keys.c.id == key, keys.c.revoked_at.is_(None)).values(revoked_at=at)
        await self._work(self._single, partial(_execute, ending))

    async def rotate(self, key: str, ends_at: float, now: float, record: ApiKeyRecord) -> bool:
        """The old row first: it is locked until the new one is there too."""
        keys = self._keys
        alive = and_(keys.c.revoked_at.is_(None), or_(keys.c.expires_at.is_(None), keys.c.expires_at > now))
        sooner = case((keys.c.expires_at < ends_at, keys.c.expires_at), else_=ends_at)
        ending = update(keys).where(keys.c.id == key, alive).values(expires_at=sooner)
        adding = insert(keys).values(_row(record))

        def both(connection: Connection) -> bool:
            if connection.execute(ending).rowcount != 1:
                return False
            connection.execute(adding)
            return True

        return await self._work(self._changing, both)

    async def used(self, moments: Mapping[str, float]) -> None:
        """One statement for some hundred keys. In order, so that two processes do not wait for each other."""
        keys, rest = self._keys, iter(sorted(moments.items()))
        while some := dict(islice(rest, _AT_ONCE)):
            at = case(some, value=keys.c.id)
            earlier = or_(keys.c.last_used_at.is_(None), keys.c.last_used_at < at)
            writing = update(keys).where(keys.c.id.in_(list(some)), earlier).values(last_used_at=at)
            await self._work(self._single, partial(_execute, writing))

    async def records(self, *, tenant_id: str | None = None, subject: str | None = None) -> Sequence[ApiKeyRecord]:
        """By an index, if there is anything to go by."""
        keys = self._keys
        rows = select(keys).order_by(keys.c.created_at, keys.c.id)
        if tenant_id is not None:
            rows = rows.where(keys.c.tenant == tenant_id)
        if subject is not None:
            rows = rows.where(keys.c.subject == subject)
        return [
            _record(row) for row in await self._work(self._single, lambda connection: connection.execute(rows).all())
        ]

    async def _work(self, engine: Engine | AsyncEngine, work: Callable[[Connection], T]) -> T:
        return await work_in("store of API keys", engine, work)


def _execute(statement: Executable, connection: Connection) -> None:
    connection.execute(statement)


def _row(record: ApiKeyRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "pepper": record.hashed.pepper,
        "digest": record.hashed.digest,
        "subject": record.subject,
        "tenant": record.tenant_id,
        "scopes": json.dumps(record.scopes),
        "roles": json.dumps(record.roles),
        "name": record.name,
        "claims": json.dumps(dict(record.claims)),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
        "last_used_at": record.last_used_at,
    }


def _record(row: Any) -> ApiKeyRecord:
    return ApiKeyRecord(
        row.id,
        StoredHash(row.pepper, bytes(row.digest)),
        row.subject,
        row.created_at,
        row.tenant,
        tuple(json.loads(row.scopes)),
        tuple(json.loads(row.roles)),
        row.name,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
        json.loads(row.claims),
    )
