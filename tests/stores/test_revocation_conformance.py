"""Every list of revocations does what `bearerkit.testing.revocation_lists` asks of one."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import redis.asyncio
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from bearerkit.stores.memory import MemoryRevocations
from bearerkit.stores.redis import RedisRevocations
from bearerkit.stores.sqlalchemy import RevocationTables, SqlRevocations
from bearerkit.testing.revocation_lists import RevocationTests
from stores.policy_databases import own_prefix, postgres_url
from stores.redis_servers import own_namespace


@asynccontextmanager
async def awaited(url):
    engine = create_async_engine(url)
    store = SqlRevocations(engine, tables=RevocationTables(prefix=own_prefix()))
    await store.acreate_all()
    yield store
    async with engine.begin() as connection:
        await connection.run_sync(store.metadata.drop_all)
    await engine.dispose()


@pytest.mark.anyio
class TestMemory(RevocationTests):
    @pytest.fixture
    def revocations(self):
        return MemoryRevocations()


@pytest.mark.anyio
class TestRedis(RevocationTests):
    @pytest.fixture
    def revocations(self, needs):
        url = needs("redis")
        with own_namespace(url) as namespace:
            store = RedisRevocations(url, namespace=namespace)
            store.create()
            yield store


class _UnderAsyncio(RevocationTests):
    @pytest.fixture
    def anyio_backend(self):
        """What awaited clients of databases run on."""
        return "asyncio"


@pytest.mark.anyio
class TestRedisAwaited(_UnderAsyncio):
    @pytest.fixture
    async def revocations(self, needs):
        url = needs("redis")
        with own_namespace(url) as namespace:
            async with redis.asyncio.Redis.from_url(url) as client:
                store = RedisRevocations(client, namespace=namespace)
                await store.acreate()
                yield store


class _Sql(_UnderAsyncio):
    @pytest.fixture
    def revocations(self, url):
        engine = create_engine(url)
        store = SqlRevocations(engine, tables=RevocationTables(prefix=own_prefix()))
        store.create_all()
        yield store
        store.metadata.drop_all(engine)
        engine.dispose()


@pytest.mark.anyio
class TestSqlite(_Sql):
    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path}/revocations.db"


@pytest.mark.anyio
class TestPostgres(_Sql):
    @pytest.fixture
    def url(self, needs):
        return postgres_url(needs("postgresql"))


@pytest.mark.anyio
class TestSqliteAwaited(_UnderAsyncio):
    @pytest.fixture
    async def revocations(self, tmp_path):
        async with awaited(f"sqlite+aiosqlite:///{tmp_path}/revocations.db") as store:
            yield store


@pytest.mark.anyio
class TestPostgresAwaited(_UnderAsyncio):
    @pytest.fixture
    async def revocations(self, needs):
        async with awaited(postgres_url(needs("postgresql"))) as store:
            yield store
