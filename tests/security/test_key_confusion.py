"""Attacks that take something public for a shared secret: every form of our keys, keyed into an HMAC."""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import ISSUER, auth, jwks
from bearerkit import ConfigError, Issuer, SharedSecret
from bearerkit.errors import SignatureInvalid, TokenInvalid
from bearerkit.jose.base64url import encode
from security.attack import Attack, attempt, case, rows
from security.forgery import EC, ED, RSA, keyed, public_forms

FORMS = public_forms()
ALG = "algorithm_not_allowed"
BARE = ("raw modulus", "Ed25519 bytes")
"""Bytes without any form: nobody can tell them from a secret. The tests above say that none is made of them here."""

TABLE = [
    Attack(number, f"{alg} keyed with {name}", lambda secret=secret, alg=alg: keyed(secret, alg), SignatureInvalid, ALG)
    for (number, name), secret in FORMS.items()
    for alg in ("HS256", "HS512")
]


@pytest.mark.parametrize("attack", rows(TABLE))
def test_an_issuer_with_public_keys(attack: Attack) -> None:
    """No HMAC is computed at all where keys are public, cold and warm."""
    attempt(attack)


@pytest.mark.parametrize(
    "secret",
    [
        case(number, f"{name} beside a secret", it, answer="401 signature_invalid")
        for (number, name), it in FORMS.items()
    ],
)
@pytest.mark.parametrize("kid", ["rsa-1", None], ids=["kid", "no-kid"])
def test_an_issuer_with_a_secret_and_public_keys(secret: bytes, kid: Any) -> None:
    """During a migration both algorithms are accepted: public material is still no secret."""
    where = auth(
        Issuer(ISSUER, audience="api", keys=SharedSecret("s" * 32)),
        Issuer(ISSUER, audience="api", keys=jwks(RSA, EC, ED)),
    )
    assert where.verify(keyed(b"s" * 32, kid=None))
    with pytest.raises(TokenInvalid) as caught:
        where.verify(keyed(secret, kid=kid))
    assert caught.value.reason == "signature_invalid"


@pytest.mark.parametrize(
    "secret",
    [
        case(number, f"{name} as a secret", it, answer="refused at configuration")
        for (number, name), it in FORMS.items()
        if name not in BARE
    ],
)
def test_public_material_is_refused_as_a_secret(secret: bytes) -> None:
    """A team that configures the public key as a secret is stopped before the first token, whatever the encoding."""
    for value, encoding in ((secret, "raw"), (encode(secret), "base64url"), (secret.hex(), "hex")):
        if secret or encoding == "raw":
            with pytest.raises(ConfigError):
                SharedSecret(value, encoding=encoding)  # type: ignore[arg-type]
