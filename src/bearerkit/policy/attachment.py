"""`Attachment`: what a policy source knows about one caller. Data, and how it becomes the principal of a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from bearerkit.policy.policy import Policy
from bearerkit.policy.principal import Principal

__all__ = ["Attachment"]

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True)
class Attachment:
    """The policies that are in force for a caller, and the roles and groups that the source adds to his own.

    `role_parents` maps a role to its parent or parents, `group_roles` a group to its role or roles.
    """

    policy: Policy
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    role_parents: Mapping[str, str | Iterable[str]] = field(default_factory=lambda: _NOTHING)
    group_roles: Mapping[str, str | Iterable[str]] = field(default_factory=lambda: _NOTHING)

    def __post_init__(self) -> None:
        # Found here and not by a question: what is no list of roles would drop denies, or break each answer.
        if not isinstance(self.policy, Policy):
            raise TypeError(f"the policy of an attachment is a Policy, not {type(self.policy).__name__}")
        given: tuple[object, ...] = (self.roles, self.groups)
        for names in given:
            if isinstance(names, str) or not isinstance(names, Iterable):
                raise TypeError(f"roles and groups are lists of names, not {type(names).__name__}")

    def principal(
        self,
        *,
        id: str | None,  # noqa: A002 - what a principal's id is called everywhere
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        tenant: str | None = None,
        key: str | None = None,
        attributes: Mapping[str, Any] = _NOTHING,
    ) -> Principal:
        """The caller with his own roles and groups and those of the source."""
        return Principal(
            id=id,
            roles=tuple(dict.fromkeys((*roles, *self.roles))),
            groups=tuple(dict.fromkeys((*groups, *self.groups))),
            tenant=tenant,
            role_parents=self.role_parents,
            group_roles=self.group_roles,
            attributes=attributes,
            key=key,
        )
