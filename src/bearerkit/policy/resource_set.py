"""Many resource patterns as one question: does any of them match?

Exact names are one look into a set, prefixes one `startswith` or one bisection however many there are; only patterns
with a wildcard elsewhere are tried one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from bearerkit.policy.pattern import Match, Pattern

__all__ = ["matches_any"]

_FEW = 32
"""Up to so many prefixes `startswith` with a tuple is quicker than a bisection."""


def matches_any(patterns: Iterable[Pattern]) -> Match:
    """A function that says whether any of the patterns, which have no variables, matches."""
    exact = set[str]()
    prefixes = set[str]()
    others: dict[tuple[object, ...], Match] = {}
    for pattern in patterns:
        if (name := pattern.exact) is not None:
            exact.add(name)
        elif (prefix := pattern.prefix) is not None:
            prefixes.add(prefix)
        else:
            others.setdefault(pattern.atoms, pattern.matcher())
    if "" in prefixes:
        return _everything
    return _joined(frozenset(exact), _minimal(prefixes), tuple(others.values()))


def _everything(text: object) -> bool:
    # Every other matcher fails on what is no text, or knows nothing of it; this one must not pass what a deny missed.
    return isinstance(text, str)


def _minimal(prefixes: set[str]) -> tuple[str, ...]:
    """Sorted, without those that begin with another one."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return tuple(kept)


def _joined(exact: frozenset[str], prefixes: tuple[str, ...], others: tuple[Match, ...]) -> Match:
    if not others:
        if not prefixes:
            return exact.__contains__
        if len(prefixes) <= _FEW:
            return lambda text: text in exact or text.startswith(prefixes)
    if not exact and not prefixes and len(others) == 1:
        return others[0]

    def match(text: str) -> bool:
        if text in exact:
            return True
        # No prefix begins with another, so only the nearest one below can be the beginning of `text`.
        place = bisect_right(prefixes, text)
        if place and text.startswith(prefixes[place - 1]):
            return True
        return any(other(text) for other in others)

    return match
