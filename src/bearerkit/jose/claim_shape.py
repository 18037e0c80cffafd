"""Claim shapes: how the value of one claim becomes text, a tuple of names, a flag or a time.

Every function takes any JSON value and returns its one type; what does not fit gives the empty answer (None, (),
False), because a claim of the wrong type must never grant anything. Strings are never iterated by character,
array elements are never split, and a truthy value is not a flag. Nothing here may know a claim's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

__all__ = [
    "BESIDE_SHAPES",
    "NAME_SHAPES",
    "Shape",
    "end",
    "flag",
    "flag_or_string",
    "id_names",
    "moment",
    "names",
    "stripped",
    "text",
    "words",
]

Shape = Literal[
    "auto",
    "space-separated",
    "comma-separated",
    "array",
    "object-keys",
    "array-or-keys",
    "permission-bits",
    "bool-or-string",
]
"""How a claim is written. `auto` takes the usual spellings of its field."""

Names = tuple[str, ...]

_ID_LIMIT: Final = 10**20
_MOMENT_LIMIT: Final = 10**14
_BITS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


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


def end(value: Any) -> float:
    """A `moment` at which something ends. One that cannot be read has passed: it must not count as none."""
    return moment(value) or 0.0


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


def _array_or_keys(value: Any) -> Names:
    return _keys(value) if isinstance(value, Mapping) else _array(value)


def _keys_with(pair: tuple[Any, Any]) -> Names:
    """The keys of an object whose value is an object with the member that `beside` names (Zitadel's roles)."""
    value, member = pair
    if not isinstance(value, Mapping) or not isinstance(member, str):
        return ()
    return _unique(key for key, granted in value.items() if isinstance(granted, Mapping) and member in granted)


def _words_in(pair: tuple[Any, Any]) -> Names:
    """The words that also stand in the array that `beside` names (Auth0: asked for, and granted)."""
    value, granted = pair
    also = set(_array(granted))
    return tuple(word for word in _spaced(value) if word in also)


def _permission_bits(pair: tuple[Any, Any]) -> Names:
    """`org:<feature>:<permission>` for every bit that is set (Clerk, session token version 2).

    The object has the permissions in `per` and one number a feature in `fpm`, whose lowest bit stands for the first
    permission; the features are those of `beside` that are marked as the organization's.
    """
    value, features = pair
    if not isinstance(value, Mapping):
        return ()
    permissions, bits = _listed(value.get("per")), _listed(value.get("fpm"))
    marked = [feature.partition(":") for feature in _listed(features)]
    of_organization = [name for mark, colon, name in marked if colon and "o" in mark]
    return _unique(
        f"org:{feature}:{permission}"
        for feature, number in zip(of_organization, bits, strict=False)
        if _BITS.fullmatch(number)
        for index, permission in enumerate(permissions)
        if permission and int(number) >> index & 1
    )


def _listed(value: Any) -> list[str]:
    """The parts of comma-separated text, empty ones too: their position counts."""
    return [part.strip(" ") for part in value.split(",")] if isinstance(value, str) else []


def _unique(values: Iterable[Any]) -> Names:
    """Non-empty strings, in order of arrival, each once."""
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value))


NAME_SHAPES: Final[Mapping[str, Callable[[Any], Names]]] = {
    "auto": names,
    "space-separated": _spaced,
    "comma-separated": _commas,
    "array": _array,
    "object-keys": _keys,
    "array-or-keys": _array_or_keys,
}
"""Shape → reader, for fields that hold names. The shape is binding: an `array` that is a string gives ()."""

BESIDE_SHAPES: Final[Mapping[str, Callable[[tuple[Any, Any]], Names]]] = {
    "space-separated": _words_in,
    "object-keys": _keys_with,
    "permission-bits": _permission_bits,
}
"""Shape → reader of a claim and the one that `beside` names (MISSING if there is none)."""
