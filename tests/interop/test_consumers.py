"""What FakeIssuer mints and serves, other people's verifiers accept; what it breaks on purpose, they refuse."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bearerkit.testing import FakeIssuer, SigningKey
from interop.foreign_code import Consumers

pytestmark = pytest.mark.interop

AUDIENCE = "orders-api"
DOES: Mapping[str, tuple[str, ...]] = {
    "jose": ("RS256", "PS256", "ES256", "EdDSA"),
    "fast-jwt": ("RS256", "PS256", "ES256", "EdDSA"),
    "aws-jwt-verify": ("RS256", "ES256", "EdDSA"),
    "jsonwebtoken": ("RS256", "PS256", "ES256"),
    "passport-jwt": ("RS256", "PS256", "ES256"),
    "passport-jwt-pem": ("RS256", "PS256", "ES256"),
    "@rudderjs/passport": ("RS256",),
}
"""Which algorithms each can do. Heimdall's own have a test file of their own."""
PAIRS = [(name, alg) for name, algs in DOES.items() for alg in algs]


@pytest.fixture(scope="module")
def issuers() -> Iterator[dict[str, FakeIssuer]]:
    """One served issuer per algorithm."""
    fakes = {alg: FakeIssuer(alg=alg, audience=AUDIENCE) for alg in ("RS256", "PS256", "ES256", "EdDSA")}
    with (
        fakes["RS256"].serve(),
        fakes["PS256"].serve(),
        fakes["ES256"].serve(),
        fakes["EdDSA"].serve(),
    ):
        yield fakes


def pem(key: SigningKey) -> str:
    return key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def settings(issuer: FakeIssuer) -> dict[str, Any]:
    return {
        "issuer": issuer.issuer,
        "audience": AUDIENCE,
        "jwks": issuer.jwks_uri,
        "pem": pem(issuer.key),
        "alg": issuer.alg,
    }


def headers(name: str, issuer: FakeIssuer) -> dict[str, Any] | None:
    """RudderJS finds keys by the hash of their PEM text (there is no key set)."""
    if name != "@rudderjs/passport":
        return None
    digest = urlsafe_b64encode(sha256(pem(issuer.key).encode()).digest())
    return {"typ": "JWT", "kid": digest.rstrip(b"=").decode()}


@pytest.mark.parametrize(("name", "alg"), PAIRS)
def test_accepts_what_fake_issuer_mints(
    consumers: Consumers, issuers: dict[str, FakeIssuer], name: str, alg: str
) -> None:
    """Signature, key set, issuer and audience are right, and the claims arrive as they were minted."""
    issuer = issuers[alg]
    token = issuer.token(headers=headers(name, issuer), scope="orders:read", tenant_id="acme")
    verdict = consumers.judge(name, token, **settings(issuer))
    assert verdict.accepted, verdict.why
    assert verdict.claims["tenant_id"] == "acme"
    assert verdict.claims["iss"] == issuer.issuer


def tampered(issuer: FakeIssuer, shape: dict[str, Any] | None) -> str:
    head, body, signature = issuer.token(headers=shape).split(".")
    claims = json.loads(urlsafe_b64decode(body + "==")) | {"sub": "admin"}
    return f"{head}.{urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.{signature}"


FLAWS: Mapping[str, Callable[[FakeIssuer, dict[str, Any] | None], str]] = {
    "tampered": tampered,
    "other-audience": lambda issuer, shape: issuer.token(headers=shape, aud="billing-api"),
    "other-issuer": lambda issuer, shape: issuer.token(headers=shape, iss="https://evil.example.test"),
    "expired": lambda issuer, shape: issuer.token(headers=shape, exp=int(issuer.now()) - 3_600),
    "strangers-key": lambda issuer, shape: issuer.token(headers=shape, key=SigningKey.generate(issuer.alg)),
    "unknown-kid": lambda issuer, shape: issuer.token(headers={**(shape or {}), "kid": "unknown"}),
    "alg-none": lambda issuer, shape: issuer.token(headers={**(shape or {}), "alg": "none"}),
    "hs256-with-the-public-key": lambda issuer, shape: issuer.token(headers={**(shape or {}), "alg": "HS256"}),
}
TAKES_ANYWAY = {("passport-jwt-pem", "unknown-kid")}
"""Whoever was given the one key looks for no other."""


@pytest.mark.parametrize("flaw", FLAWS)
@pytest.mark.parametrize("name", DOES)
def test_refuses_what_fake_issuer_breaks(
    consumers: Consumers, issuers: dict[str, FakeIssuer], name: str, flaw: str
) -> None:
    """Each flaw is one that the verifier notices, so it is really in the token."""
    issuer = issuers["RS256"]
    verdict = consumers.judge(name, FLAWS[flaw](issuer, headers(name, issuer)), **settings(issuer))
    assert verdict.accepted is ((name, flaw) in TAKES_ANYWAY), verdict


def test_jose_tells_kinds_apart_by_the_typ_that_it_was_told(
    consumers: Consumers, issuers: dict[str, FakeIssuer]
) -> None:
    """`typ: "at+jwt"` is what FakeIssuer writes unless a test says otherwise; fast-jwt does not look."""
    issuer = issuers["ES256"]
    token = issuer.token(headers={"typ": "JWT"})
    assert not consumers.judge("jose", token, **settings(issuer)).accepted
    assert consumers.judge("fast-jwt", token, **settings(issuer)).accepted


def test_every_verifier_is_judged(consumers: Consumers) -> None:
    """A verifier that is added to the script cannot be forgotten here."""
    assert set(consumers.names) == {*DOES, "heimdall", "heimdall-passport"}
