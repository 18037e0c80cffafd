"""What an attacker needs: keys of the issuer and of others, and tokens that are good but for one thing.

Everything here only makes texts and keys. What must become of them stands in the tests.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth_doubles import claims, jwks, token
from bearerkit.jose.base64url import decode, encode
from bearerkit.testing import SigningKey
from bearerkit.testing.signing import compact

RSA = SigningKey.generate("RS256", kid="rsa-1")
EC = SigningKey.generate("ES256", kid="ec-1")
ED = SigningKey.generate("EdDSA", kid="ed-1")
EVIL_RSA = SigningKey.generate("RS256", kid="rsa-1")
EVIL = SigningKey.generate("ES256", kid="ec-1")
"""The attacker's own keys, under the names of ours."""
B_ISSUER = "https://b.example.test"
B_URL = "https://b.example.test/jwks"
B_KEY = SigningKey.generate("ES384", kid="b-1")


def body(**changes: Any) -> str:
    """Good claims as JSON."""
    return json.dumps(claims(**changes))


def segment(content: Mapping[str, Any] | bytes | str) -> str:
    """One part of a token."""
    raw = json.dumps(dict(content)) if isinstance(content, Mapping) else content
    return encode(raw.encode() if isinstance(raw, str) else raw)


def signed(signature: bytes, key: SigningKey = EC, **changes: Any) -> str:
    """Good header and claims under another signature."""
    return f"{token(key, **changes).rpartition('.')[0]}.{encode(signature)}"


def signature_of(text: str) -> bytes:
    """The signature of a token."""
    return decode(text.rpartition(".")[2].encode())


def resigned(text: str, signature: bytes) -> str:
    """A token under another signature."""
    return f"{text.rpartition('.')[0]}.{encode(signature)}"


def signed_as(alg: Any, key: SigningKey = EC, **header: Any) -> str:
    """A good signature of `key` by its own algorithm, under another name of the algorithm."""
    text = f"{segment({'alg': alg, 'kid': key.kid, 'typ': 'at+jwt', **header})}.{segment(body())}"
    return f"{text}.{encode(key.sign(text.encode()))}"


def payload(raw: bytes, key: SigningKey = EC) -> str:
    """A payload of these very bytes, properly signed."""
    return compact({"alg": key.alg, "kid": key.kid, "typ": "at+jwt"}, raw, key)


def raw_header(raw: bytes) -> str:
    """A header of these very bytes over good claims, properly signed."""
    text = f"{encode(raw)}.{segment(body())}"
    return f"{text}.{encode(EC.sign(text.encode()))}"


def doubled(name: str, value: str) -> bytes:
    """Good claims with one member added behind them, though it may be there already."""
    return f"{body()[:-1]}, {json.dumps(name)}: {value}}}".encode()


def keyed(secret: bytes, alg: str = "HS256", kid: str | None = "rsa-1", **header: Any) -> str:
    """An HMAC keyed with something public; `header` are further members of the header."""
    named = {} if kid is None else {"kid": kid}
    text = f"{segment({'alg': alg, 'typ': 'at+jwt', **named, **header})}.{segment(body())}"
    return f"{text}.{encode(hmac.digest(secret, text.encode(), alg.replace('HS', 'sha')))}"


def pss(salt: int, mgf: hashes.HashAlgorithm, digest: hashes.HashAlgorithm = hashes.SHA256()) -> str:
    """A PS256 token with a padding of another shape."""
    text = token(RSA, {"alg": "PS256"}).rpartition(".")[0]
    private: Any = RSA.private
    return f"{text}.{encode(private.sign(text.encode(), padding.PSS(padding.MGF1(mgf), salt), digest))}"


def nested(depth: int, brackets: str = "[]") -> bytes:
    """Good claims beside one that is nested so deep."""
    opening, closing = ('{"a":', "}") if brackets == "{}" else ("[", "]")
    inner = "1" if brackets == "{}" else ""
    return f'{body()[:-1]}, "x": {opening * depth}{inner}{closing * depth}}}'.encode()


def flattened(protected: dict[str, Any], unprotected: dict[str, Any] | None, signature: bytes) -> str:
    """The JSON serialisation with one signature (RFC 7515 section 7.2.2)."""
    document = {"payload": segment(body()), "protected": segment(protected), "signature": encode(signature)}
    return json.dumps(document if unprotected is None else {**document, "header": unprotected})


def general(*texts: str) -> str:
    """The JSON serialisation with several signatures (RFC 7515 section 7.2.1)."""
    parts = [text.split(".") for text in texts]
    signatures = [{"protected": head, "signature": signature} for head, _, signature in parts]
    return json.dumps({"payload": parts[0][1], "signatures": signatures})


def certificate(key: SigningKey = RSA) -> x509.Certificate:
    """A self-signed certificate of a key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id")])
    private: Any = key.private
    return x509.CertificateBuilder(
        name, name, private.public_key(), 1, datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    ).sign(private, hashes.SHA256())


def public_forms() -> dict[tuple[int, str], bytes]:
    """Everything public about our keys that ever was taken for an HMAC secret, by number of the catalogue."""
    key: Any = RSA.public_key
    point: Any = EC.public_key
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    numbers = key.public_numbers()
    return {
        (6, "SPKI PEM"): pem,
        (7, "PKCS#1 PEM"): key.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        (8, "PEM with a leading space"): b" " + pem,
        (8, "PEM with a BOM"): b"\xef\xbb\xbf" + pem,
        (8, "PEM with CRLF"): pem.replace(b"\n", b"\r\n"),
        (8, "PEM without the last newline"): pem.strip(),
        (9, "X.509 PEM"): certificate().public_bytes(Encoding.PEM),
        (10, "SPKI DER"): key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (10, "PKCS#1 DER"): key.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        (10, "X.509 DER"): certificate().public_bytes(Encoding.DER),
        (11, "OpenSSH line"): key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        (12, "JWK JSON"): json.dumps(RSA.jwk).encode(),
        (13, "JWKS JSON"): json.dumps(jwks(RSA)).encode(),
        (14, "raw modulus"): numbers.n.to_bytes(256, "big"),
        (14, "EC point"): point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        (14, "Ed25519 bytes"): ED.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw),
        (15, "empty key"): b"",
    }


def without_alg(*keys: SigningKey) -> dict[str, Any]:
    """A key set whose keys do not say what they are for."""
    return {"keys": [{name: value for name, value in key.jwk.items() if name != "alg"} for key in keys]}
