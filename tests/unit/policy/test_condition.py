"""Conditions: true, false or indeterminate, and what allows and denies make of that."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Limits, Policy
from bearerkit.policy.condition import all_of, compiled, why
from bearerkit.policy.condition_forms import conditions
from bearerkit.policy.operators import OPERATORS
from bearerkit.policy.principal import Principal
from bearerkit.policy.problems import Place

WHO = Principal(id="u", tenant="acme", attributes={"deep": {"team": "x"}, "star": "*", "number": 5})


def truth(op: str, key: str, values: list[Any], context: Any) -> bool | None:
    found: list[Any] = []
    (read,) = conditions([{"op": op, "key": key, "values": values}], Limits(), OPERATORS, Place(found))
    assert not found
    return compiled(read)(WHO, context)


def request(value: Any) -> dict[str, Any]:
    return {"request": {"x": value}}


ROWS: list[tuple[str, list[Any], Any, bool | None]] = [
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", ["a", "b"], "c", False),
    ("StringEquals", ["a"], 5, None),
    ("StringEquals", ["a"], ["a"], None),
    ("StringEquals", ["a*"], "ab", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a"], 5, None),
    ("StringNotEquals", ["a"], None, None),
    ("StringLike", ["a*", "b"], "ax", True),
    ("StringNotLike", ["a*", "b"], "ax", False),
    ("StringNotLike", ["a*", "b"], "x", True),
    ("StringEquals", ["${principal.tenant}"], "acme", True),
    ("StringEquals", ["x${principal.tenant}"], "acme", False),
    ("StringEquals", ["${principal.deep.team}"], "x", True),
    ("StringEquals", ["${principal.none}"], "acme", None),
    ("StringEquals", ["${principal.star}"], "*", None),
    ("StringEquals", ["${principal.number}"], "5", None),
    ("StringEquals", ["${principal.none}", "a"], "a", True),
    ("StringNotEquals", ["${principal.none}", "a"], "b", None),
    ("StringNotEquals", ["${principal.none}", "a"], "a", False),
    ("StringLike", ["${principal.tenant}*"], "acme/1", True),
    ("Bool", [True], True, True),
    ("Bool", ["true"], False, False),
    ("Bool", [True], 1, None),
    ("NumericLessThan", [5], True, None),
    ("NumericLessThan", [5], "4", None),
    ("IpAddress", ["10.0.0.0/8"], "10.1.1.1", True),
    ("NotIpAddress", ["10.0.0.0/8"], "10.1.1.1", False),
    ("NotIpAddress", ["10.0.0.0/8"], "999.bad", None),
    ("StringEqualsIfExists", ["a"], None, True),
    ("StringEqualsIfExists", ["a"], "b", False),
    ("StringEqualsIfExists", ["a"], 5, None),
    ("StringNotEqualsIfExists", ["a"], None, True),
    ("Exists", [True], "x", True),
    ("Exists", [True], None, False),
    ("Exists", [False], None, True),
    ("Exists", [False], False, False),
    ("ForAnyValue:StringEquals", ["a"], ["b", "a"], True),
    ("ForAnyValue:StringEquals", ["a"], ["b"], False),
    ("ForAnyValue:StringEquals", ["a"], ["b", 5], None),
    ("ForAnyValue:StringEquals", ["a"], [5, "a"], True),
    ("ForAnyValue:StringEquals", ["a"], [], None),
    ("ForAnyValue:StringEquals", ["a"], "a", None),
    ("ForAnyValue:StringEquals", ["a"], None, None),
    ("ForAllValues:StringEquals", ["a", "b"], ["b", "a"], True),
    ("ForAllValues:StringEquals", ["a"], ["a", "c"], False),
    ("ForAllValues:StringEquals", ["a"], ["a", 5], None),
    ("ForAllValues:StringEquals", ["a"], ["c", 5], False),
    ("ForAllValues:StringEquals", ["a"], [], None),
    ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
    ("ForAllValues:StringEqualsIfExists", ["a"], None, True),
]


@pytest.mark.parametrize(("op", "values", "asked", "expected"), ROWS, ids=range(len(ROWS)))
def test_a_condition_is_true_false_or_indeterminate(op: str, values: list[Any], asked: Any, expected: Any) -> None:
    """And an allow takes it only if it is true, a deny unless it is false."""
    context = request(asked) if asked is not None else {"request": {}}
    assert truth(op, "request.x", values, context) is expected
    rule = {"actions": ["a"], "resources": ["*"], "conditions": {op: {"request.x": values}}}
    may = Policy.parse([{"effect": "allow", **rule}])
    must_not = Policy.parse([{"effect": "allow", "actions": ["a"], "resources": ["*"]}, {"effect": "deny", **rule}])
    assert may.allows("a", "r", WHO, context) is (expected is True)
    assert must_not.allows("a", "r", WHO, context) is (expected is False)


def test_keys_are_looked_up_step_by_step() -> None:
    """In the principal, or in the context; what is no object has nothing below it."""
    assert truth("StringEquals", "principal.tenant", ["acme"], {}) is True
    assert truth("StringEquals", "principal.deep.team", ["x"], {}) is True
    assert truth("StringEquals", "principal", ["x"], {"principal": "x"}) is None
    assert truth("StringEquals", "top", ["x"], {"top": "x"}) is True
    assert truth("StringEquals", "top.below", ["x"], {"top": "x"}) is None
    (read,) = conditions({"StringEquals": {"principal.id": "u"}}, Limits(), OPERATORS, Place([]))
    assert compiled(read)(None, {}) is None


def test_several_conditions_must_all_hold() -> None:
    """One false decides, else one indeterminate; whichever stands first."""
    yes, no, unknown = (lambda *_: True), (lambda *_: False), (lambda *_: None)
    rows = {(yes, yes): True, (yes, no): False, (unknown, no): False, (no, unknown): False, (unknown, yes): None}
    for tests, expected in rows.items():
        assert all_of(tests)(None, {}) is expected
    assert all_of([unknown])(None, {}) is None


@pytest.mark.parametrize(
    ("op", "values", "asked", "says"),
    [
        ("StringEquals", ["a"], None, "absent"),
        ("StringEquals", ["${principal.none}"], "a", "a variable cannot be filled"),
        ("ForAnyValue:StringEquals", ["a"], "a", "not a list"),
        ("ForAnyValue:StringEquals", ["a"], [], "an empty list"),
        ("ForAnyValue:StringEquals", ["a"], [5], "not a string: list"),
        ("Bool", [True], "true", "not a flag: str"),
        ("Exists", [True], "a", "not a value: str"),
    ],
    ids=range(7),
)
def test_why_it_is_indeterminate_is_said_without_a_value(op: str, values: list[Any], asked: Any, says: str) -> None:
    """The type of what was found, never itself."""
    (read,) = conditions([{"op": op, "key": "request.x", "values": values}], Limits(), OPERATORS, Place([]))
    assert why(read, WHO, request(asked)) == says


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [("acme", True), ("é", True), ("a b\xa0c", True), ("", False), ("a/b", False), ("a:b", False), ("*", False),
     ("a?", False), ("a\x07", False), ("a\x85", False), ("a\u2028", False), (None, False), (5, False), (["a"], False)],
    ids=range(14),
)  # fmt: skip
def test_a_variable_is_filled_with_one_plain_name_or_not_at_all(tenant: Any, expected: bool) -> None:
    """Not filled, an allow takes nothing and a deny everything."""
    who = Principal(id="u", tenant=tenant)
    rule = {"actions": ["a"], "resources": ["t/${principal.tenant}/*"]}
    may = Policy.parse([{"effect": "allow", **rule}])
    assert may.allows("a", f"t/{tenant}/x", who) is expected
    must_not = Policy.parse([{"effect": "allow", "actions": ["a"], "resources": ["*"]}, {"effect": "deny", **rule}])
    assert must_not.allows("a", "elsewhere", who) is expected
