"""`Catalog`: the actions that exist, and the resources that each of them is about.

With a catalog an action that does not exist is an error of the document, and every action for a resource can be listed.
It grants nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

from bearerkit.errors import ConfigError
from bearerkit.policy.name import is_action
from bearerkit.policy.pattern import Match, Pattern, PatternProblem, parse_pattern
from bearerkit.policy.resource_set import matches_any
from bearerkit.policy.scheme import DEFAULT_SCHEMES, scheme_of
from bearerkit.spelling import nearest

__all__ = ["VERBS", "Action", "Catalog"]

VERBS: Final = ("get", "post", "patch", "put", "delete", "archive", "unarchive")
"""What every table of a package can be asked, by default."""
_EXTENSIBLE: Final = ("get", "put", "delete")
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_MEMBERS: Final = ("resources", "description", "deprecated")


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `resources` are patterns of what it is about, () for anything; `deprecated` says what to use instead.

    An action of a package names it, and its table unless it is about all of them: it then belongs to that table, that
    package, and the service above.
    """

    name: str
    resources: tuple[str, ...] = ()
    description: str = ""
    deprecated: str | None = None
    package: str | None = None
    table: str | None = None


@dataclass(frozen=True)
class Catalog:
    """Actions in the order in which they are listed. Raises ConfigError listing every problem."""

    actions: tuple[Action, ...] = ()
    known: frozenset[str] = field(init=False, repr=False, compare=False)
    """The names of the actions, in no order."""
    _by_name: Mapping[str, Action] = field(init=False, repr=False, compare=False)
    _about: Mapping[str, Match | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems: list[str] = []
        by_name: dict[str, Action] = {}
        about: dict[str, Match | None] = {}
        for action in self.actions:
            if not isinstance(action, Action):
                problems.append(f"an action is a name or an Action, not {action!r}")
                continue
            if not is_action(action.name):
                problems.append(f"an action is segments of letters, digits, - and _ between dots, not {action.name!r}")
            elif by_name.setdefault(action.name, action) != action:
                problems.append(f"the action {action.name} is in the catalog twice")
            patterns = _patterns(action, problems)
            about[str(action.name)] = matches_any(patterns) if patterns else None
        if problems:
            raise ConfigError(problems)
        object.__setattr__(self, "actions", tuple(by_name.values()))
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "known", frozenset(by_name))
        object.__setattr__(self, "_about", about)

    @classmethod
    def of(cls, actions: Mapping[str, Mapping[str, Any]] | Iterable[str | Action]) -> Catalog:
        """From names, or from name → object with the members `resources`, `description` and `deprecated`."""
        if isinstance(actions, str) or not isinstance(actions, Iterable):
            raise ConfigError(f"a catalog is a list of actions, or an object of actions and their members: {actions!r}")
        if not isinstance(actions, Mapping):
            return cls(tuple(Action(item) if isinstance(item, str) else item for item in actions))
        entries = cast("Mapping[str, Mapping[str, Any]]", actions)
        problems: list[str] = []
        for name, members in entries.items():
            if not isinstance(members, Mapping):
                problems.append(f"{name}: an object is needed, with {', '.join(_MEMBERS)}, not {members!r}")
                continue
            problems += [
                f"{name}: unknown member {member!r}{nearest(member, _MEMBERS)}"
                for member in members
                if member not in _MEMBERS
            ]
        if problems:
            raise ConfigError(problems)
        return cls(tuple(_action(name, members) for name, members in entries.items()))

    @classmethod
    def from_package(
        cls,
        package: str,
        *,
        tables: Iterable[str],
        custom_actions: Iterable[str] = (),
        extensible_tables: Iterable[str] = (),
        verbs: Sequence[str] = VERBS,
    ) -> Catalog:
        """The actions that Authrs makes for a package: each verb with each table in PascalCase, and its own.

        `get` and `materials_list` give `getMaterialsList`; a table that is extensible has three more actions.
        """
        extensible = set(extensible_tables)
        named = [*tables]
        problems = [
            f"the extensible table {table!r} is not among the tables" for table in sorted(extensible - {*named})
        ]
        problems += [f"{table!r} gives no name for an action" for table in named if not _pascal(table)]
        if problems:
            raise ConfigError(problems)
        actions = [Action(f"{verb}{_pascal(table)}", package=package, table=table) for table in named for verb in verbs]
        actions += [
            Action(f"{verb}ExtensibleFields{_pascal(table)}", package=package, table=table)
            for table in named
            if table in extensible
            for verb in _EXTENSIBLE
        ]
        actions += [Action(name, package=package) for name in custom_actions]
        return cls(tuple(actions))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all actions."""
        return tuple(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)

    def __len__(self) -> int:
        return len(self.actions)

    def __or__(self, other: Catalog) -> Catalog:
        return Catalog((*self.actions, *other.actions))

    def lacks(self, name: str) -> str | None:
        """A sentence for whoever asked for an action that is not there, with what was probably meant; None if it is."""
        return None if name in self._by_name else _lacking(name, self.names)

    def for_resource(self, resource: str) -> tuple[str, ...]:
        """The actions that are about this resource, in order.

        For a service those of all its packages, for a package those of its tables and its own, for a table those of the
        table and the package's own.
        """
        scheme = scheme_of(resource, DEFAULT_SCHEMES)
        levels = dict(scheme.levels(resource) or ()) if scheme is not None else {}
        return tuple(action.name for action in self.actions if self._is_about(action, resource, levels))

    def _is_about(self, action: Action, resource: str, levels: Mapping[str, str]) -> bool:
        if action.package is not None:
            if not levels or levels.get("package", action.package) != action.package:
                return False
            return action.table is None or levels.get("table", action.table) == action.table
        matches = self._about[action.name]
        return matches is None or matches(resource)


@lru_cache(256)
def _lacking(name: str, names: tuple[str, ...]) -> str:
    # Kept, since a route that asks for such an action is refused again and again.
    return f"{name[:80]!r} is not in the catalog{nearest(name[:80], names)}"


def _action(name: str, members: Mapping[str, Any]) -> Action:
    resources = members.get("resources", ())
    listed = tuple(resources) if isinstance(resources, list) else resources
    return Action(name, listed, members.get("description", ""), members.get("deprecated"))


def _patterns(action: Action, problems: list[str]) -> tuple[Pattern, ...]:
    """What the action is about, and a problem for each resource that is no pattern."""
    if not isinstance(action.resources, list | tuple):
        problems.append(f"the resources of {action.name} are a list of patterns, not {action.resources!r}")
        return ()
    patterns: list[Pattern] = []
    for text in action.resources:
        try:
            patterns.append(parse_pattern(text, variables=False))
        except PatternProblem as problem:
            problems.append(f"the resource {text!r} of {action.name}: {problem.message}")
    return tuple(patterns)


def _pascal(table: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in _WORDS.findall(table))
