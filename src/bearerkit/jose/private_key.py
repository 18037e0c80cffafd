"""A private key of ours that signs: the assertions with which we say who we are (RFC 7523, OpenID Connect Core 9).

It is held to the same rules as the keys we verify with, by its public half. What must never happen here: a signature
by an algorithm that does not fit the key, or key material in a repr, an error or a pickle.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeAlias, final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bearerkit.jose import base64url
from bearerkit.jose.algorithms import ALGORITHMS, canonical
from bearerkit.jose.jwk import number_octets, octets, text
from bearerkit.jose.key_rules import KeyUnusable, check_public_key

__all__ = ["KeyGiven", "PrivateKey"]

KeyGiven: TypeAlias = "str | bytes | Mapping[str, Any]"
"""PEM text, or a JWK."""

_Key: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_DEFAULTS: Final = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_BEGIN: Final = re.compile(rb"-----BEGIN ([^-\r\n]{1,60})-----")
_LABELS: Final = frozenset({b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"})
_CURVES: Final[Mapping[str, tuple[ec.EllipticCurve, int]]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}


@final
class PrivateKey:
    """One key, bound to one algorithm: `PrivateKey(pem_or_jwk, algorithm=None, kid=None)`.

    Without `algorithm` it is the one that the JWK names, or the usual one of its type: RS256, ES256, EdDSA. Raises
    `KeyUnusable`: no private key, encrypted, too weak, of another type.
    """

    __slots__ = ("_key", "algorithm", "kid")

    algorithm: str
    kid: str | None

    def __init__(self, key: KeyGiven, *, algorithm: str | None = None, kid: str | None = None) -> None:
        if isinstance(key, Mapping):
            private = _from_jwk(key)
            kid = text(key, "kid") if kid is None else kid
            algorithm = text(key, "alg") if algorithm is None else algorithm
        else:
            private = _from_pem(key)
        _, family, curve = check_public_key(private.public_key())
        chosen = _DEFAULTS[curve or family] if algorithm is None else algorithm
        row = ALGORITHMS.get(chosen)
        if row is None or (row.family, row.curve) != (family, curve):
            raise KeyUnusable(f"a key of type {curve or family} cannot sign with {chosen[:40]!r}")
        if isinstance(key, Mapping) and canonical(text(key, "alg") or chosen) != canonical(chosen):
            raise KeyUnusable(f"the key is for another algorithm than {chosen}")
        object.__setattr__(self, "_key", private)
        object.__setattr__(self, "algorithm", chosen)
        object.__setattr__(self, "kid", kid)

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """A compact JWS (RFC 7515 section 7.1) over `claims`; `alg` and `kid` are added to `header`."""
        named = {} if self.kid is None else {"kid": self.kid}
        members = {**header, **named, "alg": self.algorithm}
        signed = f"{_segment(members)}.{_segment(claims)}"
        maths: Any = ALGORITHMS[self.algorithm].maths
        signature: bytes = maths.sign(signed.encode("ascii"), object.__getattribute__(self, "_key"))
        return f"{signed}.{base64url.encode(signature)}"

    def __repr__(self) -> str:
        return f"PrivateKey(hidden, algorithm={self.algorithm!r}, kid={self.kid!r})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("PrivateKey is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("PrivateKey is immutable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("PrivateKey does not pickle")


def _segment(members: Mapping[str, Any]) -> str:
    return base64url.encode(json.dumps(dict(members), separators=(",", ":")).encode("ascii"))


def _from_pem(pem: str | bytes) -> _Key:
    given: object = pem
    if not isinstance(given, str | bytes):
        raise KeyUnusable(f"a private key is PEM text or a JWK, not {type(given).__name__}")
    data = pem.encode("utf-8", "surrogatepass") if isinstance(pem, str) else pem
    labels = _BEGIN.findall(data)
    if b"ENCRYPTED PRIVATE KEY" in labels or b"Proc-Type: 4,ENCRYPTED" in data:
        raise KeyUnusable("the private key is encrypted; decrypt it first")
    private = [label for label in labels if label in _LABELS]
    if len(private) != 1 or not {label for label in labels if label not in _LABELS} <= {b"EC PARAMETERS"}:
        raise KeyUnusable("the PEM text must hold exactly one block: PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY")
    try:
        return _judged(load_pem_private_key(data, password=None))
    except KeyUnusable:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable("the PEM block does not hold a private key that can be read") from None


def _judged(key: object) -> _Key:
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise KeyUnusable("this is not an RSA, EC or Ed25519 private key")


def _from_jwk(jwk: Mapping[str, Any]) -> _Key:
    kty = text(jwk, "kty")
    if "d" not in jwk:
        raise KeyUnusable('the JWK has no "d": it is not a private key')
    if text(jwk, "use") not in (None, "sig"):
        raise KeyUnusable('use is not "sig"')
    try:
        match kty:
            case "RSA":
                return _rsa_key(jwk)
            case "EC":
                return _ec_key(jwk)
            case "OKP" if text(jwk, "crv") == "Ed25519":
                return _ed_key(jwk)
            case _:
                raise KeyUnusable("the JWK is not of type RSA, EC (P-256, P-384, P-521) or OKP (Ed25519)")
    except KeyUnusable:
        raise
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(f"the numbers do not make a valid {kty} private key") from None


def _rsa_key(jwk: Mapping[str, Any]) -> rsa.RSAPrivateKey:
    n, e, d, p, q, dp, dq, qi = (_number(jwk, name) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi"))
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, rsa.RSAPublicNumbers(e, n)).private_key()


def _ec_key(jwk: Mapping[str, Any]) -> ec.EllipticCurvePrivateKey:
    name = text(jwk, "crv") or ""
    if name not in _CURVES:
        raise KeyUnusable("crv is not one of P-256, P-384, P-521")
    curve, size = _CURVES[name]
    d, x, y = (octets(jwk, member) for member in ("d", "x", "y"))
    if {len(d), len(x), len(y)} != {size}:
        raise KeyUnusable(f"the numbers of a {name} key must have {size} bytes")
    public = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve)
    return ec.EllipticCurvePrivateNumbers(int.from_bytes(d, "big"), public).private_key()


def _ed_key(jwk: Mapping[str, Any]) -> ed25519.Ed25519PrivateKey:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(octets(jwk, "d"))
    if key.public_key().public_bytes_raw() != octets(jwk, "x"):
        raise KeyUnusable("the public half of the JWK belongs to another key")
    return key


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(number_octets(jwk, name), "big")
