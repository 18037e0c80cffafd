"""Attacks by metadata documents, and on what is shared between issuers."""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import DOWN, ISSUER, JWKS_URL, NOW, Web, auth, jwks, token
from bearerkit import ANY, Issuer, IssuerResolver
from bearerkit.errors import IssuerMismatch, KeysUnavailable
from bearerkit.testing import FrozenClock
from key_doubles import NoThreads
from security.attack import attacks, case
from security.forgery import B_ISSUER, B_KEY, B_URL, EC

METADATA = f"{ISSUER}/.well-known/openid-configuration"
NAMES = {
    "another": "https://evil.example", "with a trailing slash": ISSUER + "/", "in other letters": ISSUER.upper(),
    "missing": ..., "null": None, "a list": [ISSUER], "empty": "", "a prefix": ISSUER[:-1], "ours and more":
    ISSUER + "/x",
}  # fmt: skip
PLACES = {
    "http": "http://id.example.test/jwks", "another host": "https://evil.example/jwks", "another port":
    "https://id.example.test:8443/jwks", "a sub-domain": "https://keys.id.example.test/jwks", "our host as user":
    "https://id.example.test@evil.example/jwks", "a parent domain": "https://example.test/jwks", "an address":
    "https://93.184.216.34/jwks", "loopback": "http://127.0.0.1/jwks", "a fragment": JWKS_URL + "#x", "a backslash":
    "https://id.example.test\\@evil.example/jwks", "missing": ..., "a list": [JWKS_URL], "empty": "",
    "a look-alike": "https://\u0131d.example.test/jwks", "a tab": "https://id.example.test\t.evil.example/jwks",
}  # fmt: skip


def document(**changes: Any) -> dict[str, Any]:
    given = {"issuer": ISSUER, "jwks_uri": JWKS_URL, **changes}
    return {name: value for name, value in given.items() if value is not ...}


@pytest.mark.parametrize(
    "page",
    [
        *(case(110, f"metadata issuer {title}", document(issuer=name), answer="503") for title, name in NAMES.items()),
        *(case(110, f"jwks_uri: {title}", document(jwks_uri=url), answer="503") for title, url in PLACES.items()),
        case(110, "metadata that is a list", [document()], answer="503"),
        case(110, "jwks_uri twice", b'{"issuer":"x","jwks_uri":"https://a.example","jwks_uri":"https://b.example"}',
             answer="503"),
    ],
)  # fmt: skip
def test_metadata_does_not_choose_freely(page: Any) -> None:
    """A document that names another issuer, or sends us elsewhere, gives no keys: nothing but it was fetched."""
    web = Web()
    web[METADATA], web[JWKS_URL] = page, jwks(EC)
    for url in PLACES.values():
        if isinstance(url, str):
            web[url] = jwks(EC)
    where = auth(Issuer(ISSUER, audience="api"), web=web)
    with pytest.raises(KeysUnavailable):
        where.verify(token(EC))
    assert web.urls == [METADATA]


@attacks(111, "one issuer's outage", answer="503 for its tokens only")
def test_an_outage_is_isolated() -> None:
    """The other issuer's callers neither wait nor fetch, whatever is sent in the name of the one that is down."""
    web = Web()
    web[JWKS_URL], web[B_URL] = DOWN, jwks(B_KEY)
    where = auth(
        Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL),
        Issuer(B_ISSUER, audience="api", jwks_uri=B_URL, algorithms=["ES384"]),
        web=web, threads=NoThreads(),
    )  # fmt: skip
    for number in range(20):
        with pytest.raises(KeysUnavailable):
            where.verify(token(EC, sub=f"u{number}"))
        assert where.verify(token(B_KEY, iss=B_ISSUER, sub=f"u{number}"))
    assert web.urls.count(B_URL) == 1
    assert web.urls.count(JWKS_URL) == 1


@attacks(111, "unbounded issuer cache, issuers that exist", answer="the oldest goes")
def test_issuers_that_exist_are_kept_in_bounds() -> None:
    """The eleventh of ten drives out the first, which is looked up again when it comes."""
    asked: list[str] = []

    def resolve(iss: str) -> Issuer:
        asked.append(iss)
        return Issuer(iss, audience="api", tenants=ANY, keys=jwks(EC))

    where = auth(IssuerResolver(resolve, max_issuers=10))
    names = [f"https://t{number}.ids.example.test" for number in range(11)]
    for name in names:
        where.verify(token(EC, iss=name, sub="first"))
    where.verify(token(EC, iss=names[10], sub="again"))
    assert asked == names
    where.verify(token(EC, iss=names[0], sub="again"))
    assert asked == [*names, names[0]]


@attacks(111, "unbounded issuer cache, invented issuers", answer="401, look-ups in bounds")
def test_invented_issuers_are_not_all_looked_up() -> None:
    """A flood of them reaches the team's function 200 times and then ten times a second; known tenants go on."""
    clock, asked = FrozenClock(NOW), []

    def resolve(iss: str) -> Issuer | None:
        asked.append(iss)
        return Issuer(iss, audience="api", tenants=ANY, keys=jwks(EC)) if iss == B_ISSUER else None

    where = auth(IssuerResolver(resolve), clock=clock)
    where.verify(token(EC, iss=B_ISSUER))
    for number in range(1_000):
        with pytest.raises(IssuerMismatch):
            where.verify(token(EC, iss=f"https://evil{number}.example"))
    assert len(asked) == 200
    clock.advance(1)
    for number in range(1_000, 1_050):
        with pytest.raises(IssuerMismatch):
            where.verify(token(EC, iss=f"https://evil{number}.example"))
    assert len(asked) == 210
    assert where.verify(token(EC, iss=B_ISSUER, sub="another"))


def test_honest_metadata_passes() -> None:
    """The table means something only because this passes."""
    web = Web()
    web[METADATA], web[JWKS_URL] = document(), jwks(EC)
    assert auth(Issuer(ISSUER, audience="api"), web=web).verify(token(EC))
    assert web.urls == [METADATA, JWKS_URL]
