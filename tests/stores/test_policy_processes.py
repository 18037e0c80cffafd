"""A change reaches every process with its next request, and changes made at the same time lose nothing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from bearerkit._drive import run
from bearerkit.stores.policy_errors import PolicyConflict
from bearerkit.stores.sqlalchemy import PolicyTables, SqlPolicies
from bearerkit.testing.policy_sources import allow, caller
from stores.policy_databases import blocking, own_prefix, postgres_url

SRC = Path(__file__).resolve().parents[2] / "src"
CHANGE = """
import sys
sys.path.insert(0, sys.argv[1])
from sqlalchemy import create_engine
from bearerkit.stores.sqlalchemy import PolicyTables, SqlPolicies
engine = create_engine(sys.argv[2])
store = SqlPolicies(engine, tables=PolicyTables(prefix=sys.argv[3]))
store.put("acme", "reader", [{"effect": "allow", "actions": ["orders.list"], "resources": ["*"]}])
engine.dispose()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path, needs):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/policies.db"
    return postgres_url(needs("postgresql"))


@pytest.fixture
def database(url):
    """The URL, a prefix with tables that are there, and their metadata's store."""
    engine = create_engine(url)
    tables = PolicyTables(prefix=own_prefix())
    store = SqlPolicies(engine, tables=tables)
    store.create_all()
    yield url, tables.policies.name.removesuffix("policies"), store
    store.metadata.drop_all(engine)
    engine.dispose()


def test_another_process_is_heard_at_once(database):
    """What another process stores is in force for the next request here, though the caller is remembered."""
    url, prefix, store = database
    store.put("acme", "reader", allow("orders.read"))
    store.bind("acme", "reader", user="u1")
    before = run(store.policies_for(caller()))
    assert run(store.policies_for(caller())) is before
    subprocess.run([sys.executable, "-W", "error", "-c", CHANGE, str(SRC), url, prefix], check=True, timeout=60)
    after = run(store.policies_for(caller())).policy
    assert (after.allows("orders.read", "x"), after.allows("orders.list", "x")) == (False, True)


def test_one_epoch_is_all_that_a_second_request_reads(url):
    """A remembered caller costs one statement; no more are read until something has changed."""
    from sqlalchemy import event

    with blocking(url) as (store, engine):
        store.put("acme", "reader", allow("orders.read"))
        store.attach("acme", "reader")
        run(store.policies_for(caller()))
        statements = []
        event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        run(store.policies_for(caller()))
        assert len(statements) == 1
        assert "policy_epochs" in statements[0]


def test_changes_at_once_all_count(database):
    """Writers that meet store every version and count every epoch, while readers see whole states only."""
    url, prefix, store = database
    writers, each = 4, 8
    for name in ("one", "two"):
        store.put("acme", name, allow("v0"))
        store.attach("acme", name)

    def write(number: int) -> None:
        engine = create_engine(url)
        own = SqlPolicies(engine, tables=PolicyTables(prefix=prefix))
        for step in range(each):
            own.put("acme", "one", allow(f"v{number}.{step}"))
        engine.dispose()

    def read() -> None:
        while not done:
            policy = run(store.policies_for(caller())).policy
            assert len(policy.sources) == 2

    done: list[bool] = []
    with ThreadPoolExecutor(writers + 2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for written in [pool.submit(write, number) for number in range(writers)]:
                written.result()
        finally:
            done.append(True)
        for reader in readers:
            reader.result()
    assert store.get("acme", "one").version == 1 + writers * each
    assert store.epoch("acme") == 4 + writers * each
    assert [row.version for row in store.history("acme", "one")] == list(range(1, 2 + writers * each))


def test_of_two_changes_of_one_version_one_is_refused(database):
    """Eight writers that have all seen version 1: one stores version 2, seven are told."""
    url, prefix, store = database
    store.put("acme", "reader", allow("orders.read"))

    def write(number: int) -> int:
        engine = create_engine(url)
        own = SqlPolicies(engine, tables=PolicyTables(prefix=prefix))
        try:
            return own.put("acme", "reader", allow(f"v{number}"), expected_version=1).version
        except PolicyConflict as conflict:
            return -conflict.version
        finally:
            engine.dispose()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == [-2] * 7 + [2]
    assert (store.get("acme", "reader").version, store.epoch("acme")) == (2, 2)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_tasks_share_one_store(needs, anyio_backend):
    """Many tasks may change and ask at once over one async engine; each sees its own change."""
    engine = create_async_engine(postgres_url(needs("postgresql")))
    store = SqlPolicies(engine, tables=PolicyTables(prefix=own_prefix()))
    await store.acreate_all()
    try:

        async def work(number: int) -> None:
            await store.aput("acme", f"n{number}", allow(f"v{number}"))
            await store.abind("acme", f"n{number}", user=f"u{number}")
            found = await store.policies_for(caller(user=f"u{number}"))
            assert found.policy.allows(f"v{number}", "x")

        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(work, number)
        assert await store.aepoch("acme") == 20
    finally:
        async with engine.begin() as connection:
            await connection.run_sync(store.metadata.drop_all)
        await engine.dispose()
