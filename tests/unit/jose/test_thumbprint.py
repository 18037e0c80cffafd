"""JWK thumbprints: one name per key, whatever else its JWK says, and none for a key that has two spellings."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as joserfc_jwk

from bearerkit.jose.base64url import encode
from bearerkit.jose.key_rules import KeyUnusable
from bearerkit.jose.thumbprint import thumbprint
from bearerkit.testing import SigningKey

SECRET = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"


@pytest.fixture(scope="module")
def keys() -> dict[str, dict[str, Any]]:
    """A JWK of each type, with optional members."""
    made = {alg: SigningKey.generate(alg, kid="k1").jwk for alg in ("RS256", "ES256", "ES384", "ES512", "EdDSA")}
    return made | {"HS256": {"kty": "oct", "k": SECRET, "alg": "HS256"}}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "ES384", "ES512", "EdDSA", "HS256"])
def test_agrees_with_another_implementation(keys, alg: str):
    """joserfc gives the same thumbprint for every type of key."""
    assert thumbprint(keys[alg]) == joserfc_jwk.import_key(keys[alg]).thumbprint()


@pytest.mark.parametrize("kind", ["RS256", "ES256", "EdDSA", "HS256"])
@given(more=st.dictionaries(st.text(max_size=8).map("x-".__add__), st.integers() | st.text(max_size=8), max_size=4))
def test_optional_members_do_not_count(keys, kind: str, more: dict[str, Any]):
    """Neither unknown members, nor kid, use and alg, nor the order, nor a private half (RFC 7638 section 3.2.1)."""
    jwk = keys[kind]
    bare = {name: jwk[name] for name in ("y", "x", "n", "k", "e", "crv", "kty") if name in jwk}
    private = {} if kind == "HS256" else {"d": "AQAB", "p": 1}
    assert thumbprint({**more, **jwk, **private}) == thumbprint(bare)


def test_curves_we_do_not_verify_with_have_names_too(keys):
    """X25519 and secp256k1 keys are refused for verifying (jwk.py), but are keys with one spelling."""
    x = encode(b"\1" * 32)
    for jwk in ({"kty": "OKP", "crv": "X25519", "x": x}, {"kty": "EC", "crv": "secp256k1", "x": x, "y": x}):
        canonical = json.dumps(dict(sorted(jwk.items())), separators=(",", ":"))
        assert thumbprint(jwk) == encode(hashlib.sha256(canonical.encode()).digest())


@pytest.mark.parametrize(
    ("alg", "change", "reason"),
    [
        ("RS256", {"kty": None}, '"kty" is not a string'),
        ("RS256", {"kty": "rsa"}, "kty 'rsa' is not one of"),
        ("RS256", {"n": ...}, '"n" is missing'),
        ("RS256", {"n": "AAAB"}, '"n" starts with a zero octet'),
        ("RS256", {"e": "AAEAAQ"}, '"e" starts with a zero octet'),
        ("RS256", {"e": "AQAB="}, '"e" is not canonical base64url'),
        ("RS256", {"e": 65537}, '"e" is not a string'),
        ("ES256", {"crv": ...}, r"crv \(missing\) is not one of"),
        ("ES256", {"crv": "P-384"}, '"x" must have 48 bytes'),
        ("ES256", {"crv": "Ed25519"}, "crv 'Ed25519' is not one of"),
        ("ES256", {"y": "AQ"}, '"y" must have 32 bytes'),
        ("ES512", {"x": encode(b"\1" * 65)}, '"x" must have 66 bytes'),
        ("EdDSA", {"crv": "P-256"}, "crv 'P-256' is not one of"),
        ("EdDSA", {"x": encode(b"\1" * 31)}, '"x" must have 32 bytes'),
        ("HS256", {"k": ""}, '"k" is missing or empty'),
        ("HS256", {"k": SECRET + "=="}, '"k" is not canonical base64url'),
    ],
)
def test_a_second_spelling_has_no_name(keys, alg: str, change: dict[str, Any], reason: str):
    """A required member that is absent, of the wrong kind or not in its one spelling is refused, unquoted."""
    jwk = {name: value for name, value in (keys[alg] | change).items() if value is not ...}
    with pytest.raises(KeyUnusable, match=reason) as refusal:
        thumbprint(jwk)
    assert SECRET[:12] not in str(refusal.value)


def test_not_a_jwk():
    """Any other JSON value."""
    for value in (None, [], "x", 1):
        with pytest.raises(KeyUnusable, match="not a JSON object"):
            thumbprint(value)  # type: ignore[arg-type]
    with pytest.raises(KeyUnusable, match=r"kty \(missing\)"):
        thumbprint({})
