"""Tests as the team of this project would write them: real tokens of a fake issuer, through the real verification."""

from __future__ import annotations

from typing import Any

from config.auth import auth
from django.contrib.auth import get_user_model
from django.test import AsyncClient, Client, TestCase

from bearerkit.testing import FakeIssuer, as_user

issuer = FakeIssuer("http://127.0.0.1:9400", audience="orders-api")


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(**claims)}"}


class OrdersTest(TestCase):
    def setUp(self) -> None:
        connected = issuer.connect(auth)
        connected.__enter__()
        self.addCleanup(connected.__exit__, None, None, None)

    def test_closed_by_default(self) -> None:
        assert self.client.get("/health").json() == "ok"
        assert self.client.get("//health").status_code == 401
        assert self.client.get("/me").status_code == 401
        assert self.client.get("/nowhere").status_code == 401

    def test_a_caller_becomes_a_user(self) -> None:
        answer = self.client.get("/me", headers=bearer(sub="ada"))
        assert answer.json() == {"subject": "ada", "user": "ada"}
        assert get_user_model().objects.filter(username="ada").exists()

    def test_a_disabled_user_is_refused(self) -> None:
        get_user_model().objects.create(username="bob", is_active=False)
        assert self.client.get("/me", headers=bearer(sub="bob")).status_code == 401

    def test_a_member_reads_and_does_not_write(self) -> None:
        headers = bearer(tenant_id="acme", scope="orders:read")
        assert self.client.get("/tenants/acme/orders", headers=headers).json() == [{"number": 1, "item": "anvil"}]
        assert self.client.get("/tenants/evil/orders", headers=headers).status_code == 404
        order = {"number": 2, "item": "rocket"}
        refused = self.client.post("/tenants/acme/orders", order, "application/json", headers=headers)
        assert refused.status_code == 403

    def test_who_may_write_needs_no_csrf_token(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        headers = bearer(tenant_id="blue", scope="orders:read orders:write")
        placed = strict.post("/tenants/blue/orders", {"number": 1}, "application/json", headers=headers)
        assert placed.status_code == 201

    async def test_an_async_view(self) -> None:
        headers = bearer(sub="ada", tenant_id="acme", scope="orders:read")
        answer = await AsyncClient().get("/tenants/acme/report", headers=headers)
        assert answer.json() == {"orders": 1, "for": "ada"}

    def test_acting_as_somebody(self) -> None:
        with as_user(auth, sub="ada", tenant_id="acme"):
            assert self.client.get("/me").json()["subject"] == "ada"
            assert self.client.get("/tenants/acme/orders").status_code == 403

    def test_the_admin_is_as_ever(self) -> None:
        get_user_model().objects.create_superuser("root", password="a password")
        assert self.client.get("/admin/").status_code == 302
        self.client.login(username="root", password="a password")
        assert self.client.get("/admin/").status_code == 200
