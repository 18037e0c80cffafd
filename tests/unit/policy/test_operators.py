"""Operators: what they read, what they refuse to read, and which of two values meet."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from bearerkit.errors import ConfigError
from bearerkit.policy import Operator, Policy, PolicyError
from bearerkit.policy.operators import OPERATORS, operators_from, parse_value, reader_of

HUGE = 10**400
"""JSON may hold it; no float does."""


class Nowhere(tzinfo):
    """A zone that does not know its offset, so that a time in it is no moment."""

    def utcoffset(self, _: Any) -> None:
        return None


ASKED: list[tuple[Any, str, Any, Any]] = [
    ("string", "string", "x", "x"),
    ("string_bytes", "string", b"x", None),
    ("pattern_number", "pattern", 5, None),
    ("number_int", "number", 5, 5),
    ("number_bool", "number", True, None),
    ("number_text", "number", "40", None),
    ("number_nan", "number", float("nan"), None),
    ("number_infinite", "number", float("inf"), None),
    ("number_huge", "number", HUGE, HUGE),
    ("moment_number", "moment", 1.5, 1.5),
    ("moment_huge", "moment", HUGE, HUGE),
    ("moment_bool", "moment", False, None),
    ("moment_zulu", "moment", "1970-01-01T00:00:05Z", 5),
    ("moment_offset", "moment", "1970-01-01T02:00:05+02:00", 5),
    ("moment_naive_text", "moment", "1970-01-01T00:00:05", None),
    ("moment_no_text", "moment", "soon", None),
    ("moment_aware", "moment", datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=-1))), 3600),
    ("moment_naive", "moment", datetime(1970, 1, 1), None),
    ("moment_nowhere", "moment", datetime(1970, 1, 1, tzinfo=Nowhere()), None),
    ("moment_date", "moment", date(1970, 1, 1), None),
    ("flag", "flag", False, False),
    ("flag_text", "flag", "true", None),
    ("flag_number", "flag", 1, None),
    ("address", "address", "10.0.0.1", ipaddress.IPv4Address("10.0.0.1")),
    ("address_object", "address", ipaddress.IPv6Address("::1"), ipaddress.IPv6Address("::1")),
    ("address_mapped", "address", "::ffff:10.0.0.1", ipaddress.IPv4Address("10.0.0.1")),
    ("address_wrong", "address", "999.bad", None),
    ("address_number", "address", 167772161, None),
]


@pytest.mark.parametrize(("kind", "value", "read"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_a_value_that_is_asked_about_is_of_the_type_or_nothing(kind: Any, value: Any, read: Any) -> None:
    """No text is taken for a number, no bool for one, no local time for a moment."""
    found = reader_of(kind)(value)
    assert found == read
    assert type(found) is type(read) or isinstance(found, float)


PARSED: list[tuple[str, Any, Any]] = [
    ("string", "é*", "é*"),
    ("number", 5, 5),
    ("number", "5", 5),
    ("number", "-2.5e1", -25.0),
    ("number", HUGE, HUGE),
    ("moment", "1970-01-01T00:00:05Z", 5),
    ("moment", "-5", -5),
    ("moment", 5, 5),
    ("flag", True, True),
    ("flag", "false", False),
    ("address", "10.0.0.0/8", ipaddress.IPv4Network("10.0.0.0/8")),
    ("address", "10.0.0.1", ipaddress.IPv4Network("10.0.0.1/32")),
    ("address", "2001:db8::/32", ipaddress.IPv6Network("2001:db8::/32")),
    ("address", "::ffff:10.0.0.0/104", ipaddress.IPv4Network("10.0.0.0/8")),
]


@pytest.mark.parametrize(("kind", "value", "parsed"), PARSED, ids=[f"{i}_{row[0]}" for i, row in enumerate(PARSED)])
def test_a_value_of_a_condition_is_typed_when_it_is_loaded(kind: Any, value: Any, parsed: Any) -> None:
    """Numbers, moments and flags may be text there, as AWS writes them."""
    assert parse_value(kind, value) == parsed


REFUSED: list[tuple[str, Any, str]] = [
    ("string", 5, "normal form C"),
    ("string", "e\u0301", "normal form C"),
    ("string", "a\x00", "control"),
    ("number", "x", "finite number"),
    ("number", "1e999", "finite number"),
    ("number", True, "finite number"),
    ("moment", "1970-01-01T00:00:05", "zone"),
    ("moment", "soon", "zone"),
    ("flag", 1, "true or false"),
    ("flag", "True", "true or false"),
    ("address", "10.0.0.1/8", "host bits"),
    ("address", "x", "CIDR"),
    ("address", 5, "CIDR"),
]


@pytest.mark.parametrize(("kind", "value", "says"), REFUSED, ids=[f"{i}_{row[0]}" for i, row in enumerate(REFUSED)])
def test_a_value_of_another_type_is_refused_with_a_sentence(kind: Any, value: Any, says: str) -> None:
    """At load, so that it never is an indeterminate answer later."""
    with pytest.raises(ValueError, match=says):
        parse_value(kind, value)


def test_every_ordered_operator_compares_the_right_way_round() -> None:
    """Asked value left, value of the condition right, for numbers and moments."""
    expected = {
        "Equals": [False, True, False],
        "NotEquals": [False, True, False],  # negated by the condition, not by the test
        "LessThan": [True, False, False],
        "LessThanEquals": [True, True, False],
        "GreaterThan": [False, False, True],
        "GreaterThanEquals": [False, True, True],
    }
    for family in ("Numeric", "Date"):
        for ending, results in expected.items():
            operator = OPERATORS[f"{family}{ending}"]
            assert [operator.test(asked, 5) for asked in (4, 5, 6)] == results
            assert operator.negated is (ending == "NotEquals")


def test_an_address_is_in_a_block_of_its_own_version_only() -> None:
    """The whole of one version holds no address of the other."""
    within = OPERATORS["IpAddress"].test
    assert within(ipaddress.ip_address("10.1.2.3"), ipaddress.ip_network("10.0.0.0/8"))
    assert not within(ipaddress.ip_address("11.1.2.3"), ipaddress.ip_network("10.0.0.0/8"))
    assert not within(ipaddress.ip_address("10.1.2.3"), ipaddress.ip_network("::/0"))


def test_case_is_ignored_as_unicode_folds_it() -> None:
    """Not as ASCII does."""
    assert OPERATORS["StringEqualsIgnoreCase"].test("STRASSE", "straße")


@pytest.mark.parametrize(
    ("operator", "says"),
    [
        (Operator("Has Space", "string", bool), "letters and digits"),
        (Operator("OddIfExists", "string", bool), "without IfExists"),
        (Operator("Bool", "flag", bool), "an operator Bool already"),
        (Operator("Exists", "flag", bool), "an operator Exists already"),
        (Operator("New", "colour", bool), "type of operator New"),  # type: ignore[arg-type]
        (Operator("New", "string", 5), "cannot be called"),  # type: ignore[arg-type]
    ],
    ids=["space", "if_exists", "taken", "exists", "type", "test"],
)
def test_an_operator_of_a_team_that_cannot_work_is_refused(operator: Operator, says: str) -> None:
    """When the policy is parsed, as a fault of the settings."""
    with pytest.raises(ConfigError, match=says):
        operators_from([operator])


def is_multiple(asked: float, value: float) -> bool:
    return asked % value == 0


def fails(asked: Any, value: Any) -> bool:
    raise RuntimeError("no answer")


def answers(asked: Any, value: Any) -> Any:
    return "yes"


def statement(effect: str, **conditions: Any) -> dict[str, Any]:
    return {"effect": effect, "actions": ["a"], "resources": ["*"], "conditions": conditions}


ALLOW = {"effect": "allow", "actions": ["a"], "resources": ["*"]}


@pytest.mark.parametrize(
    ("test", "asked", "effects"),
    [
        (is_multiple, 4, ("allow", "explicit_deny")),
        (is_multiple, 5, ("implicit_deny", "allow")),
        (fails, 4, ("implicit_deny", "explicit_deny")),
        (answers, 4, ("implicit_deny", "explicit_deny")),
    ],
    ids=["holds", "holds_not", "raises", "no_bool"],
)
def test_a_test_of_a_team_that_fails_or_gives_no_bool_is_indeterminate(
    test: Callable[..., Any], asked: int, effects: tuple[str, str]
) -> None:
    """An allow does not take that, a deny does."""
    own = [Operator("MultipleOf", "number", test)]
    may = Policy.parse([statement("allow", MultipleOf={"request.n": [2]})], operators=own)
    must_not = Policy.parse([ALLOW, statement("deny", MultipleOf={"request.n": [2]})], operators=own)
    context = {"request": {"n": asked}}
    assert (may.decide("a", "x", None, context).effect, must_not.decide("a", "x", None, context).effect) == effects


def test_a_number_too_large_for_a_float_is_compared_and_breaks_nothing() -> None:
    """It may stand in a document and in a request: the answer is exact, not an error."""
    more = Policy.parse([statement("allow", NumericGreaterThan={"request.n": [5]})])
    decision = more.decide("a", "x", None, {"request": {"n": HUGE}})
    assert (decision.effect, decision.error) == ("allow", None)
    less = Policy.parse([statement("allow", NumericLessThan={"request.n": [HUGE]})])
    assert less.allows("a", "x", None, {"request": {"n": 5}})
    with pytest.raises(PolicyError, match="bad_value"):
        Policy.parse([statement("allow", NumericLessThan={"request.n": ["1e999"]})])


def test_a_time_in_a_zone_without_an_offset_is_indeterminate() -> None:
    """So a deny applies, as it does for a time without a zone."""
    policy = Policy.parse([ALLOW, statement("deny", DateGreaterThan={"request.now": [5]})])
    now = datetime(2030, 1, 1, tzinfo=Nowhere())
    assert policy.decide("a", "x", None, {"request": {"now": now}}).effect == "explicit_deny"
    assert policy.allows("a", "x", None, {"request": {"now": datetime(1970, 1, 1, tzinfo=UTC)}})
