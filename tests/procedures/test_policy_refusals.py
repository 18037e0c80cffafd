"""What operators are told of a denial by a policy: each thing once, and where to look. Callers are told none of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from auth_doubles import ISSUER, auth, request, token
from bearerkit import Auth, Issuer, can
from bearerkit.errors import PermissionDenied
from bearerkit.policy import Policy
from bearerkit.testing import SigningKey

KEY = SigningKey.generate("ES256", kid="k1")
READ: dict[str, Any] = {"sid": "r", "effect": "allow", "actions": ["orders.read"], "resources": ["orders/*"]}
DENY = READ | {"sid": "d", "effect": "deny"}


class Source:
    """A policy source with one answer."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    async def policies_for(self, context: object) -> Policy:
        return self.policy


def service(policy: Policy, **settings: Any) -> Auth:
    return auth(Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]}), policies=Source(policy), **settings)


def refusal(policy: Policy, action: str = "orders.read", **claims: Any) -> PermissionDenied:
    """What this policy refuses."""
    with pytest.raises(PermissionDenied) as refused:
        service(policy).authorize(request(token(KEY, **claims), order_id="7"), can(action, "orders/{order_id}"))
    return refused.value


@pytest.mark.parametrize(
    ("policy", "beginning"),
    [
        (Policy(), "refused: implicit_deny: 'orders.read' on 'orders/7'\n"),
        (Policy.parse([READ, DENY]), "refused: explicit_deny: 'orders.read' on 'orders/7'\n"),
        (
            Policy.parse([READ]).bounded_by(Policy(), "plan"),
            "refused: boundary_deny: by the boundary 'plan': 'orders.read' on 'orders/7'\n",
        ),
    ],
)
def test_the_log_says_once_what_it_was(policy: Policy, beginning: str, caplog: pytest.LogCaptureFixture) -> None:
    """The reason begins the line; the explanation does not say it again."""
    caplog.set_level(logging.INFO, "bearerkit.auth")
    denied = refusal(policy)
    (line,) = caplog.messages
    assert line.startswith(beginning)
    assert line.count(denied.reason) == 1
