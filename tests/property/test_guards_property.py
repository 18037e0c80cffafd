"""Properties of requirements: `&` is and, `|` is or, and the order of writing decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError
from bearerkit.guards import (
    LIVE,
    AllOf,
    AnyOf,
    Fact,
    Requirement,
    Stage,
    access_valid,
    any_role,
    any_scope,
    authenticated,
    custom,
    email_verified,
    enforce,
    facts_to_load,
    fresh,
    live,
    permission,
    principal,
    refuse_early,
    role,
    scope,
    service,
    tenant,
    tier,
)
from bearerkit.guards.requirement import Refusal
from bearerkit.http import Headers, Request

NOW = 1_790_000_000.0
REQUEST = Request("GET", "/t/t1", Headers([("x-tenant", "t2")]), {"tenant_id": "t1"}, "t=t1")


def first(ctx: AuthContext, request: Request) -> bool:
    raise AssertionError("a rule never calls this")


def second(ctx: AuthContext, request: Request) -> bool:
    raise AssertionError("a rule never calls this")


@dataclass(frozen=True)
class Policy(Requirement):
    """Stands for the policies of a later step: a stage in the middle, decided by a fact."""

    fact: Fact
    stage = Stage.POLICY

    def check(self, ctx: AuthContext, request: Request, facts: Mapping[Fact, Any], now: float) -> None:
        assert facts[self.fact] is True

    def facts(self, request: Request) -> tuple[Fact, ...]:
        return (self.fact,)

    def describe(self) -> str:
        return self.fact.name


SERVICES, PERMISSIONS, TIER, ACCESS = (
    Fact(name, first, remote=True) for name in ("services", "permissions", "tier", "access")
)
FACTS = (Fact("one", first), Fact("two", second), Fact("custom: first", first), Fact("custom: second", second))
LEAVES = st.sampled_from(
    [
        authenticated(),
        scope("a"),
        scope("a", "b"),
        any_scope("b", "c"),
        role("r"),
        any_role("r", "s"),
        principal("service"),
        tenant(path="tenant_id"),
        tenant(header="x-tenant"),
        tenant(query="missing"),
        service("a"),
        service("a", load=first),
        permission("a", "b"),
        permission("a", load=first),
        tier("a", "b"),
        tier("a", load=first),
        email_verified(),
        access_valid(),
        access_valid(load=first),
        live(),
        scope("a", live=True),
        any_scope("b", "c", live=True),
        fresh(300),
        fresh(acr="mfa"),
        Policy(FACTS[0]),
        Policy(FACTS[1]),
        custom(first, description="first"),
        custom(second, description="second"),
    ]
)
NEEDS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=4).flatmap(
        lambda members: st.sampled_from([AllOf(tuple(members)), AnyOf(tuple(members))])
    ),
    max_leaves=8,
)
CONTEXTS = st.builds(
    AuthContext.of,
    scopes=st.lists(st.sampled_from("abc")),
    roles=st.lists(st.sampled_from("rs")),
    tenant_id=st.sampled_from([None, "t1", "t2"]),
    auth_time=st.sampled_from([None, NOW, NOW - 1_000]),
    acr=st.sampled_from([None, "mfa"]),
    gty=st.sampled_from([None, "client-credentials"]),
    services=st.sampled_from([None, ["a"]]),
    permissions=st.sampled_from([None, ["a"], ["a", "b"]]),
    tier=st.sampled_from([None, "a", "c"]),
    email_verified=st.sampled_from([None, True]),
    access_expires_at=st.sampled_from([None, NOW, NOW + 1]),
)
NAMES = st.sampled_from([["a"], ("b",), [], "a", None])
ANSWERS: Mapping[Fact, st.SearchStrategy[Any]] = {
    **{fact: st.booleans() for fact in FACTS},
    SERVICES: NAMES,
    PERMISSIONS: NAMES,
    TIER: st.sampled_from(["a", "b", None, True]),
    ACCESS: st.sampled_from([True, False, NOW, NOW + 1, None]),
    LIVE: st.builds(AuthContext.of, scopes=st.lists(st.sampled_from("abc"))) | st.none(),
}
WHOLE = st.fixed_dictionaries(dict(ANSWERS))
LOADED = st.fixed_dictionaries({}, optional=dict(ANSWERS))


def judged(need: Requirement, ctx: AuthContext, facts: Mapping[Fact, Any]) -> Refusal | None:
    return need.refusal(ctx, REQUEST, facts, NOW)


def passes(need: Requirement, ctx: AuthContext, facts: Mapping[Fact, Any]) -> bool:
    try:
        enforce(need, ctx, REQUEST, facts, NOW)
    except BearerkitError:
        return False
    return True


@given(NEEDS, NEEDS, CONTEXTS, LOADED)
def test_and_passes_iff_both_pass(left: Requirement, right: Requirement, ctx: AuthContext, facts: Any) -> None:
    """`&` is a logical and."""
    assert passes(left & right, ctx, facts) is (passes(left, ctx, facts) and passes(right, ctx, facts))


@given(NEEDS, NEEDS, CONTEXTS, LOADED)
def test_or_passes_iff_one_passes(left: Requirement, right: Requirement, ctx: AuthContext, facts: Any) -> None:
    """`|` is a logical or."""
    assert passes(left | right, ctx, facts) is (passes(left, ctx, facts) or passes(right, ctx, facts))


@given(st.lists(NEEDS, min_size=1, max_size=5), st.randoms(use_true_random=False), CONTEXTS, LOADED)
def test_the_order_of_members_decides_nothing(members: Any, random: Any, ctx: AuthContext, facts: Any) -> None:
    """Neither the verdict nor the stage that refuses first depends on how the code was written."""
    shuffled = list(members)
    random.shuffle(shuffled)
    for kind in (AllOf, AnyOf):
        one, two = judged(kind(tuple(members)), ctx, facts), judged(kind(tuple(shuffled)), ctx, facts)
        assert (one and one.stage) == (two and two.stage)


@given(st.lists(NEEDS, min_size=1, max_size=5), CONTEXTS, LOADED)
def test_the_stage_of_a_refusal(members: list[Requirement], ctx: AuthContext, facts: Any) -> None:
    """`&` refuses at the earliest stage of its members' refusals, `|` at the latest, none before its own stage."""
    each = [judged(member, ctx, facts) for member in members]
    stages = [refusal.stage for refusal in each if refusal is not None]
    all_of, any_of = AllOf(tuple(members)), AnyOf(tuple(members))
    both, one = judged(all_of, ctx, facts), judged(any_of, ctx, facts)
    assert (both.stage if both else None) == min(stages, default=None)
    assert (one.stage if one else None) == (max(stages) if len(stages) == len(each) else None)
    assert both is None or both.stage >= all_of.stage
    assert one is None or one.stage >= any_of.stage


