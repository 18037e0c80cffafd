"""Attacks on the keys themselves: too small, broken, for another purpose, or chosen by an unprotected header."""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import ISSUER, jwks, token
from bearerkit import ConfigError, Issuer, SharedSecret
from bearerkit.errors import KeyNotFound, Malformed, SignatureInvalid
from bearerkit.jose.base64url import encode
from security.attack import Attack, attempt, case, guarded, rows
from security.forgery import EC, EVIL, RSA, flattened, general, keyed, signature_of
from security.textbook import BrokenKey, roca, rsa_of

MODULUS = rsa_of(2048).n
BROKEN = {
    (26, "RSA of 512 bits"): rsa_of(512),
    (26, "RSA of 1024 bits"): rsa_of(1024),
    (26, "RSA of 2047 bits"): rsa_of(2047),
    (27, "exponent 1"): BrokenKey(MODULUS, 1, 1),
    (27, "exponent 2"): BrokenKey(MODULUS, 2),
    (27, "exponent 65536"): BrokenKey(MODULUS, 65536),
    (27, "exponent beyond 32 bits"): rsa_of(2048, 2**32 + 15),
    (27, "exponent as long as the modulus"): BrokenKey(MODULUS, 2**2046 + 1),
    (27, "modulus of 32768 bits"): BrokenKey(2**32767 + 2**16000 + 1),
    (27, "modulus with a factor that anybody finds"): rsa_of(2048, factor=743),
    (28, "ROCA"): roca(),
}
"""At configuration time each signs well where that can be done: only the rule about keys stands in its way."""

SECRET = {"keys": [{"kty": "oct", "kid": "ec-1", "k": encode(b"s" * 32)}]}
PURPOSES: dict[tuple[int, str], dict[str, Any]] = {
    (30, "use enc"): {"use": "enc"},
    (30, "use in other letters"): {"use": "SIG"},
    (30, "empty use"): {"use": ""},
    (30, "use that is no text"): {"use": ["sig"]},
    (31, "key_ops encrypt"): {"key_ops": ["encrypt"]},
    (31, "key_ops sign"): {"key_ops": ["sign"]},
    (31, "key_ops with a duplicate"): {"key_ops": ["verify", "verify"]},
    (31, "empty key_ops"): {"key_ops": []},
    (31, "key_ops verify and encrypt"): {"key_ops": ["verify", "encrypt"]},
    (31, "key_ops that is text"): {"key_ops": "verify"},
    (31, "key_ops with a number"): {"key_ops": ["verify", 1]},
    (31, "a published private key"): {"d": "AAAA"},
}


TABLE = [
    *(
        Attack(number, title, key.token, KeyNotFound, fetches=1, keys=lambda key=key: key.jwks)
        for (number, title), key in BROKEN.items()
    ),
    Attack(27, "leading zero in the exponent", lambda: token(RSA), KeyNotFound, fetches=1,
           keys=lambda: jwks(RSA, e=encode(b"\0\1\0\1"))),
    *(
        Attack(number, title, lambda: token(EC), KeyNotFound, fetches=1, keys=lambda them=members: jwks(EC, **them))
        for (number, title), members in PURPOSES.items()
    ),
    Attack(31, "a published secret", lambda: keyed(b"s" * 32, kid="ec-1"), SignatureInvalid, "algorithm_not_allowed",
           keys=lambda: SECRET),
    Attack(32, "alg from the unprotected header", lambda: flattened({"kid": "ec-1"}, {"alg": "none"}, b""), Malformed),
    Attack(32, "alg in both headers",
           lambda: flattened({"alg": "ES256", "kid": "ec-1"}, {"alg": "HS256"}, signature_of(token(EC))), Malformed),
    Attack(33, "general JSON, one good and one bad signature", lambda: general(token(EVIL), token(EC)), Malformed),
    Attack(33, "general JSON, one good signature", lambda: general(token(EC)), Malformed),
    Attack(33, "flattened JSON, a good signature",
           lambda: flattened({"alg": "ES256", "kid": "ec-1"}, None, signature_of(token(EC))), Malformed),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_weak_keys(attack: Attack) -> None:
    """A key that must not be used is as good as no key, however good the signature."""
    attempt(attack)


@pytest.mark.parametrize(
    "secret",
    [
        case(29, f"HMAC key of {size} bytes", b"s" * size, answer="refused at configuration")
        for size in (1, 8, 16, 24, 31)
    ],
)
def test_short_secrets(secret: bytes) -> None:
    """Refused before the first token, and one byte too few for the longer hashes too."""
    with pytest.raises(ConfigError):
        SharedSecret(secret)
    with pytest.raises(ConfigError):
        Issuer(ISSUER, audience="api", keys=SharedSecret(b"s" * 63), algorithms=["HS512"])


def test_the_same_with_sound_keys_passes() -> None:
    """The tables mean something only because textbook signatures of a sound key verify."""
    key = rsa_of(2048)
    sound = Attack(26, "", key.token, KeyNotFound, keys=lambda: key.jwks)
    where, _ = guarded(sound)
    assert where.verify(key.token()).subject == "u1"
    wide = Attack(31, "", lambda: token(EC), KeyNotFound, keys=lambda: jwks(EC, use="sig", key_ops=["verify", "sign"]))
    where, _ = guarded(wide)
    assert where.verify(token(EC))
