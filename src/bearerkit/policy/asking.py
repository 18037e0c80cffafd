"""`AsksPolicy`: what an identity can be asked about its policy. `AuthContext` has it; no other class needs it.

A cached identity is shared between requests and has no policy. `within` makes the one of a request, which has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from bearerkit.policy.explanation import Explanation
    from bearerkit.policy.grants import Grants
    from bearerkit.policy.policy import Policy

__all__ = ["AsksPolicy"]

_NOTHING: Final[Mapping[str, bool]] = MappingProxyType({})


class AsksPolicy:
    """Questions to the policy that is in force for an identity on one request."""

    _grants: Grants | None = None

    def can(self, action: str, resource: str, /, **context: Any) -> bool:
        """Whether the caller's policy allows this action on this resource.

        `context` is what conditions find besides `request` and `session`: `resource={"owner": order.owner_id}`. False
        where no policy is attached (`Auth(policies=…)`), and for whatever cannot be decided.
        """
        return self._grants is not None and self._grants.allows(action, resource, context)

    def explain(self, action: str, resource: str, /, **context: Any) -> Explanation | None:
        """Why `can` says what it says: for a log, or for somebody who may know. None where no policy is attached."""
        return None if self._grants is None else self._grants.explain(action, resource, context)

    def can_all(self, resource: str, /, **context: Any) -> Mapping[str, bool]:
        """Every action of the policies' catalog that is about this resource → whether `can` allows it.

        Raises LookupError if the policies have no catalog; empty where no policy is attached.
        """
        return _NOTHING if self._grants is None else self._grants.decide_all(resource, context)

    @property
    def policy(self) -> Policy | None:
        """The policies in force for the caller on this request; None where none is attached."""
        return None if self._grants is None else self._grants.policy

    def within(self, grants: Grants) -> Self:
        """The same identity with these policies in force, for one request: cached contexts never have any."""
        bound = object.__new__(type(self))
        bound.__dict__.update(self.__dict__, _grants=grants)
        return bound

    def told(self, known: Mapping[str, Any]) -> Self:
        """The same identity, its policy told what is known of one request; itself if it has none."""
        return self if self._grants is None else self.within(self._grants.told(known))
