"""JWK rules: every member of the wrong kind makes the key unusable, with a reason that quotes no material."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.jose.base64url import encode
from bearerkit.jose.keys import KeyUnusable, from_jwk


def number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@pytest.fixture(scope="module")
def good(rsa_private, ec_private, ed_private) -> dict[str, dict[str, Any]]:
    """One acceptable JWK of each type."""
    n, point = rsa_private.public_key().public_numbers().n, ec_private.public_key().public_numbers()
    x, y = (encode(value.to_bytes(32, "big")) for value in (point.x, point.y))
    return {
        "RSA": {"kty": "RSA", "n": number(n), "e": "AQAB"},
        "EC": {"kty": "EC", "crv": "P-256", "x": x, "y": y},
        "OKP": {"kty": "OKP", "crv": "Ed25519", "x": encode(ed_private.public_key().public_bytes_raw())},
    }


@pytest.mark.parametrize(
    ("kty", "members"),
    [
        ("RSA", {}),
        ("RSA", {"alg": "PS512", "kid": "", "use": "sig"}),
        ("RSA", {"key_ops": ["verify"]}),
        ("RSA", {"key_ops": ["sign", "verify"], "use": "sig"}),
        ("RSA", {"key_ops": ["verify", "x-audit"]}),
        ("RSA", {"e": "Aw"}),
        ("RSA", {"x5c": ["not read"], "x5t": 1, "unknown": None}),
        ("EC", {"alg": "ES256"}),
        ("OKP", {"alg": "Ed25519"}),
    ],
)
def test_accepts(good, kty: str, members: dict[str, Any]):
    """What the RFCs allow, including members that say nothing about verifying."""
    key = from_jwk(good[kty] | members)
    assert key.family == kty
    assert key.kid == members.get("kid")


@pytest.mark.parametrize(
    ("kty", "members", "reason"),
    [
        ("RSA", {"kty": None}, '"kty" is not a string'),
        ("RSA", {"kty": "rsa"}, "kty 'rsa' is not one of"),
        ("RSA", {"kty": "oct"}, "kty 'oct' is not one of"),
        ("RSA", {"kty": "AKP"}, "kty 'AKP' is not one of"),
        ("RSA", {"use": "enc"}, "use is 'enc'"),
        ("RSA", {"use": ""}, "use is ''"),
        ("RSA", {"use": None}, '"use" is not a string'),
        ("RSA", {"key_ops": "verify"}, "key_ops is not an array"),
        ("RSA", {"key_ops": [1]}, "key_ops is not an array"),
        ("RSA", {"key_ops": []}, 'does not hold "verify"'),
        ("RSA", {"key_ops": ["sign"]}, 'does not hold "verify"'),
        ("RSA", {"key_ops": ["verify", "verify"]}, "duplicate"),
        ("RSA", {"key_ops": ["verify", "encrypt"], "use": "sig"}, "mixes"),
        ("EC", {"key_ops": ["verify", "deriveKey"]}, "mixes"),
        ("RSA", {"kid": 1}, '"kid" is not a string'),
        ("RSA", {"issuer": ["x"]}, '"issuer" is not a string'),
        ("RSA", {"alg": 1}, '"alg" is not a string'),
        ("RSA", {"alg": "RSA-OAEP"}, "alg 'RSA-OAEP' is not a signature algorithm"),
        ("RSA", {"alg": "none"}, "alg 'none' is not a signature algorithm"),
        ("RSA", {"alg": "ES256"}, "alg ES256 does not fit a key of type RSA"),
        ("RSA", {"alg": "HS256"}, "alg HS256 does not fit"),
        ("EC", {"alg": "ES384"}, "alg ES384 does not fit a key of type P-256"),
        ("OKP", {"alg": "ES256"}, "alg ES256 does not fit a key of type Ed25519"),
        ("RSA", {"n": None}, '"n" is not a string'),
        ("RSA", {"n": ""}, '"n" is missing or empty'),
        ("RSA", {"n": "AQ=="}, '"n" is not canonical base64url'),
        ("RSA", {"n": "\u00e9"}, '"n" is not canonical base64url'),
        ("RSA", {"n": "AAAB"}, '"n" starts with a zero octet'),
        ("RSA", {"n": number(2**2046 + 1)}, "2047 bits"),
        ("RSA", {"n": number(2**8192 + 1)}, "8193 bits"),
        ("RSA", {"n": number(2**2047)}, "even|valid RSA key"),
        ("RSA", {"e": "AQ"}, "exponent|valid RSA key"),
        ("RSA", {"e": "Ag"}, "exponent|valid RSA key"),
        ("RSA", {"e": "AQAA"}, "exponent|valid RSA key"),
        ("RSA", {"e": number(2**32 + 1)}, "exponent|valid RSA key"),
        ("EC", {"crv": "secp256k1"}, "crv 'secp256k1'"),
        ("EC", {"crv": "P-384"}, "48 bytes"),
        ("EC", {"crv": None}, '"crv" is not a string'),
        ("EC", {"x": "AQ"}, "32 bytes"),
        ("EC", {"y": encode(bytes(33))}, "32 bytes"),
        ("EC", {"x": encode(bytes(32))}, "valid EC key"),
        ("EC", {"y": encode(b"\xff" * 32)}, "valid EC key"),
        ("EC", {"kty": "RSA"}, '"e" is missing'),
        ("OKP", {"crv": "Ed448"}, "crv 'Ed448' is not Ed25519"),
        ("OKP", {"crv": "X25519"}, "crv 'X25519' is not Ed25519"),
        ("OKP", {"x": encode(bytes(31))}, "valid OKP key"),
    ],
)
def test_refuses(good, kty: str, members: dict[str, Any], reason: str):
    """One wrong member is enough."""
    with pytest.raises(KeyUnusable, match=reason):
        from_jwk(good[kty] | members)


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
def test_private_members_are_refused(good, name: str):
    """Not even null: whoever publishes such a key has a leak, and a set with one must not be silently used."""
    for value in ("AQAB", None):
        with pytest.raises(KeyUnusable, match=f'private member "{name}"'):
            from_jwk(good["RSA"] | {name: value})


@pytest.mark.parametrize(("kty", "missing"), [("RSA", "n"), ("RSA", "e"), ("EC", "y"), ("EC", "crv"), ("OKP", "x")])
def test_missing_members(good, kty: str, missing: str):
    """A key without its numbers or curve is unusable."""
    with pytest.raises(KeyUnusable, match="missing"):
        from_jwk({name: value for name, value in good[kty].items() if name != missing})


def test_not_a_jwk():
    """Any other JSON value, and an object without kty."""
    for value in (None, [], "x", 1):
        with pytest.raises(KeyUnusable, match="not a JSON object"):
            from_jwk(value)  # type: ignore[arg-type]
    with pytest.raises(KeyUnusable, match="kty is missing"):
        from_jwk({})
