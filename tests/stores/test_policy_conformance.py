"""Every policy store does what `bearerkit.testing.policy_sources` asks of one."""

from __future__ import annotations

import pytest

from bearerkit.stores.memory import MemoryPolicies
from bearerkit.testing.policy_sources import PolicyStoreTests
from stores.policy_databases import blocking, postgres_url, waiting


@pytest.mark.anyio
class TestMemory(PolicyStoreTests):
    @pytest.fixture
    def policies(self):
        return MemoryPolicies()


class _UnderAsyncio(PolicyStoreTests):
    @pytest.fixture
    def anyio_backend(self):
        """What SQLAlchemy's async engines run on."""
        return "asyncio"


@pytest.mark.anyio
class TestSqlite(_UnderAsyncio):
    @pytest.fixture
    def policies(self, tmp_path):
        with blocking(f"sqlite:///{tmp_path}/policies.db") as (store, _):
            yield store


@pytest.mark.anyio
class TestSqliteAwaited(_UnderAsyncio):
    @pytest.fixture
    async def policies(self, tmp_path):
        async with waiting(f"sqlite+aiosqlite:///{tmp_path}/policies.db") as store:
            yield store


@pytest.mark.anyio
class TestPostgres(_UnderAsyncio):
    @pytest.fixture
    def policies(self, needs):
        with blocking(postgres_url(needs("postgresql"))) as (store, _):
            yield store


@pytest.mark.anyio
class TestPostgresAwaited(_UnderAsyncio):
    @pytest.fixture
    async def policies(self, needs):
        async with waiting(postgres_url(needs("postgresql"))) as store:
            yield store
