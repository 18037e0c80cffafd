"""Tests of the example as its team would write them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bearerkit.testing import FakeIssuer

_spec = importlib.util.spec_from_file_location("orders_with_keys", Path(__file__).with_name("app.py"))
assert _spec is not None
assert _spec.loader is not None
example: Any = importlib.util.module_from_spec(_spec)
sys.modules["orders_with_keys"] = example
_spec.loader.exec_module(example)

Bearer = dict[str, str]


def _bearer(token: str) -> Bearer:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    fake = FakeIssuer("http://127.0.0.1:9400", audience="orders-api")
    with fake.connect(example.auth):
        yield fake


@pytest.fixture
def client() -> TestClient:
    return TestClient(example.app)


@pytest.fixture
def ada(issuer: FakeIssuer) -> Bearer:
    return _bearer(issuer.token(sub="ada", tenant_id="acme", scope="orders:read"))


@pytest.fixture
def eve(issuer: FakeIssuer) -> Bearer:
    return _bearer(issuer.token(sub="eve", tenant_id="evil", scope="orders:read"))


def _made(client: TestClient, who: Bearer, **wanted: Any) -> dict[str, Any]:
    answer = client.post("/keys", headers=who, json={"name": "CI", "scopes": ["orders:read"], **wanted})
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_a_program_reads_with_a_key(client: TestClient, ada: Bearer):
    key = _made(client, ada)["key"]
    told = client.get("/orders", headers=_bearer(key)).json()
    assert told == {"tenant": "acme", "by": "ada", "with": "api_key"}
    assert client.get("/orders", headers=ada).json()["with"] == "jwt"


def test_a_key_is_shown_once(client: TestClient, ada: Bearer):
    made = _made(client, ada, name="once")
    (listed,) = [record for record in client.get("/keys", headers=ada).json() if record["name"] == "once"]
    assert listed["id"] == made["id"]
    assert made["key"][-47:] not in client.get("/keys", headers=ada).text


def test_a_key_can_do_no_more_than_its_author(client: TestClient, ada: Bearer):
    answer = client.post("/keys", headers=ada, json={"name": "CI", "scopes": ["orders:write"]})
    assert answer.status_code == 403
    bare = _made(client, ada, scopes=[])
    assert client.get("/orders", headers=_bearer(bare["key"])).status_code == 403


def test_a_key_makes_no_keys(client: TestClient, ada: Bearer):
    made = _made(client, ada)
    for method, path in (("POST", "/keys"), ("GET", "/keys"), ("DELETE", f"/keys/{made['id']}")):
        answer = client.request(method, path, headers=_bearer(made["key"]), json={"name": "x", "scopes": []})
        assert answer.status_code == 403


def test_rotated_and_revoked(client: TestClient, ada: Bearer):
    old = _made(client, ada)
    new = client.post(f"/keys/{old['id']}/rotate", headers=ada).json()
    statuses = [client.get("/orders", headers=_bearer(made["key"])).status_code for made in (old, new)]
    assert statuses == [200, 200]
    assert client.delete(f"/keys/{old['id']}", headers=ada).status_code == 204
    statuses = [client.get("/orders", headers=_bearer(made["key"])).status_code for made in (old, new)]
    assert statuses == [401, 200]


def test_keys_of_another_tenant_are_not_there(client: TestClient, ada: Bearer, eve: Bearer):
    made = _made(client, ada)
    assert client.get("/keys", headers=eve).json() == []
    assert client.delete(f"/keys/{made['id']}", headers=eve).status_code == 404
    assert client.post(f"/keys/{made['id']}/rotate", headers=eve).status_code == 404
    assert client.get("/orders", headers=_bearer(made["key"])).status_code == 200
