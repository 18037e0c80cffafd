"""Names in requirements: how the arguments of a maker are checked, and how lists of names read in English.

A wrong name is a ConfigError when the requirement is made, at import of the application, never a refusal at run
time. No rule about callers belongs here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bearerkit.errors import ConfigError

__all__ = ["SCOPE_TOKEN", "checked", "listed", "quoted"]

SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""RFC 6749 section 3.3: printable ASCII without space, quote and backslash. Also fits acr values in a challenge."""
_ANY_TEXT = re.compile(r"\S(.*\S)?", re.DOTALL)


def checked(maker: str, what: str, names: Iterable[object], *, shape: re.Pattern[str] | None = None) -> tuple[str, ...]:
    """`names` as a tuple, each once. Raises ConfigError, listing every bad one, and when there is none at all."""
    given = tuple(names)
    problems = [f"{maker}: needs at least one {what}"] if not given else []
    good: dict[str, None] = {}
    for name in given:
        if isinstance(name, str) and (shape or _ANY_TEXT).fullmatch(name):
            good[name] = None
        elif isinstance(name, list | tuple | set | frozenset):
            problems.append(f"{maker}: pass each {what} as an argument of its own, not as a {type(name).__name__}")
        elif isinstance(name, str) and " " in name.strip(" "):
            problems.append(f"{maker}: {name!r} holds a space; pass each {what} as an argument of its own")
        else:
            problems.append(f"{maker}: {name!r} is not a {what}")
    if problems:
        raise ConfigError(problems)
    return tuple(good)


def listed(phrases: Iterable[str], conjunction: str) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *head, last = phrases
    return f"{', '.join(head)} {conjunction} {last}" if head else last


def quoted(names: Iterable[str], conjunction: str) -> str:
    """As `listed`, each name in double quotes."""
    return listed((f'"{name}"' for name in names), conjunction)
