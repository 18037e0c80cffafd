"""A key that can verify signatures, and nothing else (RFC 7517, RFC 7518, RFC 8725 sections 3.1 and 3.2).

A key knows which algorithms it fits: by type, curve, declared `alg` and secret length. Asking it to verify with any
other algorithm is simply False, so no path leads from a token's header to a wrong use of a key. What must never
happen here: a private key, an exception out of `verify`, or key material in a repr or an error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bearerkit.jose.algorithms import ALGORITHMS, canonical
from bearerkit.jose.jwk import PublicJwk, read_jwk
from bearerkit.jose.key_rules import KeyUnusable, PublicKey, check_public_key
from bearerkit.jose.pem import read_pem
from bearerkit.jose.shared_secret import SharedSecret

__all__ = [
    "KeyUnusable",
    "SharedSecret",
    "VerificationKey",
    "from_jwk",
    "from_pem",
    "from_public_key",
    "from_secret",
]

_Check: TypeAlias = Callable[[bytes, Any, bytes], bool]


@final
@dataclass(frozen=True, slots=True, eq=False)
class VerificationKey:
    """One prepared key, made by the `from_...` functions. Immutable, and equal only to itself."""

    kid: str | None
    family: str
    """The `kty`: RSA, EC, OKP or oct."""
    curve: str | None
    alg: str | None
    """The only algorithm this key is for, by its canonical name; None when the JWK does not say."""
    issuer: str | None
    """The only issuer this key signs for (Microsoft Entra's `issuer` member); None when the JWK does not say."""
    fingerprint: bytes = field(repr=False)
    """SHA-256 over all of the above and the key itself: equal for two keys that behave the same. Not for display."""
    _material: PublicKey | bytes = field(repr=False)
    _checks: Mapping[str, _Check] = field(repr=False)

    def fits(self, alg: str) -> bool:
        """Whether `alg` (by any of its names) may be verified with this key."""
        return alg in self._checks

    def verify(self, alg: str, signing_input: bytes, signature: bytes) -> bool:
        """True only if `signature` is this key's signature over `signing_input` by `alg`. Raises nothing."""
        check = self._checks.get(alg)
        if check is None:
            return False
        try:
            return check(signing_input, self._material, signature)
        except Exception:
            return False

    def public_key(self) -> object:
        """The key as a `cryptography` object, which PyJWT, joserfc and Authlib take. A shared secret has none."""
        if isinstance(self._material, bytes):
            raise KeyUnusable("a shared secret has no public key")
        return self._material


def from_jwk(jwk: Mapping[str, Any]) -> VerificationKey:
    """The key in one public JWK. Raises `KeyUnusable`: unknown type or curve, too weak, private, not for signatures."""
    return _asymmetric(read_jwk(jwk))


def from_pem(pem: str | bytes, *, kid: str | None = None) -> VerificationKey:
    """The key in one PEM block: PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE (as a wrapper, its dates are not judged).

    Raises `KeyUnusable`, also for a private key. `kid` binds it to tokens of that key id.
    """
    return from_public_key(read_pem(pem), kid=kid)


def from_public_key(key: object, *, kid: str | None = None) -> VerificationKey:
    """A `cryptography` RSA, EC or Ed25519 public key object. Raises `KeyUnusable` for anything else."""
    return _asymmetric(PublicJwk(*check_public_key(key), kid=kid, alg=None, issuer=None))


def from_secret(secret: SharedSecret) -> VerificationKey:
    """A key for the HS* algorithms whose hash is not longer than the secret."""
    value = secret.reveal()
    checks = {
        row.name: row.maths.verify
        for row in ALGORITHMS.values()
        if row.family == "oct" and len(value) >= row.hash_bytes
    }
    return VerificationKey(
        kid=secret.kid,
        family="oct",
        curve=None,
        alg=None,
        issuer=None,
        fingerprint=_fingerprint(["oct", secret.kid], value),
        _material=value,
        _checks=checks,
    )


def _asymmetric(jwk: PublicJwk) -> VerificationKey:
    checks = {
        row.name: row.maths.verify
        for row in ALGORITHMS.values()
        if (row.family, row.curve) == (jwk.family, jwk.curve) and jwk.alg in (None, canonical(row.name))
    }
    encoded = jwk.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return VerificationKey(
        kid=jwk.kid,
        family=jwk.family,
        curve=jwk.curve,
        alg=jwk.alg,
        issuer=jwk.issuer,
        fingerprint=_fingerprint([jwk.family, jwk.kid, jwk.alg, jwk.issuer], encoded),
        _material=jwk.public,
        _checks=checks,
    )


def _fingerprint(facts: list[str | None], material: bytes) -> bytes:
    # The JSON array ends before the material starts, so no two keys can spell the same input.
    return hashlib.sha256(json.dumps(facts).encode("ascii") + b"\n" + material).digest()
