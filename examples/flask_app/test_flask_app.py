"""Tests of the example as its team would write them: real tokens of a fake issuer, through the real verification."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bearerkit import Auth, Issuer
from bearerkit.testing import FakeIssuer, as_user

_spec = importlib.util.spec_from_file_location("orders_in_flask", Path(__file__).with_name("app.py"))
assert _spec is not None
assert _spec.loader is not None
orders: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(orders)


@pytest.fixture(scope="module")
def issuer() -> FakeIssuer:
    return FakeIssuer("https://id.example.test", audience="orders-api")


@pytest.fixture
def auth(issuer: FakeIssuer) -> Auth:
    return Auth(Issuer(issuer.issuer, audience="orders-api", keys=issuer.jwks))


@pytest.fixture
def client(auth: Auth) -> FlaskClient:
    return orders.create_app(auth).test_client()


def bearer(issuer: FakeIssuer, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(**claims)}"}


def test_closed_by_default(client: FlaskClient):
    assert client.get("/health").text == "ok"
    assert {client.get(path).status_code for path in ("/me", "/orders", "//health", "/nowhere")} == {401}


def test_who_reads_and_who_writes(client: FlaskClient, issuer: FakeIssuer):
    reader = bearer(issuer, tenant_id="blue", scope="orders:read")
    writer = bearer(issuer, tenant_id="blue", scope="orders:write")
    assert client.post("/orders", data="rocket", headers=reader).status_code == 403
    assert client.post("/orders", data="rocket", headers=writer).status_code == 201
    assert client.get("/orders", headers=reader).json == ["rocket"]


def test_reports_are_for_the_tenant(client: FlaskClient, issuer: FakeIssuer):
    headers = bearer(issuer, tenant_id="acme", scope="orders:read")
    assert client.get("/tenants/acme/report", headers=headers).json == {"tenant": "acme", "orders": 1}
    assert client.get("/tenants/evil/report", headers=headers).status_code == 404


def test_the_admin_blueprint_is_for_admins(client: FlaskClient, issuer: FakeIssuer):
    assert client.get("/admin/tenants", headers=bearer(issuer)).status_code == 403
    assert "acme" in client.get("/admin/tenants", headers=bearer(issuer, roles=["admin"])).json


def test_acting_as_somebody(client: FlaskClient, auth: Auth):
    with as_user(auth, sub="ada"):
        assert client.get("/me").json == {"subject": "ada"}
