"""Who asks: an id, roles, groups and attributes, and what follows from them.

Effective roles are the closure over parents of the direct roles and of the roles of groups. A child has what its
parents have, allows and denies alike. Loops are harmless, and nothing further up than sixteen parents counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from bearerkit.policy.limits import ROLE_DEPTH

__all__ = ["EVERYBODY", "UNKNOWN", "Principal", "principal_from"]

EVERYBODY: Final = "*"
"""The principal of a statement that means every authenticated one, never an anonymous caller."""
UNKNOWN: Final = frozenset({EVERYBODY})
"""What matches where no principal is given: the one that the policy is attached to."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_FIELDS: Final = ("id", "roles", "groups", "tenant", "role_parents", "group_roles", "attributes", "key", "anonymous")


@dataclass(frozen=True)
class Principal:
    """Whoever asks for an action.

    `roles` and `groups` are those that were given directly; `role_parents` maps a role to its parent or parents,
    `group_roles` a group to its role or roles. `key` is the id of the API key that acts for `id`. `attributes` are
    what conditions and templates find as `principal.<name>`. `anonymous` is nobody: no principal of a statement
    matches, not even `*`.
    """

    id: str | None = None
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tenant: str | None = None
    role_parents: Mapping[str, str | Iterable[str]] = field(default_factory=lambda: _NOTHING)
    group_roles: Mapping[str, str | Iterable[str]] = field(default_factory=lambda: _NOTHING)
    attributes: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    key: str | None = None
    anonymous: bool = False

    def __post_init__(self) -> None:
        # Taken apart into letters, a role would drop its denies as well as its allows.
        kinds: tuple[type, ...] = (type(self.roles), type(self.groups))
        if str in kinds:
            raise TypeError("roles and groups are lists of names, not one text")

    @cached_property
    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """Each principal that this one matches, as statements spell it → how it came to that."""
        if self.anonymous:
            return _NOTHING
        found: dict[str, tuple[str, ...]] = {EVERYBODY: ()}
        if self.id is not None:
            found[f"user:{self.id}"] = ()
        if self.key is not None:
            found[f"key:{self.key}"] = ()
        level: list[tuple[str, tuple[str, ...]]] = [(role, ()) for role in self.roles]
        for group in self.groups:
            found.setdefault(f"group:{group}", ())
            level += [(role, (f"group:{group}",)) for role in _names(self.group_roles.get(group, ()))]
        for _ in range(ROLE_DEPTH + 1):
            above: list[tuple[str, tuple[str, ...]]] = []
            for role, via in level:
                name = f"role:{role}"
                if name not in found:
                    found[name] = via
                    above += [(parent, (*via, name)) for parent in _names(self.role_parents.get(role, ()))]
            level = above
        return found

    @cached_property
    def identities(self) -> frozenset[str]:
        """The principals that this one matches."""
        return frozenset(self.paths)

    @cached_property
    def effective_roles(self) -> tuple[str, ...]:
        """The roles that count: direct ones, those of groups, and their parents."""
        return tuple(name.removeprefix("role:") for name in self.paths if name.startswith("role:"))

    def attribute(self, name: str) -> Any:
        """What `principal.<name>` means in a condition or template; None if there is no such thing."""
        match name:
            case "id" | "tenant" | "key":
                return getattr(self, name)
            case "roles":
                return self.effective_roles
            case "groups":
                return self.groups
        return self.attributes.get(name)


def principal_from(value: Principal | Mapping[str, Any] | None) -> Principal | None:
    """The principal that a mapping spells. `parents` is short for `role_parents`; what is no field is an attribute."""
    if value is None or isinstance(value, Principal):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"a principal is a Principal or a mapping, not {type(value).__name__}")
    given = {"role_parents" if name == "parents" else name: item for name, item in value.items()}
    attributes = {name: item for name, item in given.items() if name not in _FIELDS}
    fields = {name: item for name, item in given.items() if name in _FIELDS}
    for name in ("roles", "groups"):
        if name in fields:
            fields[name] = tuple(_names(fields[name]))
    return Principal(**{**fields, "attributes": {**fields.get("attributes", {}), **attributes}})


def _names(value: str | Iterable[str]) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value