@given(NEEDS, NEEDS, CONTEXTS, LOADED)
def test_adding_a_member_to_and_never_widens(
    need: Requirement, more: Requirement, ctx: AuthContext, facts: Any
) -> None:
    """Whoever passes the longer need passes the shorter one."""
    if passes(need & more, ctx, facts):
        assert passes(need, ctx, facts)


@given(NEEDS, LOADED)
def test_nobody_passes_nothing(need: Requirement, facts: Any) -> None:
    """An anonymous context meets no need at all."""
    assert not passes(need, AuthContext.anonymous(), facts)


def loaded_for(need: Requirement, ctx: AuthContext, facts: Mapping[Fact, Any]) -> list[Fact]:
    """What a procedure loads of these facts, in that order."""
    known: dict[Fact, Any] = {}
    while wanted := facts_to_load(need, ctx, REQUEST, NOW, known):
        assert not known.keys() & set(wanted)
        known |= {fact: facts[fact] for fact in wanted}
    return list(known)


def assert_same(one: Refusal | None, other: Refusal | None) -> None:
    assert (one is None) is (other is None)
    if one is not None and other is not None:
        assert one.stage == other.stage
        assert type(one.error) is type(other.error)
        assert one.error.reason == other.error.reason
        assert getattr(one.error, "required", ()) == getattr(other.error, "required", ())


