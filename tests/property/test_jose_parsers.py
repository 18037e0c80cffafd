"""Parsers on arbitrary input: they refuse in one way, and agree with the standard library on what they accept."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bearerkit.errors import Malformed
from bearerkit.jose import base64url, compact, strict_json

JSON_TEXT = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**22), 10**22) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
).map(json.dumps)
NOISE = st.text(alphabet='{}[]",:\\ u0d8Dn1e-.tx\ud800é', max_size=60)
SEGMENT = st.binary(max_size=40).map(base64url.encode)
MEMBERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "cty", "crit", "b64", "enc", "jwk", "x"]),
    st.sampled_from(["RS256", "none", "", None, 1, 1.5, True, [], ["x"], ["x", "x"], [1], ["b64"], {}]),
)
HEADER = MEMBERS.map(lambda members: base64url.encode(json.dumps(members).encode()))
TOKENS = (
    st.lists(HEADER | SEGMENT | st.text("AZaz09-_=+/. \n", max_size=12), max_size=7).map(".".join)
    | st.text(max_size=60)
    | st.tuples(HEADER, SEGMENT, SEGMENT).map(".".join)
)


@given(TOKENS | st.binary(max_size=20) | st.none() | st.integers(), st.booleans())
@example("\ud800.a.b", False)
@example("." * 20_000, True)
def test_parse_returns_or_refuses(token: Any, padding: bool):
    """parse raises Malformed and nothing else; what it returns re-encodes to the very token."""
    with contextlib.suppress(Malformed):
        jws = compact.parse(token, padding=padding)
        assert jws.signing_input == token.encode().rpartition(b".")[0]
        segments = [jws.header_segment.decode(), base64url.encode(jws.payload), base64url.encode(jws.signature)]
        if jws.padded:
            segments = [segment + "=" * (-len(segment) % 4) for segment in segments]
        assert ".".join(segments) == token
        assert jws.header.alg == jws.header.members["alg"] != ""


@given(st.binary(max_size=80) | JSON_TEXT.map(str.encode) | NOISE.map(lambda text: text.encode("utf-8", "replace")))
def test_claims_return_or_refuse(payload: bytes):
    """parse_claims gives a dict or raises Malformed and nothing else."""
    with contextlib.suppress(Malformed):
        assert type(compact.parse_claims(payload)) is dict


@given(JSON_TEXT | NOISE)
@example('{"a":1,"a":2}')
@example("[NaN]")
def test_accepted_json_is_what_json_loads_gives(text: str):
    """Strict JSON never reads a document differently, it only refuses more."""
    data = text.encode("utf-8", "surrogatepass")
    with contextlib.suppress(strict_json.JsonInvalid):
        assert strict_json.loads(data) == json.loads(data)


@given(JSON_TEXT)
def test_ordinary_json_is_accepted(text: str):
    """What a signer writes is read, unless it holds one of the numbers or strings that are refused by name."""
    try:
        strict_json.loads(text.encode())
    except strict_json.JsonInvalid as refusal:
        assert any(word in str(refusal) for word in ("NaN", "Infinity", "digits", "surrogate"))  # noqa: PT017


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(
    st.recursive(
        st.sampled_from(["", "[", "}", '"', "\\", '\\"', '[{"']),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(['"[', "\\", "{"]), inner, max_size=2)
        ),
        max_leaves=12,
    ),
    st.integers(0, 6),
)
def test_depth_is_exact_on_json(value: Any, depth: int):
    """A document is refused for depth exactly when it nests deeper, whatever its strings hold."""
    data = json.dumps(value).encode()
    if depth_of(value) <= depth:
        assert strict_json.loads(data, depth=depth) == value
    else:
        with pytest.raises(strict_json.JsonInvalid, match="deeper"):
            strict_json.loads(data, depth=depth)


@given(st.binary(max_size=200))
def test_base64url_round_trip(data: bytes):
    """decode(encode(x)) == x, and encode agrees with the standard library."""
    text = base64url.encode(data)
    assert base64url.decode(text.encode()) == data
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@given(st.binary(max_size=8) | st.text("AQgwEIMUYckosB048-_+/= \n", max_size=9).map(str.encode))
def test_base64url_has_one_spelling_per_value(text: bytes):
    """Whatever decodes is exactly what encode writes for that value."""
    with contextlib.suppress(ValueError):
        assert base64url.encode(base64url.decode(text)).encode() == text


@given(st.binary(min_size=1, max_size=40), st.data())
def test_non_canonical_variants_are_refused(data: bytes, choice: st.DataObject):
    """Padding, whitespace and changed trailing bits are all refused."""
    text = base64url.encode(data)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = {2: 16, 3: 4}.get(len(text) % 4, 1)
    wrong = [text + "=", text + "==", text + "\n", " " + text, text + "A=", text[:1] + "\0" + text[1:]]
    wrong += [text[:-1] + alphabet[alphabet.index(text[-1]) + extra] for extra in range(1, spare)]
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the C library's
        base64url.decode(choice.draw(st.sampled_from(wrong)).encode())
