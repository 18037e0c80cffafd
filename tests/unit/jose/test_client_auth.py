"""Who we say we are: header fields and form fields of each method, and every problem of the settings at once."""

from __future__ import annotations

import base64
import copy
import pickle
from urllib.parse import unquote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.errors import ConfigError, IntrospectionUnavailable
from bearerkit.jose import compact
from bearerkit.jose.client_auth import ASSERTION_SECONDS, authenticate, client_auth
from bearerkit.jose.keys import from_public_key
from bearerkit.jose.private_key import PrivateKey

URL = "https://id.example/introspect"
NOW = 1_790_000_000.75
SECRET = "geheim-7f3a"


def pem(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def basic(**settings) -> str:
    """The decoded text of a Basic header."""
    headers, form = authenticate(client_auth(**settings), URL, NOW, "j1")
    assert form == ()
    ((name, value),) = headers
    assert name == "Authorization"
    scheme, _, text = value.partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(text, validate=True).decode()


def problems(**settings) -> str:
    with pytest.raises(ConfigError) as caught:
        client_auth(**settings)
    assert SECRET not in str(caught.value) + repr(caught.value)
    return "; ".join(caught.value.problems)


def test_basic_is_what_a_secret_is_for():
    assert basic(client_id="orders", client_secret="abc") == "orders:abc"


def test_basic_is_form_encoded_first():
    """RFC 6749 section 2.3.1 and appendix B; the colon of the name cannot end it."""
    assert basic(client_id="a:b", client_secret="+% é/=:~") == "a%3Ab:%2B%25+%C3%A9%2F%3D%3A~"


@given(st.text(min_size=1).filter(lambda text: text == text.strip()), st.text(st.characters(codec="utf-8"), min_size=1))
def test_basic_comes_back_whole(name: str, secret: str):
    """Whoever follows the RFC reads what was configured; what cannot be sent is refused at once."""
    try:
        text = basic(client_id=name, client_secret=secret)
    except ConfigError:
        return
    left, _, right = text.partition(":")
    assert (unquote_plus(left), unquote_plus(right)) == (name, secret)


def test_basic_for_servers_that_do_not_decode():
    assert basic(client_id="a b", client_secret="x+:", form_encoded=False) == "a b:x+:"
    assert "colon" in problems(client_id="a:b", client_secret=SECRET, form_encoded=False)


def test_post():
    headers, form = authenticate(
        client_auth(method="client_secret_post", client_id="a:b", client_secret="x y"), URL, NOW, "j1"
    )
    assert headers == ()
    assert form == (("client_id", "a:b"), ("client_secret", "x y"))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_an_assertion(rsa_private, ec_private, ed_private, algorithm):
    """iss = sub = the client, one audience as text, a short life, and a typ that no access token has."""
    key = {"ES256": ec_private, "EdDSA": ed_private}.get(algorithm, rsa_private)
    method = client_auth(
        client_id="orders", private_key=pem(key), key_id="k1", algorithm=algorithm, audience="https://id.example"
    )
    headers, form = authenticate(method, URL, NOW, "j1")
    assert headers == ()
    fields = dict(form)
    assert fields.pop("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    signed = compact.parse(fields.pop("client_assertion"))
    assert fields == {"client_id": "orders"}
    assert signed.header.members == {"typ": "client-authentication+jwt", "kid": "k1", "alg": algorithm}
    assert compact.parse_claims(signed.payload) == {
        "iss": "orders",
        "sub": "orders",
        "aud": "https://id.example",
        "jti": "j1",
        "iat": 1_790_000_000,
        "exp": 1_790_000_000 + ASSERTION_SECONDS,
    }
    assert from_public_key(key.public_key()).verify(algorithm, signed.signing_input, signed.signature)


def test_an_assertion_for_servers_of_before(ec_private):
    """The endpoint as the audience, and the usual typ."""
    method = client_auth(client_id="orders", private_key=PrivateKey(pem(ec_private)), assertion_type="JWT")
    signed = compact.parse(dict(authenticate(method, URL, NOW, "j1").form)["client_assertion"])
    assert signed.header.members == {"typ": "JWT", "alg": "ES256"}
    assert compact.parse_claims(signed.payload)["aud"] == URL


def test_a_bearer_token_of_our_own():
    assert authenticate(client_auth(token="abc.DEF_1~+/=="), URL, NOW, "j1").headers == (
        ("Authorization", "Bearer abc.DEF_1~+/=="),
    )


def test_a_bearer_token_that_changes():
    """The function is asked for each request."""
    tokens = iter(["t1", "t2"])
    method = client_auth(token=lambda: next(tokens))
    assert [authenticate(method, URL, NOW, "j").headers[0][1] for _ in range(2)] == ["Bearer t1", "Bearer t2"]


def _raise() -> str:
    raise ValueError(f"{SECRET} is expired")


@pytest.mark.parametrize(
    "function", [_raise, lambda: f"{SECRET}\r\nX: 1", lambda: "", lambda: None, lambda: b"abc", lambda: "x" * 20_000]
)
def test_a_function_that_gives_no_token_is_an_outage(function):
    """503, and neither the token nor the error of the team in any text or cause."""
    with pytest.raises(IntrospectionUnavailable) as caught:
        authenticate(client_auth(token=function), URL, NOW, "j1")
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def _later() -> str:
    return "t"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, ["one of client_secret, private_key, token; given is none"]),
        ({"client_id": "a"}, ["given is none"]),
        ({"client_secret": SECRET}, ["client_id is missing"]),
        ({"client_id": "", "client_secret": ""}, ["client_id is missing", "client_secret is missing"]),
        ({"client_id": "a", "client_secret": SECRET, "token": SECRET}, ["client_secret and token"]),
        ({"client_id": 5, "client_secret": b"x"}, ["client_id must be text, not int", "client_secret must be text"]),
        (
            {"client_id": "a\n", "client_secret": f"{SECRET}\n"},
            ["client_id has a control", "client_secret has a control"],
        ),
        (
            {"client_id": " a", "client_secret": f"{SECRET} "},
            ["client_id begins or ends", "client_secret begins or ends"],
        ),
        ({"client_id": "a", "client_secret": f"{SECRET}\ud800"}, ["client_secret has a control"]),
        (
            {"method": "client_secret_basics", "client_id": "a"},
            ["unknown method 'client_secret_basics'", "client_secret_basic"],
        ),
        ({"method": "client_secret_jwt", "client_id": "a", "client_secret": SECRET}, ["unknown method"]),
        (
            {"method": "private_key_jwt", "client_id": "a", "client_secret": SECRET},
            ["does not belong", "private_key is missing"],
        ),
        ({"method": "bearer"}, ["token is missing"]),
        ({"method": "bearer", "token": "t", "client_secret": SECRET}, ["client_secret does not belong to bearer"]),
        ({"method": "client_secret_post", "client_id": "a"}, ["client_secret is missing"]),
        ({"client_id": "a", "private_key": SECRET}, ["private_key cannot be used"]),
        (
            {"private_key": SECRET, "audience": "", "assertion_type": ""},
            ["client_id", "private_key", "audience", "assertion_type"],
        ),
        ({"token": f"{SECRET}\n"}, ["not one bearer token"]),
        ({"token": f"Bearer {SECRET}"}, ["not one bearer token"]),
        ({"token": _later}, ["plain function"]),
    ],
)
def test_every_problem_at_once(settings, said):
    text = problems(**settings)
    for part in said:
        assert part in text


def test_a_weak_key_is_a_problem_of_the_settings():
    weak = pem(rsa.generate_private_key(65537, 1024))
    assert "1024 bits" in problems(client_id="a", private_key=weak)


def test_a_key_that_was_made_before_brings_its_own_settings(ec_private):
    key = PrivateKey(pem(ec_private))
    assert "algorithm and key_id" in problems(client_id="a", private_key=key, key_id="k")


def test_nothing_shows_a_secret(ec_private):
    for settings in (
        {"client_id": "orders", "client_secret": SECRET},
        {"method": "client_secret_post", "client_id": "orders", "client_secret": SECRET},
        {"client_id": "orders", "private_key": pem(ec_private)},
        {"client_id": "orders", "token": SECRET},
    ):
        method = client_auth(**settings)
        made = authenticate(method, URL, NOW, "j1")
        assert "orders" in repr(method)
        assert SECRET not in repr(method) + repr(made) + str(made)
        assert "Basic" not in repr(made)
        with pytest.raises(TypeError):
            pickle.dumps(method)
        with pytest.raises(TypeError):
            copy.deepcopy(method)
        with pytest.raises(AttributeError):
            method.client_id = "admin"
        with pytest.raises(AttributeError):
            del method.client_id
