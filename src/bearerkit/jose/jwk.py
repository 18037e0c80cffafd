"""From one JSON Web Key to a public key (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

Our own mapping, because general ones take keys that must be refused here: private members, `use` "enc", padded or
shortened numbers, an `alg` of another key type. What must never happen here: reading a private or symmetric member,
guessing at a member of the wrong type, or key material in an error message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bearerkit.jose import base64url
from bearerkit.jose.algorithms import ALGORITHMS, canonical
from bearerkit.jose.key_rules import KeyUnusable, PublicKey, check_public_key

__all__ = ["PublicJwk", "number_octets", "octets", "read_jwk", "text"]


@dataclass(frozen=True, slots=True)
class PublicJwk:
    """What a JWK says that matters for verifying."""

    public: PublicKey = field(repr=False)
    family: str
    curve: str | None
    kid: str | None
    alg: str | None
    """Canonical name, None when the key does not restrict itself."""
    issuer: str | None
    """The `issuer` member that Microsoft Entra adds."""


_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "seed")
_CURVES: Final = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
# RFC 7517 section 4.3; one key must not both verify and encrypt.
_ENCRYPTION_OPS: Final = frozenset({"encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"})


def read_jwk(jwk: Mapping[str, Any]) -> PublicJwk:
    """Read and judge one JWK. Raises `KeyUnusable` with the reason."""
    if not isinstance(jwk, Mapping):
        raise KeyUnusable("not a JSON object")
    for name in _PRIVATE:
        if name in jwk:
            hint = "; a shared secret is configured as SharedSecret(...)" if name == "k" else ""
            raise KeyUnusable(f'it has the private member "{name}"{hint}')
    kty = text(jwk, "kty")
    _check_purpose(jwk)
    public, family, curve = check_public_key(_public_key(kty, jwk))
    alg = text(jwk, "alg")
    if alg is not None:
        row = ALGORITHMS.get(alg)
        if row is None:
            raise KeyUnusable(f"alg {_shown(alg)} is not a signature algorithm of ours")
        if (row.family, row.curve) != (family, curve):
            raise KeyUnusable(f"alg {alg} does not fit a key of type {curve or family}")
        alg = canonical(alg)
    return PublicJwk(public, family, curve, text(jwk, "kid"), alg, text(jwk, "issuer"))


def _check_purpose(jwk: Mapping[str, Any]) -> None:
    use = text(jwk, "use")
    if use is not None and use != "sig":
        raise KeyUnusable(f'use is {_shown(use)}, not "sig"')
    if "key_ops" not in jwk:
        return
    ops = jwk["key_ops"]
    if not isinstance(ops, (list, tuple)) or not all(isinstance(op, str) for op in ops):
        raise KeyUnusable("key_ops is not an array of strings")
    if len(set(ops)) != len(ops):
        raise KeyUnusable("key_ops holds a duplicate")
    if "verify" not in ops:
        raise KeyUnusable('key_ops does not hold "verify"')
    if not _ENCRYPTION_OPS.isdisjoint(ops):
        raise KeyUnusable("key_ops mixes verifying with encryption or key agreement")


def _public_key(kty: str | None, jwk: Mapping[str, Any]) -> PublicKey:
    try:
        match kty:
            case "RSA":
                return rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n")).public_key()
            case "EC":
                return _ec_key(jwk)
            case "OKP":
                return _okp_key(jwk)
            case None:
                raise KeyUnusable("kty is missing")
            case _:
                raise KeyUnusable(f"kty {_shown(kty)} is not one of RSA, EC, OKP")
    except KeyUnusable:
        raise
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(f"the numbers do not make a valid {kty} key") from None


def _ec_key(jwk: Mapping[str, Any]) -> PublicKey:
    name = text(jwk, "crv")
    if name not in _CURVES:
        raise KeyUnusable(f"crv {_shown(name)} is not one of P-256, P-384, P-521")
    curve, size = _CURVES[name]
    x, y = octets(jwk, "x"), octets(jwk, "y")
    if len(x) != size or len(y) != size:
        raise KeyUnusable(f"a coordinate of {name} must have {size} bytes")
    return ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve).public_key()


def _okp_key(jwk: Mapping[str, Any]) -> PublicKey:
    name = text(jwk, "crv")
    if name != "Ed25519":
        raise KeyUnusable(f"crv {_shown(name)} is not Ed25519")
    return ed25519.Ed25519PublicKey.from_public_bytes(octets(jwk, "x"))


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(number_octets(jwk, name), "big")


def number_octets(jwk: Mapping[str, Any], name: str) -> bytes:
    """The octets of a Base64urlUInt member (RFC 7518 section 2), in the one spelling it has. Raises `KeyUnusable`."""
    value = octets(jwk, name)
    if value[:1] == b"\0":
        raise KeyUnusable(f'"{name}" starts with a zero octet (RFC 7518 section 2)')
    return value


def octets(jwk: Mapping[str, Any], name: str) -> bytes:
    """The octets of a member in canonical base64url, which must be there and not empty. Raises `KeyUnusable`."""
    value = text(jwk, name)
    if not value:
        raise KeyUnusable(f'"{name}" is missing or empty')
    try:
        # Beyond ASCII there is no base64url, and the error of encode() would hold the value.
        return base64url.decode(value.encode("ascii") if value.isascii() else b"!")
    except ValueError:
        raise KeyUnusable(f'"{name}" is not canonical base64url') from None


def text(jwk: Mapping[str, Any], name: str) -> str | None:
    """A string member, None where it is absent. Raises `KeyUnusable` for any other kind of value."""
    if name not in jwk:
        return None
    value = jwk[name]
    if not isinstance(value, str):
        raise KeyUnusable(f'"{name}" is not a string')
    return value


def _shown(value: str | None) -> str:
    return "(missing)" if value is None else repr(value[:40])
