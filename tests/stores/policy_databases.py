"""Databases for tests of `SqlPolicies`: SQLite in a file, PostgreSQL with tables of one test's own."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bearerkit.stores.sqlalchemy import PolicyTables, SqlPolicies

_numbers = itertools.count()


def postgres_url(url: str) -> str:
    """The URL of the prerequisite, for the driver that the tests bring."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def own_prefix() -> str:
    """A prefix that no other test uses, here or in another process."""
    return f"bk{os.getpid()}_{next(_numbers)}_"


@contextmanager
def blocking(url: str, **options) -> Iterator[tuple[SqlPolicies, Engine]]:
    """A store over new tables, and its engine; both are gone afterwards."""
    engine = create_engine(url)
    store = SqlPolicies(engine, tables=PolicyTables(prefix=own_prefix()), **options)
    store.create_all()
    try:
        yield store, engine
    finally:
        store.metadata.drop_all(engine)
        engine.dispose()


@asynccontextmanager
async def waiting(url: str, **options) -> AsyncIterator[SqlPolicies]:
    """As `blocking`, for code under asyncio."""
    engine = create_async_engine(url)
    store = SqlPolicies(engine, tables=PolicyTables(prefix=own_prefix()), **options)
    await store.acreate_all()
    try:
        yield store
    finally:
        async with engine.begin() as connection:
            await connection.run_sync(store.metadata.drop_all)
        await engine.dispose()
