"""Attacks on the algorithm and the signature: none in disguise, other algorithms, signatures that are no signatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, utils, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth_doubles import ISSUER, NOW, auth, jwks, token
from bearerkit import ConfigError, Issuer
from bearerkit.errors import KeyNotFound, Malformed, SignatureInvalid
from bearerkit.jose.base64url import encode
from bearerkit.testing import SigningKey
from security.attack import Attack, attacks, attempt, each, guarded, rows
from security.forgery import (
    B_ISSUER,
    B_KEY,
    EC,
    ED,
    RSA,
    body,
    pss,
    resigned,
    segment,
    signature_of,
    signed,
    signed_as,
    without_alg,
)

ALG = "algorithm_not_allowed"
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED_L = 2**252 + 27742317777372353535851937790883648493
ED448 = ed448.Ed448PrivateKey.generate()
SECP256K1 = ec.generate_private_key(ec.SECP256K1())
OTHER_NAMES = {"None": "None", "NONE": "NONE", "nOnE": "nOnE"}
DISGUISES = {
    "with a space": " none",
    "with NUL": "none\0",
    "in full-width letters": "\uff4e\uff4f\uff4e\uff45",
    "with a space behind": "none ",
    "with a newline": "none\n",
}


def curve_keys() -> Mapping[str, Any]:
    """A key of another curve under the kid, as a careless provider publishes it."""
    p384 = SigningKey.generate("ES384", kid="ec-1").jwk
    return {"keys": [{name: value for name, value in p384.items() if name != "alg"}]}


def koblitz_keys() -> Mapping[str, Any]:
    numbers = SECP256K1.public_key().public_numbers()
    x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"keys": [{"kty": "EC", "crv": "secp256k1", "kid": "ec-1", "x": x, "y": y}]}


def by_koblitz() -> str:
    """Well signed, on a curve of the same size."""
    text = token(EC).rpartition(".")[0]
    r, s = utils.decode_dss_signature(SECP256K1.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encode(raw_ec(r, s))}"


def okp_keys(curve: str, raw: bytes) -> Mapping[str, Any]:
    return {"keys": [{"kty": "OKP", "crv": curve, "kid": "ed-1", "x": encode(raw)}]}


def x25519_keys() -> Mapping[str, Any]:
    key = x25519.X25519PrivateKey.generate().public_key()
    return okp_keys("X25519", key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def ed448_keys() -> Mapping[str, Any]:
    return okp_keys("Ed448", ED448.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def by_ed448(alg: str) -> str:
    text = f"{segment({'alg': alg, 'kid': 'ed-1', 'typ': 'at+jwt'})}.{segment(body())}"
    return f"{text}.{encode(ED448.sign(text.encode()))}"


def raw_ec(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def in_der() -> str:
    text = token(EC)
    raw = signature_of(text)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    return resigned(text, utils.encode_dss_signature(r, s))


def resized(change: Any) -> str:
    text = token(EC)
    return resigned(text, change(signature_of(text)))


def with_greater_s() -> str:
    """S + L: the same number modulo the order of the group, which a careless verifier takes."""
    text = token(ED)
    raw = signature_of(text)
    return resigned(text, raw[:32] + (int.from_bytes(raw[32:], "little") + ED_L).to_bytes(32, "little"))


def relabelled(key: SigningKey, alg: str, signed_by: str) -> str:
    """A signature by one algorithm under the name of another."""
    text = f"{segment({'alg': alg, 'kid': key.kid, 'typ': 'at+jwt'})}.{segment(body())}"
    return f"{text}.{encode(key.sign(text.encode(), alg=signed_by))}"


TABLE = [
    Attack(1, "alg none and an empty signature", lambda: token(EC, {"alg": "none"}), Malformed),
    *each(2, "an empty signature under", OTHER_NAMES, lambda alg: token(EC, {"alg": alg}), Malformed),
    *each(3, "none", DISGUISES, signed_as, SignatureInvalid, ALG),
    Attack(4, "none with a signature", lambda: signed_as("none"), SignatureInvalid, ALG),
    *each(4, "with a signature,", OTHER_NAMES, signed_as, SignatureInvalid, ALG),
    *each(
        5,
        "alg",
        {"missing": ..., "null": None, "a number": 5, "a list": ["ES256"], "true": True, "an object": {}, "empty": ""},
        lambda alg: token(EC, {"alg": alg}),
        Malformed,
    ),
    Attack(16, "an algorithm of another issuer", lambda: token(B_KEY), SignatureInvalid, ALG),
    Attack(16, "the same under our kid", lambda: token(B_KEY, {"kid": "ec-1"}), SignatureInvalid, ALG),
    *each(
        16,
        "unlisted",
        {alg: alg for alg in ("RS384", "RS512", "PS512", "ES256K", "Ed448", "rs256", "HS256", "dir")},
        lambda alg: signed_as(alg, RSA),
        SignatureInvalid,
        ALG,
    ),
    Attack(
        17, "RS256 signature called PS256, key without alg", lambda: relabelled(RSA, "PS256", "RS256"),
        SignatureInvalid, fetches=1, keys=lambda: without_alg(RSA),
    ),
    Attack(
        17, "PS256 signature called RS256, key without alg", lambda: relabelled(RSA, "RS256", "PS256"),
        SignatureInvalid, fetches=1, keys=lambda: without_alg(RSA),
    ),
    Attack(
        18, "key for RS256, header RS512", lambda: token(RSA, {"alg": "RS512"}), KeyNotFound, fetches=1,
        settings={"algorithms": ["RS256", "RS512"]},
    ),
    Attack(
        18, "key for RS256, header PS256", lambda: token(RSA, {"alg": "PS256"}), KeyNotFound, fetches=1,
        settings={"algorithms": ["RS256", "PS256"]},
    ),
    Attack(
        18, "allowed PS256 in the header, the key's RS256 in the signature", lambda: relabelled(RSA, "PS256", "RS256"),
        KeyNotFound, fetches=1, settings={"algorithms": ["PS256"]},
    ),
    Attack(19, "RSA key under ES256", lambda: token(EC, {"kid": "rsa-1"}), KeyNotFound, fetches=1),
    Attack(19, "EC key under RS256", lambda: token(RSA, {"kid": "ec-1"}), KeyNotFound, fetches=1),
    Attack(19, "EC key under EdDSA", lambda: token(ED, {"kid": "ec-1"}), KeyNotFound, fetches=1),
    Attack(20, "ES256 with P-384", lambda: token(EC), KeyNotFound, fetches=1, keys=curve_keys),
    Attack(20, "ES256 with secp256k1", by_koblitz, KeyNotFound, fetches=1, keys=koblitz_keys),
    Attack(21, "DER signature", in_der, SignatureInvalid, fetches=1),
    *each(
        22,
        "psychic signature",
        {
            "r=0 s=0": (0, 0), "r=0": (0, 1), "s=0": (1, 0), "r=n": (P256_N, 1), "s=n": (1, P256_N),
            "r=n s=n": (P256_N, P256_N), "r=n s=0": (P256_N, 0), "r=n-1 s=n-1": (P256_N - 1, P256_N - 1),
        },
        lambda numbers: signed(raw_ec(*numbers)), SignatureInvalid, fetches=1,
    ),
    *each(22, "zeros of", {"RS256": (256, RSA), "EdDSA": (64, ED)}, lambda size: signed(bytes(size[0]), size[1]),
          SignatureInvalid, fetches=1),
    *each(
        23,
        "a signature of",
        {
            "63 bytes": lambda raw: raw[:-1], "65 bytes": lambda raw: raw + b"\0", "65 bytes, zero first":
            lambda raw: b"\0" + raw, "128 bytes": lambda raw: raw + raw, "32 bytes": lambda raw: raw[:32],
        },
        resized, SignatureInvalid, fetches=1,
    ),
    Attack(24, "EdDSA with X25519", lambda: token(ED), KeyNotFound, fetches=1, keys=x25519_keys),
    Attack(24, "EdDSA with Ed448", lambda: by_ed448("EdDSA"), KeyNotFound, fetches=1, keys=ed448_keys),
    Attack(24, "Ed448 by name", lambda: by_ed448("Ed448"), SignatureInvalid, ALG, keys=ed448_keys),
    Attack(24, "non-canonical S", with_greater_s, SignatureInvalid, fetches=1),
    *each(
        25,
        "PS256 with",
        {
            "no salt": (0, hashes.SHA256()), "a short salt": (20, hashes.SHA256()),
            "a long salt": (33, hashes.SHA256()), "MGF1 over SHA-1": (32, hashes.SHA1()),
            "another hash": (32, hashes.SHA256(), hashes.SHA512()),
        },
        lambda shape: pss(*shape), SignatureInvalid, fetches=1, keys=lambda: without_alg(RSA),
    ),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_algorithms(attack: Attack) -> None:
    """Refused by the rule of the row, cold and warm."""
    attempt(attack)


@attacks(18, "allow-list bypass by a key object", answer="401 algorithm_not_allowed")
def test_a_key_object_does_not_widen_the_list() -> None:
    """The list of the issuer holds, whatever the key that was handed over could do."""
    for alg, other in (("PS256", "RS256"), ("RS512", "RS256")):
        where = auth(Issuer(ISSUER, audience="api", keys=RSA.public_key, algorithms=[alg]))
        assert where.verify(token(RSA, {"alg": alg, "kid": ...}))
        with pytest.raises(SignatureInvalid) as caught:
            where.verify(token(RSA, {"alg": other, "kid": ...}))
        assert caught.value.reason == ALG


@attacks(20, "secp256k1 as a key object", answer="refused at configuration")
def test_a_key_object_of_another_curve() -> None:
    """There is no entry for it in the table at all."""
    with pytest.raises(ConfigError):
        Issuer(ISSUER, audience="api", keys=SECP256K1.public_key())


def test_what_was_attacked_accepts_honest_tokens() -> None:
    """The tables mean something only because these pass."""
    where, _ = guarded(TABLE[0])
    for key in (RSA, EC, ED):
        assert where.verify(token(key)).subject == "u1"
        assert where.verify(token(key, {"kid": ...})).subject == "u1"
    assert where.verify(token(ED, {"alg": "Ed25519"})).subject == "u1"
    assert where.verify(token(B_KEY, iss=B_ISSUER)).issuer == B_ISSUER
    assert where.verify(token(EC, {"typ": "application/AT+JWT"}, nbf=NOW + 30, aud=["x", "api"]))
    loose = auth(Issuer(ISSUER, audience="api", keys=without_alg(RSA), algorithms=["RS256", "PS256"]))
    assert loose.verify(pss(32, hashes.SHA256()))
    assert auth(Issuer(ISSUER, audience="api", keys=jwks(EC))).verify(signed_as("ES256"))
