"""No credential survives, however it is spelt and whatever stands around it; redacting twice changes nothing more."""

from __future__ import annotations

import json
import logging
import string
from base64 import urlsafe_b64encode
from unittest.mock import patch
from urllib.parse import quote

from hypothesis import assume, example, given
from hypothesis import strategies as st

from bearerkit import RedactTokens
from bearerkit.redaction import CUT, MARK, redacted
from bearerkit.redaction import text as redaction_text

UNRESERVED = string.ascii_letters + string.digits + "-._~"
TOKENS = st.text(UNRESERVED, min_size=16, max_size=40).filter(
    lambda text: (
        text[0].isalnum() and text[-1].isalnum() and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    )
)
"""What a token looks like: no word of a sentence."""
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
"""What a password may be: anything."""
NAMES = st.sampled_from(
    [
        *("access_token", "refresh_token", "id_token", "id_token_hint", "token", "code_verifier", "device_code"),
        *("user_code", "client_secret", "client_assertion", "assertion", "subject_token", "actor_token"),
        *("logout_token", "password", "api_key", "apikey", "session_id", "accessToken", "CLIENT-SECRET"),
    ]
)
QUERY_NAMES = NAMES | st.sampled_from(["code", "request"])
HEADERS = st.sampled_from(
    [
        *("Authorization: Bearer {}", "authorization: bEARER {}", "Proxy-Authorization: DPoP {}", "AUTHORIZATION: {}"),
        *("{{'authorization': 'Bearer {}'}}", "(b'authorization', b'Bearer {}')", "('Authorization', 'Token {}')"),
        *("[b'proxy-authorization', b'{}']", "'HTTP_AUTHORIZATION': 'Bearer {}'", "HTTP_AUTHORIZATION=Bearer {}"),
        *('{{"authorization":["Bearer {}"]}}', '{{\\"authorization\\":\\"Bearer {}\\"}}', "authorization=Bearer+{}"),
        *("Authorization: Digest username={}", 'Authorization: Digest a="b", response="{}"', "the Bearer {} is"),
        *("Bearer%20{}", "Bearer+{}", "bearer: {}", "authorization%3A%20Bearer%20{}", "map[Authorization:[Bearer {}]]"),
        *("Sec-WebSocket-Protocol: bearer, {}", "'sec-websocket-protocol': 'chat, bearer, {}'", "['bearer', '{}']"),
        *("X-Api-Key: {}", "x-amzn-oidc-data: {}", "(b'x-amzn-oidc-accesstoken', b'{}')", "'HTTP_X_API_KEY': '{}'"),
        *("x-goog-iap-jwt-assertion: {}", "DPoP: {}", "Cookie: a={}", "Set-Cookie: a={}; Path=/; HttpOnly"),
        *("'cookie': 'a=b; c={}'", "(b'set-cookie', b'sid={}; Path=/')", "curl -H 'Cookie: a=\"{}\"' x"),
        *('{{"name": "Authorization", "value": "Bearer {}"}}', "postgresql://user:{}@db.example/x"),
    ]
)
EDGES = st.sampled_from([" ", "\n", "\t", "\r\n"])
FLAGS = st.lists(st.booleans(), max_size=40)


def partly(text: str, flags: list[bool], safe: str = "") -> str:
    """`text` percent-encoded where it must be, and where the flags say so."""
    flags = [*flags, *[False] * len(text)]
    return "".join(
        "".join(f"%{byte:02x}" for byte in char.encode()) if flag else quote(char, safe=safe)
        for char, flag in zip(text, flags, strict=False)
    )


@given(TOKENS, HEADERS, EDGES, EDGES, st.text(max_size=30), st.text(max_size=30))
@example("0" * 15 + "a", "X-Api-Key: {}", " ", " ", "token:", "")
@example("0" * 15 + "a", "X-Api-Key: {}", " ", " ", "Authorization: Digest a=", "")
@example("0" * 15 + "a", "'cookie': 'a=b; c={}'", " ", " ", "token='", "")
def test_headers_in_any_text(token: str, frame: str, edge: str, edge_after: str, before: str, after: str):
    """Every textual form of a header, with anything around it."""
    assume(token not in before + after)
    clean = redacted(before + edge + frame.format(token) + edge_after + after)
    assert token not in clean
    assert MARK in clean
    assert redacted(clean) == clean


@given(TOKENS, HEADERS)
def test_the_words_around_a_header_stay(token: str, frame: str):
    """They are what the line is read for."""
    clean = redacted(f"GET /orders answered 401\nreceived {frame.format(token)}\nin 5 ms")
    assert clean.startswith("GET /orders answered 401\nreceived ")
    assert clean.endswith("\nin 5 ms")


