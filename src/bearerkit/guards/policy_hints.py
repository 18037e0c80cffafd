"""What operators are told to look at when a policy denies: mistakes that look like a denial.

Hints are for the log. They decide nothing, and no caller sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bearerkit.context import AuthContext
from bearerkit.policy.effect import IMPLICIT_DENY

if TYPE_CHECKING:
    from bearerkit.policy import Explanation, Policy

__all__ = ["policy_hint"]

_ADDRESS: Final = "request.ip"
_NO_TENANT: Final = "The caller has no tenant_id, without which a policy store knows nobody."
_NOTHING: Final = (
    "No statement is in force for this caller: is a policy bound to the subject, a role, a group, the tenant?"
)
_NO_ADDRESS: Final = (
    f"{_ADDRESS} takes Auth(trusted_proxies=[…]), an empty list where callers connect directly, and a server that "
    "tells the address of its peer."
)


def policy_hint(ctx: AuthContext, action: str, denied: Explanation) -> str | None:
    """Where to look, None if the denial is what it looks like."""
    return " ".join(_hints(ctx, action, denied)) or None


def _hints(ctx: AuthContext, action: str, denied: Explanation) -> Iterator[str]:
    if ctx.policy is not None and (lacking := _lacking(ctx.policy, action)) is not None:
        yield f"can(): {lacking}{'' if lacking.endswith('?') else '.'}"
    if denied.decision.effect == IMPLICIT_DENY and not denied.statements:
        yield _NOTHING if ctx.tenant_id is not None else _NO_TENANT
    if any(item.key == _ADDRESS for item in denied.indeterminate):
        yield _NO_ADDRESS


def _lacking(policy: Policy, action: str) -> str | None:
    """That the catalog has no such action; a boundary may have one where the policy has none."""
    if policy.catalog is not None:
        return policy.catalog.lacks(action)
    return next((found for _, boundary in policy.boundaries if (found := _lacking(boundary, action))), None)
