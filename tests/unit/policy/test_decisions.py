"""Decisions: deny before allow before nothing, and a deny whatever goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Decision, Policy, Principal


def statement(effect: str, *actions: str, resources: tuple[str, ...] = ("*",), **more: Any) -> dict[str, Any]:
    return {"effect": effect, "actions": [*actions], "resources": [*resources], **more}


MFA = [{"op": "Bool", "key": "session.mfa", "values": [True]}]
NO_MFA = [{"op": "Bool", "key": "session.mfa", "values": [False]}]
ALLOW, DENY = statement("allow", "a"), statement("deny", "a")


@pytest.mark.parametrize(
    ("statements", "context", "effect"),
    [
        ([], {}, "implicit_deny"),
        ([statement("allow", "b")], {}, "implicit_deny"),
        ([statement("allow", "a", resources=("y",))], {}, "implicit_deny"),
        ([ALLOW], {}, "allow"),
        ([ALLOW, DENY], {}, "explicit_deny"),
        ([DENY, ALLOW], {}, "explicit_deny"),
        ([DENY], {}, "explicit_deny"),
        ([{**ALLOW, "conditions": MFA}], {"session": {"mfa": True}}, "allow"),
        ([{**ALLOW, "conditions": MFA}], {"session": {"mfa": False}}, "implicit_deny"),
        ([{**ALLOW, "conditions": MFA}], {}, "implicit_deny"),
        ([{**ALLOW, "conditions": MFA}], None, "implicit_deny"),
        ([ALLOW, {**DENY, "conditions": NO_MFA}], {"session": {"mfa": True}}, "allow"),
        ([ALLOW, {**DENY, "conditions": NO_MFA}], {"session": {"mfa": False}}, "explicit_deny"),
        ([ALLOW, {**DENY, "conditions": NO_MFA}], {}, "explicit_deny"),
        ([ALLOW, statement("deny", "a", resources=("t/${principal.tenant}",))], {}, "explicit_deny"),
        ([ALLOW, statement("deny", "b", resources=("t/${principal.tenant}",))], {}, "allow"),
        ([ALLOW, statement("deny", "a", resources=("t/${principal.tenant}",), conditions=NO_MFA)],
         {"session": {"mfa": True}}, "allow"),
        ([statement("allow", "a", resources=("t/${principal.tenant}", "x"))], {}, "allow"),
        ([statement("allow", "a", resources=("t/${principal.tenant}",))], {}, "implicit_deny"),
        ([ALLOW, statement("deny", "a", principals=["role:r"])], {}, "allow"),
        ([statement("allow", "a", principals=["*"])], {}, "allow"),
        ([statement("allow", "a", principals=["role:r"])], {}, "implicit_deny"),
    ],
    ids=range(22),
)  # fmt: skip
def test_a_deny_goes_before_an_allow_and_nothing_allows_by_itself(
    statements: list[Any], context: Any, effect: str
) -> None:
    """An allow wants certainty, a deny is content without."""
    policy = Policy.parse(statements)
    decision = policy.decide("a", "x", None, context)
    assert decision == Decision(effect)  # type: ignore[arg-type]
    assert bool(decision) is decision.allowed is policy.allows("a", "x", None, context) is (effect == "allow")


def test_statements_for_several_principals_apply_to_each_of_them() -> None:
    """Plain ones and conditional ones, allows and denies, and one of each is enough."""
    policy = Policy.parse(
        [
            statement("allow", "a", principals=["role:r", "group:g"]),
            statement("allow", "a", principals=["user:u"], conditions=MFA),
            statement("deny", "a", principals=["key:k"], conditions=NO_MFA),
        ]
    )
    met, unmet = {"session": {"mfa": True}}, {"session": {"mfa": False}}
    assert policy.allows("a", "x", Principal(roles=("r",)))
    assert policy.allows("a", "x", Principal(groups=("g",)))
    assert policy.allows("a", "x", Principal(id="u"), met)
    assert not policy.allows("a", "x", Principal(id="u"), unmet)
    assert not policy.allows("a", "x", Principal(id="v"), met)
    assert policy.allows("a", "x", Principal(roles=("r",), key="k"), met)
    assert policy.decide("a", "x", Principal(roles=("r",), key="k"), unmet).effect == "explicit_deny"
    assert policy.decide("a", "x", Principal(roles=("r",), key="k")).effect == "explicit_deny"


def test_many_resources_are_one_question() -> None:
    """Exact names, more prefixes than a tuple is good for, nested ones, and patterns in between."""
    prefixes = [f"p{number}/*" for number in range(40)]
    policy = Policy.parse([statement("allow", "a", resources=(*prefixes, "p1/inner/*", "exact", "*/mid?/*", "*end"))])
    for resource in ("p0/x", "p39/x", "p1/inner/y", "p1/zzz", "exact", "q/mid1/z", "the end"):
        assert policy.allows("a", resource), resource
    for resource in ("p40/x", "p", "p1", "exact2", "q/mid/z", "endless", "a", "z"):
        assert not policy.allows("a", resource), resource


@pytest.mark.parametrize(
    ("action", "resource", "principal", "context"),
    [
        (5, "x", None, None),
        ("a", None, None, None),
        ("a", 5, None, None),
        ("a", "x", 5, None),
        ("a", "x", {"roles": 5}, None),
        ("a", "x", {"roles": [["unhashable"]]}, {"session": {"mfa": False}}),
        ("a", "x", None, 5),
    ],
    ids=range(7),
)
def test_whatever_goes_wrong_is_a_deny_with_an_error(action: Any, resource: Any, principal: Any, context: Any) -> None:
    """Never an exception, and never an allow, in each of the questions."""
    policy = Policy.parse([statement("allow", "a", principals=["role:r"]), {**DENY, "conditions": MFA}])
    decision = policy.decide(action, resource, principal, context)
    assert decision.effect == "implicit_deny"
    assert decision.error
    assert not policy.allows(action, resource, principal, context)
    explanation = policy.explain(action, resource, principal, context)
    assert explanation.decision == decision
    assert f"an error: {decision.error}" in str(explanation)


def test_a_policy_is_a_value() -> None:
    """Equal by content, hashable, and it says what it is."""
    one, two = Policy.parse([ALLOW], id="p"), Policy.parse([dict(ALLOW)], id="p")
    assert one == two
    assert hash(one) == hash(two)
    assert one != Policy.parse([ALLOW], id="q")
    assert one != Policy.parse([ALLOW], id="p", schemes=[])
    assert one != "p"
    assert len(one | Policy.parse([DENY])) == 2
    assert repr(one) == "<Policy p: 1 statements>"
    assert repr(Policy()) == "<Policy empty: 0 statements>"
    assert repr(one.bounded_by(two, "key")) == "<Policy p: 1 statements within key>"
    assert (one.catalog, one.limits.statements, one.schemes[0].labels[0]) == (None, 200, "service")
    assert Policy().decide("a", "x").effect == "implicit_deny"


def test_two_patterns_in_between_are_tried_one_after_the_other() -> None:
    """Without any exact name or prefix beside them."""
    policy = Policy.parse([statement("allow", "a", resources=("*x", "*y", "*?x"))])
    assert [policy.allows("a", resource) for resource in ("1x", "1y", "1z")] == [True, True, False]
    few = Policy.parse([statement("allow", "a", resources=("p/*", "exact"))])
    assert [few.allows("a", resource) for resource in ("p/1", "exact", "other")] == [True, True, False]
    many = Policy.parse([statement("allow", "a", resources=tuple(f"p{number}/*" for number in range(40)))])
    assert [many.allows("a", resource) for resource in ("p7/1", "p7", "p77/1")] == [True, False, False]


def test_too_long_a_resource_is_denied_by_every_kind_of_statement() -> None:
    """Plain or not, attached or named: one question more, and never an error."""
    conditions = {"StringEquals": {"request.tenant": "acme"}}
    kinds: list[dict[str, Any]] = [{}, {"principals": ["*"]}, {"conditions": conditions}, {"effect": "deny"}]
    for more in kinds:
        policy = Policy.parse([{"effect": "allow", "actions": ["a"], "resources": ["*"]} | more])
        decision = policy.decide("a", "x" * 2_049, {"id": "u"}, {"request": {"tenant": "acme"}})
        assert (decision.effect, decision.error) == ("implicit_deny", None), more


def test_many_statements_with_conditions_are_asked_only_about_their_own_resources() -> None:
    """However many they are; several hold together, and a deny among them counts if it is indeterminate."""

    def under(effect: str, resource: str, env: str) -> dict[str, Any]:
        conditions = {"StringEquals": {"request.env": env}}
        return {"effect": effect, "actions": ["a"], "resources": [resource], "conditions": conditions}

    policy = Policy.parse(
        [
            *(under("allow", f"x/{number}", f"env{number % 3}") for number in range(50)),
            *(under("deny", "x/7", env) for env in ("down", "closed")),
            {"effect": "allow", "actions": ["a"], "resources": ["x/always"]},
        ]
    )
    context = {"request": {"env": "env1"}}
    assert [number for number in range(50) if policy.allows("a", f"x/{number}", None, context)] == [
        number for number in range(50) if number % 3 == 1
    ]
    assert policy.allows("a", "x/always")
    assert policy.decide("a", "x/7").effect == "explicit_deny"
    assert policy.decide("a", "x/8").effect == "implicit_deny"
    assert policy.decide("a", "y", None, context).effect == "implicit_deny"


@pytest.mark.parametrize("resource", [("secret",), b"secret", ["secret"], {"secret": 1}])
def test_what_is_no_text_is_denied(resource: Any) -> None:
    """A deny by name knows nothing of it, so that a star must not take it."""
    for deny in ([], [statement("deny", "a", resources=("secret",))]):
        policy = Policy.parse([statement("allow", "a"), *deny])
        assert not policy.allows("a", resource)
        assert not policy.decide("a", resource).allowed
