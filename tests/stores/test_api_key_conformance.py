"""Every store of API keys does what `bearerkit.testing.api_key_stores` asks of one."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from bearerkit import ConfigError
from bearerkit.errors import StoreUnavailable
from bearerkit.stores.memory import MemoryApiKeys
from bearerkit.stores.sqlalchemy import ApiKeyTables, SqlApiKeys
from bearerkit.testing.api_key_stores import ApiKeyStoreTests, record
from stores.policy_databases import own_prefix, postgres_url


@pytest.mark.anyio
class TestMemory(ApiKeyStoreTests):
    @pytest.fixture
    def store(self):
        return MemoryApiKeys()


class _UnderAsyncio(ApiKeyStoreTests):
    @pytest.fixture
    def anyio_backend(self):
        """What SQLAlchemy's async engines run on."""
        return "asyncio"

    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path}/keys.db"


class _Blocking(_UnderAsyncio):
    @pytest.fixture
    def store(self, url):
        engine = create_engine(url)
        store = SqlApiKeys(engine, tables=ApiKeyTables(prefix=own_prefix()))
        store.create_all()
        yield store
        store.metadata.drop_all(engine)
        engine.dispose()


class _Awaited(_UnderAsyncio):
    @pytest.fixture
    async def store(self, url):
        engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
        store = SqlApiKeys(engine, tables=ApiKeyTables(prefix=own_prefix()))
        await store.acreate_all()
        yield store
        async with engine.begin() as connection:
            await connection.run_sync(store.metadata.drop_all)
        await engine.dispose()


@pytest.mark.anyio
class TestSqlite(_Blocking):
    pass


@pytest.mark.anyio
class TestSqliteAwaited(_Awaited):
    pass


@pytest.mark.anyio
class TestPostgres(_Blocking):
    @pytest.fixture
    def url(self, needs):
        return postgres_url(needs("postgresql"))


@pytest.mark.anyio
class TestPostgresAwaited(_Awaited):
    @pytest.fixture
    def url(self, needs):
        return postgres_url(needs("postgresql"))


def test_tables_go_where_the_team_has_its_own():
    """A prefix and a schema of their own; create_all twice is harmless."""
    tables = ApiKeyTables(prefix="iam_", schema="auth")
    assert tables.keys.fullname == "auth.iam_api_keys"
    engine = create_engine("sqlite://")
    store = SqlApiKeys(engine)
    for _ in range(2):
        store.create_all()
    assert list(store.metadata.tables) == ["bearerkit_api_keys"]
    engine.dispose()


@pytest.mark.anyio
async def test_a_database_without_the_table_is_an_outage():
    """Each call says so, and no text holds what was to be written."""
    engine = create_engine("sqlite://")
    store = SqlApiKeys(engine)
    one = record()
    calls = (store.find("k1"), store.add(one), store.revoke("k1", 1.0), store.rotate("k1", 1.0, 1.0, one))
    for call in (*calls, store.used({"k1": 1.0}), store.records()):
        with pytest.raises(StoreUnavailable) as raised:
            await call
        assert "no such table" in str(raised.value)
        assert "u1" not in str(raised.value)
    engine.dispose()


def test_other_databases_are_refused():
    """Where text is compared without case, one id would find another."""
    with pytest.raises(ConfigError):
        SqlApiKeys(_Other())


class _Other:
    class dialect:
        name = "mysql"
