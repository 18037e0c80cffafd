"""Fixtures of the adapter tests: one issuer whose keys are at hand, and an `Auth` that trusts it."""

from __future__ import annotations

import pytest

from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, Issuer


@pytest.fixture
def auth() -> Auth:
    """A fresh `Auth` (own caches) that trusts the issuer of scenarios.py."""
    return Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))


@pytest.fixture
def token() -> str:
    """A good token of subject "user"."""
    return ISSUER.token()
