"""Text without credentials: every spelling goes, and what is none stays as it is."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from bearerkit import ConfigError
from bearerkit.redaction import CUT, MARK, MAX_LENGTH, credential_names, escapes, extents, redacted, redacted_field
from bearerkit.redaction import text as redaction_text

SECRET = "S3cr3tT0kenValue42"
JWS = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"

HEADERS = [
    "Authorization: Bearer *",
    "authorization: bEARER *",
    "Authorization: Bearer * from 10.0.0.1",
    "Authorization: Bearer *, Bearer *",
    "Authorization: Bearer *,Bearer *",
    "Proxy-Authorization: Basic * and more",
    "Authorization: DPoP *",
    "Authorization: *",
    "Authorization: Digest * from 10.0.0.1",
    "X-Forwarded-Authorization: Token *",
    "{'authorization': 'Bearer *'}",
    "{'authorization': '*'}",
    "{'authorization': 'Digest *', 'host': 'x'}",
    "[(b'host', b'x'), (b'authorization', b'Bearer *')]",
    "['Authorization', 'Bearer *', 'Host', 'x']",
    "'HTTP_AUTHORIZATION': 'Basic *', 'X': 1",
    "HTTP_AUTHORIZATION=Bearer *",
    "authorization=* status=401",
    '{"authorization":["Bearer *"],"host":"x"}',
    '{"h": "{\\"Authorization\\": \\"Bearer *\\"}", "x": 1}',
    '{"name": "Authorization", "value": "Bearer *"}',
    "map[Authorization:[Bearer *] Host:[x]]",
    "'authorization' => 'Bearer *'",
    "curl -H 'Authorization: Bearer *' https://api.example.com",
    "curl -H \"Authorization: *\" 'https://api.example.com'",
    "'headers: Authorization: *\\r\\nHost: x'",
    "the header was Bearer * and",
    "Bearer%20* Bearer+* bearer=* Bearer: *",
    "Bearer%252B*",
    "Sec-WebSocket-Protocol: bearer, *",
    "Sec-WebSocket-Protocol: chat, bearer, *",
    "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.*",
    "'sec-websocket-protocol': 'bearer, *'",
    "'subprotocols': ['bearer', '*']",
    "bearer, *",
    "X-Api-Key: * 200",
    "x-amzn-oidc-data: *",
    "(b'x-amzn-oidc-accesstoken', b'*')",
    "x-goog-iap-jwt-assertion: *",
    "DPoP: *",
    "Cookie: *",
    "set-cookie: *\r\nHost: x",
    "{'cookie': '*', 'host': 'x'}",
    "curl -H 'Cookie: *' https://api.example.com",
    "https://user:*@api.example.com/",
]
"""With `*` for the credential."""

PARAMETERS = [
    '"GET /x?access_token=*&page=2 HTTP/1.1" 200',
    "GET /x?ACCESS_TOKEN=* HTTP/1.1",
    "GET /x?access%5Ftoken=*&page=2",
    "GET /x?%61ccess_token=*",
    "GET /x?%2561ccess_token=*",
    "GET /x?%access_token=*",
    "GET /x?user[password]=*&user[name]=ada",
    "GET /x?token[]=*&token[1]=*",
    "GET /x?code=*&state=1",
    "GET /x?request=*",
    "/login?next=https%3A%2F%2Fx%3Faccess_token%3D*%26page%3D2",
    "/login?next=https%253A%252F%252Fx%253Faccess_token%253D*%2526y%3D1",
    "/callback#access_token=*&token_type=bearer",
    "page=1;access_token=*;sort=name",
    "code=*&grant_type=authorization_code",
    "grant_type=password&password=*&username=ada",
    "b'client_assertion=*'",
    "('/x?refresh_token=*',)",
    '{"url":"/x?id_token_hint=*","status":200}',
    '{"url":"/x?page=1\\u0026access_token=*\\u0026sort=name"}',
    "(see /x?token=*).",
    "client_secret=*, client_id=orders",
    "device_code: *",
    "password: *",
    "password: * was wrong",
    "the token: * is unknown",
    'Content-Type: x; token="*"; charset=utf-8',
    'x;token="*"; charset=utf-8',
    'Content-Disposition: form-data; name="password"\r\n\r\n*\r\n--boundary',
    '{"access_token": "*", "token_type": "Bearer", "expires_in": 300}',
    '{"a": {"refresh_\\u0074oken": "*"}}',
    "{'access_token': '*'}",
    "{'access_token': ['*'], 'page': ['2']}",
    "{'token': ('*',)}",
    "{'token': ('*', [1]), 'page': 2}",
    "[('access_token', '*'), ('page', '2')]",
    '"code": "*", "state": "x"',
    "accessToken: '*', page: 2",
    "password='*",
    "token: [*",
]


def filled(pattern: str, secret: str) -> str:
    """The pattern with a secret in all its places, in the form that the place asks for."""
    if "ookie" in pattern:
        secret = f"a={secret}; Path=/"
    elif "Digest *" in pattern:
        secret = f'username="{secret}", response={secret}'
    elif 'tion: *"' in pattern or "tion: *\\" in pattern:
        secret = f"Custom {secret} {secret}"
    elif "['*'], 'page'" in pattern:
        secret = f"{secret}', '{secret}"
    elif "('*'," in pattern:
        secret = f"{secret}(]x"
    return pattern.replace("*", secret)


@pytest.mark.parametrize("pattern", [*HEADERS, *PARAMETERS])
def test_every_spelling_of_a_credential_goes(pattern: str):
    """And everything around it stays."""
    clean = redacted(filled(pattern, SECRET))
    assert SECRET not in clean
    assert clean == pattern.replace("*", MARK)
    assert redacted(clean) == clean


@pytest.mark.parametrize(
    "token",
    [JWS, JWS[: JWS.rindex(".")], JWS[:60], f"{JWS}.x.y", f"{JWS}~WyJz~", JWS.replace(".", "%2E"), f"%65{JWS[1:]}"],
    ids=["whole", "no signature", "cut off", "five parts", "disclosures", "encoded dots", "encoded letter"],
)
@pytest.mark.parametrize("around", ["{}", "verifying {} failed", "/t/{}/x", "'{}',", "x.{}", "t={}."])
def test_what_looks_like_a_jwt_goes_wherever_it_stands(token: str, around: str):
    """Whole, truncated, encoded."""
    clean = redacted(around.format(token))
    assert "eyJzdWIi" not in clean
    assert MARK in clean


def test_a_header_of_a_jwt_may_begin_with_white_space():
    """As those in RFC 7515 that were written by hand; then there must be three parts."""
    assert redacted("eyAiYWxnIjoi.eyJzdWIi.c2ln") == redacted("ewogImFsZyI6.eyJzdWIi.c2ln") == MARK
    assert redacted("ewok-lovers-1.example") == "ewok-lovers-1.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[redacted]",
        "GET /orders?page=2&sort=name HTTP/1.1",
        '127.0.0.1 - "GET /health HTTP/1.1" 200',
        '"GET /orders?access_token= HTTP/1.1" 401',
        '"GET /?x=Bearer HTTP/1.1" 200 and "GET /?authorization: HTTP/1.1" 200',
        "refused: expired: expired 12 s ago",
        "the token has expired; invalid token: signature mismatch; Unexpected token: }",
        "Bearer token is missing",
        "The bearer of bad news",
        "Authorization header missing, or Authorization: Bearer, or Authorization: none",
        "authorization:\r\nhost: x",
        'WWW-Authenticate: Bearer realm="api", error="invalid_token", scope="a b"',
        '{"token_type":"Bearer","expires_in":300,"scheme":["Bearer","DPoP"]}',
        "token_type: bearer, expires_in: 300; schemes: Bearer, Basic",
        "basic JavaScript, Basic c2hvcnQ, Basic abcde",
        'code: 401, code=404, \'code\': \'not_found\', "code": "ERR_HTTP2_STREAM", "code": "E1"',
        "request: GET /x, request=<Request>, 'request': 'S3cr3tT0kenValue42'",
        "['id_token', 'token'], ('password', 'required'), 'access_token', 'scope', x, 'y'",
        "('user', 'password', 'x'), \"access_token\", \"S3cr3tT0kenValue42\"",
        "response_type=code&token_type_hint=access_token",
        "Sec-WebSocket-Protocol: chat, superchat",
        "{'sec-websocket-protocol': 'chat', 'token': '', 'tokens': 3}",
        "Set-Cookie: missing",
        "def verify(self, token: str, password: str | None = None) -> None: ...",
        "token = self.take_token(request); secret = await load[name]; f(access_token=access_token)",
        'headers = {"Authorization": f"Bearer {token}"}; log("Authorization: Bearer %s", "token=%(t)s", {x.y})',
        "secrets are kept elsewhere, a key=value pair, and a list [1, 2]",
        "https://id.example.com:8443/.well-known/openid-configuration?x=eyeglasses.example",
        'name="password" and "password"\n\nis a heading',
        "password: was wrong",
        "%41%zz\\x\\u00",
    ],
)
def test_harmless_text_stays(text: str):
    """Character by character."""
    assert redacted(text) == text


def test_quotes_inside_of_a_value_do_not_end_it():
    """Neither escaped ones nor those of the other kind."""
    assert redacted(f'curl -H \'Cookie: a="{SECRET}"; b="{SECRET}\' https://x') == f"curl -H 'Cookie: {MARK}' https://x"
    assert redacted(f'{{"client_secret": "a\\"{SECRET}", "x": 1}}') == f'{{"client_secret": "{MARK}", "x": 1}}'


def test_in_doubt_it_goes():
    """Where one cannot know who wrote what, and what an attacker might use."""
    assert redacted(f'{{"token": "{SECRET}') == f'{{"token": "{MARK}'
    assert redacted(f"access_token: X-Api-Key: {SECRET}") == f"access_token: {MARK} {MARK}"
    assert redacted(f'"{{\\"token\\": \\"{SECRET}" x') == f'"{{\\"token\\": \\"{MARK}" x'
    assert redacted(f"Cookie: {SECRET} {SECRET}\\nx=1") == f"Cookie: {MARK}\\nx=1"
    assert redacted(f"cookie={SECRET} status=401") == f"cookie={MARK} status=401"
    assert SECRET not in redacted(f"code: {SECRET}; code={SECRET}; 'code': '{SECRET}'; \"token\": [\"{SECRET}")
    assert (
        redacted("password: swordfish\npassword: swordfish rejected")
        == f"password: {MARK}\npassword: swordfish rejected"
    )


def test_names_of_a_team_count():
    """In every way in which names are written; what is no name is a ConfigError."""
    names = credential_names(["X-Internal-Token"])
    for text in (f"X-Internal-Token: {SECRET}", f"x_internal_token={SECRET}", f"{{'x-internal-token': '{SECRET}'}}"):
        assert SECRET not in redacted(text, names)
        assert redacted(text) == text
    for wrong in ("x-token", b"x-token", [""], ["a b"], [b"x"], ["--"]):
        with pytest.raises(ConfigError, match="name"):
            credential_names(wrong)  # type: ignore[arg-type]


def test_a_name_is_unescaped_only_so_often():
    """A name of nothing but escapes does not keep the search busy."""
    assert redacted("%25252525252525252525252561ccess_token=x") == "%25252525252525252525252561ccess_token=x"


def test_a_value_under_a_name_that_holds_credentials_goes_as_a_whole():
    """Arguments of log calls come with their names, gunicorn's in braces."""
    assert redacted_field("access_token", SECRET) == MARK
    assert redacted_field("authorization", f"Bearer {SECRET}") == f"Bearer {MARK}"
    assert redacted_field("{x-api-key}i", "an odd one") == MARK
    assert redacted_field("sec-websocket-protocol", f"bearer, {SECRET}") == f"bearer, {MARK}"
    assert redacted_field("code", SECRET) == MARK
    assert redacted_field("code", "not_found") == "not_found"
    assert redacted_field("page", "2") == "2"
    assert redacted_field("url", f"/x?token={SECRET}") == f"/x?token={MARK}"
    assert redacted_field("token", "") == ""


