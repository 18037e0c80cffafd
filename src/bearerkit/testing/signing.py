"""Private keys of every algorithm that bearerkit verifies, and compact JWS made by hand.

The core only ever verifies; signing lives here, for tests and for the development issuer. Signature maths comes
from PyJWT and cryptography. Serialisation is by hand, because tests need tokens that no decent library would
produce: no algorithm, a header that lies, duplicate members, bytes that are not JSON.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import algorithms as pyjwt

from bearerkit.jose import thumbprint as jose_thumbprint

__all__ = ["SIGNING_ALGORITHMS", "SigningKey", "compact", "thumbprint"]

PrivateKey: TypeAlias = "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | bytes"
PublicKey: TypeAlias = "rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey"

_RSA_BITS: Final = 2048
_SPARE_RSA_KEYS: Final = 4
_CURVES: Final[Mapping[str, tuple[str, type[ec.EllipticCurve]]]] = {
    "ES256": ("P-256", ec.SECP256R1),
    "ES384": ("P-384", ec.SECP384R1),
    "ES512": ("P-521", ec.SECP521R1),
}
_HMAC: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EDWARDS: Final = ("EdDSA", "Ed25519")

SIGNING_ALGORITHMS: Final = (*_RSA, *_CURVES, *_EDWARDS, *_HMAC)
"""Every `alg` that a `SigningKey` can be made for."""

_PYJWT: Final[Mapping[str, Any]] = pyjwt.get_default_algorithms() | {"Ed25519": pyjwt.OKPAlgorithm()}

# RSA keys are dear to make, so a key that nobody holds any more is used again, oldest first. A key that is still
# held is never handed out twice: two issuers that live at the same time can never verify each other's tokens.
# A deque, not a lock: finalizers run wherever the garbage collector happens to run.
_free_rsa_keys: deque[rsa.RSAPrivateKey] = deque()


@final
class SigningKey:
    """A private key (or shared secret) bound to one `alg`, for tests and development only.

    `SigningKey.generate("ES256")` makes one. `kid` None means: published without a kid, and a token signed with it
    carries the kid of the issuer's own key (a wrong signature under a known kid).
    """

    __slots__ = ("__weakref__", "alg", "kid", "private")

    def __init__(self, alg: str, private: PrivateKey, *, kid: str | None = None) -> None:
        if alg not in SIGNING_ALGORITHMS:
            raise ValueError(f"cannot sign with {alg!r}; choose one of {', '.join(SIGNING_ALGORITHMS)}")
        if not _fits(alg, private):
            raise ValueError(f"a key of type {type(private).__name__} cannot sign {alg}")
        self.alg = alg
        self.kid = kid
        self.private = private

    @classmethod
    def generate(cls, alg: str, *, kid: str | None = None) -> SigningKey:
        """A key that nobody else holds. Raises ValueError for an algorithm that is not in `SIGNING_ALGORITHMS`."""
        if alg in _CURVES:
            return cls(alg, ec.generate_private_key(_CURVES[alg][1]()), kid=kid)
        if alg in _EDWARDS:
            return cls(alg, ed25519.Ed25519PrivateKey.generate(), kid=kid)
        if alg in _HMAC:
            return cls(alg, secrets.token_bytes(64), kid=kid)
        if alg not in _RSA:
            raise ValueError(f"cannot sign with {alg!r}; choose one of {', '.join(SIGNING_ALGORITHMS)}")
        private = _rsa_key()
        key = cls(alg, private, kid=kid)
        weakref.finalize(key, _free_rsa_keys.append, private).atexit = False
        return key

    @property
    def public_key(self) -> PublicKey:
        """The public half. Raises TypeError for a shared secret, which has none."""
        if isinstance(self.private, bytes):
            raise TypeError(f"{self.alg} uses a shared secret: there is no public key")
        return self.private.public_key()

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as an RFC 7517 JWK with `kid` (if any), `alg` and `use`. TypeError for a shared secret."""
        named = {} if self.kid is None else {"kid": self.kid}
        return {**_public_members(self.public_key), **named, "alg": self.alg, "use": "sig"}

    def sign(self, data: bytes, *, alg: str | None = None) -> bytes:
        """A signature over `data`, by `alg` if this key can, else by the key's own algorithm.

        Two names are special, because attackers use them: "none" gives an empty signature, and HS* under a public
        key type gives the HMAC keyed with the public key's PEM (RFC 8725 section 2.1).
        """
        wanted = self.alg if alg is None else alg
        if wanted.lower() == "none":
            return b""
        if wanted in _HMAC:
            secret = self.private if isinstance(self.private, bytes) else _spki(self.public_key)
            return hmac.digest(secret, data, _HMAC[wanted])
        if not _fits(wanted, self.private):
            return self.sign(data)
        signature: bytes = _PYJWT[wanted].sign(data, self.private)
        return signature

    def __repr__(self) -> str:
        return f"<SigningKey {self.alg} kid={self.kid!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("a SigningKey cannot be pickled: it holds a private key")


def compact(header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes, key: SigningKey) -> str:
    """A compact JWS (RFC 7515 section 7.1) over exactly this header and payload.

    Mappings become compact JSON; bytes go in as they are, however broken. The `alg` member of the header picks the
    algorithm as `SigningKey.sign` describes.
    """
    signing_input = f"{_segment(_json(header))}.{_segment(_json(payload))}"
    return f"{signing_input}.{_segment(key.sign(signing_input.encode(), alg=_alg_of(header)))}"


def thumbprint(key: SigningKey) -> str:
    """The RFC 7638 thumbprint of the public key: a kid that depends on nothing but the key."""
    return jose_thumbprint.thumbprint(_public_members(key.public_key))


def _rsa_key() -> rsa.RSAPrivateKey:
    # A few keys rest before they are used again: an issuer that a test just threw away shares no key with the next.
    if len(_free_rsa_keys) >= _SPARE_RSA_KEYS:
        try:
            return _free_rsa_keys.popleft()
        except IndexError:  # pragma: no cover - another thread took the last one
            pass
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _fits(alg: str, private: PrivateKey) -> bool:
    if alg in _RSA:
        return isinstance(private, rsa.RSAPrivateKey)
    if alg in _CURVES:
        return isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, _CURVES[alg][1])
    if alg in _EDWARDS:
        return isinstance(private, ed25519.Ed25519PrivateKey)
    return alg in _HMAC and isinstance(private, bytes)


def _public_members(key: PublicKey) -> dict[str, Any]:
    """The required members of the public JWK (RFC 7518 section 6, RFC 8037 section 2), and no others."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point, size = key.public_numbers(), (key.key_size + 7) // 8
        name = next(name for name, curve in _CURVES.values() if isinstance(key.curve, curve))
        return {"kty": "EC", "crv": name, "x": _integer(point.x, size), "y": _integer(point.y, size)}
    return {"kty": "OKP", "crv": "Ed25519", "x": _segment(key.public_bytes_raw())}


def _spki(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _integer(value: int, size: int | None = None) -> str:
    return _segment(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(part: Mapping[str, Any] | bytes) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(dict(part), separators=(",", ":")).encode()


def _alg_of(header: Mapping[str, Any] | bytes) -> str | None:
    if isinstance(header, bytes):
        try:
            header = json.loads(header)
        except (ValueError, RecursionError):
            return None
    alg = header.get("alg") if isinstance(header, Mapping) else None
    return alg if isinstance(alg, str) else None
