"""AllOf, AnyOf, enforce: composition, the fixed order of refusal, and denial whenever something breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import (
    BearerkitError,
    ConfigError,
    CredentialsMissing,
    InsufficientScope,
    KeysUnavailable,
    PermissionDenied,
    StepUpRequired,
    TenantUnknown,
)
from bearerkit.guards import (
    AllOf,
    AnyOf,
    Fact,
    Requirement,
    Stage,
    any_scope,
    authenticated,
    checked_need,
    custom,
    enforce,
    facts_to_load,
    fresh,
    principal,
    role,
    scope,
    tenant,
)
from bearerkit.http import Headers, Request

REQUEST = Request("GET", "/", Headers())
USER = AuthContext.of()


def yes(ctx: AuthContext, request: Request) -> bool:
    return True


CUSTOM = custom(yes, description="a yes")
TENANT = tenant(value="t1")


@dataclass(frozen=True)
class Raising(Requirement):
    """A requirement of a team whose check does whatever the test wants."""

    raises: type[BaseException] | None = None
    returns: Any = None
    stage = Stage.POLICY

    def check(self, ctx: AuthContext, request: Request, facts: Mapping[Fact, Any], now: float) -> None:
        if self.raises is not None:
            raise self.raises("broken")
        return self.returns

    def describe(self) -> str:
        return "luck"


# --- enforce


@pytest.mark.parametrize("need", [None, "orders:read", scope, 5, [scope("a")]])
def test_what_is_no_requirement_is_a_configuration_error(need: Any) -> None:
    """What would guard nothing, such as the None of a forgotten return, is told when the route is made."""
    with pytest.raises(ConfigError, match="a requirement is needed"):
        checked_need(need)


def test_a_requirement_is_checked_to_itself() -> None:
    """And comes back as it is."""
    assert checked_need(TENANT) is TENANT


@pytest.mark.parametrize("need", [scope("a"), TENANT, fresh(5), CUSTOM, scope("a") | TENANT, Raising()])
def test_nobody_is_asked_for_credentials_first(judge: Any, need: Requirement) -> None:
    """Any need refuses an anonymous caller with 401 before anything else."""
    assert type(judge(need, AuthContext.anonymous())) is CredentialsMissing


@pytest.mark.parametrize("raises", [RuntimeError, KeyError, RecursionError, AttributeError])
def test_a_check_that_breaks_denies(judge: Any, raises: type[Exception]) -> None:
    """403 with its own reason, and the cause kept for the log."""
    refusal = judge(Raising(raises), USER)
    assert type(refusal) is PermissionDenied
    assert refusal.reason == "check_failed"
    assert refusal.detail == f"the check of Raising raised {raises.__name__}"
    assert isinstance(refusal.__cause__, raises)


@pytest.mark.parametrize("answer", [False, True, 0, "", object()])
def test_a_check_that_returns_something_denies(judge: Any, answer: Any) -> None:
    """`return False` and an `async def check` both look like a pass to a rule that only listens for exceptions."""
    refusal = judge(Raising(returns=answer), USER)
    assert refusal.reason == "check_failed"
    assert "returns None to pass" in refusal.hint


def test_our_own_errors_pass_through_unchanged(judge: Any) -> None:
    """An outage reported by a check stays an outage."""
    assert type(judge(Raising(KeysUnavailable), USER)) is KeysUnavailable


def test_an_interrupt_is_not_swallowed() -> None:
    """Only exceptions deny; KeyboardInterrupt and cancellation go on."""
    with pytest.raises(KeyboardInterrupt):
        enforce(Raising(KeyboardInterrupt), USER, REQUEST, {}, 0)


# --- the order of refusal

LADDER: tuple[tuple[Requirement, type[BearerkitError]], ...] = (
    (TENANT, TenantUnknown),
    (scope("a"), InsufficientScope),
    (Raising(KeysUnavailable), KeysUnavailable),
    (fresh(5), StepUpRequired),
    (CUSTOM, PermissionDenied),
)


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_the_earliest_stage_refuses_whatever_the_order_of_writing(judge: Any, order: tuple[int, ...]) -> None:
    """Tenant before scope before policy before step-up before custom."""
    need = AllOf(tuple(LADDER[index][0] for index in order))
    assert type(judge(need, USER)) is TenantUnknown
    assert [member.stage for member in need.members] == sorted(member.stage for member in need.members)
    without = AllOf(tuple(LADDER[index][0] for index in order if index > 1))
    assert type(judge(without, USER)) is KeysUnavailable


def test_later_members_are_not_asked_once_the_answer_is_clear() -> None:
    """An expensive check does not run for a caller whom an earlier stage refuses."""
    asked: list[str] = []

    @dataclass(frozen=True)
    class Counting(Requirement):
        stage = Stage.CUSTOM

        def check(self, ctx: AuthContext, request: Request, facts: Mapping[Fact, Any], now: float) -> None:
            asked.append("custom")

        def describe(self) -> str:
            return "counting"

    @dataclass(frozen=True)
    class CountingRoles(Counting):
        stage = Stage.SCOPE

    need = Counting() & scope("a")
    with pytest.raises(InsufficientScope):
        enforce(need, USER, REQUEST, {}, 0)
    with pytest.raises(InsufficientScope):
        enforce(scope("a") & CountingRoles(), USER, REQUEST, {}, 0)
    assert asked == []
    enforce(need, AuthContext.of(scopes=["a"]), REQUEST, {}, 0)
    assert asked == ["custom"]


def test_a_choice_is_placed_by_the_stage_it_would_refuse_at(judge: Any) -> None:
    """(tenant or custom) refuses at custom, so the scope beside it refuses first, in either order of writing."""
    choice = TENANT | CUSTOM
    assert choice.stage is Stage.CUSTOM
    for need in (choice & scope("a"), scope("a") & choice):
        assert type(judge(need, USER)) is InsufficientScope


def test_a_choice_between_bundles_may_refuse_late(judge: Any) -> None:
    """A bundle starts at its first stage; where it gets further, a later member can still refuse first."""
    bundle = AllOf((TENANT, CUSTOM))
    choice = AnyOf((bundle, TENANT))
    member = AuthContext.of(tenant_id="t1")
    assert judge(choice, member) is None
    late = AnyOf((bundle, AllOf((tenant(value="t2"), scope("a")))))
    assert late.stage is Stage.TENANT
    for need in (late & scope("b"), scope("b") & late):
        assert judge(need, member).required == ("b",)
        assert type(judge(need, USER)) is TenantUnknown


def test_of_two_late_refusals_at_one_stage_the_first_answers(judge: Any) -> None:
    """Two choices that refuse at the same stage: the one written first."""
    stranger = tenant(value="t2")
    one, two = (AnyOf((AllOf((TENANT, need)), stranger)) for need in (role("r"), principal("service")))
    member = AuthContext.of(tenant_id="t1")
    assert judge(one & two, member).reason == "role_missing"
    assert judge(two & one, member).reason == "wrong_principal"


# --- AllOf


def test_all_of_wants_every_member(judge: Any) -> None:
    """One missing part refuses."""
    need = scope("a") & role("r")
    assert judge(need, AuthContext.of(scopes=["a"], roles=["r"])) is None
    assert type(judge(need, AuthContext.of(scopes=["a"]))) is PermissionDenied
    assert type(judge(need, AuthContext.of(roles=["r"]))) is InsufficientScope


def test_a_scope_refusal_names_all_scopes_of_the_operation(judge: Any) -> None:
    """RFC 6750: what the resource needs, not only what is missing; other members do not hide them."""
    need = scope("a", "b") & role("r") & (scope("c") & authenticated())
    assert judge(need, AuthContext.of(scopes=["a", "b"], roles=["r"])).required == ("a", "b", "c")
    assert judge(any_scope("x", "y") & scope("c"), USER).required == ("c", "x", "y")
    assert need.scopes() == ("a", "b", "c")


def test_members_are_flattened_sorted_and_unique() -> None:
    """Nesting and repeating change nothing."""
    a, b, c = scope("a"), role("r"), TENANT
    assert ((a & b) & (c & a)).members == (c, a, b)
    assert (a & (b & c)) == ((a & b) & c)
    assert hash(a & (b & c)) == hash((a & b) & c)
    assert (a & a).members == (a,)
    assert (a & b) != (a | b)


# --- AnyOf


def test_any_of_wants_one_member(judge: Any) -> None:
    """One fulfilled part is enough, and a broken one does not spoil it."""
    need = scope("a") | role("r") | Raising(RuntimeError)
    assert judge(need, AuthContext.of(scopes=["a"])) is None
    assert judge(need, AuthContext.of(roles=["r"])) is None
    assert judge(need, USER).reason == "check_failed"


def test_the_alternative_that_got_furthest_answers(judge: Any) -> None:
    """The latest stage, and the first one on a tie."""
    member = AuthContext.of(tenant_id="t1")
    assert type(judge(AllOf((TENANT, fresh(5))) | role("r"), member)) is StepUpRequired
    assert type(judge(role("r") | AllOf((TENANT, fresh(5))), USER)) is PermissionDenied
    assert judge(role("r") | principal("service"), USER).reason == "role_missing"
    assert judge(principal("service") | role("r"), USER).reason == "wrong_principal"


def test_scopes_are_named_only_where_scopes_alone_would_do(judge: Any) -> None:
    """A choice between scopes names them all; beside a role or tenant it names none."""
    assert judge(scope("a") | scope("b", "c"), USER).required == ("a", "b", "c")
    assert judge(AllOf((scope("a"), authenticated())) | any_scope("b", "a"), USER).required == ("a", "b")
    mixed = judge(scope("a") | role("r"), USER)
    assert type(mixed) is InsufficientScope
    assert mixed.required == ()
    assert judge((scope("a") | TENANT) & scope("b"), AuthContext.of(scopes=["b"])).required == ()
    assert judge(AllOf((scope("a"), role("r"))) | scope("b"), USER).required == ()
    assert (scope("a") | scope("b")).scopes() == ()


def test_alternatives_are_flattened_and_unique() -> None:
    """Nesting and repeating change nothing; the order of writing stays."""
    a, b, c = scope("a"), role("r"), TENANT
    assert ((a | b) | (c | a)).members == (a, b, c)
    assert (a | (b | c)) == ((a | b) | c)
    assert (a | a).members == (a,)


# --- composition in general


def test_facts_of_all_members_are_loaded_once() -> None:
    """Nested anywhere, each fact is named once."""
    other = custom(lambda ctx, request: True, description="another")
    [one], [two] = CUSTOM.facts(REQUEST), other.facts(REQUEST)
    need = (CUSTOM & scope("a")) | (other & CUSTOM)
    assert need.facts(REQUEST) == (one, two)
    assert scope("a").facts(REQUEST) == ()


def test_composed_needs_are_described_as_written() -> None:
    """In the words and order of the code, with parentheses where levels mix."""
    assert (
        scope("orders:read") & tenant(path="tenant_id")
    ).describe() == 'scope "orders:read" and member of the tenant in path parameter "tenant_id"'
    assert ((role("r") & TENANT) & scope("a")).describe() == 'role "r", member of tenant "t1" and scope "a"'
    assert (tenant(value="t") & scope("a")).describe() == 'member of tenant "t" and scope "a"'
    assert (scope("a") & role("r") & fresh(5)).describe() == ('scope "a", role "r" and a sign-in at most 5 seconds ago')
    assert (scope("a") & (role("r") | role("s"))).describe() == 'scope "a" and (role "r" or role "s")'
    assert (scope("a") & role("r") | role("s")).describe() == '(scope "a" and role "r") or role "s"'


def test_python_and_or_are_refused() -> None:
    """`scope("a") and tenant(…)` would silently drop the scope."""
    with pytest.raises(TypeError, match=r"join requirements with & and \|"):
        scope("a") and TENANT
    with pytest.raises(TypeError, match=r"join requirements with & and \|"):
        (scope("a") & TENANT) or TENANT


def test_only_requirements_compose() -> None:
    """Names and None are mistakes, found when the route is defined."""
    with pytest.raises(TypeError):
        scope("a") & "b"  # type: ignore[operator]
    with pytest.raises(TypeError):
        scope("a") | None  # type: ignore[operator]
    for kind in (AllOf, AnyOf):
        with pytest.raises(ConfigError):
            kind(())
        with pytest.raises(ConfigError):
            kind((scope("a"), "b"))  # type: ignore[arg-type]


def test_checks_of_compositions_raise() -> None:
    """`check` of a composition is the same verdict as an exception."""
    for need in (scope("a") & role("r"), scope("a") | scope("b")):
        with pytest.raises(InsufficientScope):
            need.check(USER, REQUEST, {}, 0)
        need.check(AuthContext.of(scopes=["a"], roles=["r"]), REQUEST, {}, 0)


# --- facts_to_load


def test_facts_are_loaded_only_where_they_can_matter() -> None:
    """The team's function runs neither for nobody nor for somebody whom an earlier stage refuses."""
    fact = CUSTOM.facts(REQUEST)
    fine = AuthContext.of(scopes=["a"], tenant_id="t1")
    assert facts_to_load(CUSTOM, AuthContext.anonymous(), REQUEST, 0) == ()
    assert facts_to_load(CUSTOM, USER, REQUEST, 0) == fact
    assert facts_to_load(CUSTOM & scope("a"), USER, REQUEST, 0) == ()
    assert facts_to_load(CUSTOM & scope("a") & TENANT, fine, REQUEST, 0) == fact
    assert facts_to_load(CUSTOM | scope("a"), fine, REQUEST, 0) == ()
    assert facts_to_load(CUSTOM | scope("a"), USER, REQUEST, 0) == fact
    assert facts_to_load((CUSTOM & TENANT) | scope("a"), USER, REQUEST, 0) == ()


def test_a_later_refusal_does_not_spare_an_earlier_fact() -> None:
    """A policy that refuses comes before a step-up, so its fact is needed although the step-up would refuse too."""

    @dataclass(frozen=True)
    class Policy(Requirement):
        stage = Stage.POLICY

        def check(self, ctx: AuthContext, request: Request, facts: Mapping[Fact, Any], now: float) -> None:
            raise PermissionDenied

        def facts(self, request: Request) -> tuple[Fact, ...]:
            return (Fact("policy", yes),)

        def describe(self) -> str:
            return "policy"

    assert facts_to_load(fresh(5) & Policy() & CUSTOM, USER, REQUEST, 0) == (Fact("policy", yes),)
    assert facts_to_load(fresh(5) & Policy() & TENANT, USER, REQUEST, 0) == ()