def test_a_long_text_is_cut():
    """Where it is cut, nothing of a credential is left over, and it is cut once."""
    for text in (
        "x" * (MAX_LENGTH - 100) + f" access_token={SECRET * 50} " + "y" * 1_000,
        "x" * (MAX_LENGTH - len(CUT) - 20) + f" postgresql://user:{SECRET}@db.example.com/ " + "y" * 1_000,
    ):
        clean = redacted(text)
        assert len(clean) <= MAX_LENGTH
        assert clean.endswith(CUT)
        assert SECRET[:5] not in clean
        assert redacted(clean) == clean
    filler = f"token={'x' * 600} "
    searched = MAX_LENGTH - len(CUT) + 1024
    start = filler * (searched // len(filler)) + "x" * (searched % len(filler) - 22)
    assert SECRET[:3] not in redacted(f"{start} ftp://user:{SECRET}@db.example.com/ {'y' * 5_000}")
    grown = redacted("token=a&" * (MAX_LENGTH // 8))
    assert len(grown) == MAX_LENGTH
    assert redacted(grown) == grown


def test_what_a_credential_hid_is_searched_for_again_but_not_forever():
    """Each round takes out what the one before it brought to light."""
    text = "Cookie: %22\n%22"
    assert redacted(text) == f"Cookie: {MARK}"
    with patch.object(redaction_text, "_ROUNDS", 1):
        assert redacted(text) == f"Cookie: {MARK}%22"


def test_no_more_is_searched_than_is_kept():
    """Nor is the mark of a cut taken for a part of the text, or a short text for a long one."""
    searched: list[int] = []

    def readings(text: str) -> object:
        searched.append(len(text))
        return escapes.readings(text)

    with patch.object(redaction_text, "readings", readings):
        assert len(redacted("a=b " * MAX_LENGTH)) == MAX_LENGTH
        assert max(searched) <= MAX_LENGTH + 1024
        searched.clear()
        assert redacted(f"a=b{CUT}") == f"a=b{CUT}"
        assert redacted("a=b") == "a=b"
        assert searched == [3, 3]
        assert redacted("plain words") == "plain words"
        assert searched == [3, 3], "nothing in it is a sign of a credential"
        assert redacted("plain words " * 50) == "plain words " * 50
    exact = "a=b " * (MAX_LENGTH // 4)
    assert redacted(exact) == exact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("abc' x", "abc"),
        ("a\\'b' x", "a\\'b"),
        ("a\\\\' x", "a\\\\"),
        ("a\"b'", 'a"b'),
        ("abc", "abc"),
    ],
)
def test_where_a_string_ends(text: str, value: str):
    """At a quote of its own kind that is not escaped; at the latest at the end of the text."""
    assert text[: extents.quote_end(text, 0, "'")] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('abc\\" x', "abc"),
        ('a\\\\\\"b\\"', 'a\\\\\\"b'),
        ('abc" x\\"', "abc"),
        ("abc' x\\\"", "abc' x"),
    ],
)
def test_where_a_string_in_a_string_ends(text: str, value: str):
    """At a quote with as many backslashes as the first, or with fewer: then the outer one ends."""
    assert text[: extents.quote_end(text, 0, '\\"')] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a', 'b'] x]", "'a', 'b'"),
        ("'a]', \")\"] x]", "'a]', \")\""),
        ("'a', [1, (2)], 3) x)", "'a', [1, (2)], 3"),
        ("'a\\']', 'b'] x]", "'a\\']', 'b'"),
        ("'a\"']\"']", "'a\"'"),
        ("'a', 'b'", "'a', 'b'"),
    ],
)
def test_where_a_list_ends(text: str, value: str):
    """At its bracket, not at one in a string or of a list inside."""
    assert text[: extents.list_end(text, 0)] == value


