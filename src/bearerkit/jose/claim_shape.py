"""Claim shapes: how the value of one claim becomes text, a tuple of names, a flag or a time.

Every function takes any JSON value and returns its one type; what does not fit gives the empty answer (None, (),
False), because a claim of the wrong type must never grant anything. Strings are never iterated by character,
array elements are never split, and a truthy value is not a flag. Nothing here may know a claim's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

__all__ = ["NAME_SHAPES", "Shape", "flag", "flag_or_string", "id_names", "moment", "names", "stripped", "text", "words"]

Shape = Literal["auto", "space-separated", "comma-separated", "array", "object-keys", "bool-or-string"]
"""How a claim is written. `auto` takes the usual spellings of its field."""

Names = tuple[str, ...]

_ID_LIMIT: Final = 10**20
_MOMENT_LIMIT: Final = 10**14


def text(value: Any) -> str | None:
    """A non-empty string; a whole number counts as its digits (ids are written both ways)."""
    if isinstance(value, str):
        return value or None
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _ID_LIMIT
    return str(value) if whole else None


def flag(value: Any) -> bool:
    """JSON true and nothing else."""
    return value is True


def flag_or_string(value: Any) -> bool:
    """JSON true, or the string "true" (Apple, AWS ALB, GitLab)."""
    return value is True or value == "true"


def moment(value: Any) -> float | None:
    """A NumericDate (RFC 7519 section 2) as received: seconds since the epoch, within some million years of it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < _MOMENT_LIMIT else None


def words(value: Any) -> Names:
    """Scopes as RFC 6749 section 3.3 writes them, in one string with spaces (U+0020 only), or else an array."""
    return _spaced(value) if isinstance(value, str) else _array(value)


def names(value: Any) -> Names:
    """An array of names, or a string that is one name."""
    return _unique((value,)) if isinstance(value, str) else _array(value)


def id_names(value: Any) -> Names:
    """Ids: an array of strings, whole numbers or objects with an `id`; a string or a number is one id."""
    items = value if isinstance(value, list | tuple) else () if isinstance(value, Mapping) else (value,)
    return _unique(text(item.get("id") if isinstance(item, Mapping) else item) for item in items)


def stripped(values: Names, prefix: str) -> Names:
    """Those values that carry `prefix`, without it.

    The others are dropped: kept, the scope `email` of an OpenID provider would pass for `orders-api/email`.
    """
    return _unique(value.removeprefix(prefix) for value in values if value.startswith(prefix))


def _spaced(value: Any) -> Names:
    return _unique(value.split(" ")) if isinstance(value, str) else ()


def _commas(value: Any) -> Names:
    return _unique(part.strip(" ") for part in value.split(",")) if isinstance(value, str) else ()


def _array(value: Any) -> Names:
    return _unique(value) if isinstance(value, list | tuple) else ()


def _keys(value: Any) -> Names:
    return _unique(value) if isinstance(value, Mapping) else ()


def _unique(values: Iterable[Any]) -> Names:
    """Non-empty strings, in order of arrival, each once."""
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value))


NAME_SHAPES: Final[Mapping[str, Callable[[Any], Names]]] = {
    "auto": names,
    "space-separated": _spaced,
    "comma-separated": _commas,
    "array": _array,
    "object-keys": _keys,
}
"""Shape → reader, for fields that hold names. The shape is binding: an `array` that is a string gives ()."""
