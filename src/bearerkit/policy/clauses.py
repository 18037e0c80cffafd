"""Reading the lists of a statement: actions, resources and principals, each checked and limited.

Every function notes what is wrong at its place and returns what it could read; whether anything is used is for the
caller to decide, who refuses a document with one problem whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from bearerkit.policy.catalog import Catalog
from bearerkit.policy.limits import Limits
from bearerkit.policy.pattern import Pattern, PatternProblem, is_clean, parse_pattern
from bearerkit.policy.principal import EVERYBODY
from bearerkit.policy.problems import Place

__all__ = ["Resolve", "actions", "checked_pattern", "principals", "resources", "shown", "strings"]

Resolve = Callable[[str, str], str | None]
"""`resolve("role", name)` and `resolve("user", email)`: the id that never changes, None if there is nobody."""

_ACTION: Final = re.compile(r"[A-Za-z0-9_*?-]+(?:\.[A-Za-z0-9_*?-]+)*")
_KINDS: Final = ("role", "user", "group", "key")
_RESOLVED: Final = ("role", "user")


def strings(value: Any, name: str, most: int, place: Place, *, of: str = "statement") -> list[tuple[Place, Any]]:
    """The items of a list that must be there, and their places. `of` is what needs it."""
    if value is None:
        place.problem(f"missing_{name}", f"a {of} needs {name}: a list")
        return []
    place = place.at(name)
    if not isinstance(value, list | tuple):
        place.problem("not_a_list", f"{name} must be a list, not {type(value).__name__}")
        return []
    if not value:
        place.problem(f"empty_{name}", f"{name} must not be empty")
    if len(value) > most:
        place.problem(f"too_many_{name}", f"{len(value)} {name}; at most {most} are allowed")
    return [(place.at(index), item) for index, item in enumerate(value[:most])]


def checked_pattern(text: Any, limits: Limits, place: Place, *, variables: bool) -> Pattern | None:
    """One pattern within the limits, None if something is wrong with it."""
    if isinstance(text, str) and len(text) > limits.pattern_length:
        place.problem("pattern_too_long", f"{len(text)} characters; at most {limits.pattern_length} are allowed")
        return None
    try:
        pattern = parse_pattern(text, variables=variables)
    except PatternProblem as problem:
        place.problem(problem.code, problem.message)
        return None
    if pattern.wildcards > limits.wildcards:
        place.problem("too_many_wildcards", f"{pattern.wildcards} wildcards; at most {limits.wildcards} are allowed")
        return None
    return pattern


def actions(value: Any, limits: Limits, catalog: Catalog | None, place: Place) -> tuple[Pattern, ...]:
    """The action patterns of a statement."""
    found: list[Pattern] = []
    for at, text in strings(value, "actions", limits.actions, place):
        if isinstance(text, str) and "${" in text:
            at.problem("template_not_allowed", "actions take no variables")
            continue
        if not isinstance(text, str) or _ACTION.fullmatch(text) is None:
            what = "an action is segments of letters, digits, - and _ between dots"
            at.problem("bad_action", f"{what}, not {shown(text)}{_with_dots(text)}")
            continue
        pattern = checked_pattern(text, limits, at, variables=False)
        if pattern is None:
            continue
        if catalog is not None and pattern.exact is not None and pattern.exact not in catalog:
            at.problem("unknown_action", f"{shown(text)} is not in the catalog{at.nearest(text, catalog.names)}")
        found.append(pattern)
    return tuple(found)


def _with_dots(text: Any) -> str:
    """What a name in the style of scopes or paths would be here."""
    dotted = text.replace(":", ".").replace("/", ".") if isinstance(text, str) else ""
    return f"; did you mean {shown(dotted)}?" if _ACTION.fullmatch(dotted) else ""


def resources(value: Any, limits: Limits, place: Place) -> tuple[Pattern, ...]:
    """The resource patterns of a statement, as written."""
    found = [
        checked_pattern(text, limits, at, variables=True)
        for at, text in strings(value, "resources", limits.resources, place)
    ]
    return tuple(pattern for pattern in found if pattern is not None)


def principals(value: Any, limits: Limits, resolve: Resolve | None, place: Place) -> frozenset[str]:
    """The principals of a statement, names turned into ids where `resolve` is given."""
    if value is None or (isinstance(value, list | tuple) and not value):
        at = place if value is None else place.at("principals")
        at.problem("empty_principals", 'principals must name somebody; "*" is every authenticated principal')
        return frozenset()
    found = set[str]()
    for at, text in strings(value, "principals", limits.principals, place):
        kind, colon, name = text.partition(":") if isinstance(text, str) else ("", "", "")
        if text == EVERYBODY:
            found.add(EVERYBODY)
        elif kind not in _KINDS or not colon or not name or not is_clean(name) or set("*?$") & set(name):
            known = ", ".join(f"{kind}:<id>" for kind in _KINDS)
            at.problem("bad_principal", f"a principal is *, or one of {known}, without wildcards, not {shown(text)}")
        elif resolve is None or kind not in _RESOLVED:
            found.add(text)
        elif isinstance(own := resolve(kind, name), str) and own:
            found.add(f"{kind}:{own}")
        else:
            at.problem("unresolved_principal", f"there is no {kind} {shown(name)}")
    return frozenset(found)


def shown(value: object) -> str:
    """A value of the document for a message, cut short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
