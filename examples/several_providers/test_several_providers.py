"""Tests of the example as its team would write them: fake issuers play the providers, with claims as they have them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bearerkit.testing import FakeIssuer

_spec = importlib.util.spec_from_file_location("orders_of_several", Path(__file__).with_name("app.py"))
assert _spec is not None
assert _spec.loader is not None
orders: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(orders)

TENANT = "11111111-2222-4333-8444-555555555555"
EMPLOYEE = {
    "aud": "aaaaaaaa-1111-4bbb-8ccc-dddddddddddd",
    "azp": "portal",
    "oid": "o-1",
    "scp": "access",
    "tid": TENANT,
    "sub": "pairwise",
}
CUSTOMER = {"aud": "https://orders.example.com", "sub": "auth0|1", "azp": "web", "org_id": "org_globex"}
PIPELINE = {
    "aud": "https://orders.example.com",
    "sub": "repo:acme/orders:environment:production",
    "repository": "acme/orders",
    "repository_owner_id": "3000003",
    "environment": "production",
    "run_id": "7",
}


@pytest.fixture(scope="module")
def mint() -> Iterator[Any]:
    """`mint(provider, claims)` gives the headers of a request."""
    shape = {"headers": {"typ": "JWT"}}
    issuers = {
        "entra": FakeIssuer(f"https://login.microsoftonline.com/{TENANT}/v2.0", **shape),
        "auth0": FakeIssuer("https://acme.eu.auth0.com/", **shape),
        "github": FakeIssuer("https://token.actions.githubusercontent.com", **shape),
    }
    first, *others = issuers.values()
    with first.connect(orders.auth, *others):
        yield lambda provider, claims: {"Authorization": f"Bearer {issuers[provider].token(claims)}"}


@pytest.fixture
def client() -> TestClient:
    return TestClient(orders.app)


@pytest.mark.parametrize(
    ("provider", "claims", "said"),
    [
        ("entra", EMPLOYEE, {"kind": "user", "subject": "o-1", "tenant": TENANT}),
        ("auth0", CUSTOMER, {"kind": "user", "subject": "auth0|1", "tenant": "org_globex"}),
        ("github", PIPELINE, {"kind": "service", "subject": PIPELINE["sub"], "tenant": "3000003"}),
    ],
)
def test_one_handler_for_all(
    client: TestClient, mint: Any, provider: str, claims: dict[str, Any], said: dict[str, str]
):
    assert client.get("/me", headers=mint(provider, claims)).json() == said


def test_permissions_and_roles_lead_to_the_same_orders(client: TestClient, mint: Any):
    granted = {**CUSTOMER, "scope": "openid orders.read", "permissions": ["orders.read"]}
    assert client.get("/orders", headers=mint("auth0", granted)).status_code == 200
    assert client.get("/orders", headers=mint("entra", {**EMPLOYEE, "roles": ["Orders.Admin"]})).status_code == 200
    assert client.get("/orders", headers=mint("auth0", {**granted, "permissions": []})).status_code == 403
    assert client.get("/orders", headers=mint("github", PIPELINE)).status_code == 403


def test_only_our_own_production_deploys(client: TestClient, mint: Any):
    assert client.post("/releases", headers=mint("github", PIPELINE)).json() == {"by": "acme/orders", "run": "7"}
    for other in ({"repository_owner_id": "666"}, {"environment": "staging"}):
        assert client.post("/releases", headers=mint("github", {**PIPELINE, **other})).status_code == 401
    assert client.post("/releases", headers=mint("entra", EMPLOYEE)).status_code == 403


def test_one_tenant_of_entra_is_not_another(client: TestClient, mint: Any):
    assert (
        client.get(
            "/me", headers=mint("entra", {**EMPLOYEE, "tid": "66666666-7777-4888-8999-aaaaaaaaaaaa"})
        ).status_code
        == 401
    )