@given(NEEDS, CONTEXTS, WHOLE)
def test_loading_fewer_facts_gives_the_same_answer(need: Requirement, ctx: AuthContext, facts: Any) -> None:
    """`facts_to_load` leaves out only what cannot matter: class, reason, stage and scopes of a refusal stay."""
    wanted = loaded_for(need, ctx, facts)
    assert set(wanted) <= set(need.facts(REQUEST))
    assert_same(judged(need, ctx, {fact: facts[fact] for fact in wanted}), judged(need, ctx, facts))


@given(NEEDS, CONTEXTS, WHOLE, WHOLE)
def test_each_fact_that_is_loaded_could_matter(need: Requirement, ctx: AuthContext, facts: Any, others: Any) -> None:
    """What was loaded settles the answer, whatever the rest would have been; so nothing was left out too early."""
    wanted = loaded_for(need, ctx, facts)
    assert_same(judged(need, ctx, {**others, **{fact: facts[fact] for fact in wanted}}), judged(need, ctx, facts))


STRANGERS = st.sampled_from([tenant(value="none"), tenant(path="elsewhere"), tenant(header="x-none")])


@given(NEEDS, STRANGERS, CONTEXTS)
def test_a_stranger_causes_no_call(need: Requirement, inside: Requirement, ctx: AuthContext) -> None:
    """Beside a tenant that is not the caller's no fact is loaded, whatever else is asked for."""
    assert facts_to_load(need & inside, ctx, REQUEST, NOW) == ()
    assert facts_to_load(inside & need, ctx, REQUEST, NOW) == ()
    assert early_refusal(need & inside, ctx) is not None


@given(NEEDS, CONTEXTS, WHOLE)
def test_what_the_credential_lacks_is_refused_before_a_call(need: Requirement, ctx: AuthContext, facts: Any) -> None:
    """A need that refuses by the credential alone loads nothing, and a custom rule is asked after all else."""
    without = judged(need, ctx, {})
    wanted = loaded_for(need & scope("never"), ctx, facts)
    assert wanted == []
    if without is None:
        assert loaded_for(need, ctx, facts) == []
    last = custom(second, description="second")
    order = loaded_for(role("r") & live() & service("a", load=first) & last, ctx, facts)
    assert order == [LIVE, SERVICES, *last.facts(REQUEST)][: len(order)]


@given(NEEDS, CONTEXTS, WHOLE)
def test_an_early_refusal_is_the_refusal(need: Requirement, ctx: AuthContext, facts: Any) -> None:
    """What is refused before policies are loaded is refused in the same words with them; never more."""
    full, early = judged(need, ctx, facts), early_refusal(need, ctx)
    if early is None:
        assert full is None or full.stage >= Stage.POLICY or need.facts(REQUEST)
        return
    assert full is not None
    assert full.stage < Stage.POLICY
    assert_same(Refusal(full.stage, early), full)


def early_refusal(need: Requirement, ctx: AuthContext) -> BearerkitError | None:
    try:
        refuse_early(need, ctx, REQUEST, NOW)
    except BearerkitError as error:
        return error
    return None


@given(NEEDS, NEEDS)
def test_needs_are_values(left: Requirement, right: Requirement) -> None:
    """Composition builds equal, hashable values, and always has words."""
    assert left & right == AllOf((left, right))
    assert hash(left | right) == hash(AnyOf((left, right)))
    assert (left & right).describe()
    assert set(left.scopes()) <= set((left & right).scopes())
    assert (left | right).scopes() == ()
