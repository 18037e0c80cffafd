"""Conditions: three-valued tests of what is known about a request.

A condition is true, false or indeterminate (None): the key is absent or null, its value of another type, a variable not
to be filled. An allow wants true; a deny is content with anything but false. Negation keeps what is indeterminate.
`Exists` is always decided; `IfExists` turns absence, and nothing else, into true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from bearerkit.policy.name import fits_one_name
from bearerkit.policy.operators import Operator, equal, reader_of
from bearerkit.policy.pattern import Pattern
from bearerkit.policy.principal import Principal

__all__ = ["Condition", "Context", "Test", "Truth", "all_of", "compiled", "look_up", "values_of", "why"]

Truth = bool | None
Context = Mapping[str, Any]
Test = Callable[[Principal | None, Context], Truth]


@dataclass(frozen=True, slots=True)
class Condition:
    """`operator` is None for `Exists`. `values` are parsed; a Pattern among those of another type is a template."""

    spelled: str
    key: str
    operator: Operator | None
    values: tuple[Any, ...]
    quantifier: Literal["any", "all"] | None = None
    if_exists: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables in its values."""
        return tuple(name for value in self.values if isinstance(value, Pattern) for name in value.variables)


Look = Callable[[Principal | None, Context], Any]


def look_up(name: str, principal: Principal | None, context: Context) -> Any:
    """What stands at a key: `principal.…` in the principal, all else in the context. None if there is nothing."""
    return _look(name)(principal, context)


@lru_cache(1_024)
def _look(name: str) -> Look:
    """`look_up` for one key, taken apart once."""
    root, *path = name.split(".")
    if root != "principal" and len(path) == 1:
        return _in_a_root(root, path[0])
    if root != "principal":
        return lambda principal, context: _below(context.get(root), path)
    if not path:
        return lambda principal, context: None
    first, *rest = path
    return lambda principal, context: None if principal is None else _below(principal.attribute(first), rest)


def _in_a_root(root: str, name: str) -> Look:
    """`_below` for the one depth that nearly all keys have."""

    def look(principal: Principal | None, context: Context) -> Any:
        node = context.get(root)
        return node.get(name) if type(node) is dict or isinstance(node, Mapping) else None

    return look


def _below(node: Any, path: Sequence[str]) -> Any:
    for step in path:
        if type(node) is not dict and not isinstance(node, Mapping):  # the second is slow to say yes
            return None
        node = node.get(step)
    return node


def values_of(names: Sequence[str], principal: Principal | None, context: Context) -> Mapping[str, str] | None:
    """The text of each variable; None if one is missing or could be more than one name of a path.

    A value is a non-empty string without `/`, `:`, `*`, `?` and control characters: it goes into a pattern as literal
    text, and must not reach over the place that it stands in.
    """
    filled: dict[str, str] = {}
    for name in names:
        value = look_up(name, principal, context)
        if not isinstance(value, str) or not fits_one_name(value):
            return None
        filled[name] = value
    return filled


def all_of(tests: Sequence[Test]) -> Test:
    """True if all are, false if one is, else indeterminate."""
    if len(tests) == 1:
        return tests[0]

    def every(principal: Principal | None, context: Context) -> Truth:
        result: Truth = True
        for test in tests:
            one = test(principal, context)
            if one is False:
                return False
            if one is None:
                result = None
        return result

    return every


def compiled(condition: Condition) -> Test:
    """The condition as a function."""
    if_exists = condition.if_exists
    operator, look = condition.operator, _look(condition.key)
    if operator is None:
        wanted = condition.values[0]
        return lambda principal, context: (look(principal, context) is not None) is wanted
    if operator.test is equal and operator.type == "string" and not (condition.quantifier or condition.variables):
        values = frozenset(_ready(value, "string") for value in condition.values)
        return _one_of(values, look, negated=operator.negated, if_exists=if_exists)
    one = _one_value(condition, operator)
    whole = one if condition.quantifier is None else _over_list(one, every=condition.quantifier == "all")

    def test(principal: Principal | None, context: Context) -> Truth:
        asked = look(principal, context)
        if asked is None:
            return True if if_exists else None
        return whole(asked, principal, context)

    return test


def _one_of(values: frozenset[str], look: Look, *, negated: bool, if_exists: bool) -> Test:
    """Text beside a set of texts: what most conditions are, in one look."""

    def test(principal: Principal | None, context: Context) -> Truth:
        asked = look(principal, context)
        if isinstance(asked, str):
            return (asked in values) is not negated
        return True if asked is None and if_exists else None

    return test


ValueTest = Callable[[Any, Principal | None, Context], Truth]


def _one_value(condition: Condition, operator: Operator) -> ValueTest:
    kind, test, negated, read = operator.type, operator.test, operator.negated, reader_of(operator.type)
    constants = [_ready(value, kind) for value in condition.values if not _is_template(value, kind)]
    templates = [value for value in condition.values if _is_template(value, kind)]

    def holds(asked: Any, principal: Principal | None, context: Context) -> Truth:
        asked = read(asked)
        if asked is None:
            return None
        result: Truth = False
        for value in constants:
            one = _tested(test, asked, value)
            if one is True:
                return True
            result = None if one is None else result
        for template in templates:
            filled = values_of(template.variables, principal, context)
            one = None if filled is None else _tested(test, asked, _ready(template.filled(filled), kind))
            if one is True:
                return True
            result = None if one is None else result
        return result

    if not negated:
        return holds

    def holds_not(asked: Any, principal: Principal | None, context: Context) -> Truth:
        result = holds(asked, principal, context)
        return None if result is None else not result

    return holds_not


def _tested(test: Callable[[Any, Any], bool], asked: Any, value: Any) -> Truth:
    """A test of a team's own may fail, or return something that is no answer."""
    try:
        result: object = test(asked, value)
    except Exception:
        return None
    return result if isinstance(result, bool) else None


def _is_template(value: Any, kind: str) -> bool:
    return isinstance(value, Pattern) and bool(value.variables)


def _ready(value: Any, kind: str) -> Any:
    """A constant in the form in which it is compared: a matcher for patterns, text for strings."""
    if not isinstance(value, Pattern):
        return value
    return value.matcher() if kind == "pattern" else value.exact


def _over_list(one: ValueTest, *, every: bool) -> ValueTest:
    def test(asked: Any, principal: Principal | None, context: Context) -> Truth:
        if not isinstance(asked, list | tuple | set | frozenset) or not asked:
            return None
        results = {one(item, principal, context) for item in asked}
        if every:
            return False if False in results else None if None in results else True
        return True if True in results else None if None in results else False

    return test


def why(condition: Condition, principal: Principal | None, context: Context) -> str:
    """Why this condition is indeterminate, for an explanation: without any value."""
    asked = look_up(condition.key, principal, context)
    if asked is None:
        return "absent"
    if values_of(condition.variables, principal, context) is None:
        return "a variable cannot be filled"
    if condition.quantifier is not None:
        if not isinstance(asked, list | tuple | set | frozenset):
            return "not a list"
        if not asked:
            return "an empty list"
    kind = "value" if condition.operator is None else condition.operator.type
    return f"not a {kind}: {type(asked).__name__}"
