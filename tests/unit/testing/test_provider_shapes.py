"""FakeIssuer in the shape of a certain provider: header and claims of every token, paths, several kinds of keys."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from bearerkit import Auth, Issuer
from bearerkit._drive import run
from bearerkit.errors import TokenInvalid
from bearerkit.http import Fetch
from bearerkit.testing import FakeIssuer, SigningKey

SLUG = "https://id.example.test/orders"


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def test_header_and_claims_of_the_issuer_are_in_every_token() -> None:
    """Between what is always filled in and what `token()` is given."""
    issuer = FakeIssuer(alg="ES256", headers={"typ": "JWT", "x": 1}, claims={"type": "end_user", "jti": None})
    header, claims = read(issuer.token())
    assert (header["typ"], header["x"], claims["type"]) == ("JWT", 1, "end_user")
    assert "jti" not in claims
    header, claims = read(issuer.token({"type": "m2m"}, headers={"typ": None}, jti="j1"))
    assert "typ" not in header
    assert (claims["type"], claims["jti"]) == ("m2m", "j1")


def test_the_shape_is_copied() -> None:
    """A test that goes on to change its dictionary does not change the issuer."""
    shape = {"typ": "JWT"}
    issuer = FakeIssuer(alg="ES256", headers=shape, claims=shape)
    shape["typ"] = "other"
    header, claims = read(issuer.token())
    assert (header["typ"], claims["typ"]) == ("JWT", "JWT")


def test_served_urls_keep_their_paths() -> None:
    """Issuer, key set and metadata: only scheme and host are those of loopback, and the query stays."""
    issuer = FakeIssuer(
        SLUG,
        alg="ES256",
        jwks_uri=f"{SLUG}/v1/.well-known/jwks.json?v=2",
        metadata_url="https://meta.example.test/orders/v1/.well-known/openid-configuration",
    )
    with issuer.serve() as url:
        root = url.removesuffix("/orders")
        assert url == issuer.issuer == f"{root}/orders"
        assert issuer.jwks_uri == f"{url}/v1/.well-known/jwks.json?v=2"
        found = Issuer(url, audience="orders", metadata_url=f"{url}/v1/.well-known/openid-configuration")
        assert Auth(found).verify(issuer.token(aud="orders")).issuer == url
        assert issuer.fetches == [f"{url}/v1/.well-known/openid-configuration", issuer.jwks_uri]
    assert issuer.jwks_uri == f"{SLUG}/v1/.well-known/jwks.json?v=2"


def test_a_trailing_slash_stays_too() -> None:
    """Auth0's issuers end in one, and it is part of the name."""
    issuer = FakeIssuer("https://tenant.example.test/", alg="ES256", audience="api")
    with issuer.serve() as url:
        assert url.endswith("/")
        assert Auth(Issuer(url, audience="api")).verify(issuer.token()).issuer == url


def test_further_keys_are_published_and_sign() -> None:
    """A provider with several algorithms says so in its metadata, and rotation leaves the others alone."""
    issuer = FakeIssuer("https://id.example.test", alg="ES256", audience="api")
    further = SigningKey.generate("EdDSA", kid="ed")
    issuer.publish(further)
    auth = Auth(Issuer(issuer.issuer, audience="api"), http=issuer.http)
    assert auth.verify(issuer.token(key=further)).subject == "user"
    issuer.rotate()
    assert [key["kid"] for key in issuer.jwks["keys"]] == [issuer.key.kid, "ed"]
    assert issuer.metadata["id_token_signing_alg_values_supported"] == ["ES256", "EdDSA"]


def test_a_changed_jwk_is_published_as_it_is() -> None:
    """For key rules: a key for encryption is in the set, and signs nothing."""
    issuer = FakeIssuer("https://id.example.test", alg="ES256", audience="api")
    odd = SigningKey.generate("ES256", kid="enc")
    issuer.publish({**odd.jwk, "use": "enc", "alg": None})
    published = json.loads(run(issuer.http.fetch(Fetch(issuer.jwks_uri))).body)
    assert published["keys"][1]["use"] == "enc"
    with pytest.raises(TokenInvalid):
        Auth(Issuer(issuer.issuer, audience="api"), http=issuer.http).verify(issuer.token(key=odd))


def test_a_shared_secret_is_never_published() -> None:
    """Not as a further key either."""
    issuer = FakeIssuer(alg="HS256")
    issuer.publish(SigningKey.generate("HS512", kid="s"))
    assert issuer.jwks == {"keys": []}
    assert issuer.metadata["id_token_signing_alg_values_supported"] == ["HS256"]
