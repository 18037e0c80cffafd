"""Tests of the example as its team would write them: a fake issuer resolves the tokens."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bearerkit.testing import FakeIssuer

_spec = importlib.util.spec_from_file_location("orders_of_opaque_tokens", Path(__file__).with_name("app.py"))
assert _spec is not None
assert _spec.loader is not None
orders: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(orders)


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(orders.ISSUER, audience="orders-api").connect(orders.auth) as issuer:
        yield issuer


def ask(token: str, path: str = "/me", method: str = "GET") -> Any:
    return orders.app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {token}"})


def test_both_kinds_of_tokens_are_the_same_to_a_handler(issuer: FakeIssuer) -> None:
    claims = {"sub": "ada", "tenant_id": "acme", "scope": "orders:read"}
    jwt, opaque = issuer.token(claims), issuer.opaque_token(claims)
    assert [ask(token).json["kind"] for token in (jwt, opaque)] == ["jwt", "opaque"]
    assert ask(jwt, "/orders").json == ask(opaque, "/orders").json == ["an order of acme"]
    assert ask(issuer.opaque_token(sub="ada"), "/orders").status_code == 403


def test_a_revoked_token_dies_when_the_provider_says_so(issuer: FakeIssuer) -> None:
    """Without that call it would live on for 30 seconds at most."""
    token, provider = issuer.opaque_token(sid="s1"), issuer.token(scope="sessions:end")
    assert ask(token).status_code == 200
    issuer.revoke(token)
    assert ask(token).status_code == 200
    assert ask(provider, "/signed-out/s1", "POST").status_code == 204
    assert ask(token).status_code == 401


def test_an_outage_is_a_503_for_those_who_are_not_known(issuer: FakeIssuer) -> None:
    known, other = issuer.opaque_token(), issuer.opaque_token()
    assert ask(known).status_code == 200
    with issuer.go_down():
        assert [ask(token).status_code for token in (known, other)] == [200, 503]
