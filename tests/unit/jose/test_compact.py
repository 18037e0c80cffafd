"""Taking a compact JWS apart: every defect is refused, each with its own text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bearerkit.errors import ConfigError, Malformed
from bearerkit.jose.base64url import encode
from bearerkit.jose.compact import Header, Jws, Limits, parse, parse_claims

HEADER = {"alg": "RS256", "kid": "k1", "typ": "JWT"}


def token(header: Any = HEADER, payload: bytes = b'{"sub":"u1"}', signature: bytes = b"signature") -> str:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return f"{encode(raw)}.{encode(payload)}.{encode(signature)}"


def refusal(text: Any, **settings: Any) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse(text, **settings)
    return caught.value


def test_pieces():
    """Header, payload, signature and the exact signing input come back."""
    text = token()
    jws = parse(text)
    assert jws.header == Header("RS256", "k1", "JWT", HEADER)
    assert (jws.payload, jws.signature, jws.padded) == (b'{"sub":"u1"}', b"signature", False)
    assert jws.signing_input == text.rpartition(".")[0].encode()
    assert jws.header_segment == text.partition(".")[0].encode()


def test_optional_members_are_none():
    """A header of alg alone is enough."""
    header = parse(token({"alg": "ES256"})).header
    assert (header.alg, header.kid, header.typ) == ("ES256", None, None)


def test_header_is_read_only():
    """A remembered header is shared between requests, so nobody may change it."""
    header = parse(token()).header
    with pytest.raises(TypeError):
        header.members["alg"] = "none"  # type: ignore[index]
    with pytest.raises(AttributeError):
        header.alg = "none"  # type: ignore[misc]


def test_repr_holds_no_token():
    """Payload and signature stay out of logs."""
    assert repr(parse(token())) == "Jws(alg='RS256', payload=12 bytes)"


def test_key_carrying_members_are_only_data():
    """jwk, jku, x5u, x5c and x5t change nothing about what is parsed."""
    extra = {"jwk": {"kty": "oct", "k": "x"}, "jku": "https://evil.test", "x5u": 1, "x5c": [], "x5t": None}
    assert parse(token(HEADER | extra)).header.kid == "k1"


@pytest.mark.parametrize(
    ("text", "detail", "reason"),
    [
        (b"a.b.c", "not text", "malformed"),
        (None, "not text", "malformed"),
        ("", "empty", "malformed"),
        ("opaque", "no dots", "opaque"),
        ("a.b", "2 parts", "malformed"),
        ("a.b.c.d", "4 parts", "malformed"),
        ("a.b.c.d.e", "five parts", "encrypted"),
        ("a....e", "five parts", "encrypted"),
        ("a.b.c.d.e.f", "more than five parts", "malformed"),
        ("." * 9000, "more than five parts", "malformed"),
        ('{"payload":"x"}', "JSON serialisation", "malformed"),
        (' {"payload":"a.b"}', "JSON serialisation", "malformed"),
        ('{"payload":"x","header":{"kid":"a.b@c.example"}}', "JSON serialisation", "malformed"),
        ('{"ciphertext":"x"}', "a JWE in its JSON serialisation", "encrypted"),
        ('\n{"header":{"kid":"a.b@c.example"},"ciphertext":"x"}', "a JWE in its JSON serialisation", "encrypted"),
        ('{"ciphertext":"' + "x" * 5_000 + '","header":{"kid":"a.b.c"}}', "a JWE in its JSON", "encrypted"),
        ("é.b.c", "ASCII", "malformed"),
        ("a.b.\ud800", "ASCII", "malformed"),
        ("x" * 16_385, "16385 characters", "malformed"),
        (".AAAA.AAAA", "header segment is empty", "malformed"),
    ],
)
def test_refuses_shapes(text: Any, detail: str, reason: str):
    """What is not three ASCII segments never reaches the decoder."""
    error = refusal(text)
    assert detail in error.detail
    assert error.reason == reason
    assert (error.hint is not None) == (reason != "malformed" or "parts" in detail or "JSON" in detail)


def test_a_cut_jwt_is_not_taken_for_an_opaque_token():
    """What begins like a JOSE header was a JWT once: whoever cut it needs another hint than whoever asked for none."""
    head, body, _ = token().split(".")
    assert refusal(f"{head}.{body}").hint is None
    assert "opaque" in str(refusal("ya29.a0AfExample").hint)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda h, p, s: f"{h}.{p}.", "signature segment is empty"),
        (lambda h, p, s: f"{h}!.{p}.{s}", "header segment is not canonical"),
        (lambda h, p, s: f"{h}.{p}\n.{s}", "payload segment is not canonical"),
        (lambda h, p, s: f"{h}.{p}.{s} ", "signature segment is not canonical"),
        (lambda h, p, s: f" {h}.{p}.{s}", "header segment is not canonical"),
        (lambda h, p, s: f"{h}.{p}.A+", "signature segment is not canonical"),
        (lambda h, p, s: f"{h}.{p}.AB", "signature segment is not canonical"),
        (lambda h, p, s: f"{h}.{p}=.{s}", "payload segment is padded"),
        (lambda h, p, s: f"{h}.{p}.{s}==", "signature segment is padded"),
        (lambda h, p, s: f"{h}=.{p}.{s}", "header segment is padded"),
    ],
)
def test_refuses_segments(change: Any, detail: str):
    """Empty, padded, spaced and non-canonical segments are told apart."""
    error = refusal(change(*token().split(".")))
    assert detail in error.detail
    assert (error.hint is not None) == ("padded" in detail)


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (b"[]", "not a JSON object but an array"),
        (b"null", "but null"),
        (b'"alg"', "but a string"),
        (b"1", "but a number"),
        (b"true", "but a boolean"),
        (b'{"alg":"RS256","alg":"none"}', "twice"),
        (b'{"alg":"RS256"', "not strict JSON"),
        (b"\xff", "not UTF-8"),
        ({}, 'no "alg"'),
        ({"alg": None}, '"alg" is not a string but null'),
        ({"alg": ["RS256"]}, '"alg" is not a string but an array'),
        ({"alg": {}}, "but an object"),
        ({"alg": ""}, '"alg" is empty'),
        ({"alg": "RS256", "kid": 1}, '"kid" is not a string but a number'),
        ({"alg": "RS256", "kid": None}, '"kid" is not a string but null'),
        ({"alg": "RS256", "typ": True}, '"typ" is not a string but a boolean'),
        ({"alg": "RS256", "cty": 1.5}, '"cty" is not a string but a number'),
        ({"alg": "RS256", "b64": True}, '"b64"'),
        ({"alg": "RS256", "b64": False, "crit": ["b64"]}, '"b64"'),
        ({"alg": "RS256", "crit": "exp"}, '"crit" is not an array but a string'),
        ({"alg": "RS256", "crit": None}, '"crit" is not an array but null'),
        ({"alg": "RS256", "crit": []}, '"crit" is an empty array'),
        ({"alg": "RS256", "crit": [1]}, "not a string"),
        ({"alg": "RS256", "crit": ["x", "x"], "x": 1}, "twice"),
        ({"alg": "RS256", "crit": ["alg"]}, "registered member 'alg'"),
        ({"alg": "RS256", "crit": ["x5t#S256"], "x5t#S256": "x"}, "registered"),
        ({"alg": "RS256", "crit": ["x"]}, "'x', which the header does not have"),
        ({"alg": "RS256", "crit": ["exp"], "exp": 1}, "unsupported critical header 'exp'"),
    ],
)
def test_refuses_headers(header: Any, detail: str):
    """Every rule on header members has its own detail."""
    assert detail in refusal(token(header)).detail


def test_enc_in_a_three_part_header_is_a_jwe():
    """A JWE header is named as such, however many parts follow it."""
    error = refusal(token({"alg": "RSA-OAEP", "enc": "A256GCM"}))
    assert error.reason == "encrypted"
    assert error.hint


def test_empty_payload_is_left_to_the_claims():
    """RFC 7515 allows an empty payload; that a JWT has none is for parse_claims to refuse."""
    assert parse(token(payload=b"")).payload == b""


def test_limits():
    """Sizes are checked at the exact character, before decoding."""
    text = token()
    head = text.partition(".")[0]
    parse(text, Limits(token=len(text), header=len(head)))
    assert "limit is" in refusal(text, limits=Limits(token=len(text) - 1)).detail
    assert "the header has" in refusal(text, limits=Limits(header=len(head) - 1)).detail
    nested = token(HEADER | {"x": [[[1]]]})
    parse(nested, Limits(depth=4))
    assert "deeper" in refusal(nested, limits=Limits(depth=3)).detail
    assert "digits" in refusal(token(HEADER | {"x": 12345}), limits=Limits(integer_digits=4)).detail


def test_known_header_is_not_parsed_again():
    """The very object is returned; the limit on the header is not looked at a second time."""
    text = token()
    first = parse(text)
    known = {first.header_segment: first.header}
    assert parse(text, Limits(header=1), known=known).header is first.header
    other = parse(token(HEADER | {"kid": "k2"}), known=known)
    assert other.header.kid == "k2"


def padded(text: str) -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in text.split("."))


def test_padding_on_request():
    """AWS ALB tokens: exact padding on every segment; the signing input is the text as received."""
    text = padded(token(signature=b"12345"))
    assert "=" in text
    jws = parse(text, padding=True)
    assert (jws.padded, jws.payload, jws.signature) == (True, b'{"sub":"u1"}', b"12345")
    assert jws.signing_input == text.rpartition(".")[0].encode()
    assert parse(token(), padding=True).padded is False


def test_padding_must_be_exact_and_everywhere():
    """Half-padded and over-padded tokens stay refused: one token, at most two spellings."""
    head, payload, signature = padded(token({"alg": "RS256"}, b'{"a":1}', b"1234")).split(".")
    assert payload.endswith("=")
    assert signature.endswith("=")
    for text in (
        f"{head}.{payload.rstrip('=')}.{signature}",
        f"{head}.{payload}.{signature.rstrip('=')}",
        f"{head}.{payload}=.{signature}",
        f"{head}====.{payload}.{signature}",
        f"={head}.{payload}.{signature}",
        f"{head}.=.{signature}",
        f"{head}.====.{signature}",
        f"{head}.{payload[:2]}=A.{signature}",
    ):
        refusal(text, padding=True)


def test_remembered_header_does_not_open_the_door_for_padding():
    """A header learned from a padded token does not let a padded header in where padding is off."""
    text = padded(token({"alg": "RS256"} | {"kid": "ab"}, b"abc", b"abc"))
    assert "=" in text.partition(".")[0]
    jws = parse(text, padding=True)
    known = {jws.header_segment: jws.header}
    assert parse(text, padding=True, known=known).header is jws.header
    refusal(text, known=known)


def test_claims():
    """One JSON object comes back as a dict."""
    assert parse_claims(b'{"sub":"u1","exp":1}') == {"sub": "u1", "exp": 1}


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (b"", "payload is empty"),
        (b" ", "not strict JSON"),
        (b"[]", "but an array"),
        (b"null", "but null"),
        (b'"x"', "but a string"),
        (b'{"exp":NaN}', "NaN"),
        (b'{"exp":1,"exp":2}', "twice"),
        (b'{"a":' + b"[" * 20 + b"]" * 20 + b"}", "deeper"),
    ],
)
def test_refuses_payloads(payload: bytes, detail: str):
    """Anything but a strict JSON object is Malformed."""
    with pytest.raises(Malformed, match=detail):
        parse_claims(payload)


def test_payload_limits_are_the_callers():
    """Depth and digits follow the Limits given."""
    parse_claims(b'{"a":[[1]]}', Limits(depth=3))
    with pytest.raises(Malformed, match="2 levels"):
        parse_claims(b'{"a":[[1]]}', Limits(depth=2))
    with pytest.raises(Malformed, match="4 digits"):
        parse_claims(b'{"exp":12345}', Limits(integer_digits=4))


def test_errors_never_hold_the_token():
    """detail and hint of every refusal above stay free of segments."""
    text = token({"alg": "RS256", "crit": "x"}, b'{"sub":"private"}')
    error = refusal(text)
    for segment in text.split("."):
        assert segment not in str(error)
    assert isinstance(parse(token()), Jws)


@pytest.mark.parametrize("wrong", [{"token": 0}, {"header": -1}, {"depth": True}, {"integer_digits": 1.5}])
def test_limits_that_cannot_work(wrong: dict[str, Any]) -> None:
    """Told when the settings are read, all at once."""
    with pytest.raises(ConfigError) as caught:
        Limits(**wrong, **({"header": 0} if "header" not in wrong else {}))
    assert len(caught.value.problems) == (2 if "header" not in wrong else 1)


def test_a_token_with_its_scheme_is_told_apart() -> None:
    """The commonest first mistake with `verify` gets its own hint."""
    error = refusal("Bearer AAAA.AAAA.AAAA")
    assert (error.detail, "without" in (error.hint or "")) == ("the token begins with its scheme", True)
