"""Tests of the example as its team would write them: real tokens of a fake issuer, through the real verification."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bearerkit.testing import FakeIssuer

_spec = importlib.util.spec_from_file_location("orders_in_starlette", Path(__file__).with_name("app.py"))
assert _spec is not None
assert _spec.loader is not None
orders: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(orders)


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    """The issuer that the example trusts, played by a fake."""
    fake = FakeIssuer("http://127.0.0.1:9400", audience="orders-api")
    with fake.connect(orders.auth):
        yield fake


@pytest.fixture
def client() -> TestClient:
    return TestClient(orders.app)


def bearer(issuer: FakeIssuer, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(**claims)}"}


def test_only_health_is_open(client: TestClient):
    assert client.get("/health").text == "ok"
    assert [client.get(path).status_code for path in ("/me", "/orders", "/admin/tenants", "/nowhere")] == [401] * 4


def test_each_tenant_has_its_own_orders(client: TestClient, issuer: FakeIssuer):
    for tenant in ("acme", "blue"):
        headers = bearer(issuer, tenant_id=tenant, scope="orders:read orders:write")
        assert client.post("/orders", json={"item": tenant}, headers=headers).json() == [tenant]
        assert client.get("/orders", headers=headers).json() == [tenant]


def test_needs_of_methods_and_mounts(client: TestClient, issuer: FakeIssuer):
    reader = bearer(issuer, scope="orders:read")
    assert client.get("/me", headers=reader).json() == {"subject": "user"}
    assert client.post("/orders", json={"item": "x"}, headers=reader).status_code == 403
    assert client.get("/admin/tenants", headers=reader).status_code == 403
    assert client.get("/admin/tenants", headers=bearer(issuer, roles=["admin"])).status_code == 200
