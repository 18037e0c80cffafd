"""Tests of the example as its team would write them: a browser that signs in, pages of other sites, another service."""

from __future__ import annotations

import importlib.util
import secrets
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

SECRET = secrets.token_urlsafe(32)
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
ADA = {"user": "ada", "password": "correct horse battery staple"}


@pytest.fixture(scope="module")
def orders() -> Any:
    """The module of the example, with a secret in its environment."""
    spec = importlib.util.spec_from_file_location("orders_with_sessions", Path(__file__).with_name("app.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERNAL_SECRETS", SECRET)
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def client(orders: Any) -> TestClient:
    return TestClient(orders.app, base_url="https://orders.example.com")


@pytest.fixture
def ada(client: TestClient) -> TestClient:
    """A browser in which ada has signed in."""
    assert client.post("/sign-in", json=ADA).status_code == 200
    return client


def test_nobody_gets_in(client: TestClient):
    assert client.get("/me").status_code == 401
    assert client.post("/sign-in", json={**ADA, "password": "guess"}).status_code == 403
    assert client.post("/sign-in", json={"user": "root", "password": ""}).status_code == 403
    assert client.post("/sign-in", data=ADA).status_code == 415


def test_ada_places_an_order(ada: TestClient):
    assert ada.get("/me").json() == {"subject": "ada", "kind": "session"}
    assert ada.post("/orders", json={"item": "anvil"}, headers=OUR_PAGE).json() == {"by": "ada", "item": "anvil"}


def test_a_page_of_another_site_places_none(ada: TestClient, orders: Any):
    before = list(orders.orders)
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com"}):
        assert ada.post("/orders", json={"item": "rocket"}, headers=headers).status_code == 403
    assert orders.orders == before
    shop = {"Sec-Fetch-Site": "same-site", "Origin": "https://shop.example.com"}
    assert ada.post("/orders", json={"item": "rocket"}, headers=shop).status_code == 201


def test_who_signs_out_is_out_everywhere(ada: TestClient, orders: Any):
    stolen = dict(ada.cookies)
    assert ada.post("/sign-out", headers=OUR_PAGE).status_code == 204
    elsewhere = TestClient(orders.app, base_url="https://orders.example.com", cookies=stolen)
    assert elsewhere.get("/me").status_code == 401


def test_the_billing_service_reads_all_orders(client: TestClient, ada: TestClient):
    assert ada.get("/internal/orders").status_code == 403
    with_secret = {"X-Internal-Secret": SECRET}
    assert ada.get("/internal/orders", headers=with_secret).status_code == 400
    client.cookies.clear()
    assert client.get("/internal/orders", headers=with_secret).status_code == 200
    assert client.get("/internal/orders", headers={"X-Internal-Secret": "guess"}).status_code == 401
