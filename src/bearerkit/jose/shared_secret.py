"""A secret shared with the issuer, for the HS* algorithms (RFC 7518 section 3.2, RFC 8725 section 3.5).

What must never happen here: a public key taken for a secret (whoever can read it could then sign tokens), a short
secret, a default secret, or the secret in a repr, an error or a pickle.
"""

from __future__ import annotations

import binascii
import re
from typing import Final, Literal, NoReturn, final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bearerkit.errors import ConfigError
from bearerkit.jose import base64url

__all__ = ["SharedSecret"]

_MIN_BYTES: Final = 32
_SSH: Final = (b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-")
_PEM: Final = re.compile(rb"-{4,5} ?(?:BEGIN|END) ")
_BLANKS: Final = b" \t\r\n"
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_ENCODING_HINT: Final = "Give it as the issuer shows it; encoding= is one of raw, base64url, hex."


@final
class SharedSecret:
    """A symmetric key: `SharedSecret(secret, encoding="raw" | "base64url" | "hex", kid=None)`.

    In: text or bytes; "raw" takes the UTF-8 bytes of the text as they are. `kid` binds it to tokens of that key id.
    Raises `ConfigError` when it is shorter than 32 bytes, does not decode, or looks like a public key.
    """

    __slots__ = ("_secret", "kid")

    kid: str | None

    def __init__(
        self,
        secret: str | bytes,
        *,
        encoding: Literal["raw", "base64url", "hex"] = "raw",
        kid: str | None = None,
    ) -> None:
        value = _decode(secret, encoding)
        kind = _public_key_kind(value)
        if kind is not None:
            raise ConfigError(
                f"SharedSecret was given {kind}, which is public",
                hint="Give public keys as keys={jwks} or PEM, with an RS, PS, ES or EdDSA algorithm.",
            )
        if len(value) < _MIN_BYTES:
            raise ConfigError(
                f"SharedSecret has {len(value)} bytes; {_MIN_BYTES} are the minimum (RFC 7518 section 3.2)",
                hint="If the issuer shows it as base64url or hex text, say so with encoding=.",
            )
        object.__setattr__(self, "_secret", value)
        object.__setattr__(self, "kid", kid)

    def reveal(self) -> bytes:
        """The secret itself, for the key that verifies with it. Never log the result."""
        secret: bytes = object.__getattribute__(self, "_secret")
        return secret

    def __repr__(self) -> str:
        return f"SharedSecret(hidden, kid={self.kid!r})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("SharedSecret is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("SharedSecret is immutable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("SharedSecret does not pickle")


def _decode(secret: str | bytes, encoding: str) -> bytes:
    if not isinstance(secret, (str, bytes)):
        raise ConfigError(f"SharedSecret takes text or bytes, not {type(secret).__name__}")
    data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    match encoding:
        case "raw":
            return data
        case "base64url":
            bare = data.rstrip(b"=")
            try:
                if len(data) - len(bare) not in (0, -len(bare) % 4):
                    raise ValueError
                return base64url.decode(bare)
            except ValueError:
                raise ConfigError("SharedSecret is not base64url text", hint=_ENCODING_HINT) from None
        case "hex":
            try:
                return binascii.unhexlify(data)
            except ValueError:
                raise ConfigError("SharedSecret is not hex text", hint=_ENCODING_HINT) from None
        case _:
            raise ConfigError(f"SharedSecret encoding {encoding!r} is not one of raw, base64url, hex")


def _public_key_kind(value: bytes) -> str | None:
    text = value.removeprefix(b"\xef\xbb\xbf").strip(_BLANKS)
    if _PEM.search(text):
        return "PEM text"
    if text.startswith(_SSH):
        return "an OpenSSH public key"
    if text[:1] + text[-1:] in (b"{}", b"[]"):
        return "JSON, such as a JWK"
    if _is_der(value) or _is_point(value):
        return "the binary form of a public key or certificate"
    try:
        inside = binascii.a2b_base64(text.translate(_FROM_URL) + b"==")
    except ValueError:
        return None
    return "the base64 form of a public key or certificate" if _is_der(inside) else None


def _is_der(value: bytes) -> bool:
    # Every key and certificate in DER is one SEQUENCE; anything else need not be tried.
    if value[:1] != b"\x30":
        return False
    try:
        load_der_public_key(value)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass
    else:
        return True
    try:
        x509.load_der_x509_certificate(value)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _is_point(value: bytes) -> bool:
    # An uncompressed point (SEC 1 section 2.3.3): random bytes lie on a curve with a chance of 2**-256.
    curve: ec.EllipticCurve
    for curve, size in ((ec.SECP256R1(), 65), (ec.SECP384R1(), 97), (ec.SECP521R1(), 133)):
        if value[:1] == b"\x04" and len(value) == size:
            try:
                ec.EllipticCurvePublicKey.from_encoded_point(curve, value)
            except ValueError:
                return False
            return True
    return False
