"""Policies in SQLite behave as those in memory do, whatever is done to them in whatever order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import create_engine

from bearerkit._drive import run
from bearerkit.errors import BearerkitError
from bearerkit.policy import Limits
from bearerkit.stores.memory import MemoryPolicies
from bearerkit.stores.sqlalchemy import SqlPolicies
from bearerkit.testing import FrozenClock
from bearerkit.testing.policy_sources import allow, caller

TENANTS = st.sampled_from(["acme", "other"])
NAMES = st.sampled_from(["reader", "writer", "p-1", "p-2", "Reader"])
TEXTS = st.sampled_from(["a", "b", "c", "A"])
ACTIONS = ("x.read", "x.write")
DOCUMENTS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(["allow", "deny", "bad"])), max_size=3).map(
    lambda chosen: [allow(action, effect=effect)[0] for action, effect in chosen]
)
VERSIONS = st.none() | st.integers(0, 3)
WHOM = st.tuples(st.sampled_from(["role", "group", "user", "key"]), TEXTS).map(lambda pair: dict([pair]))


class Stores(RuleBasedStateMachine):
    """Each step is done to both; they must answer alike."""

    def __init__(self):
        super().__init__()
        options = {"policies_per_caller": 2, "limits": Limits(effective_statements=4), "clock": FrozenClock()}
        self.engine = create_engine("sqlite://")
        self.sql = SqlPolicies(self.engine, **options)
        self.sql.create_all()
        # A second object over the same rows that has remembered other things.
        self.reader = SqlPolicies(self.engine, **options)
        self.memory = MemoryPolicies(**options)

    def teardown(self):
        self.engine.dispose()

    def both(self, name, *args, **kwargs):
        answers = []
        for store in (self.memory, self.sql):
            try:
                answers.append(getattr(store, name)(*args, **kwargs))
            except (BearerkitError, ValueError) as error:
                answers.append((type(error), str(error)))
        assert answers[0] == answers[1], name

    @rule(tenant=TENANTS, name=NAMES, document=DOCUMENTS, expected=VERSIONS)
    def put(self, tenant, name, document, expected):
        self.both("put", tenant, name, document, expected_version=expected)

    @rule(tenant=TENANTS, policy=NAMES, expected=VERSIONS)
    def delete(self, tenant, policy, expected):
        self.both("delete", tenant, policy, expected_version=expected)

    @rule(tenant=TENANTS, policy=NAMES, whom=WHOM, name=st.sampled_from(["bind", "bind", "unbind"]))
    def bind(self, tenant, policy, whom, name):
        self.both(name, tenant, policy, **whom)

    @rule(tenant=TENANTS, policy=NAMES, name=st.sampled_from(["attach", "detach"]))
    def attach(self, tenant, policy, name):
        self.both(name, tenant, policy)

    @rule(
        tenant=TENANTS,
        child=TEXTS,
        roles=st.lists(TEXTS, max_size=2),
        name=st.sampled_from(["set_role_parents", "set_group_roles"]),
    )
    def link(self, tenant, child, roles, name):
        self.both(name, tenant, child, roles)

    @rule(tenant=TENANTS, policy=NAMES, version=VERSIONS)
    def look(self, tenant, policy, version):
        self.both("get", tenant, policy, version=version)
        self.both("history", tenant, policy)

    @rule(
        tenant=TENANTS,
        roles=st.lists(TEXTS, max_size=2),
        groups=st.lists(TEXTS, max_size=2),
        user=TEXTS,
        key=st.none() | TEXTS,
    )
    def ask(self, tenant, roles, groups, user, key):
        who = caller(tenant, roles=roles, groups=groups, user=user, key=key)
        answers = []
        for store in (self.memory, self.sql, self.reader):
            try:
                answers.append(run(store.policies_for(who)))
            except BearerkitError as error:
                answers.append((type(error), str(error)))
        assert answers[0] == answers[1] == answers[2]

    @rule(tenant=TENANTS, name=st.sampled_from(["list", "bindings", "role_parents", "group_roles"]))
    def list(self, tenant, name):
        self.both(name, tenant)

    @invariant()
    def epochs_are_alike(self):
        self.both("epoch", "acme")


TestStores = Stores.TestCase
TestStores.settings = settings(max_examples=15, stateful_step_count=20)
