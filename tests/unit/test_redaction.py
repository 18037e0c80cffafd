"""Text without credentials: every spelling goes, and what is none stays as it is."""

from __future__ import annotations

import pytest

from bearerkit.redaction import CUT, MARK, MAX_LENGTH, redacted, redacted_field

SECRET = "S3cr3tT0kenValue42"
JWS = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"

SPELLINGS = [
    # headers
    ("Authorization: Bearer {s}", "Authorization: Bearer [redacted]"),
    ("authorization: bEARER {s}", "authorization: bEARER [redacted]"),
    ("Proxy-Authorization: Basic {s}", "Proxy-Authorization: Basic [redacted]"),
    ("Authorization: DPoP {s}", "Authorization: DPoP [redacted]"),
    ("{{'authorization': 'Bearer {s}'}}", "{{'authorization': 'Bearer [redacted]'}}"),
    ("[(b'host', b'x'), (b'authorization', b'Bearer {s}')]", None),
    ("'HTTP_AUTHORIZATION': 'Basic {s}', 'X': 1", "'HTTP_AUTHORIZATION': 'Basic [redacted]', 'X': 1"),
    ('{{"h": "{{\\"Authorization\\": \\"Bearer {s}\\"}}"}}', None),
    ("the header was Bearer {s} and", "the header was Bearer [redacted] and"),
    ("Bearer%20{s}", None),
    ("Bearer+{s}", None),
    ("X-Api-Key: {s}", "X-Api-Key: [redacted]"),
    ("x-amzn-oidc-data: {s}", None),
    ("x-goog-iap-jwt-assertion: {s}", None),
    ("Sec-WebSocket-Protocol: bearer, {s}", "Sec-WebSocket-Protocol: bearer, [redacted]"),
    ("Cookie: sessionid={s}; theme=dark", None),
    ("Set-Cookie: sid={s}; Path=/; HttpOnly", None),
    ("{{'cookie': 'a={s}'}}", None),
    # queries, fragments, forms
    ('"GET /x?access_token={s}&page=2 HTTP/1.1" 200', '"GET /x?access_token=[redacted]&page=2 HTTP/1.1" 200'),
    ("GET /x?ACCESS_TOKEN={s}", None),
    ("GET /x?access%5Ftoken={s}&page=2", "GET /x?access%5Ftoken=[redacted]&page=2"),
    ("GET /x?%61ccess_token={s}", None),
    ("/login?next=https%3A%2F%2Fx%3Faccess_token%3D{s}%26page%3D2", None),
    ("/login?next=https%253A%252F%252Fx%253Faccess_token%253D{s}", None),
    ("/callback#access_token={s}&token_type=bearer", "/callback#access_token=[redacted]&token_type=bearer"),
    ("page=1;access_token={s};sort=name", None),
    ("grant_type=password&password={s}&username=ada", None),
    ("client_assertion={s}", None),
    ("refresh_token={s}", None),
    ("id_token_hint={s}", None),
    ("client_secret={s}", None),
    # bodies
    ('{{"access_token": "{s}", "token_type": "Bearer"}}', '{{"access_token": "[redacted]", "token_type": "Bearer"}}'),
    ('{{"a": {{"refresh_\\u0074oken": "{s}"}}}}', None),
    ("{{'access_token': '{s}'}}", "{{'access_token': '[redacted]'}}"),
    ("access_token={s!r}", None),
]


@pytest.mark.parametrize(("text", "left"), SPELLINGS, ids=[text for text, _ in SPELLINGS])
def test_every_spelling_of_a_credential_goes(text: str, left: str | None):
    """And the words around it stay."""
    clean = redacted(text.format(s=SECRET))
    assert SECRET not in clean
    assert MARK in clean
    assert left is None or clean == left.format()
    assert redacted(clean) == clean


@pytest.mark.parametrize(
    "token",
    [JWS, JWS[: JWS.rindex(".")], JWS[:60], f"{JWS}.x.y", JWS.replace(".", "%2E"), f"%65{JWS[1:]}"],
    ids=["whole", "no signature", "cut off", "five parts", "encoded dots", "encoded letter"],
)
@pytest.mark.parametrize("around", ["{}", "verifying {} failed", "/t/{}/x", "'{}',"])
def test_what_looks_like_a_jwt_goes_wherever_it_stands(token: str, around: str):
    """Whole, truncated, encoded."""
    clean = redacted(around.format(token))
    assert "eyJzdWIi" not in clean
    assert MARK in clean


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /orders?page=2&sort=name HTTP/1.1",
        '127.0.0.1 - "GET /health HTTP/1.1" 200',
        "refused: expired: expired 12 s ago",
        "the token has expired",
        "Bearer token is missing",
        "Authorization header missing",
        "code: 401",
        "a key=value pair, and a list [1, 2]",
        "secrets are kept elsewhere",
        "https://id.example.com/.well-known/openid-configuration",
        "[redacted]",
    ],
)
def test_harmless_text_stays(text: str):
    """Character by character."""
    assert redacted(text) == text


def test_names_of_a_team_count():
    """In every way in which names are written."""
    names = frozenset({"xinternaltoken"})
    for text in (f"X-Internal-Token: {SECRET}", f"x_internal_token={SECRET}", f"{{'x-internal-token': '{SECRET}'}}"):
        assert SECRET not in redacted(text, names)


def test_a_value_under_a_name_that_holds_credentials_goes_as_a_whole():
    """Arguments of log calls come with their names."""
    assert redacted_field("access_token", SECRET) == MARK
    assert redacted_field("authorization", f"Bearer {SECRET}") == f"Bearer {MARK}"
    assert redacted_field("page", "2") == "2"


def test_a_long_text_is_cut():
    """Where it is cut, nothing of a credential is left over."""
    text = "x" * (MAX_LENGTH - 100) + f" access_token={SECRET * 50} " + "y" * 1_000
    clean = redacted(text)
    assert len(clean) <= MAX_LENGTH
    assert clean.endswith(CUT)
    assert SECRET not in clean
    assert SECRET[:10] not in clean


@pytest.mark.parametrize("piece", ["access_token=", "a=", "%25", "Bearer ", "eyJ", "'\"", "\\", "(b'", "=;", "[[("])
def test_hostile_text_is_searched_in_the_end(piece: str):
    """A megabyte of what begins like something: the search is linear, or this would not come back."""
    assert len(redacted(piece * (1_000_000 // len(piece)))) <= MAX_LENGTH
