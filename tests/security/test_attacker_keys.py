"""Attacks that bring a key along, or name one: jwk, jku, x5u, x5c, x5t and kid in the header of a token."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from auth_doubles import ISSUER, JWKS_URL, Web, auth, jwks, token
from bearerkit import Issuer
from bearerkit.errors import KeyNotFound, Malformed, SignatureInvalid, TokenInvalid
from bearerkit.http import Fetched, Headers
from bearerkit.jose.base64url import encode
from bearerkit.testing import SigningKey
from security.attack import Attack, attacks, attempt, case, each, rows
from security.forgery import B_ISSUER, B_KEY, EC, EVIL, EVIL_RSA, RSA, certificate, keyed, signed_as

ALG = "algorithm_not_allowed"
EVIL_DER = certificate(EVIL_RSA).public_bytes(Encoding.DER)
EVIL_PEM = certificate(EVIL_RSA).public_bytes(Encoding.PEM)
JKU = {
    "of the attacker": "https://evil.example/jwks",
    "with our host as user": "https://id.example.test@evil.example/jwks",
    "through an open redirect": "https://id.example.test/go?to=https://evil.example/jwks",
    "on a path beside ours": f"{JWKS_URL}/../evil",
    "as a data URL": "data:application/json," + json.dumps(jwks(EVIL)),
    "as a file": "file:///tmp/jwks",
}
X5T = {
    "x5t": encode(hashlib.sha1(EVIL_DER).digest()),
    "x5t#S256": encode(hashlib.sha256(EVIL_DER).digest()),
}
KIDS = {
    (40, "kid ../../dev/null"): "../../dev/null",
    (41, "kid with SQL"): "' OR '1'='1",
    (41, "kid with a UNION"): "x' UNION SELECT 'c2VjcmV0'--",
    (42, "kid with an LDAP filter"): "*)(uid=*",
    (42, "kid with NUL"): "ec-1\0",
    (42, "kid with CRLF"): "ec-1\r\nSet-Cookie: a=b",
    (42, "kid in other letters"): "EC-1",
    (42, "kid with a space"): "ec-1 ",
    (42, "empty kid"): "",
    (42, "kid that is an attribute"): "__class__",
    (42, "kid of 2.5 kB"): "k" * 2_500,
}


def embedded(**members: Any) -> str:
    """Signed by the attacker's key, which the header offers."""
    return token(EVIL, members)


def twins() -> dict[str, Any]:
    """Two keys of ours under one kid, and none of them the attacker's."""
    return {"keys": [EC.jwk, SigningKey.generate("ES256", kid="ec-1").jwk]}


