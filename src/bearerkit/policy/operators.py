"""The operators of conditions: what type they compare, and when one value meets another.

An operator reads a value that is asked about as its own type or not at all: a boolean is no number, `"40"` is no
number, a time without a zone is no moment. What it cannot read is indeterminate, which an allow does not take and a
deny does. Teams register further operators; those declare one of these types too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from bearerkit.errors import ConfigError
from bearerkit.policy.addresses import Address, Block, address_of, block_of
from bearerkit.policy.pattern import is_clean

__all__ = ["OPERATORS", "Operator", "ValueType", "equal", "operators_from", "parse_value", "reader_of"]

ValueType = Literal["string", "pattern", "number", "moment", "flag", "address"]
"""What is asked about is a string for `string` and `pattern`, an int or float for `number`, seconds since the epoch for
`moment`, a bool for `flag` and an `ipaddress` object for `address`. A value of the condition is the same, but for
`pattern` a function from a string to a bool, and for `address` a network of `ipaddress`.
"""

Test = Callable[[Any, Any], bool]

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")


@dataclass(frozen=True, slots=True)
class Operator:
    """One comparison. `test(asked, value)` says whether it holds for one value of the condition.

    Several values are alternatives; where the operator is `negated`, none of them may hold `test`. A test of a team's
    own that raises, or returns anything but a bool, is indeterminate.
    """

    name: str
    type: ValueType
    test: Test
    negated: bool = False


def reader_of(kind: ValueType) -> Callable[[Any], Any]:
    """Reads a value that is asked about as this type; None if it is of another."""
    return _READ[kind]


def parse_value(kind: ValueType, value: Any) -> Any:
    """A value of a condition, as this type. Raises ValueError with a sentence."""
    return _PARSE[kind](value)


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None  # an int may be too large for a float


def _moment(value: Any) -> float | None:
    """Seconds since the epoch: from a number, a datetime with a zone, or ISO 8601 text with one."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return None if value.utcoffset() is None else value.timestamp()
    return _number(value)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "string": _string,
    "pattern": _string,
    "number": _number,
    "moment": _moment,
    "flag": _flag,
    "address": address_of,
}


def _parse_string(value: Any) -> str:
    if not isinstance(value, str) or not is_clean(value):
        raise ValueError("a string in Unicode normal form C without control characters is needed")
    return value


def _parse_number(value: Any) -> int | float:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    number = float(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else _number(value)
    if number is None or _number(number) is None:
        raise ValueError("a finite number is needed")
    return number


def _parse_moment(value: Any) -> float:
    number = float(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else _moment(value)
    if number is None:
        raise ValueError("a time with a zone is needed, as in 2030-01-01T00:00:00Z, or seconds since the epoch")
    return number


def _parse_flag(value: Any) -> bool:
    flag = {"true": True, "false": False}.get(value) if isinstance(value, str) else _flag(value)
    if flag is None:
        raise ValueError("true or false is needed")
    return flag


def _parse_block(value: Any) -> Block:
    try:
        return block_of(value)
    except ValueError as error:
        raise ValueError(f"an address or a CIDR block without host bits is needed: {error}") from None


_PARSE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "string": _parse_string,
    "number": _parse_number,
    "moment": _parse_moment,
    "flag": _parse_flag,
    "address": _parse_block,
}


def _within(address: Address, block: Block) -> bool:
    return address in block


def _matches(asked: str, value: Callable[[str], bool]) -> bool:
    return value(asked)


def equal(asked: Any, value: Any) -> bool:
    """The test of the operators that compare for equality."""
    return bool(asked == value)


def _equal_in_any_case(asked: str, value: str) -> bool:
    return asked.casefold() == value.casefold()


def _family(prefix: str, kind: ValueType) -> list[Operator]:
    """The six comparisons of an ordered type."""
    return [
        Operator(f"{prefix}Equals", kind, equal),
        Operator(f"{prefix}NotEquals", kind, equal, negated=True),
        Operator(f"{prefix}LessThan", kind, lambda asked, value: asked < value),
        Operator(f"{prefix}LessThanEquals", kind, lambda asked, value: asked <= value),
        Operator(f"{prefix}GreaterThan", kind, lambda asked, value: asked > value),
        Operator(f"{prefix}GreaterThanEquals", kind, lambda asked, value: asked >= value),
    ]


OPERATORS: Final[Mapping[str, Operator]] = {
    operator.name: operator
    for operator in (
        Operator("StringEquals", "string", equal),
        Operator("StringNotEquals", "string", equal, negated=True),
        Operator("StringEqualsIgnoreCase", "string", _equal_in_any_case),
        Operator("StringLike", "pattern", _matches),
        Operator("StringNotLike", "pattern", _matches, negated=True),
        *_family("Numeric", "number"),
        *_family("Date", "moment"),
        Operator("Bool", "flag", equal),
        Operator("IpAddress", "address", _within),
        Operator("NotIpAddress", "address", _within, negated=True),
    )
}
"""The operators of the language. `Exists` is none of them: it looks at no value."""


def operators_from(custom: Sequence[Operator]) -> Mapping[str, Operator]:
    """The language's operators and a team's own. Raises ConfigError listing every problem."""
    problems: list[str] = []
    known = dict(OPERATORS)
    for operator in custom:
        name = operator.name
        if _NAME.fullmatch(str(name)) is None or name.endswith("IfExists"):
            problems.append(f"an operator's name is letters and digits, without IfExists at its end, not {name!r}")
        elif name in known or name == "Exists":
            problems.append(f"there is an operator {name} already")
        elif operator.type not in _READ:
            problems.append(f"the type of operator {name} must be one of {', '.join(_READ)}, not {operator.type!r}")
        elif not callable(operator.test):
            problems.append(f"the test of operator {name} cannot be called")
        else:
            known[name] = operator
    if problems:
        raise ConfigError(problems)
    return known
