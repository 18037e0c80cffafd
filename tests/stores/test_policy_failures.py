"""What a policy store does when its database, a document or the caller's wiring fails: never an empty policy."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from bearerkit import Auth, Issuer
from bearerkit._drive import PortNeedsLoop, run
from bearerkit.errors import ConfigError, PolicyError, StoreUnavailable
from bearerkit.policy import Catalog, Limits, Policy
from bearerkit.stores import policy_documents
from bearerkit.stores.memory import MemoryPolicies
from bearerkit.stores.sqlalchemy import SqlPolicies
from bearerkit.testing import FakeIssuer
from bearerkit.testing.policy_sources import allow, caller
from stores.policy_databases import blocking, postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request, tmp_path, needs):
    """A store with one policy for everybody, and its engine."""
    url = f"sqlite:///{tmp_path}/p.db" if request.param == "sqlite" else postgres_url(needs("postgresql"))
    with blocking(url) as (store, engine):
        store.put("acme", "reader", allow("orders.read"))
        store.attach("acme", "reader")
        yield store, engine


def fail(*_):
    raise OperationalError("x", {"secret": "parameter"}, RuntimeError("the connection is gone"))


@pytest.mark.parametrize("statement", ["INSERT INTO %policies", "INSERT INTO %policy_versions", "COMMIT"])
def test_a_change_that_breaks_off_leaves_nothing(opened, statement):
    """Whichever statement or the commit fails: an outage, no row, and the epoch of before."""
    store, _ = opened

    def before(connection, cursor, sql, *_):
        table = statement.partition("%")[2]
        if sql.startswith("INSERT INTO") and f"{table} " in sql.partition("(")[0]:
            fail()

    changing = store._sql.changing
    hook = ("commit", fail) if statement == "COMMIT" else ("before_cursor_execute", before)
    event.listen(changing, *hook)
    with pytest.raises(StoreUnavailable) as refused:
        store.put("acme", "other", allow("orders.list"))
    event.remove(changing, *hook)
    assert "parameter" not in str(refused.value)
    assert refused.value.retry_after > 0
    assert ([policy.name for policy in store.list("acme")], store.epoch("acme")) == (["reader"], 2)
    store.put("acme", "other", allow("orders.list"))


def test_what_is_kept_parsed_has_a_size(monkeypatch):
    """Whoever may store a thousand large policies must not fill the memory; they are all in force nevertheless."""
    size = len(Policy.parse(allow("orders.0")).to_json()) + policy_documents._EACH
    monkeypatch.setattr(policy_documents, "_KEPT", 3 * size)
    store = MemoryPolicies()
    for number in range(6):
        store.put("acme", f"reader{number}", allow(f"orders.{number}"))
        store.bind("acme", f"reader{number}", role=f"r{number}")
    store.put("acme", "large", allow("b", *["a" * 500] * 10))
    store.attach("acme", "large")
    for number in range(6):
        policy = run(store.policies_for(caller(roles=[f"r{number}"]))).policy
        assert policy.allows(f"orders.{number}", "x")
        assert policy.allows("b", "x")
        assert len(store._documents._parsed) <= 3


def test_a_dropped_connection_is_an_outage_and_no_more(needs):
    """PostgreSQL ends our connections: the next request is answered from a new one, or 503, never without policies."""
    with blocking(postgres_url(needs("postgresql")), policies_per_caller=3) as (store, engine):
        store.put("acme", "reader", allow("orders.read"))
        store.attach("acme", "reader")
        other = create_engine(engine.url)
        with engine.connect() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
        with other.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        other.dispose()
        with pytest.raises(StoreUnavailable):
            run(store.policies_for(caller()))
        assert run(store.policies_for(caller())).policy.allows("orders.read", "x")


def test_an_outage_answers_503_though_the_caller_is_remembered(tmp_path):
    """Without a database nobody passes, not even who has just passed; with Retry-After."""
    issuer = FakeIssuer("https://id.example.test")
    with blocking(f"sqlite:///{tmp_path}/p.db") as (store, engine):
        store.put("acme", "reader", allow("orders.read"))
        store.attach("acme", "reader")
        auth = Auth(Issuer("https://id.example.test", audience="api", keys=issuer.jwks), policies=store)
        token = issuer.token(aud="api", sub="u1", tenant_id="acme")
        assert auth.verify(token).can("orders.read", "orders/1")
        with engine.begin() as connection:
            store.metadata.tables[store._sql.tables.epochs.name].drop(connection)
        with pytest.raises(StoreUnavailable) as refused:
            auth.verify(token)
        assert (refused.value.status, refused.value.retry_after > 0) == (503, True)
        store.create_all()


@pytest.mark.parametrize(
    "document", ["[]]", '{"version": "1.0"}', '[{"effect":"deny"}]', "[" * 100_000], ids=["text", "form", "bad", "deep"]
)
def test_a_document_that_was_spoilt_lets_nobody_pass(opened, document, caplog):
    """A stored document that does not parse is an outage for those it is for, and told to the operator."""
    store, engine = opened
    store.put("acme", "other", allow("orders.list"))
    store.bind("acme", "other", user="u1")
    versions = store._sql.tables.versions
    with engine.begin() as connection:
        connection.execute(versions.update().where(versions.c.number == 3).values(document=document))
    with caplog.at_level(logging.ERROR, "bearerkit.stores"), pytest.raises(StoreUnavailable, match="p-3"):
        run(store.policies_for(caller()))
    assert "'other' version 1 of tenant 'acme' cannot be used" in caplog.text
    assert run(store.policies_for(caller(user="u2"))).policy.allows("orders.read", "x")
    store.put("acme", "other", allow("orders.list"))
    assert run(store.policies_for(caller())).policy.allows("orders.list", "x")


def test_a_catalog_that_lost_an_action_lets_nobody_pass(opened):
    """The documents are judged by the settings of now, not by those of when they were written."""
    store, engine = opened
    strict = SqlPolicies(engine, tables=store._sql.tables, catalog=Catalog.of(["orders.list"]))
    with pytest.raises(StoreUnavailable, match="unknown_action"):
        run(strict.policies_for(caller()))


def test_names_keep_the_meaning_they_were_written_with():
    """Whoever takes over an address later takes over no grant, and resolve is not asked when callers come."""
    people = {"ann@example.com": "id-1"}
    store = MemoryPolicies(resolve=lambda kind, name: people.get(name))
    statement = {"effect": "allow", "principals": ["user:ann@example.com"], "actions": ["a"], "resources": ["*"]}
    store.put("acme", "ann", {"version": "1.0", "statements": [statement]})
    store.attach("acme", "ann")
    people["ann@example.com"] = "id-2"
    policy = run(store.policies_for(caller())).policy
    assert [policy.allows("a", "x", {"id": who}) for who in ("id-1", "id-2", "ann@example.com")] == [True, False, False]
    with pytest.raises(PolicyError, match="unresolved_principal"):
        store.put("acme", "bob", {"version": "1.0", "statements": [{**statement, "principals": ["user:bob@x"]}]})


def test_too_many_statements_of_several_roles_let_nobody_pass():
    """Statements are never cut off: an outage for a caller whose roles have too many together."""
    store = MemoryPolicies(limits=Limits(effective_statements=3))
    for role in ("a", "b"):
        store.put("acme", role, [*allow("x"), *allow("y")])
        store.bind("acme", role, role=role)
    with pytest.raises(StoreUnavailable, match="too_many_statements"):
        run(store.policies_for(caller(roles=["a", "b"])))
    with pytest.raises(PolicyError, match="4 statements would be in force for role 'a'; at most 3"):
        store.bind("acme", "b", role="a")
    with pytest.raises(PolicyError, match="at most 3"):
        store.put("acme", "a", [*allow("x"), *allow("y"), *allow("z"), *allow("w")])


def test_half_of_a_change_judges_nobody(opened):
    """A change that arrives while a caller's rows are read is not seen by him, and by the next request in full."""
    store, engine = opened
    other = create_engine(engine.url, connect_args={"timeout": 0} if engine.dialect.name == "sqlite" else {})
    writer = SqlPolicies(other, tables=store._sql.tables)
    refused = []

    def arrive(connection, cursor, sql, *_):
        if "bindings" in sql and not writer.seen:
            writer.seen = True
            try:
                writer.put("acme", "reader", allow("orders.list"))
                writer.put("acme", "more", allow("orders.more"))
                writer.attach("acme", "more")
            except StoreUnavailable:
                refused.append(1)  # a SQLite file lets nobody write while somebody reads

    writer.seen = False
    event.listen(engine, "after_cursor_execute", arrive)
    policy = run(store.policies_for(caller())).policy
    event.remove(engine, "after_cursor_execute", arrive)
    other.dispose()
    assert writer.seen
    assert (policy.allows("orders.read", "x"), policy.allows("orders.list", "x")) == (True, False)
    if not refused:
        policy = run(store.policies_for(caller())).policy
        assert [policy.allows(f"orders.{name}", "x") for name in ("read", "list", "more")] == [False, True, True]
    assert bool(refused) == (engine.dialect.name == "sqlite")


