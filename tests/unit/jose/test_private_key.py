"""Private keys that sign: judged like the keys we verify with, bound to one algorithm, never shown."""

from __future__ import annotations

import copy
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bearerkit.jose import base64url, compact
from bearerkit.jose.keys import KeyUnusable, from_jwk, from_public_key
from bearerkit.jose.private_key import PrivateKey
from bearerkit.testing import SigningKey

PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


def pem(key, form=PKCS8, encryption=NoEncryption()) -> bytes:
    return key.private_bytes(Encoding.PEM, form, encryption)


def number(value: int, size: int | None = None) -> str:
    return base64url.encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def private_jwk(key, **changes):
    """The private JWK of a key; a value of `...` leaves a member out."""
    public = SigningKey({"RSA": "RS256"}.get(_family(key), "EdDSA" if _family(key) == "OKP" else "ES256"), key).jwk
    members = {name: value for name, value in public.items() if name not in ("alg", "use", "kid")}
    if isinstance(key, rsa.RSAPrivateKey):
        found = key.private_numbers()
        secret = {"d": found.d, "p": found.p, "q": found.q, "dp": found.dmp1, "dq": found.dmq1, "qi": found.iqmp}
        members |= {name: number(value) for name, value in secret.items()}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        members["d"] = number(key.private_numbers().private_value, 32)
    else:
        members["d"] = base64url.encode(key.private_bytes_raw())
    return {name: value for name, value in (members | changes).items() if value is not ...}


def _family(key) -> str:
    return {"RSAPrivateKey": "RSA", "ECPrivateKey": "EC", "EllipticCurvePrivateKey": "EC"}.get(
        type(key).__name__, "OKP"
    )


@pytest.fixture
def keys(rsa_private, ec_private, ed_private):
    return {"RSA": rsa_private, "EC": ec_private, "OKP": ed_private}


@pytest.mark.parametrize(("family", "usual"), [("RSA", "RS256"), ("EC", "ES256"), ("OKP", "EdDSA")])
@pytest.mark.parametrize("spelled", ["pem", "text", "jwk"])
def test_signs_with_the_usual_algorithm(keys, family, usual, spelled):
    """What it signs verifies with the public half, under the kid that was given."""
    given = keys[family]
    spelling = {"pem": pem(given), "text": pem(given).decode(), "jwk": private_jwk(given)}[spelled]
    key = PrivateKey(spelling, kid="k1")
    assert (key.algorithm, key.kid) == (usual, "k1")
    signed = compact.parse(key.sign({"typ": "x+jwt"}, {"sub": "é"}))
    assert signed.header.members == {"typ": "x+jwt", "kid": "k1", "alg": usual}
    assert compact.parse_claims(signed.payload) == {"sub": "é"}
    public = from_public_key(given.public_key())
    assert public.verify(usual, signed.signing_input, signed.signature)


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
def test_both_forms_of_pem(rsa_private, ec_private, form):
    assert PrivateKey(pem(rsa_private, form)).algorithm == "RS256"
    assert PrivateKey(pem(ec_private, form)).algorithm == "ES256"


def test_another_algorithm_of_its_type(rsa_private):
    key = PrivateKey(pem(rsa_private), algorithm="PS256")
    signed = compact.parse(key.sign({}, {}))
    public = from_public_key(rsa_private.public_key())
    assert public.verify("PS256", signed.signing_input, signed.signature)
    assert not public.verify("RS256", signed.signing_input, signed.signature)
    assert "kid" not in signed.header.members


def test_a_jwk_brings_its_kid_and_its_algorithm(rsa_private):
    jwk = private_jwk(rsa_private, kid="own", alg="PS512", use="sig")
    key = PrivateKey(jwk)
    assert (key.kid, key.algorithm) == ("own", "PS512")
    assert PrivateKey(jwk, kid="other").kid == "other"
    with pytest.raises(KeyUnusable, match="another algorithm"):
        PrivateKey(jwk, algorithm="RS256")


def test_the_header_cannot_choose_the_algorithm(ec_private):
    signed = compact.parse(PrivateKey(pem(ec_private)).sign({"alg": "none", "kid": "x"}, {}))
    assert signed.header.members["alg"] == "ES256"


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES256", "ES384", "EdDSA", "rs256", ""])
def test_an_algorithm_that_does_not_fit(rsa_private, algorithm):
    with pytest.raises(KeyUnusable, match="cannot sign"):
        PrivateKey(pem(rsa_private), algorithm=algorithm)


def test_weak_and_foreign_keys():
    for key, why in [
        (rsa.generate_private_key(65537, 1024), "1024 bits"),
        (ec.generate_private_key(ec.SECP256K1()), "curve"),
        (ed448.Ed448PrivateKey.generate(), "not an RSA"),
        (dsa.generate_private_key(2048), "not an RSA"),
    ]:
        with pytest.raises(KeyUnusable, match=why):
            PrivateKey(pem(key))


def test_pem_that_is_no_private_key(rsa_private, ec_private):
    public = rsa_private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    whole = pem(ec_private)
    for given, why in [
        (public, "exactly one block"),
        (b"", "exactly one block"),
        ("geheim", "exactly one block"),
        (whole + whole, "exactly one block"),
        (whole + public, "exactly one block"),
        (pem(rsa_private, PKCS8, BestAvailableEncryption(b"x")), "encrypted"),
        (pem(rsa_private, TRADITIONAL, BestAvailableEncryption(b"x")), "encrypted"),
        (whole.replace(b"MIG", b"AAA"), "cannot be read|can be read"),
        (17, "PEM text or a JWK"),
    ]:
        with pytest.raises(KeyUnusable, match=why) as caught:
            PrivateKey(given)  # type: ignore[arg-type]
        assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("family", "changes", "why"),
    [
        ("RSA", {"d": ...}, "no private key|not a private key"),
        ("RSA", {"q": ...}, '"q" is missing'),
        ("RSA", {"n": "AQAB"}, "numbers"),
        ("RSA", {"use": "enc"}, "use"),
        ("RSA", {"kty": "oct"}, "not of type"),
        ("RSA", {"kty": ...}, "not of type"),
        ("RSA", {"kid": 5}, '"kid" is not a string'),
        ("RSA", {"alg": "HS256"}, "cannot sign"),
        ("EC", {"crv": "P-521"}, "66 bytes"),
        ("EC", {"crv": "secp256k1"}, "crv"),
        ("EC", {"d": base64url.encode(b"\x01" * 31)}, "32 bytes"),
        ("EC", {"d": base64url.encode(b"\x01" * 32)}, "numbers"),
        ("OKP", {"crv": "X25519"}, "not of type"),
        ("OKP", {"x": base64url.encode(b"\x01" * 32)}, "another key"),
        ("OKP", {"d": "!!"}, "base64url"),
    ],
)
def test_a_jwk_that_is_not_whole(keys, family, changes, why):
    """A public half that belongs to another key too: the server would know no such key."""
    with pytest.raises(KeyUnusable, match=why):
        PrivateKey(private_jwk(keys[family], **changes))


def test_it_shows_and_gives_away_nothing(ed_private):
    jwk = private_jwk(ed_private)
    key = PrivateKey(jwk, kid="k1")
    assert repr(key) == "PrivateKey(hidden, algorithm='EdDSA', kid='k1')"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)
    with pytest.raises(AttributeError):
        key.algorithm = "none"
    with pytest.raises(AttributeError):
        del key.kid
    assert from_jwk({name: jwk[name] for name in ("kty", "crv", "x")}).fits(key.algorithm)
