"""The thumbprint of a key: a name that depends on nothing but the key (RFC 7638, RFC 8037 section 2).

It serves as a `kid`, and as the `jkt` that binds a token to a key (RFC 9449 section 6). What must never happen here:
two thumbprints for two spellings of one key (a padded or shortened member is refused, as everywhere else), an
optional member that counts, or key material in an error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from bearerkit.jose import base64url
from bearerkit.jose.jwk import number_octets, octets, text
from bearerkit.jose.key_rules import KeyUnusable

__all__ = ["thumbprint"]

_COORDINATE: Final = {"P-256": 32, "P-384": 48, "P-521": 66, "secp256k1": 32}
"""Bytes of `x` and of `y` (RFC 7518 section 6.2.1.2, RFC 8812 section 3.1)."""
_OKP_KEY: Final = {"Ed25519": 32, "Ed448": 57, "X25519": 32, "X448": 56}
"""Bytes of `x` (RFC 8037 section 2)."""


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a JWK (RFC 7638 section 3): 43 characters, the same for a key and its public half.

    Only the required members count: `e kty n` (RSA), `crv kty x y` (EC), `crv kty x` (OKP), `k kty` (oct); all others,
    private ones included, are not looked at. The thumbprint of a shared secret lets anybody test guesses of it, so
    publish none of a secret that can be guessed (RFC 7638 section 7). Naming a key does not say that it is fit to
    verify with: `keys.from_jwk` judges that. Raises `KeyUnusable` for another `kty` or `crv`, and for a required
    member that is missing, not canonical base64url or not of its length.
    """
    if not isinstance(jwk, Mapping):
        raise KeyUnusable("not a JSON object")
    required = {name: jwk[name] for name in _required(jwk)}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True).encode("ascii")
    return base64url.encode(hashlib.sha256(canonical).digest())


def _required(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the required members, each of which was checked."""
    match kty := text(jwk, "kty"):
        case "RSA":
            number_octets(jwk, "n")
            number_octets(jwk, "e")
            return "kty", "n", "e"
        case "EC":
            size = _size(jwk, _COORDINATE)
            _check_length(jwk, "x", size)
            _check_length(jwk, "y", size)
            return "kty", "crv", "x", "y"
        case "OKP":
            _check_length(jwk, "x", _size(jwk, _OKP_KEY))
            return "kty", "crv", "x"
        case "oct":
            octets(jwk, "k")
            return "kty", "k"
        case _:
            shown = "(missing)" if kty is None else repr(kty[:40])
            raise KeyUnusable(f"kty {shown} is not one of RSA, EC, OKP, oct")


def _size(jwk: Mapping[str, Any], sizes: Mapping[str, int]) -> int:
    name = text(jwk, "crv")
    if name is None or name not in sizes:
        shown = "(missing)" if name is None else repr(name[:40])
        raise KeyUnusable(f"crv {shown} is not one of {', '.join(sizes)}")
    return sizes[name]


def _check_length(jwk: Mapping[str, Any], name: str, size: int) -> None:
    if len(octets(jwk, name)) != size:
        raise KeyUnusable(f'"{name}" must have {size} bytes on this curve')
