"""Attacks by tokens that were made for somebody else, by somebody else, or for another tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auth_doubles import ISSUER, JWKS_URL, Web, auth, jwks, token
from bearerkit import ANY, ConfigError, Issuer
from bearerkit.errors import AudienceMismatch, IssuerMismatch, TokenInvalid
from security.attack import Attack, attacks, attempt, case, each, rows
from security.forgery import EC

TENANT_A, TENANT_B = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
PATTERN = "https://login.example.test/{tenantid}/v2.0"
BY_TID = "https://login.example.test/{tid}/v2.0"


def with_claim(name: str) -> Callable[[Any], str]:
    return lambda value: token(EC, **{name: value})


LOOK_ALIKES = {
    "missing": ..., "null": None, "empty": "", "with a trailing slash": ISSUER + "/", "in other letters":
    ISSUER.upper(), "with a port": ISSUER + ":443", "a substring of ours": ISSUER[:-1], "ours as a substring":
    ISSUER + ".evil.example", "ours behind another": "https://evil.example/" + ISSUER,
    "percent-encoded": "https://id%2eexample.test", "a list": [ISSUER], "a list in a list": [[ISSUER]],
    "a list with others": ["https://evil.example", ISSUER], "an object": {ISSUER: 1}, "with NUL": ISSUER + "\0",
    "with a space": " " + ISSUER, "with a newline": ISSUER + "\n", "with a dotless i": "https://\u0131d.example.test",
    "with a fragment": ISSUER + "#", "with a user": "https://x@id.example.test", "over http": "http" + ISSUER[5:],
}  # fmt: skip
OTHERS = {
    "missing": ..., "null": None, "empty": "", "another": "other", "a list with others": ["other", "more"],
    "nested": [["api"]], "an object in a list": [{"api": 1}], "an object": {"api": 1}, "a number": 5, "true": True,
    "an empty list": [], "space-joined": "api api", "comma-joined": "api,other", "a substring of ours": "ap",
    "ours as a substring": "apix", "in other letters": "API", "a list with a number": ["api", 5], "with NUL": "api\0",
    "with a trailing slash": "api/",
}  # fmt: skip

TABLE = [
    *each(79, "iss", LOOK_ALIKES, with_claim("iss"), IssuerMismatch),
    *each(80, "aud", OTHERS, with_claim("aud"), AudienceMismatch),
    Attack(83, "token of tenant A at an API for B", lambda: token(EC, tid="a"), IssuerMismatch, "tenant_not_allowed",
           settings={"tenants": ["b"]}),
    Attack(83, "token without a tenant", lambda: token(EC), IssuerMismatch, "tenant_not_allowed",
           settings={"tenants": ["b"]}),
    Attack(83, "tenants in a list", lambda: token(EC, tid=["b"]), IssuerMismatch, "tenant_not_allowed",
           settings={"tenants": ["b"]}),
    Attack(83, "the tenant in a second claim", lambda: token(EC, tenant_id="a", tid="b"), IssuerMismatch,
           "tenant_not_allowed", settings={"tenants": ["b"]}),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_issuers_and_audiences(attack: Attack) -> None:
    """Compared character by character, and before any fetch."""
    attempt(attack)


@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        case(79, "iss in NFD where NFC is configured", "https://id.example.test/\u00e9", "https://id.example.test/e\u0301",
             answer="401 issuer_mismatch"),
        case(79, "iss in NFC where NFD is configured", "https://id.example.test/e\u0301", "https://id.example.test/\u00e9",
             answer="401 issuer_mismatch"),
        case(79, "iss in full-width letters", "https://id.example.test/a", "https://id.example.test/\uff41",
             answer="401 issuer_mismatch"),
    ],
)  # fmt: skip
def test_unicode_is_not_normalised(configured: str, sent: str) -> None:
    """Two spellings of one text are two issuers."""
    where = auth(Issuer(configured, audience="api", keys=jwks(EC)))
    assert where.verify(token(EC, iss=configured))
    with pytest.raises(IssuerMismatch):
        where.verify(token(EC, iss=sent))


@pytest.mark.parametrize(
    "iss",
    [
        case(83, f"template filled with {title}", iss, answer="401 issuer_mismatch")
        for title, iss in {
            "another tenant than tid": BY_TID.replace("{tid}", TENANT_B),
            "a path": BY_TID.replace("{tid}", "../evil"),
            "the placeholder itself": BY_TID,
            "nothing": BY_TID.replace("{tid}", ""),
            "a host": BY_TID.replace("login.example.test/{tid}", f"evil.example/{TENANT_A}"),
        }.items()
    ],
)
def test_the_placeholder_of_a_template_is_bound_to_its_claim(iss: str) -> None:
    """The token says tenant A in `tid`: only the issuer of A may say so, and A must be on the list."""
    template = Issuer(BY_TID, audience="api", keys=jwks(EC), placeholders={"tid": "uuid"}, tenants=[TENANT_A, TENANT_B])
    where = auth(template)
    good = BY_TID.replace("{tid}", TENANT_A)
    assert where.verify(token(EC, iss=good, tid=TENANT_A)).tenant_id == TENANT_A
    with pytest.raises(IssuerMismatch):
        where.verify(token(EC, iss=iss, tid=TENANT_A))
    with pytest.raises(IssuerMismatch):
        where.verify(token(EC, iss=good))


@attacks(83, "template {tenantid} not bound to tid", answer="refused at configuration, or 401")
def test_a_template_says_which_tenants() -> None:
    """A template without `tenants=` does not exist, and a key of one tenant does not sign for another."""
    with pytest.raises(ConfigError):
        Issuer(PATTERN, audience="api", keys=jwks(EC), placeholders={"tenantid": "uuid"})
    web = Web()
    web[JWKS_URL] = jwks(EC, issuer=BY_TID.replace("{tid}", TENANT_B))
    entry = Issuer(BY_TID, audience="api", jwks_uri=JWKS_URL, placeholders={"tid": "uuid"}, tenants=ANY)
    where = auth(entry, web=web)
    with pytest.raises(TokenInvalid) as caught:
        where.verify(token(EC, iss=BY_TID.replace("{tid}", TENANT_A), tid=TENANT_A))
    assert caught.value.reason == "key_issuer_mismatch"
    assert where.verify(token(EC, iss=BY_TID.replace("{tid}", TENANT_B), tid=TENANT_B))


@attacks(80, "aud list with ours among others", answer="accepted")
def test_honest_names_pass() -> None:
    """A token for several audiences is for each of them (RFC 7519 section 4.1.3)."""
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)))
    assert where.verify(token(EC, aud=["other", "api"]))
    assert where.verify(token(EC, aud="api"))
