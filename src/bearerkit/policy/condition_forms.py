"""Reading conditions in the three forms in which they are exchanged, into one.

    [{"op": "StringEquals", "key": "request.env", "values": ["dev"]}]              the list
    {"StringEquals": {"request.env": ["dev"]}}                                    AWS's nested object
    [{"attribute": "context.env", "operator": "eq", "value": "dev"}]              Authrs' triple

Values are typed when they are read: a block of addresses with host bits, or a date without a zone, is a problem of the
document and not an indeterminate answer later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from bearerkit.policy.clauses import checked_pattern, shown, strings
from bearerkit.policy.condition import Condition
from bearerkit.policy.limits import Limits
from bearerkit.policy.operators import Operator, ValueType, parse_value, reader_of
from bearerkit.policy.pattern import PatternProblem, parse_literal
from bearerkit.policy.problems import Place

__all__ = ["conditions"]

_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_QUANTIFIERS: Final[Mapping[str, Literal["any", "all"]]] = {"ForAnyValue:": "any", "ForAllValues:": "all"}
_IF_EXISTS: Final = "IfExists"
_TRIPLE: Final = ("attribute", "operator", "value")
_TRIPLE_OPERATORS: Final = ("eq", "neq", "gt", "lt")
_ENDINGS: Final = {"eq": "Equals", "neq": "NotEquals", "gt": "GreaterThan", "lt": "LessThan"}


def conditions(value: Any, limits: Limits, operators: Mapping[str, Operator], place: Place) -> tuple[Condition, ...]:
    """The conditions of a statement, all of which must hold."""
    place = place.at("conditions")
    items: list[tuple[Place, Any]]
    if isinstance(value, Mapping):
        items = _nested(value, place)
    elif isinstance(value, list | tuple):
        items = [(place.at(index), item) for index, item in enumerate(value)]
    else:
        place.problem("bad_condition", f"conditions are a list or an object, not {type(value).__name__}")
        return ()
    if len(items) > limits.conditions:
        place.problem("too_many_conditions", f"{len(items)} conditions; at most {limits.conditions} are allowed")
    read = [_condition(item, limits, operators, at) for at, item in items[: limits.conditions]]
    return tuple(condition for condition in read if condition is not None)


def _nested(value: Mapping[Any, Any], place: Place) -> list[tuple[Place, Any]]:
    items: list[tuple[Place, Any]] = []
    for op, keys in value.items():
        if not isinstance(keys, Mapping) or not keys:
            place.at(str(op)).problem("bad_condition", "an operator holds an object of keys and their values")
            continue
        for key, values in keys.items():
            listed = values if isinstance(values, list | tuple) else [values]
            items.append((place.at(str(op), str(key)), {"op": op, "key": key, "values": listed}))
    return items


def _condition(item: Any, limits: Limits, operators: Mapping[str, Operator], place: Place) -> Condition | None:
    if not isinstance(item, Mapping):
        place.problem("bad_condition", f"a condition is an object, not {type(item).__name__}")
        return None
    op: Any
    named: Any
    if "attribute" in item or "operator" in item:
        place.unknown_members(item, _TRIPLE)
        spelled = _of_triple(item, place)
        if spelled is None:
            return None
        op, named, values = spelled
        places = [(place.at("value"), value) for value in values]
    else:
        place.unknown_members(item, ("op", "key", "values"))
        op, named = item.get("op"), item.get("key")
        places = strings(item.get("values"), "values", limits.values, place, of="condition")
    key = named if isinstance(named, str) and _KEY.fullmatch(named) else None
    if key is None:
        place.problem("bad_condition", "a condition needs a key, as in request.ip")
    return _typed(op, key, places, limits, operators, place)


def _typed(
    op: Any,
    key: str | None,
    places: list[tuple[Place, Any]],
    limits: Limits,
    operators: Mapping[str, Operator],
    place: Place,
) -> Condition | None:
    if not isinstance(op, str):
        place.problem("bad_condition", "a condition needs an operator, as in StringEquals")
        return None
    if op == "Exists":
        flags = [_parsed("flag", value, limits, at) for at, value in places]
        if len(flags) != 1:
            place.problem("bad_value", "Exists takes one value, true or false")
            return None
        return None if key is None or flags[0] is None else Condition(op, key, None, tuple(flags))
    prefix = next((prefix for prefix in _QUANTIFIERS if op.startswith(prefix)), "")
    name = op.removeprefix(prefix)
    if_exists = name.endswith(_IF_EXISTS)
    operator = operators.get(name.removesuffix(_IF_EXISTS))
    if operator is None:
        place.problem(
            "unknown_operator", f"there is no operator {op[:80]!r}{place.nearest(name, (*operators, 'Exists'))}"
        )
        return None
    values = [_parsed(operator.type, value, limits, at) for at, value in places]
    if key is None or None in values:
        return None
    return Condition(op, key, operator, tuple(values), _QUANTIFIERS.get(prefix), if_exists)


def _parsed(kind: ValueType, value: Any, limits: Limits, place: Place) -> Any:
    """One value as its type; a Pattern for text, which may hold variables. None if something is wrong with it."""
    if kind == "pattern":
        return checked_pattern(value, limits, place, variables=True)
    try:
        if kind != "string":
            return parse_value(kind, value)
        parse_value(kind, value)
        if len(value) > limits.pattern_length:
            raise PatternProblem("bad_value", f"{len(value)} characters; at most {limits.pattern_length} are allowed")
        return parse_literal(value)
    except PatternProblem as problem:
        place.problem("bad_value" if problem.code == "bad_pattern" else problem.code, problem.message)
    except ValueError as problem:
        place.problem("bad_value", str(problem))
    return None


def _of_triple(item: Mapping[str, Any], place: Place) -> tuple[str, str, list[Any]] | None:
    """Operator, key and value of Authrs' form; the type of the value says which family is meant."""
    attribute, operator, value = (item.get(name) for name in _TRIPLE)
    if not isinstance(attribute, str):
        place.problem("bad_condition", "attribute must be a string such as context.x")
        return None
    if operator not in _TRIPLE_OPERATORS:
        place.problem(
            "unknown_operator", f"there is no operator {shown(operator)}{place.nearest(operator, _TRIPLE_OPERATORS)}"
        )
        return None
    family = _family(value, operator)
    if family is None:
        place.at("value").problem("bad_value", f"{operator} does not compare a {type(value).__name__} of this form")
        return None
    key = attribute.removeprefix("context.")
    if family == "Bool":
        return "Bool", key, [value is (operator == "eq")]
    return f"{family}{_ENDINGS[operator]}", key, [value]


def _family(value: Any, operator: str) -> str | None:
    if isinstance(value, bool):
        return "Bool" if operator in ("eq", "neq") else None
    if reader_of("number")(value) is not None:
        return "Numeric"
    if not isinstance(value, str):
        return None
    if operator in ("eq", "neq"):
        return "String"
    return None if reader_of("moment")(value) is None else "Date"