TABLE = [
    Attack(34, "embedded jwk under our kid", lambda: embedded(jwk=EVIL.jwk), SignatureInvalid, fetches=1),
    Attack(34, "embedded jwk, no kid", lambda: embedded(jwk=EVIL.jwk, kid=...), SignatureInvalid, fetches=1),
    Attack(34, "embedded jwk under a kid of its own", lambda: embedded(jwk={**EVIL.jwk, "kid": "x"}, kid="x"),
           KeyNotFound, fetches=1),
    Attack(35, "embedded private jwk", lambda: embedded(jwk={**EVIL.jwk, "d": "AAAA"}), SignatureInvalid, fetches=1),
    Attack(35, "embedded secret", lambda: embedded(jwk={"kty": "oct", "k": encode(b"k" * 32)}), SignatureInvalid,
           fetches=1),
    Attack(35, "HMAC by an embedded secret",
           lambda: keyed(b"k" * 32, kid=None, jwk={"kty": "oct", "k": encode(b"k" * 32)}), SignatureInvalid, ALG),
    *each(36, "jku", JKU, lambda url: embedded(jku=url), SignatureInvalid, fetches=1),
    Attack(37, "x5u of the attacker", lambda: embedded(x5u="https://evil.example/cert.pem"), SignatureInvalid,
           fetches=1),
    Attack(38, "x5c, self-signed", lambda: token(EVIL_RSA, {"x5c": [base64.b64encode(EVIL_DER).decode()]}),
           SignatureInvalid, fetches=1),
    *each(39, "swapped", {name: name for name in X5T}, lambda name: token(EVIL_RSA, {name: X5T[name]}),
          SignatureInvalid, fetches=1),
    *(
        Attack(number, title, lambda kid=kid: token(EC, {"kid": kid}), KeyNotFound, fetches=1)
        for (number, title), kid in KIDS.items()
    ),
    Attack(40, "kid ../../dev/null and an HMAC by the empty file", lambda: keyed(b"", kid="../../dev/null"),
           SignatureInvalid, ALG),
    Attack(42, "kid of 10 kB", lambda: token(EC, {"kid": "k" * 10_000}), Malformed),
    *each(43, "kid that is", {"a number": 5, "a list": ["ec-1"], "null": None, "an object": {"ec-1": 1}, "true": True},
          lambda kid: token(EC, {"kid": kid}), Malformed),
    Attack(44, "key of another issuer in our name", lambda: token(B_KEY, iss=ISSUER), SignatureInvalid, ALG),
    Attack(44, "key of another issuer, our algorithm", lambda: signed_as("ES256", B_KEY), KeyNotFound, fetches=1),
    Attack(44, "our key in the name of another issuer", lambda: token(EC, iss=B_ISSUER), SignatureInvalid, ALG),
    Attack(45, "no kid, one key that fits", lambda: token(EVIL, {"kid": ...}), SignatureInvalid, fetches=1,
           keys=lambda: jwks(EC)),
    Attack(45, "no kid, two keys that fit", lambda: token(EVIL, {"kid": ...}), SignatureInvalid, fetches=1, keys=twins),
    Attack(46, "duplicate kid, neither key signed", lambda: token(EVIL), SignatureInvalid, fetches=1, keys=twins),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_attacker_keys(attack: Attack) -> None:
    """No key comes from a token, and no text of a token is more than a name to compare."""
    attempt(attack)


@attacks(36, "jku, x5u and friends are never fetched", answer="401 signature_invalid")
def test_nothing_in_a_header_is_fetched() -> None:
    """The attacker's pages stand ready and answer; nobody asks for them."""
    web = Web()
    web[JWKS_URL] = jwks(EC)
    for url in (*JKU.values(), "https://evil.example/cert.pem"):
        web[url] = jwks(EVIL)
    web["https://id.example.test/go?to=https://evil.example/jwks"] = Fetched(
        302, Headers([("Location", "https://evil.example/jwks")]), b""
    )
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web)
    for url in JKU.values():
        for name in ("jku", "x5u"):
            with pytest.raises(TokenInvalid):
                where.verify(embedded(**{name: url}))
    assert set(web.urls) == {JWKS_URL}


@pytest.mark.parametrize(
    "kid",
    [
        case(number, f"{title} in the URL of the keys", kid, answer="401 key_not_found")
        for (number, title), kid in {**KIDS, (40, "kid %2e%2e%2f"): "%2e%2e%2fevil", (40, "kid ?x#y"): "x?y#z"}.items()
    ],
)
def test_kid_in_the_url_of_the_keys(kid: str) -> None:
    """Where each key has a URL of its own (AWS ALB), a kid that means something in a URL leads nowhere."""
    web = Web()
    where = auth(
        Issuer(
            ISSUER, audience="api", algorithms=["ES256"], key_format="pem-per-kid",
            jwks_uri="https://keys.example.test/{kid}", placeholders={"kid": "uuid"},
        ),
        web=web,
    )  # fmt: skip
    with pytest.raises(KeyNotFound) as caught:
        where.verify(token(EC, {"kid": kid}))
    assert where.answer(caught.value).status == 401
    assert web.asked == []


@attacks(45, "no kid, five keys that fit", answer="401 key_not_found")
def test_a_token_without_kid_is_not_tried_with_many_keys() -> None:
    """Each try costs a signature check, so an attacker could have many of them for one request."""
    keys = [SigningKey.generate("ES256", kid=f"k{number}") for number in range(5)]
    five = auth(Issuer(ISSUER, audience="api", keys=jwks(*keys)))
    four = auth(Issuer(ISSUER, audience="api", keys=jwks(*keys[:4])))
    with pytest.raises(KeyNotFound):
        five.verify(token(keys[3], {"kid": ...}))
    assert four.verify(token(keys[3], {"kid": ...}))


def test_honest_kids_pass() -> None:
    """A duplicate kid and a missing one still find the key that signed."""
    other = SigningKey.generate("ES256", kid="ec-1")
    web = Web()
    web[JWKS_URL] = jwks(other, EC, RSA)
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web)
    assert where.verify(token(EC))
    assert where.verify(token(other))
    assert where.verify(token(EC, {"kid": ...}))
    assert where.verify(token(EC, {"jku": "https://evil.example/jwks", "jwk": EVIL.jwk}))
