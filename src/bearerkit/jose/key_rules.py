"""Which public keys are good enough to verify with (RFC 7518 sections 3 and 6, RFC 8037, RFC 8725 section 3.5).

The same rules hold for a key from a JWK, a PEM file or a key object. What must never happen here: a private key let
through, a limit that a caller can lower, or key material in an error message.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bearerkit.jose.roca import has_roca_fingerprint

__all__ = ["CURVES", "KeyUnusable", "PublicKey", "check_public_key"]

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
"""The curves we verify with: name in cryptography to name in a JWK."""

_BITS_MIN: Final = 2048
_BITS_MAX: Final = 8192
# NIST SP 800-89 section 5.3.3: no factor below 752. Whoever finds all factors of a modulus can sign.
_SMALL_FACTORS: Final = math.prod(n for n in range(2, 752) if all(n % m for m in range(2, math.isqrt(n) + 1)))
_FIELD_25519: Final = 2**255 - 19
_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# The y of the eight points whose order divides 8. All-zero bytes spell one of them.
_SMALL_ORDER: Final = frozenset({0, 1, _FIELD_25519 - 1, _ORDER_8, _FIELD_25519 - _ORDER_8})


class KeyUnusable(ValueError):
    """This key cannot verify tokens. The message says why and never holds key material."""


def check_public_key(key: object) -> tuple[PublicKey, str, str | None]:
    """The key, its `kty` and its `crv` (None for RSA).

    RSA: 2048 to 8192 bits, exponent odd, 3 or more and below 2**32, not made by the ROCA generator, no small factor.
    EC: P-256, P-384, P-521. OKP: Ed25519, no point of small order. Raises `KeyUnusable` for everything else.
    """
    if isinstance(key, RSAPublicKey):
        _check_rsa(key)
        return key, "RSA", None
    if isinstance(key, EllipticCurvePublicKey):
        curve = CURVES.get(key.curve.name)
        if curve is None:
            raise KeyUnusable(f"the curve {key.curve.name} is not one of P-256, P-384, P-521")
        return key, "EC", curve
    if isinstance(key, Ed25519PublicKey):
        _check_ed25519(key)
        return key, "OKP", "Ed25519"
    if hasattr(key, "private_bytes"):
        raise KeyUnusable("this is a private key; verifying needs the public one only")
    raise KeyUnusable(f"{type(key).__name__} is not an RSA, EC or Ed25519 public key")


def _check_rsa(key: RSAPublicKey) -> None:
    if not _BITS_MIN <= key.key_size <= _BITS_MAX:
        raise KeyUnusable(f"the RSA key has {key.key_size} bits; {_BITS_MIN} to {_BITS_MAX} are accepted")
    numbers = key.public_numbers()
    if numbers.e < 3 or numbers.e % 2 == 0 or numbers.e >= 2**32:
        raise KeyUnusable("the RSA public exponent is not an odd number from 3 to below 2**32")
    if numbers.n % 2 == 0:
        raise KeyUnusable("the RSA modulus is even")
    if has_roca_fingerprint(numbers.n):
        raise KeyUnusable("the RSA key was made by a broken generator (ROCA, CVE-2017-15361)")
    if math.gcd(numbers.n, _SMALL_FACTORS) != 1:
        raise KeyUnusable("the RSA modulus has a small factor")


def _check_ed25519(key: Ed25519PublicKey) -> None:
    """Refuse points under which anybody can sign anything: OpenSSL verifies with them."""
    y = int.from_bytes(key.public_bytes_raw(), "little") & (2**255 - 1)
    if y >= _FIELD_25519:
        raise KeyUnusable("the Ed25519 key is not canonical (RFC 8032 section 5.1.3)")
    if y in _SMALL_ORDER:
        raise KeyUnusable("the Ed25519 key is a point of small order: anybody could sign for it")
