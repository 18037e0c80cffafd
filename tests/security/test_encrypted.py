"""Attacks with encryption: a JWE is never opened here, so nothing in it can be trusted, inflated or made dear."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from auth_doubles import ISSUER, JWKS_URL, Web, auth, jwks, token
from bearerkit import Issuer
from bearerkit.errors import KeyNotFound, Malformed, TokenInvalid
from bearerkit.jose.base64url import encode
from security.attack import Attack, attacks, attempt, each, rows
from security.encryption import BOMB, five_parts, jwe, nested_jwe, nested_jws, unsigned, zipped_jws
from security.forgery import EC, RSA, body

OFF_CURVE = {"kty": "EC", "crv": "P-256", "x": encode(b"\1" * 32), "y": encode(b"\1" * 32)}
TABLE = [
    Attack(66, "JWE where a JWS is expected", lambda: jwe(body().encode()), Malformed, "encrypted"),
    Attack(66, "JWE header in three parts", lambda: ".".join(jwe(body().encode()).split(".")[:3]), Malformed,
           "encrypted"),
    Attack(66, "signed token with enc in its header", lambda: token(EC, {"enc": "A128GCM"}), Malformed, "encrypted"),
    Attack(66, "enc that is null", lambda: token(EC, {"enc": None}), Malformed, "encrypted"),
    Attack(67, "JWE to our key around alg none", lambda: jwe(unsigned().encode(), cty="JWT"), Malformed, "encrypted"),
    Attack(67, "JWE to our key around bare claims", lambda: jwe(body(sub="admin").encode()), Malformed, "encrypted"),
    Attack(67, "JWE to our key around a good token", lambda: jwe(token(EC).encode(), cty="JWT"), Malformed,
           "encrypted"),
    *each(68, "JWS nested", {"2 deep": 2, "5 deep": 5, "10 deep": 10, "20 deep": 20}, nested_jws, Malformed),
    *each(68, "JWE nested", {"2 deep": 2, "5 deep": 5}, nested_jwe, Malformed, "encrypted"),
    Attack(69, "zip bomb in a JWE", lambda: jwe(BOMB[:9_000], zip="DEF"), Malformed, "encrypted"),
    Attack(69, "zip bomb in a JWS", zipped_jws, Malformed),
    *each(70, "", {f"p2c {count}": count for count in (2**31 - 1, 10**15, -1)},
          lambda count: five_parts(alg="PBES2-HS512+A256KW", p2c=count, p2s="AAAA"), Malformed, "encrypted"),
    Attack(70, "p2c in a JWS is only a name", lambda: token(EC, {"p2c": 2**31 - 1, "enc": "A128GCM"}), Malformed,
           "encrypted"),
    Attack(71, "RSA1_5", lambda: jwe(body().encode(), padding.PKCS1v15(), alg="RSA1_5"), Malformed, "encrypted"),
    Attack(72, "epk off the curve", lambda: five_parts(alg="ECDH-ES", epk=OFF_CURVE), Malformed, "encrypted"),
    Attack(72, "a published key off the curve", lambda: token(EC), KeyNotFound, fetches=1,
           keys=lambda: {"keys": [{**OFF_CURVE, "kid": "ec-1"}]}),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_encrypted(attack: Attack) -> None:
    """Refused by its form or its header; nothing is decrypted, inflated or derived."""
    attempt(attack)


@attacks(71, "RSA1_5 as an oracle", answer="401 encrypted, the same for both")
def test_a_padding_oracle_has_nothing_to_say() -> None:
    """Good and bad padding get one answer, byte for byte, with the same detail in the log."""
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(RSA)))
    good = jwe(body().encode(), padding.PKCS1v15(), alg="RSA1_5")
    head, _, *rest = good.split(".")
    bad = ".".join([head, encode(os.urandom(256)), *rest])
    answers = set()
    for text in (good, bad):
        with pytest.raises(Malformed) as caught:
            where.verify(text)
        answers.add((where.answer(caught.value), str(caught.value)))
    assert len(answers) == 1


@attacks(70, "the file of CVE-2023-50967", answer="401 encrypted")
def test_the_file_of_a_p2c_advisory(shared: Path) -> None:
    """What latchset/jose hung on."""
    document = (shared / "vectors/latchset-jose/cve-2023-50967.jwe").read_text(encoding="utf-8").strip()
    if document.startswith("{"):
        parts = json.loads(document)
        names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
        compact = ".".join(parts.get(name, "") for name in names)
    else:
        compact = document
    web = Web()
    web[JWKS_URL] = jwks(RSA)
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web)
    for text in (document, compact):
        with pytest.raises(TokenInvalid):
            where.verify(text)
    assert web.asked == []
