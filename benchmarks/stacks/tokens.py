"""The tokens of the request benchmarks, and what PyJWT glue does with one: the smallest thing that teams write."""

from __future__ import annotations

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bearerkit import Auth, Issuer

ISSUER, AUDIENCE = "https://id.example.com", "orders-api"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key()
CLAIMS = {
    "azp": "web-client-0001",
    "client_id": "web-client-0001",
    "scope": "openid profile orders:read orders:write",
    "tenant_id": "11111111-2222-4333-8444-555555555555",
    "roles": ["member", "billing"],
    "email": "ada@example.com",
}


def token(number: int = 0, **claims: Any) -> str:
    """A typical RS256 access token of 838 characters."""
    now = int(time.time())
    return jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "iat": now, "exp": now + 36_000, **CLAIMS}
        | {"jti": f"token-{number}"}
        | claims,
        KEY,
        "RS256",
        headers={"kid": "key-1", "typ": "at+jwt"},
    )


TOKENS = (token(1), token(2))
"""In turn: where one verdict is remembered, each of them is new whenever it comes."""


def auth(*, cache: int = 10_000) -> Auth:
    """With `cache` 1 and `TOKENS` in turn every token is verified, remembered, and pushes the other out."""
    return Auth(Issuer(ISSUER, audience=AUDIENCE, keys=PUBLIC, algorithms=["RS256"]), token_cache=cache)


def claims_of(header: str | None) -> dict[str, Any] | None:
    """The claims by PyJWT of a good Authorization header, None for any other; with the checks that teams remember."""
    if header is None or not header.lower().startswith("bearer "):
        return None
    try:
        claims: dict[str, Any] = jwt.decode(
            header[7:], PUBLIC, ["RS256"], audience=AUDIENCE, issuer=ISSUER, options={"require": ["exp"]}
        )
    except jwt.InvalidTokenError:
        return None
    return claims if "orders:read" in claims.get("scope", "").split() else None
