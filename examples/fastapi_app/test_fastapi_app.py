"""Tests of the example as its team would write them: real tokens of a fake issuer, through the real verification."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bearerkit.testing import FakeIssuer, as_user

_spec = importlib.util.spec_from_file_location("orders_in_fastapi", Path(__file__).with_name("app.py"))
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


def test_health_is_open(client: TestClient):
    assert client.get("/health").json() == "ok"


def test_a_member_reads_the_orders_of_his_tenant(client: TestClient, issuer: FakeIssuer):
    headers = bearer(issuer, tenant_id="acme", scope="orders:read")
    assert client.get("/tenants/acme/orders", headers=headers).json() == [{"number": 1, "item": "anvil"}]
    assert client.get("/tenants/evil/orders", headers=headers).status_code == 404
    assert client.get("/tenants/acme/orders").status_code == 401


def test_reading_is_not_writing(client: TestClient, issuer: FakeIssuer):
    order = {"number": 2, "item": "rocket"}
    reader = bearer(issuer, tenant_id="blue", scope="orders:read")
    writer = bearer(issuer, tenant_id="blue", scope="orders:write")
    assert client.post("/tenants/blue/orders", json=order, headers=reader).status_code == 403
    assert client.post("/tenants/blue/orders", json=order, headers=writer).json() == order


def test_the_feed_takes_a_token_as_browsers_send_it(client: TestClient, issuer: FakeIssuer):
    token = issuer.token(tenant_id="green", scope="orders:read")
    with client.websocket_connect("/tenants/green/feed", subprotocols=["bearer", token]) as socket:
        assert socket.receive_json() == {"orders": 0}


def test_acting_as_somebody(client: TestClient):
    with as_user(orders.auth, sub="ada", tenant_id="acme"):
        assert client.get("/me").json() == {"subject": "ada", "tenant": "acme"}
        assert client.get("/tenants/acme/orders").status_code == 403
