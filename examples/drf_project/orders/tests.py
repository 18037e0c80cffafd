"""Tests as the team of this project would write them: real tokens of a fake issuer, through the real verification."""

from __future__ import annotations

from typing import Any

from config.auth import auth
from rest_framework.test import APIClient, APITestCase

from bearerkit.testing import FakeIssuer, as_user

issuer = FakeIssuer("http://127.0.0.1:9400", audience="orders-api")


def calling(**claims: Any) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issuer.token(**claims)}")
    return client


class OrdersTest(APITestCase):
    def setUp(self) -> None:
        connected = issuer.connect(auth)
        connected.__enter__()
        self.addCleanup(connected.__exit__, None, None, None)

    def test_who_is_calling(self) -> None:
        assert self.client.get("/health").json() == "ok"
        assert calling(sub="ada").get("/me").json() == {"subject": "ada", "user": "ada"}

    def test_nobody_gets_the_bare_challenge(self) -> None:
        answer = self.client.get("/me")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert answer["Content-Type"] == "application/problem+json"

    def test_a_member_reads_and_does_not_write(self) -> None:
        client = calling(tenant_id="acme", scope="orders:read")
        assert client.get("/tenants/acme/orders/").json() == [{"number": 1, "item": "anvil"}]
        assert client.get("/tenants/evil/orders/").status_code == 404
        refused = client.post("/tenants/acme/orders/", {"number": 2, "item": "rocket"})
        assert refused.status_code == 403
        assert 'scope="orders:write"' in refused["WWW-Authenticate"]

    def test_who_may_write(self) -> None:
        client = calling(tenant_id="blue", scope="orders:write")
        assert client.post("/tenants/blue/orders/", {"number": 2, "item": "rocket"}).status_code == 201

    def test_acting_as_somebody(self) -> None:
        with as_user(auth, sub="ada", tenant_id="acme"):
            assert self.client.get("/me").json()["subject"] == "ada"
            assert self.client.get("/tenants/acme/orders/").status_code == 403

    def test_the_document_tells_scopes_and_answers(self) -> None:
        document = self.client.get("/schema", {"format": "json"}).json()
        reading = document["paths"]["/tenants/{tenant_id}/orders/"]["get"]
        assert {"200", "400", "401", "403", "404", "503"} <= set(reading["responses"])
        assert document["components"]["securitySchemes"]["Bearer"]["scheme"] == "bearer"