@pytest.mark.parametrize("driver", ["sqlite+aiosqlite", "postgresql+psycopg"])
def test_an_async_engine_in_sync_code_is_a_mistake_with_a_name(driver, tmp_path, needs):
    """The error says which port is wired wrongly; it is no outage and no empty policy."""
    url = f"{driver}:///{tmp_path}/p.db" if driver.startswith("sqlite") else postgres_url(needs("postgresql"))
    with pytest.raises(PortNeedsLoop, match="'policies'"):
        SqlPolicies(create_async_engine(url)).epoch("acme")


@pytest.mark.parametrize("driver", ["sqlite+aiosqlite", "postgresql+psycopg"])
def test_an_async_engine_in_sync_code_inside_of_a_loop_opens_nothing(driver, tmp_path, needs, caplog):
    """A forgotten `a`: half a connection would leave errors of the driver in the loop's log."""
    url = f"{driver}:///{tmp_path}/p.db" if driver.startswith("sqlite") else postgres_url(needs("postgresql"))
    opened = []

    async def forgetful():
        engine = create_async_engine(url)
        event.listen(engine.sync_engine, "do_connect", lambda *_: opened.append(True))
        with pytest.raises(PortNeedsLoop, match="'policies'"):
            SqlPolicies(engine).create_all()
        await engine.dispose()

    asyncio.run(forgetful())
    assert (opened, caplog.messages) == ([], [])


def test_what_is_no_engine_is_refused():
    """A URL above all."""
    with pytest.raises(ConfigError, match="what create_engine makes, not str"):
        SqlPolicies("sqlite://")


def test_a_database_that_confuses_names_is_refused():
    """Where case does not count, one tenant would see the rows of another."""

    class Engine:
        dialect = mysql.dialect()

    with pytest.raises(ConfigError, match="not mysql"):
        SqlPolicies(Engine())


def test_options_are_checked():
    """A misspelt option, and a limit that is none, are mistakes at once."""
    with pytest.raises(TypeError, match="catalogue"):
        MemoryPolicies(catalogue=None)
    with pytest.raises(ConfigError, match="policies_per_caller"):
        MemoryPolicies(policies_per_caller=0)