@pytest.mark.parametrize(
    ("before", "text", "value"),
    [
        (" ", "a=b; c=d\nHost: x", "a=b; c=d"),
        (" ", "a=b\\r\\nHost: x", "a=b"),
        (" ", "a='b'; c' x", "a='b'; c"),
        ("'", 'a="b" c=d\'; x', 'a="b" c=d'),
        ("'", 'a="b" c=d\\\' x', 'a="b" c=d'),
        (" ", 'a="b"', 'a="b'),
        (" ", "a=b", "a=b"),
    ],
)
def test_where_a_header_line_ends(before: str, text: str, value: str):
    """With its line or the string that it is; other quotes belong to it."""
    assert text[: extents.line_end(text, 0, before)] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            (f"abc{end}", "abc")
            for end in (" x", "\n", "&x=1", ";x=1", "; x", ", x", '","x"', "' x", "') x", '",', ")", ".")
        ),
        *((f"abc{end}", "abc") for end in ('"}', "'},", "']", ">. x", "\\u0026x", '\\",', ",Bearer x", "\x7f")),
        *((whole, whole) for whole in ("a;b", "a,b", "a'b", 'a"b', "a)b", "a\\b", "a[redacted]b", "a',b", "%3D;")),
    ],
)
def test_where_a_value_without_quotes_ends(text: str, value: str):
    """At what separates or closes, unless more of the value follows."""
    assert text[: extents.run_end(text, 0)].rstrip(".;") == value.rstrip(".;")


