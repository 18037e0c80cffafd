"""The policy language: documents that grant and deny actions on resources, parsed, decided and explained.

    from bearerkit.policy import Policy

    policy = Policy.parse([{"effect": "allow", "actions": ["orders.read"], "resources": ["orders/*"]}])
    assert policy.allows("orders.read", "orders/1")

Pure: nothing here fetches, waits or tells the time. Deny goes before allow, the order of statements decides nothing,
and what cannot be decided never allows. The names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bearerkit.errors import PolicyError
    from bearerkit.policy.attachment import Attachment
    from bearerkit.policy.catalog import Action, Catalog
    from bearerkit.policy.decision import Decision
    from bearerkit.policy.explanation import Explanation
    from bearerkit.policy.grants import Grants
    from bearerkit.policy.limits import Limits
    from bearerkit.policy.operators import Operator
    from bearerkit.policy.policy import Policy
    from bearerkit.policy.principal import Principal
    from bearerkit.policy.scheme import Scheme
    from bearerkit.policy.shapes import authrs_check, authzen_actions, authzen_evaluation, authzen_evaluations
    from bearerkit.policy_problem import PolicyProblem

_HOME = {
    "Action": "policy.catalog",
    "Attachment": "policy.attachment",
    "Catalog": "policy.catalog",
    "Decision": "policy.decision",
    "Explanation": "policy.explanation",
    "Grants": "policy.grants",
    "Limits": "policy.limits",
    "Operator": "policy.operators",
    "Policy": "policy.policy",
    "PolicyError": "errors",
    "PolicyProblem": "policy_problem",
    "Principal": "policy.principal",
    "Scheme": "policy.scheme",
    "authrs_check": "policy.shapes",
    "authzen_actions": "policy.shapes",
    "authzen_evaluation": "policy.shapes",
    "authzen_evaluations": "policy.shapes",
}

__all__ = [
    "Action",
    "Attachment",
    "Catalog",
    "Decision",
    "Explanation",
    "Grants",
    "Limits",
    "Operator",
    "Policy",
    "PolicyError",
    "PolicyProblem",
    "Principal",
    "Scheme",
    "authrs_check",
    "authzen_actions",
    "authzen_evaluation",
    "authzen_evaluations",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"bearerkit.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
