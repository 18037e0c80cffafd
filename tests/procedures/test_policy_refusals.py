"""What operators are told of a denial by a policy: each thing once, and where to look. Callers are told none of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from auth_doubles import ISSUER, auth, request, token
from bearerkit import Auth, Issuer, Request, can
from bearerkit.errors import PermissionDenied, StoreUnavailable
from bearerkit.http import Headers
from bearerkit.policy import Catalog, Policy
from bearerkit.stores.memory import MemoryPolicies
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
    assert denied.hint is None or line.endswith(f"\n  ({denied.hint})")


CATALOG = Catalog.of(["orders.read", "orders.delete"])


@pytest.mark.parametrize(
    ("policy", "action", "needle"),
    [
        (Policy.parse([READ], catalog=CATALOG), "orders.raed", "did you mean 'orders.read'"),
        (
            Policy.parse([READ], catalog=CATALOG),
            "zz",
            "'zz' is not in the catalog; known are orders.read, orders.delete.",
        ),
        (Policy.parse([READ | {"effect": "deny", "actions": ["*"]}], catalog=CATALOG), "orders.raed", "orders.read"),
        (Policy.parse([READ]).bounded_by(Policy.parse([READ], catalog=CATALOG)), "orders.raed", "orders.read"),
    ],
)
def test_an_action_that_the_catalog_lacks_is_named_to_the_operator(policy: Policy, action: str, needle: str) -> None:
    """`can` is written before any catalog is known, so that its typo shows only as a denial."""
    hint = refusal(policy, action).hint
    assert hint is not None
    assert "is not in the catalog" in hint
    assert needle in hint


@pytest.mark.parametrize("catalog", [None, CATALOG])
def test_a_denial_that_is_what_it_looks_like_has_no_hint(catalog: Catalog | None) -> None:
    """Of an action that there is, or where nobody knows which there are."""
    assert refusal(Policy.parse([READ], catalog=catalog), "orders.delete").hint is None
    assert catalog is not None or refusal(Policy.parse([READ]), "orders.raed").hint is None


def test_a_long_catalog_is_not_written_into_each_line() -> None:
    """Of a thousand actions none of which is near, a few are listed."""
    long = Catalog.of([f"orders.action{number}" for number in range(1_000)])
    hint = refusal(Policy.parse([READ | {"actions": ["*"], "resources": ["x"]}], catalog=long), "zz").hint
    assert hint is not None
    assert hint.endswith("orders.action19 and 980 more.")


def test_a_caller_whom_no_policy_is_bound_to_is_told_apart() -> None:
    """The first denial that a team meets: a store where nothing is bound, or a token without a tenant."""
    assert "is a policy bound" in (refusal(Policy(), tenant_id="acme").hint or "")
    assert "no tenant_id" in (refusal(Policy(), tenant_id=None).hint or "")


def test_a_store_knows_its_catalog_for_everybody() -> None:
    """Also for a caller that has nothing in it, so that a handler gets an answer and a typo is told."""
    store = MemoryPolicies(catalog=CATALOG)
    guarded = auth(Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]}), policies=store)
    of: dict[str, Any]
    for of in ({"tenant_id": "acme"}, {"tenant_id": None}):
        sent = request(token(KEY, **of), order_id="7")
        assert guarded.authorize(sent).can_all("orders/7") == {"orders.read": False, "orders.delete": False}
        with pytest.raises(PermissionDenied) as refused:
            guarded.authorize(sent, can("orders.raed", "orders/{order_id}"))
        assert "did you mean 'orders.read'" in (refused.value.hint or "")


@pytest.mark.parametrize(("effect", "proxies", "told"), [("allow", None, 1), ("deny", None, 1), ("allow", [], 0)])
def test_an_address_that_policies_do_not_know_is_told(effect: str, proxies: list[str] | None, told: int) -> None:
    """`trusted_proxies` is what makes it known; an address that is known and does not fit needs no hint."""
    inside = {"op": "IpAddress", "key": "request.ip", "values": ["10.0.0.0/8"]}
    guarded = service(Policy.parse([READ | {"effect": effect, "conditions": [inside]}]), trusted_proxies=proxies)
    headers = Headers([("Authorization", f"Bearer {token(KEY)}")])
    sent = Request("GET", "/", headers, path_params={"order_id": "7"}, client="203.0.113.9")
    with pytest.raises(PermissionDenied) as refused:
        guarded.authorize(sent, can("orders.read", "orders/{order_id}"))
    assert (refused.value.hint or "").count("trusted_proxies") == told


class Broken:
    """A source with a mistake."""

    async def policies_for(self, context: object) -> Policy:
        raise KeyError("postgresql://user:hush@db")


class AtOnce:
    """A source that is not async."""

    def policies_for(self, context: object) -> Policy:
        return Policy()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (Broken(), r"failed: KeyError in policies_for \(test_policy_refusals.py, line \d+\)"),
        (AtOnce(), r"is not async \(It has `async def policies_for\(context\)`.\)"),
    ],
)
def test_a_source_that_fails_is_told_with_the_place(source: Any, told: str) -> None:
    """Without what the exception says, which may be a password."""
    guarded = auth(Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]}), policies=source)
    with pytest.raises(StoreUnavailable, match=told) as failed:
        guarded.authorize(request(token(KEY)))
    assert "hush" not in str(failed.value)
