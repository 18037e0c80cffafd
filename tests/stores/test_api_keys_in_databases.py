"""API keys over real databases: whole ways through `Auth`, awaited and in two processes, and outages."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import anyio
import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine

from api_key_doubles import PEPPERS
from bearerkit import ApiKeys, Auth
from bearerkit._drive import PortNeedsLoop
from bearerkit.errors import Malformed, Revoked, StoreUnavailable
from bearerkit.stores.sqlalchemy import ApiKeyTables, SqlApiKeys
from stores.policy_databases import own_prefix, postgres_url

ELSEWHERE = """
import sys
from sqlalchemy import create_engine
from bearerkit import ApiKeys
from bearerkit.stores.sqlalchemy import ApiKeyTables, SqlApiKeys
url, prefix, key = sys.argv[1:]
store = SqlApiKeys(create_engine(url), tables=ApiKeyTables(prefix=prefix))
ApiKeys(prefix="acme_live_", store=store, peppers={1: bytes(range(32))}).revoke(key)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/keys.db"
    return postgres_url(request.getfixturevalue("needs")("postgresql"))


@pytest.fixture
def prefix() -> str:
    return own_prefix()


@pytest.fixture
def anyio_backend() -> str:
    """What SQLAlchemy's async engines run on."""
    return "asyncio"


def test_a_key_dies_in_every_process(url: str, prefix: str) -> None:
    """Another process revokes; the next request here is refused."""
    engine = create_engine(url)
    store = SqlApiKeys(engine, tables=ApiKeyTables(prefix=prefix))
    store.create_all()
    try:
        keys = ApiKeys(prefix="acme_live_", store=store, peppers=PEPPERS)
        where = Auth(keys)
        made, other = keys.generate(subject="u1"), keys.generate(subject="u1")
        for key in (made, other):
            where.verify(key.key)
        subprocess.run([sys.executable, "-c", ELSEWHERE, url, prefix, made.record.id], check=True, timeout=60)
        with pytest.raises(Revoked):
            where.verify(made.key)
        assert where.verify(other.key)
    finally:
        store.metadata.drop_all(engine)
        engine.dispose()


def test_a_request_is_one_statement(url: str, prefix: str) -> None:
    """Malformed keys are none; a batch of uses is one for all keys."""
    engine = create_engine(url)
    store = SqlApiKeys(engine, tables=ApiKeyTables(prefix=prefix))
    store.create_all()
    try:
        keys = ApiKeys(prefix="acme_live_", store=store, peppers=PEPPERS)
        where = Auth(keys)
        made = [keys.generate(subject="u1") for _ in range(20)]
        where.verify(made[0].key)
        seen: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2].partition(" ")[0]))
        for key in made:
            where.verify(key.key)
            with pytest.raises(Malformed):
                where.verify(key.key[:-1])
        assert seen == ["SELECT"] * 20
        where.close()
        assert seen[20:] == ["UPDATE"]
        assert all(record.last_used_at is not None for record in keys.list())
    finally:
        store.metadata.drop_all(engine)
        engine.dispose()


@pytest.mark.anyio
async def test_the_whole_way_awaited(url: str, prefix: str) -> None:
    """Made, used by many at once, rotated, ended, closed; a sync caller learns what is wrong, and takes nothing."""
    engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    store = SqlApiKeys(engine, tables=ApiKeyTables(prefix=prefix))
    await store.acreate_all()
    try:
        keys = ApiKeys(prefix="acme_live_", store=store, peppers=PEPPERS)
        where = Auth(keys)
        made = [await keys.agenerate(subject=f"u{number}", claims={"n": number}) for number in range(10)]

        async def use(number: int) -> None:
            for _ in range(5):
                assert (await where.averify(made[number].key)).claims["n"] == number

        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(use, number)
        successor = await keys.arotate(made[0].record.id, overlap=60)
        await keys.arevoke(made[0].record.id)
        with pytest.raises(Revoked):
            await where.averify(made[0].key)
        assert (await where.averify(successor.key)).subject == "u0"
        where.close()  # only warns
        await where.aclose()
        assert all(record.last_used_at is not None for record in await keys.alist())
        with pytest.raises(PortNeedsLoop):
            keys.list()
    finally:
        async with engine.begin() as connection:
            await connection.run_sync(store.metadata.drop_all)
        await engine.dispose()


def test_a_database_that_is_gone_is_an_outage() -> None:
    """503 for what looks like a key, 401 as ever for what does not; nothing of the key is told."""
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    keys = ApiKeys(prefix="acme_live_", store=SqlApiKeys(engine), peppers=PEPPERS)
    from bearerkit.stores.memory import MemoryApiKeys

    key = ApiKeys(prefix="acme_live_", store=MemoryApiKeys(), peppers=PEPPERS).generate(subject="u1").key
    where = Auth(keys)
    with pytest.raises(StoreUnavailable) as raised:
        where.verify(key)
    assert key[27:] not in str(raised.value)
    with pytest.raises(Malformed):
        where.verify(key[:-1])
    engine.dispose()
