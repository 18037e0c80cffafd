"""Requirements: values that say what a route demands of a caller.

    scope("orders:read") & tenant(path="tenant_id")        both
    any_role("admin", "support") | principal("service")    one of them

They are frozen, hashable and comparable, nest freely, and say in words what they need (`describe()`). Operators bind
as always in Python: `&` before `|`. Use them, not `and` and `or`, which raise.

The order of refusal is fixed and has nothing to do with the order of writing: authenticated → tenant → scope and role
(and whatever else the credential says) → live → what loaders say → policy → step-up → custom. So a stranger learns
nothing about a tenant and causes no call to anybody, nobody is sent to sign in again for what he may not do anyway, and
a callback of the team is asked last. Of several alternatives none of which passes, the refusal of the one that got
furthest is the answer.

A challenge names scopes only where scopes alone would do. Makers raise ConfigError for arguments that cannot work.
Nothing in this package loads, waits, or asks for the time.
"""

from __future__ import annotations

from bearerkit.guards.access import access_valid
from bearerkit.guards.customs import custom
from bearerkit.guards.emails import email_verified
from bearerkit.guards.freshness import fresh
from bearerkit.guards.liveness import LIVE, live
from bearerkit.guards.pending import facts_to_load, refuse_early
from bearerkit.guards.permissions import permission
from bearerkit.guards.policies import can
from bearerkit.guards.principals import authenticated, principal
from bearerkit.guards.requirement import (
    AllOf,
    AnyOf,
    Fact,
    Requirement,
    Stage,
    checked_need,
    enforce,
)
from bearerkit.guards.roles import any_role, role
from bearerkit.guards.scopes import any_scope, scope
from bearerkit.guards.services import service
from bearerkit.guards.tenants import tenant
from bearerkit.guards.tiers import tier

__all__ = [
    "LIVE",
    "AllOf",
    "AnyOf",
    "Fact",
    "Requirement",
    "Stage",
    "access_valid",
    "any_role",
    "any_scope",
    "authenticated",
    "can",
    "checked_need",
    "custom",
    "email_verified",
    "enforce",
    "facts_to_load",
    "fresh",
    "live",
    "permission",
    "principal",
    "refuse_early",
    "role",
    "scope",
    "service",
    "tenant",
    "tier",
]
