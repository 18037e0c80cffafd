"""Honest tokens of every algorithm, each beside the key set that its issuer would publish.

The EC and Edwards keys are the same in every run, so that a recipe means the same; RSA keys are made anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bearerkit.testing import SigningKey
from differential.draft import AUDIENCE, ISSUER, NOW, Draft, Recipe

__all__ = ["ALGORITHMS", "BASES", "SECRET_ALGORITHMS", "start", "stranger"]

_CURVES: Mapping[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", *_CURVES, "EdDSA", "Ed25519")
SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")
BASES = (*ALGORITHMS, *SECRET_ALGORITHMS)
"""A base is named for its algorithm."""


@cache
def _rsa(owner: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _key(alg: str, owner: str) -> SigningKey:
    seed = hashlib.sha512(f"{alg} {owner}".encode()).digest()
    if alg in SECRET_ALGORITHMS:
        return SigningKey(alg, seed, kid="k1")
    if alg in _CURVES:
        return SigningKey(alg, ec.derive_private_key(int.from_bytes(seed[:31], "big"), _CURVES[alg]), kid="k1")
    if alg.startswith("E"):
        return SigningKey(alg, ed25519.Ed25519PrivateKey.from_private_bytes(seed[:32]), kid="k1")
    return SigningKey(alg, _rsa(owner), kid="k1")


def stranger(alg: str) -> SigningKey:
    """A key of the same kind that nobody trusts."""
    return _key(alg, "stranger")


def start(recipe: Recipe) -> Draft:
    """The honest draft of a recipe's base."""
    key = _key(recipe.base, "issuer")
    secret = isinstance(key.private, bytes)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "iat": NOW, "exp": NOW + 300, "jti": "j1", "scope": "a b"}
    header = {"alg": key.alg, "typ": "at+jwt", "kid": "k1"}
    jwks = None if secret else {"keys": [{**key.jwk, "own": True}]}
    return Draft(key, header, claims, jwks, secret=key.private if isinstance(key.private, bytes) else None)