@given(SECRETS, QUERY_NAMES, FLAGS, FLAGS, st.sampled_from("?&#;"), st.integers(0, 3), st.sampled_from(["", "!$*~"]))
@example("a&b", "token", [True], [], "?", 1, "")
@example("%26", "token", [], [], "&", 2, "")
@example("'", "token", [], [], "#", 0, "")
def test_queries(secret: str, name: str, of_name: list[bool], of_value: list[bool], sign: str, nested: int, safe: str):
    """Any value under any name, encoded where it need not be, in a URL inside a URL: all of it goes, nothing else."""
    value = partly(secret, of_value, safe)
    before, after = f"/x?page=1{sign}" if sign != "?" else "/x?", "&sort=name"
    parameter = partly(name, of_name, "-_") + "="
    for _ in range(nested):
        before, after = f"/login?next={quote(before, safe='')}", f"{quote(after, safe='')}&page=2"
        parameter, value = quote(parameter, safe=""), quote(value, safe="")
    clean = redacted(f'10.0.0.1 - "GET {before}{parameter}{value}{after} HTTP/1.1" 200')
    assert clean == f'10.0.0.1 - "GET {before}{parameter}{MARK}{after} HTTP/1.1" 200'
    assert redacted(clean) == clean


def is_stand_in_or_worse(secret: str) -> bool:
    """What a template leaves open is left, and a backslash makes the end of a string uncertain: see below."""
    return secret.startswith(("%", "{", "HTTP/")) or "\\" in secret


@given(SECRETS, NAMES, st.booleans(), st.integers(0, 2), st.sampled_from([None, ",:"]), FLAGS)
def test_json(secret: str, name: str, ascii_only: bool, nested: int, compact: str | None, flags: list[bool]):
    """Any value, names with needless escapes, JSON inside JSON: it is still JSON, and the rest of it is there."""
    assume(not is_stand_in_or_worse(secret))
    flags = [*flags, *[False] * len(name)]
    escaped = "".join(f"\\u{ord(char):04x}" if flag else char for char, flag in zip(name, flags, strict=False))
    separators = (compact[0], compact[1]) if compact else None
    text = json.dumps({"a": 1, "~": secret, "z": "end"}, ensure_ascii=ascii_only, separators=separators)
    text = text.replace('"~"', f'"{escaped}"', 1)
    for _ in range(nested):
        text = json.dumps({"body": text, "status": 200}, separators=separators)
    clean = redacted(text)
    assert redacted(clean) == clean
    read = json.loads(clean)
    for _ in range(nested):
        assert read["status"] == 200
        read = json.loads(read["body"])
    assert read == {"a": 1, name: MARK, "z": "end"}


@given(st.text(string.printable[:95].replace("\\", ""), min_size=1), NAMES, st.booleans(), st.booleans())
def test_python_values(secret: str, name: str, as_bytes: bool, in_text: bool):
    """Dicts as `repr` writes them, and the `repr` of that."""
    assume(not is_stand_in_or_worse(secret))
    key, value = (name.encode(), secret.encode()) if as_bytes else (name, secret)
    written, wanted = repr({key: value, "z": 1}), repr({key: MARK.encode() if as_bytes else MARK, "z": 1})
    assume("\\" not in written)  # both kinds of quotes
    if in_text:
        written, wanted = repr(f"got {written}"), repr(f"got {wanted}")
    clean = redacted(written)
    for quotes in "'\"":  # which quotes repr takes depends on the secret
        clean, wanted = clean.replace("\\", "").replace(quotes, "'"), wanted.replace("\\", "").replace(quotes, "'")
    assert clean == wanted


@given(
    st.lists(TOKENS, min_size=2, max_size=4),
    st.text("\\'\"` \n%x", max_size=4),
    NAMES,
    st.booleans(),
    st.lists(st.booleans(), max_size=2),
)
def test_quotes_and_backslashes_in_a_value(
    parts: list[str], between: str, name: str, as_json: bool, nested: list[bool]
):
    """Where a string ends is uncertain if nobody knows who wrote it: then rather too much goes."""
    text = (json.dumps if as_json else repr)({name: between.join(parts), "z": 1})
    for in_json in nested:
        text = (json.dumps if in_json else repr)(f"got {text}")
    clean = redacted(text)
    assert not any(part in clean for part in parts)


