"""What an operator is told when a caller lacks a scope, role, permission or service that may stand elsewhere.

Texts for `hint` only, which is logged and never sent. Nothing here grants anything: that a claim exists says nothing
about what its mapping would make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bearerkit.context import AuthContext
from bearerkit.guards.names import listed

__all__ = ["permission_hint", "role_hint", "scope_hint", "service_hint"]

_ROLES_IN: Final = (
    *("roles", "role", "groups", "realm_access", "resource_access", "cognito:groups"),
    *("org_role", "o", "tenants", "ext", "urn:zitadel:iam:org:project:roles"),
)
"""Claims in which providers write roles."""
_SCOPES_IN: Final = ("scope", "scopes", "scp", "permissions", "org_permissions", *_ROLES_IN)
"""Claims in which providers write what a caller may do."""
_PERMISSIONS_IN: Final = ("permissions", "permission", "org_permissions", "authorities", "scope", "scp")
"""Claims in which providers write permissions."""
_SERVICES_IN: Final = ("services", "service", "features", "feature_flags", "fea")
"""Claims in which providers write what a tenant has switched on."""
_GROUPS_ELSEWHERE: Final = ("_claim_names", "hasgroups")


def scope_hint(ctx: AuthContext, names: Sequence[str]) -> str | None:
    """Why the scopes `names` may be missing: an unread claim, or a prefix. None if the token simply lacks them."""
    if not ctx.scopes:
        return _unread(
            ctx, "scopes", _SCOPES_IN, "Scopes may also carry a prefix (orders!t1234.Read, orders-api/read)."
        )
    prefixed = next((own for own in ctx.scopes for name in names if own.endswith((f"/{name}", f".{name}"))), None)
    if prefixed is None:
        return None
    return f"The token has {prefixed[:100]!r}. If that prefix stands for this very API, take it off with strip_prefix."


def role_hint(ctx: AuthContext) -> str | None:
    """Why a role may be missing: an unread claim, or groups that did not fit into the token. Else None."""
    if any(name in ctx.claims for name in _GROUPS_ELSEWHERE):
        return (
            "The user is in so many groups that Entra left them out of the token (groups overage). Assign app roles, "
            "or limit the groups claim to groups assigned to the application."
        )
    return None if ctx.roles else _unread(ctx, "roles", _ROLES_IN, "")


def permission_hint(ctx: AuthContext) -> str | None:
    """Why permissions may be missing: an unread claim. None if the caller has some."""
    return None if ctx.permissions else _unread(ctx, "permissions", _PERMISSIONS_IN, "")


def service_hint(ctx: AuthContext) -> str | None:
    """Why services may be missing: an unread claim. None if the tenant has some."""
    return None if ctx.services else _unread(ctx, "services", _SERVICES_IN, "")


def _unread(ctx: AuthContext, field: str, names: Sequence[str], more: str) -> str:
    present = [f'"{name}"' for name in ctx.unread(field, names)]
    if not present:
        return f"{field}=(): the token has no claim that is known to hold any. Ask the issuer for them. {more}".rstrip()
    return (
        f"{field}=() but the token has {listed(present, 'and')}. The claim mapping of this issuer does not read "
        f'{field} there: use its preset in bearerkit.providers, or say claims={{"{field}": …}}. {more}'
    ).rstrip()
