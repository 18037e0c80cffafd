"""Requirements: values that say what a route demands of a caller.

    scope("orders:read") & tenant(path="tenant_id")        both
    any_role("admin", "support") | principal("service")    one of them

They are frozen, hashable and comparable, nest freely, and say in words what they need (`describe()`). Operators bind
as always in Python: `&` before `|`. Use them, not `and` and `or`, which raise.

The order of refusal is fixed and has nothing to do with the order of writing: authenticated → tenant → scope and role
(and kind of principal) → policy → step-up → custom. So a stranger learns nothing about a tenant, nobody is sent to
sign in again for what he may not do anyway, and a callback of the team is asked last. Of several alternatives none of
which passes, the refusal of the one that got furthest is the answer.

A challenge names scopes only where scopes alone would do. Makers raise ConfigError for arguments that cannot work.
Nothing in this package loads, waits, or asks for the time.
"""

from __future__ import annotations

from bearerkit.guards.customs import custom
from bearerkit.guards.freshness import fresh
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
    facts_to_load,
    refuse_early,
)
from bearerkit.guards.roles import any_role, role
from bearerkit.guards.scopes import any_scope, scope
from bearerkit.guards.tenants import tenant

__all__ = [
    "AllOf",
    "AnyOf",
    "Fact",
    "Requirement",
    "Stage",
    "any_role",
    "any_scope",
    "authenticated",
    "can",
    "checked_need",
    "custom",
    "enforce",
    "facts_to_load",
    "fresh",
    "principal",
    "refuse_early",
    "role",
    "scope",
    "tenant",
]
