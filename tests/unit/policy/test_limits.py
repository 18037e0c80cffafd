"""Limits: of documents, which are refused beyond them, and of questions, which are then denied."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.errors import ConfigError
from bearerkit.policy import Limits, Policy, PolicyError

SMALL = Limits(
    document_bytes=2_000, statements=2, actions=2, resources=2, principals=2, conditions=2, values=2, pattern_length=20,
    wildcards=2, action_length=5, resource_length=6, effective_statements=3,
)  # fmt: skip
EQUALS = {"op": "StringEquals", "key": "request.s", "values": ["x"]}


def statement(**more: Any) -> dict[str, Any]:
    return {"effect": "allow", "actions": ["a"], "resources": ["*"], **more}


BEYOND: list[tuple[str, Any, Any, str]] = [
    ("too_large", [statement()], [statement(sid="s", conditions=[EQUALS], principals=["role:" + "r" * 2_000])], ""),
    ("too_many_statements", [statement()] * 2, [statement()] * 3, ""),
    ("too_many_actions", [statement(actions=["a"] * 2)], [statement(actions=["a"] * 3)], "/0/actions"),
    ("too_many_resources", [statement(resources=["a"] * 2)], [statement(resources=["a"] * 3)], "/0/resources"),
    ("too_many_principals", [statement(principals=["*"] * 2)], [statement(principals=["*"] * 3)], "/0/principals"),
    ("too_many_conditions", [statement(conditions=[EQUALS] * 2)], [statement(conditions=[EQUALS] * 3)],
     "/0/conditions"),
    ("too_many_values", [statement(conditions=[EQUALS | {"values": ["x"] * 2}])],
     [statement(conditions=[EQUALS | {"values": ["x"] * 3}])], "/0/conditions/0/values"),
    ("pattern_too_long", [statement(resources=["x" * 20])], [statement(resources=["x" * 21])], "/0/resources/0"),
    ("bad_value", [statement(conditions=[EQUALS | {"values": ["x" * 20]}])],
     [statement(conditions=[EQUALS | {"values": ["x" * 21]}])], "/0/conditions/0/values/0"),
    ("bad_sid", [statement(sid="x" * 20)], [statement(sid="x" * 21)], "/0/sid"),
    ("too_many_wildcards", [statement(resources=["*x**"])], [statement(resources=["*x*?"])], "/0/resources/0"),
    ("too_many_wildcards", [statement(actions=["*x*"])], [statement(actions=["*.*.?"])], "/0/actions/0"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "within", "beyond", "pointer"), BEYOND, ids=range(len(BEYOND)))
def test_a_document_at_a_limit_is_read_and_one_beyond_refused(
    code: str, within: Any, beyond: Any, pointer: str
) -> None:
    """With the code, at the place."""
    Policy.parse(within, limits=SMALL)
    with pytest.raises(PolicyError) as raised:
        Policy.parse(beyond, limits=SMALL)
    problems = raised.value.problems
    assert (code, pointer) in [(problem.code, problem.pointer) for problem in problems]


def test_a_longer_question_is_denied_without_an_error() -> None:
    """One more character than allowed, in the action or in the resource."""
    policy = Policy.parse([statement(actions=["*"])], limits=SMALL)
    assert policy.allows("a" * 5, "x" * 6)
    for question in (("a" * 6, "x"), ("a", "x" * 7)):
        decision = policy.decide(*question)
        assert (decision.effect, decision.error) == ("implicit_deny", None)
        assert not policy.allows(*question)
        assert policy.explain(*question).about_the_action == 0


def test_the_default_limits_of_a_question() -> None:
    """256 characters of action, 2,048 of resource."""
    policy = Policy.parse([statement(actions=["*"])])
    assert policy.allows("a" * 256, "x" * 2_048)
    assert not policy.allows("a" * 257, "x")
    assert not policy.allows("a", "x" * 2_049)


def test_too_many_statements_in_force_together_are_refused() -> None:
    """However they came together."""
    one = Policy.parse([statement(), statement(actions=["b"])], limits=SMALL)
    two = Policy.parse([statement(actions=["c"])], limits=SMALL)
    assert len(one | two) == 3
    with pytest.raises(PolicyError, match="4 statements in force together; at most 3"):
        one | two | Policy.parse([statement(actions=["d"])], limits=SMALL)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "9"])
def test_a_limit_is_a_positive_whole_number(value: Any) -> None:
    """Anything else is a fault of the settings."""
    with pytest.raises(ConfigError, match=r"Limits\(values="):
        Limits(values=value)