@given(
    st.dictionaries(st.text(UNRESERVED, min_size=1), st.text() | st.integers(), min_size=1, max_size=4),
    st.lists(st.binary(min_size=8, max_size=20), min_size=1, max_size=4),
    st.sampled_from([None, 2]),
    FLAGS,
    st.integers(0, 20),
    st.text(max_size=20),
)
def test_jwts(
    header: dict[str, object], rest: list[bytes], indent: int | None, flags: list[bool], cut: int, around: str
):
    """Signed or encrypted, whole or cut off, encoded or not, anywhere: nothing of what is signed is left."""
    first = json.dumps(header, indent=indent, separators=(",", ":")).encode()
    assume(indent is None or len(rest) > 1)
    parts = [urlsafe_b64encode(part).rstrip(b"=").decode() for part in (first, *rest)]
    token = ".".join(parts)
    token = token[: max(len(token) - cut, len(".".join(parts[: 2 if indent is None else 3])) - 4)]
    assume(parts[1][:6] not in around)
    clean = redacted(f"{around} {partly(token, flags)} {around}")
    assert MARK in clean
    assert parts[1][:6] not in clean


WORDS = st.sampled_from(
    [
        *(
            "the token of user ada",
            "expired at 12:30:05",
            "and was refused by",
            "orders-api",
            "Bearer token is missing",
        ),
        *("Bearer authentication", "bearer scheme", "code=404", "status code: 500", "invalid token: expired", "a -> b"),
        *('"GET /orders/17?page=2&sort=-name&filter=a%20b HTTP/1.1" 200 512', "Mozilla/5.0 (X11; Linux x86_64)", "50%"),
        *("{'a': 1, 'b': [2, 'c']}", '{"token_type": "Bearer", "expires_in": 300}', "/a/b;v=1?x=%3D", "C:\\new\\table"),
        *("response_type=code", "token_type_hint=access_token", "grant_type=authorization_code", "key=value,"),
        *('WWW-Authenticate: Bearer realm="api", error="invalid_token"', "https://id.example.com:8443/jwks?x=1"),
        *("def verify(self, token: str)", "token = self.take_token(request)", "log('Bearer %s')", "token=token"),
    ]
)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_harmless_text_stays(text: str):
    """Character by character."""
    assert redacted(text) == text


PIECES = st.sampled_from(
    [
        *("Authorization", ": ", "=", "'", '"', '\\"', '\\\\\\"', ",", ", ", "(", ")", "[", "]", "{", "}", "Bearer "),
        *("bearer, ", "Basic ", "dXNlcjpwYXNz", " ", "\n", "\\n", "\r\n", "access_token", "token", "code", "password"),
        *(
            "Cookie: ",
            "a=b",
            ";",
            "&",
            "?",
            "%26",
            "%3D",
            "%22",
            "%2522",
            "%20",
            "abc1",
            "eyJhbGciOiJub25l",
            ".",
            "://",
        ),
        *("ewogaaaaaaaaaa", "@", ":", MARK, CUT, "sec-websocket-protocol", ' name="', "\r\n\r\n", "->", "\\u0026"),
        *("HTTP/1.1", "%s", "Digest ", "\xa0"),
    ]
)


@given(st.text(max_size=200) | st.lists(PIECES, max_size=15).map("".join))
def test_a_second_time_changes_nothing(text: str):
    """And no text makes it fail."""
    clean = redacted(text)
    assert redacted(clean) == clean


@given(st.lists(PIECES, min_size=1, max_size=12), st.integers(1, 60))
def test_a_text_that_is_too_long_is_cut_once(pieces: list[str], times: int):
    """The result is never longer than the limit, and is cut no further."""
    with patch.multiple(redaction_text, MAX_LENGTH=300, _ROOM=300 - len(CUT), _BEYOND=50):
        clean = redacted("".join(pieces * times))
        assert len(clean) <= 300
        assert redacted(clean) == clean


@given(TOKENS, HEADERS | QUERY_NAMES.map(lambda name: f"/x?a=1&{name}={{}}&b=2"), st.integers(0, 60))
def test_a_credential_that_is_put_together_by_the_message(token: str, frame: str, at: int):
    """Wherever the border of message and argument is, the record shows no token and is not lost."""
    text = frame.format(token)
    template = text[:at].replace("%", "%%")
    record = logging.LogRecord("app", logging.INFO, __file__, 1, f"got {template}%s (%d)", (text[at:], 7), None)
    assert record.getMessage() == f"got {text} (7)"
    assert RedactTokens().filter(record) is True
    assert token not in record.getMessage()
    assert record.getMessage().startswith("got ")
