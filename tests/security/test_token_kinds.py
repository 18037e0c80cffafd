"""Attacks with tokens that the same issuer signed for another purpose."""

from __future__ import annotations

import pytest

from auth_doubles import ISSUER, auth, jwks, token
from bearerkit import Issuer
from bearerkit.errors import IssuerMismatch, WrongTokenType
from security.attack import Attack, attempt, each, rows
from security.forgery import EC

TYP = "typ_not_accepted"
LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}
TYPES = {
    "refresh token": "refresh+jwt", "refresh token, short": "rt+jwt", "logout token": "logout+jwt", "client assertion":
    "client-authentication+jwt", "request object": "oauth-authz-req+jwt", "DPoP proof": "dpop+jwt",
    "introspection answer": "token-introspection+jwt", "security event": "secevent+jwt", "logout token in other words":
    "application/LOGOUT+JWT", "Okta's own": "okta-internal-at+jwt", "key proof": "openid4vci-proof+jwt",
    "empty": "", "JOSE": "JOSE", "at+jwt with NUL": "at+jwt\0", "twice application": "application/application/at+jwt",
}  # fmt: skip
CLAIMS = {
    "refresh token by token_use": {"token_use": "refresh"}, "refresh token by typ": {"typ": "Refresh"},
    "refresh token by type": {"type": "refresh"}, "refresh token by token_type": {"token_type": "refresh_token"},
    "offline token": {"typ": "Offline"}, "logout token": {"events": LOGOUT}, "logout token by typ": {"typ": "Logout"},
    "security event": {"events": {"urn:ietf:params:event:x": {}}}, "DPoP proof": {"htm": "GET", "htu": "https://x"},
    "introspection answer": {"token_introspection": {"active": True}}, "ID token by typ": {"typ": "ID"},
    "ID token by token_use": {"token_use": "id"},
}  # fmt: skip

TABLE = [
    *each(81, "ID token with", {"nonce": "nonce", "at_hash": "at_hash", "c_hash": "c_hash"},
          lambda name: token(EC, {"typ": "JWT"}, **{name: "x"}), WrongTokenType, "claim_forbidden"),
    Attack(81, "ID token without typ", lambda: token(EC, {"typ": ...}, nonce="x"), WrongTokenType, "claim_forbidden"),
    *each(82, "by its typ,", TYPES, lambda typ: token(EC, {"typ": typ}), WrongTokenType, TYP),
    *each(82, "by its claims,", CLAIMS, lambda given: token(EC, **given), WrongTokenType),
    *each(82, "by its claims, without typ:", CLAIMS, lambda given: token(EC, {"typ": ...}, **given), WrongTokenType),
    Attack(82, "client assertion without typ", lambda: token(EC, {"typ": ...}, iss="client-1", sub="client-1"),
           IssuerMismatch),
    Attack(82, "request object without typ", lambda: token(EC, {"typ": ...}, iss="client-1", response_type="code"),
           IssuerMismatch),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_token_kinds(attack: Attack) -> None:
    """Only access tokens authenticate a request; whatever gives another kind away is enough."""
    attempt(attack)


def test_access_tokens_pass() -> None:
    """By any of the usual marks, and an ID token only where it is asked for by name."""
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)))
    for typ in ("at+jwt", "JWT", "application/at+jwt", ...):
        assert where.verify(token(EC, {"typ": typ}))
    for given in ({"token_use": "access"}, {"typ": "Bearer"}, {"events": {}}, {"htm": "GET"}):
        assert where.verify(token(EC, **given))
    ids = auth(Issuer(ISSUER, audience="api", keys=jwks(EC), token_type="id"))
    assert ids.verify(token(EC, {"typ": "JWT"}, nonce="x"))
