"""`Grants`: a policy, the principal that it is about to judge, and what is known of the request around them.

It is what an `AuthContext` asks. What the caller of a question adds goes beside what is known of the request, never
over it. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, final

from bearerkit.policy.explanation import Explanation
from bearerkit.policy.policy import Policy
from bearerkit.policy.principal import Principal

__all__ = ["Grants"]

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@final
@dataclass(frozen=True)
class Grants:
    """Questions about one caller. `known` has the roots `request` and `session` of the policy language."""

    policy: Policy
    principal: Principal
    known: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def allows(self, action: str, resource: str, further: Mapping[str, Any] = _NOTHING) -> bool:
        """Whether this caller may do it."""
        return self.policy.allows(action, resource, self.principal, self._context(further))

    def explain(self, action: str, resource: str, further: Mapping[str, Any] = _NOTHING) -> Explanation:
        """Why it is so."""
        return self.policy.explain(action, resource, self.principal, self._context(further))

    def decide_all(self, resource: str, further: Mapping[str, Any] = _NOTHING) -> dict[str, bool]:
        """Every action of the catalog that is about this resource. Raises LookupError without a catalog."""
        return self.policy.decide_all(resource, self.principal, self._context(further))

    def told(self, known: Mapping[str, Any]) -> Grants:
        """The same, with what is known of one request: beside what came with the policy, and over it."""
        return replace(self, known=_joined(known, self.known))

    def _context(self, further: Mapping[str, Any]) -> Mapping[str, Any]:
        return _joined(self.known, further)


def _joined(known: Mapping[str, Any], further: Mapping[str, Any]) -> Mapping[str, Any]:
    if not further:
        return known
    joined = {**further, **known}
    for root in known.keys() & further.keys():
        if isinstance(added := further[root], Mapping):
            joined[root] = {**added, **known[root]}
    return joined
