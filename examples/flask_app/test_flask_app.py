"""Tests of the example as its team would write them: real tokens of a fake issuer, through the real verification."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bearerkit import Auth, Issuer
from bearerkit.testing import FakeIssuer, as_user

_spec = importlib.util.spec_from_file_location("orders_in_flask", Path(__file__).with_name("app.py"))
assert _spec is not None
assert _spec.loader is not None
shop: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(shop)

ORDERS = "/tenants/blue/orders"


@pytest.fixture
def auth() -> Auth:
    return Auth(Issuer("http://127.0.0.1:9400", audience="orders-api"))


@pytest.fixture
def issuer(auth: Auth) -> Iterator[FakeIssuer]:
    """The issuer that the example trusts, played by a fake."""
    fake = FakeIssuer("http://127.0.0.1:9400", audience="orders-api")
    with fake.connect(auth):
        yield fake


@pytest.fixture
def client(auth: Auth) -> FlaskClient:
    return shop.create_app(auth).test_client()


def bearer(issuer: FakeIssuer, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(**claims)}"}


def test_only_health_is_open(client: FlaskClient):
    assert client.get("/health").text == "ok"
    for path in ("/me", "/tenants", "/tenants/acme/orders", "/static/app.js", "/nowhere"):
        assert client.get(path).status_code == 401


def test_a_member_reads_the_orders_of_his_tenant(client: FlaskClient, issuer: FakeIssuer):
    headers = bearer(issuer, tenant_id="acme", scope="orders:read")
    assert client.get("/tenants/acme/orders", headers=headers).json == [{"item": "anvil", "by": "seed"}]
    assert client.get("/tenants/evil/orders", headers=headers).status_code == 404


def test_reading_is_not_writing(client: FlaskClient, issuer: FakeIssuer):
    reader = bearer(issuer, tenant_id="blue", scope="orders:read")
    writer = bearer(issuer, sub="ada", tenant_id="blue", scope="orders:write")
    assert client.post(ORDERS, json={"item": "rocket"}, headers=reader).status_code == 403
    assert client.post(ORDERS, json={"item": "rocket"}, headers=writer).json == {"item": "rocket", "by": "ada"}
    assert client.get(ORDERS, headers=reader).json == [{"item": "rocket", "by": "ada"}]


def test_administrators_see_the_tenants(client: FlaskClient, issuer: FakeIssuer):
    assert client.get("/tenants", headers=bearer(issuer)).status_code == 403
    assert "acme" in client.get("/tenants", headers=bearer(issuer, roles=["admin"])).json


def test_acting_as_somebody(client: FlaskClient, auth: Auth):
    with as_user(auth, sub="ada", tenant_id="acme"):
        assert client.get("/me").json == {"subject": "ada", "tenant": "acme"}
        assert client.get("/tenants/acme/orders").status_code == 403


def test_two_applications_trust_whom_they_were_told_to(client: FlaskClient, issuer: FakeIssuer):
    other = shop.create_app(Auth(Issuer("https://id.example.com", audience="orders-api"))).test_client()
    assert client.get("/me", headers=bearer(issuer)).status_code == 200
    assert other.get("/me", headers=bearer(issuer)).status_code == 401