HOSTILE = [
    *(
        "a=",
        "code=",
        "token=",
        "token=;a",
        "token=,a",
        ";token=\"a'",
        "token=a: ",
        "%25",
        "%2525",
        "\\",
        '\\"',
        "\\x41",
    ),
    *(
        "bearer=",
        "bearer ",
        'bearer,"a',
        "basic aaaa ",
        "cookie:",
        "cookie:a=b ",
        "authorization: digest a=",
        "'\"",
        "[[(",
    ),
    *("sec-websocket-protocol: a, ", 'token:"', "token:\"token:'", 'token:["', "('token', \"", "eyJ", "eyJaaaaa.", "."),
    *("ewoaaaaa.", "://a:", 'name="token"\r\n\r\n', "a  ", "[redacted]", 'code:\\"', "token=[", "token=a)"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_is_cut(piece: str):
    """A megabyte of what begins like something is not searched to its end."""
    assert len(redacted(piece * (1_000_000 // len(piece)))) <= MAX_LENGTH


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_the_search_is_linear(piece: str):
    """Far beyond the limit: what is searched quadratically takes minutes, and faulthandler ends the run."""
    with patch.multiple(redaction_text, MAX_LENGTH=1_000_000, _ROOM=1_000_000 - len(CUT)):
        assert redacted(piece * (300_000 // len(piece)))


API_KEY = "acme_live_000g40r40m30e209_185gr38e1w8124gk2gahc5rr34d1p70x3rfj08921aaban2"


@pytest.mark.parametrize("text", ["*", "the key * was refused", '"*"', "GET /x?k=*", "keys/*/", "* and *", "(*)"])
@pytest.mark.parametrize("key", [API_KEY, API_KEY[:-9]], ids=["whole", "cut"])
def test_the_secret_of_an_api_key_goes_and_its_id_stays(text: str, key: str) -> None:
    """Wherever it stands, so that whoever reads the log knows which key to revoke."""
    told = redacted(text.replace("*", key))
    assert key[27:] not in told
    assert "?" in text or told == text.replace("*", f"acme_live_000g40r40m30e209_{MARK}")


@pytest.mark.parametrize(
    "text", ["acme_live_000g40r40m30e209", "a_" * 40, "my_long_function_name_with_many_words_in_it"]
)
def test_what_is_no_secret_of_a_key_stays(text: str) -> None:
    """Its id alone, and names of other things."""
    assert redacted(text) == text
