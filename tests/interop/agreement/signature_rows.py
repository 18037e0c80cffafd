"""Rows about algorithms, keys and signatures (RFC 7515, 7517, 7518, 8725)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import utils

from bearerkit.testing import SigningKey
from interop.agreement.row import ACCEPT, Bench, Row

__all__ = ["SIGNATURES"]


def _der(raw: bytes) -> bytes:
    half = len(raw) // 2
    return utils.encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _of_another_token(bench: Bench) -> str:
    head, body, _ = bench.token(sub="admin").split(".")
    return f"{head}.{body}.{bench.token().split('.')[2]}"


def _embedded(bench: Bench) -> str:
    stranger = SigningKey.generate("RS256")
    return bench.token(headers={"jwk": stranger.jwk}, key=stranger)


SIGNATURES = (
    Row("rs256", "RS256", ACCEPT, lambda bench: bench.token()),
    Row("ps256", "PS256", ACCEPT, lambda bench: bench.token(key=bench.ps)),
    Row("es256", "ES256", ACCEPT, lambda bench: bench.token(key=bench.ec)),
    Row("eddsa", "EdDSA with Ed25519", ACCEPT, lambda bench: bench.token(key=bench.ed)),
    Row("ed25519", "Ed25519, by a key whose `alg` says so too", ACCEPT, lambda bench: bench.token(key=bench.ed25519)),
    Row("ed25519-by-an-eddsa-key", "Ed25519, by a key whose `alg` is EdDSA", ACCEPT,
        lambda bench: bench.token(key=bench.ed, headers={"alg": "Ed25519"})),
    Row("es384", "ES384, an algorithm that nobody configured", "algorithm_not_allowed",
        lambda bench: bench.token(key=bench.ec384)),
    Row("rs512-by-an-rs256-key", "RS512 by a key whose `alg` is RS256", "algorithm_not_allowed",
        lambda bench: bench.token(headers={"alg": "RS512"})),
    Row("ps256-by-an-rs256-key", "PS256 by a key whose `alg` is RS256", "key_not_found",
        lambda bench: bench.token(headers={"alg": "PS256"})),
    Row("alg-none", "`alg` none, no signature", "malformed", lambda bench: bench.token(headers={"alg": "none"})),
    Row("alg-none-mixed-case", "`alg` nOnE", "malformed", lambda bench: bench.token(headers={"alg": "nOnE"})),
    Row("alg-none-signed", "`alg` none under a signature", "algorithm_not_allowed",
        lambda bench: f"{bench.token(headers={'alg': 'none'})}{bench.token().split('.')[2]}"),
    Row("hs256-public-key", "HS256 keyed with the public key's PEM", "algorithm_not_allowed",
        lambda bench: bench.token(headers={"alg": "HS256"})),
    Row("alg-lower-case", "`alg` rs256", "algorithm_not_allowed", lambda bench: bench.raw(bench.header(alg="rs256"))),
    Row("alg-missing", "no `alg`", "malformed",
        lambda bench: bench.raw({"typ": "at+jwt", "kid": bench.issuer.key.kid})),
    Row("alg-number", "`alg` is a number", "malformed", lambda bench: bench.raw(bench.header(alg=256))),
    Row("kid-missing-one-key", "no `kid`, one key of that kind", ACCEPT,
        lambda bench: bench.token(key=bench.ec, headers={"kid": None})),
    Row("kid-missing-several-keys", "no `kid`, several keys of that kind", ACCEPT,
        lambda bench: bench.token(headers={"kid": None})),
    Row("kid-unknown", "a `kid` that is not in the set", "key_not_found",
        lambda bench: bench.token(headers={"kid": "nobody"})),
    Row("kid-of-another-type", "RS256 under the `kid` of an EC key", "key_not_found",
        lambda bench: bench.token(headers={"kid": "ec"})),
    Row("kid-number", "`kid` is a number", "malformed",
        lambda bench: bench.raw(bench.header(alg="ES256", kid=7), key=bench.ec)),
    Row("key-for-encryption", "by a key with `use` enc", "key_not_found",
        lambda bench: bench.token(key=bench.for_encryption)),
    Row("key-for-wrapping", "by a key with `key_ops` wrapKey", "key_not_found",
        lambda bench: bench.token(key=bench.for_wrapping)),
    Row("key-without-alg", "by an RSA key without `alg` and `use`", ACCEPT,
        lambda bench: bench.token(key=bench.without_alg)),
    Row("key-of-1024-bits", "by an RSA key of 1024 bits", "key_not_found", lambda bench: bench.token(key=bench.short)),
    Row("strangers-key", "signed by a stranger under a known `kid`", "signature_invalid",
        lambda bench: bench.token(key=SigningKey.generate("RS256"))),
    Row("strangers-key-embedded", "signed by a stranger whose key is in the header (`jwk`)", "signature_invalid",
        _embedded),
    Row("jku-ignored", "a `jku` beside a good signature", ACCEPT,
        lambda bench: bench.token(headers={"jku": "https://evil.example.test/jwks.json"})),
    Row("jwk-ignored", "a stranger's `jwk` beside a good signature", ACCEPT,
        lambda bench: bench.token(headers={"jwk": SigningKey.generate("ES256").jwk})),
    Row("signature-of-another-token", "the signature of another token", "signature_invalid", _of_another_token),
    Row("signature-bit-flipped", "one bit of the signature changed", "signature_invalid",
        lambda bench: bench.resigned(bench.token(), lambda raw: bytes([raw[0] ^ 1]) + raw[1:])),
    Row("signature-cut", "the signature lacks its last byte", "signature_invalid",
        lambda bench: bench.resigned(bench.token(), lambda raw: raw[:-1])),
    Row("signature-empty", "an empty signature", "malformed",
        lambda bench: bench.resigned(bench.token(), lambda _: b"")),
    Row("es256-der", "ES256 with a DER signature", "signature_invalid",
        lambda bench: bench.resigned(bench.token(key=bench.ec), _der)),
    Row("es256-zeros", "ES256 with r = s = 0", "signature_invalid",
        lambda bench: bench.resigned(bench.token(key=bench.ec), lambda _: bytes(64))),
    Row("es256-long", "ES256 with a byte more", "signature_invalid",
        lambda bench: bench.resigned(bench.token(key=bench.ec), lambda raw: raw + b"\0")),
)  # fmt: skip
