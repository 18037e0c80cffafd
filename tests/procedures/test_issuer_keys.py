"""`issuer.keys` under the libraries that teams already have: PyJWT, joserfc and Authlib verify with it."""

from __future__ import annotations

import warnings
from typing import Any

import jwt
import pytest

from auth_doubles import ISSUER, JWKS_URL, NOW, Web, jwks, token
from bearerkit import Issuer, SharedSecret
from bearerkit.errors import KeyNotFound, KeysUnavailable, Malformed
from bearerkit.issuer import entry_of
from bearerkit.issuer_keys import IssuerKeys
from bearerkit.system import DaemonThreads, SilentObserver, SystemEntropy
from bearerkit.testing import FakeIssuer, FrozenClock, SigningKey

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
KEYS = {alg: SigningKey.generate(alg, kid=f"{alg}-1") for alg in ALGORITHMS}
KEY = KEYS["ES256"]


def keys_of(issuer: Issuer, web: Web | None = None, clock: FrozenClock | None = None) -> IssuerKeys:
    time = clock or FrozenClock(NOW)
    entry = entry_of(
        issuer,
        http=Web() if web is None else web,
        clock=time,
        entropy=SystemEntropy(),
        threads=DaemonThreads(),
        observer=SilentObserver(),
    )
    return IssuerKeys(entry, time)


def static(**settings: Any) -> Issuer:
    return Issuer(ISSUER, **{"audience": "api", "keys": jwks(*KEYS.values()), **settings})


def long_lived(alg: str, **changes: Any) -> str:
    return token(KEYS[alg], exp=4_000_000_000, iat=1_700_000_000, **changes)


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.interop
def test_pyjwt(alg):
    """In the place of PyJWKClient; what it forged it refuses."""
    keys, text = static().keys, long_lived(alg)
    found = keys.get_signing_key_from_jwt(text)
    assert (found.key_id, found.algorithm_name) == (f"{alg}-1", alg)
    assert jwt.decode(text, found.key, algorithms=[alg], audience="api")["sub"] == "u1"
    assert keys.get_signing_key_from_jwt(text.encode()).key_id == found.key_id
    forged = text[:-8] + "AAAAAAAA"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged, keys.get_signing_key_from_jwt(forged).key, algorithms=[alg], audience="api")


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.interop
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_joserfc(alg):
    """Its key argument may be a callable over the header."""
    from joserfc import jwt as joserfc_jwt
    from joserfc.errors import BadSignatureError
    from joserfc.jwk import import_key

    keys, text = static().keys, long_lived(alg)

    def find(obj: Any) -> Any:
        return import_key(keys.jwk(obj.headers()))

    decoded = joserfc_jwt.decode(text, find, algorithms=[alg])
    assert decoded.claims["sub"] == "u1"
    with pytest.raises(BadSignatureError):
        joserfc_jwt.decode(text[:-8] + "AAAAAAAA", find, algorithms=[alg])


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.interop
def test_authlib(alg):
    """Its key argument may be a callable over header and payload."""
    with warnings.catch_warnings(record=True):  # its own deprecation of the module that teams still use
        from authlib.jose import JsonWebKey, JsonWebToken
        from authlib.jose.errors import BadSignatureError

    keys, text = static().keys, long_lived(alg)

    def find(header: Any, payload: Any) -> Any:
        return JsonWebKey.import_key(keys.jwk(header, payload))

    decoder = JsonWebToken([alg])
    assert decoder.decode(text, find)["sub"] == "u1"
    with pytest.raises(BadSignatureError):
        decoder.decode(text[:-8] + "AAAAAAAA", find)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_jwk_is_the_published_one(alg):
    """Public members and the kid, nothing private."""
    found = static().keys.jwk({"alg": alg, "kid": f"{alg}-1"})
    published = KEYS[alg].jwk
    for name in ("kty", "kid", "n", "e", "crv", "x", "y"):
        assert found.get(name) == published.get(name)
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & found.keys()


def test_a_key_without_a_kid():
    """A static PEM has none; the JWK then has none either."""
    found = Issuer(ISSUER, audience="api", keys=KEY.public_key).keys.jwk({"alg": "ES256"})
    assert "kid" not in found


def test_it_fetches_once_and_never_per_unknown_kid():
    """The point of it all: cached, and rate-limited."""
    web = Web()
    web[JWKS_URL] = jwks(KEY)
    keys = keys_of(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web)
    for _ in range(3):
        keys.get_signing_key_from_jwt(token(KEY))
    for number in range(20):
        with pytest.raises(KeyNotFound):
            keys.jwk({"alg": "ES256", "kid": f"x{number}"})
    assert len(web.asked) == 2


