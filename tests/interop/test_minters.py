"""What other people's libraries sign, ours accepts: jsonwebtoken (which is under passport-jwt) and fast-jwt.

The keys are PEM texts and shared secrets; key sets are in the other files of this folder.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from bearerkit import Auth, Issuer, SharedSecret
from bearerkit.errors import TokenInvalid
from interop.foreign_code import Minters

pytestmark = pytest.mark.interop

ISSUER = "https://id.example.test"
SIGNERS = [
    *(("jsonwebtoken", alg) for alg in ("RS256", "PS256", "ES256", "HS256", "HS512")),
    *(("fast-jwt", alg) for alg in ("RS256", "PS256", "ES256", "EdDSA", "HS256", "HS512")),
]


def signed(minters: Minters, name: str, alg: str, **claims: Any) -> str:
    now = int(time.time())
    given = {"iss": ISSUER, "aud": "orders-api", "sub": "u1", "iat": now, "exp": now + 300, **claims}
    return minters.mint(name, alg=alg, claims=given, header={"alg": alg, "kid": "k1"})


def verifier(minters: Minters, alg: str) -> Auth:
    keys = SharedSecret(minters.secret) if alg.startswith("HS") else minters.pems[alg]
    return Auth(Issuer(ISSUER, audience="orders-api", keys=keys, algorithms=[alg]))


@pytest.mark.parametrize(("name", "alg"), SIGNERS)
def test_ours_accepts_what_they_sign(minters: Minters, name: str, alg: str) -> None:
    """Claims as Node writes them, the signature in the form of its algorithm."""
    ctx = verifier(minters, alg).verify(signed(minters, name, alg, scope="orders:read", note="Zürich ☃ 𝄞"))
    assert ctx.subject == "u1"
    assert ctx.has_scope("orders:read")
    assert ctx.claims["note"] == "Zürich ☃ 𝄞"


@pytest.mark.parametrize(("name", "alg"), SIGNERS)
def test_ours_refuses_them_when_they_are_tampered_with(minters: Minters, name: str, alg: str) -> None:
    """The payload of one token under the signature of another."""
    head, _, signature = signed(minters, name, alg).split(".")
    payload = signed(minters, name, alg, sub="admin").split(".")[1]
    with pytest.raises(TokenInvalid) as refusal:
        verifier(minters, alg).verify(f"{head}.{payload}.{signature}")
    assert refusal.value.reason == "signature_invalid"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_a_secret_is_no_way_around_a_public_key(minters: Minters, alg: str) -> None:
    """HS256 where the team configured a public key."""
    with pytest.raises(TokenInvalid) as refusal:
        verifier(minters, alg).verify(signed(minters, "jsonwebtoken", "HS256"))
    assert refusal.value.reason == "algorithm_not_allowed"