def test_an_outage():
    """KeysUnavailable, as for Auth."""
    with pytest.raises(KeysUnavailable):
        keys_of(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL)).get_signing_key_from_jwt(token(KEY))


@pytest.mark.parametrize(
    "header", [{}, {"alg": None}, {"alg": 5}, {"alg": ["ES256"]}, {"alg": "HS256"}, {"alg": "none"}, {"alg": "ES384"}]
)
def test_an_algorithm_that_the_issuer_does_not_use(header):
    """No key is handed out for it: key confusion in the other library has nothing to confuse."""
    with pytest.raises(KeyNotFound):
        static().keys.jwk({"kid": "ES256-1", **header})


@pytest.mark.parametrize("kid", ["nobody", 5, None, ["ES256-1"], "RS256-1"])
def test_a_kid_that_no_key_has(kid):
    """Wrong, of another type of key, or no string."""
    keys = static(keys=jwks(KEYS["RS256"])).keys
    with pytest.raises(KeyNotFound):
        keys.jwk({"alg": "ES256", "kid": kid})


@pytest.mark.parametrize(
    "text", ["", "x", "a.b.c", b"\xff\xfe", "a.b.c.d.e", token(KEY, b'{"alg":"ES256","alg":"none"}')]
)
def test_what_is_no_token(text):
    """Malformed, whatever it is."""
    with pytest.raises(Malformed):
        static().keys.get_signing_key_from_jwt(text)


def test_a_shared_secret_is_not_handed_out():
    """Neither as a key nor as a JWK, and never in a message."""
    keys = Issuer(ISSUER, audience="api", keys=SharedSecret("s" * 32, kid="h")).keys
    for call in (
        lambda: keys.get_signing_key_from_jwt(token(SigningKey("HS256", b"s" * 32, kid="h"))),
        lambda: keys.jwk({"alg": "HS256", "kid": "h"}),
    ):
        with pytest.raises(KeyNotFound) as caught:
            call()
        assert "sss" not in str(caught.value)


def test_a_key_url_made_from_the_token():
    """Kid and claims fill the template, as for Auth."""
    web = Web()
    web["https://ids.example.test/acme/k"] = jwks(KEY)
    issuer = Issuer(ISSUER, audience="api", jwks_uri="https://ids.example.test/{zid}/k", placeholders={"zid": "word"})
    keys = keys_of(issuer, web)
    assert keys.get_signing_key_from_jwt(token(KEY, zid="acme")).key_id == "ES256-1"
    assert keys.jwk({"alg": "ES256", "kid": "ES256-1"}, {"zid": "acme"})["kid"] == "ES256-1"
    with pytest.raises(KeyNotFound):
        keys.jwk({"alg": "ES256", "kid": "ES256-1"})


def test_padded_tokens_where_they_were_asked_for():
    """AWS ALB."""
    padded = ".".join(part + "=" * (-len(part) % 4) for part in token(KEY).split("."))
    assert static(padding=True).keys.get_signing_key_from_jwt(padded).key_id == "ES256-1"
    with pytest.raises(Malformed):
        static().keys.get_signing_key_from_jwt(padded)


def test_the_keys_of_an_issuer_are_one_object():
    """So that every caller shares the cache."""
    issuer = static()
    assert issuer.keys is issuer.keys


@pytest.mark.interop
def test_over_real_http():
    """Discovery and keys over loopback, then PyJWT verifies."""
    fake = FakeIssuer(alg="RS256", audience="api")
    with fake.serve() as base_url:
        text = fake.token()
        key = Issuer(base_url, audience="api").keys.get_signing_key_from_jwt(text)
        assert jwt.decode(text, key.key, algorithms=["RS256"], audience="api", issuer=base_url)["sub"] == "user"


def test_a_key_that_names_another_issuer_is_not_handed_out():
    """The rule that `Auth` applies (Entra's issuer per key) holds for whoever verifies with these keys."""
    found = keys_of(static(keys=jwks(KEY, issuer="https://other.example.test")))
    with pytest.raises(KeyNotFound, match="another issuer"):
        found.get_signing_key_from_jwt(token(KEY))
    with pytest.raises(KeyNotFound, match="another issuer"):
        found.jwk({"alg": "ES256", "kid": "ES256-1"})
    own = keys_of(static(keys=jwks(KEY, issuer=ISSUER)))
    assert own.get_signing_key_from_jwt(token(KEY)).key_id == "ES256-1"
