"""Strict JSON: one reading per document, bounded before it recurses."""

from __future__ import annotations

import pytest

from bearerkit.jose.strict_json import JsonInvalid, loads


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":{"b":1,"b":1}}', "twice"),
        (b'[{"a":1,"\\u0061":2}]', "twice"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"1e400", "double"),
        (b"-1e400", "double"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'"\\ud83d\\u0041"', "surrogate"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        (b'"\xff"', "UTF-8"),
        (b"\xef\xbb\xbf{}", "character 0"),
        ('{"a":1}'.encode("utf-16"), "UTF-8"),
        ('{"a":1}'.encode("utf-16-le"), "character 1"),
        (b"{} {}", "after the end"),
        (b'{"a":1}\0', "after the end"),
        (b"", "character 0"),
        (b"  ", "character 0"),
        (b"{'a':1}", "character 1"),
        (b'"\n"', "character"),
        (b"123456789012345678901", "20 digits"),
        (b"-123456789012345678901", "20 digits"),
    ],
)
def test_refuses(text: bytes, reason: str):
    """Each kind of document with two readings, or none, is refused with its own reason."""
    with pytest.raises(JsonInvalid, match=reason):
        loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b' {"a": [1, -2.5, true, null, "x"]}\n', {"a": [1, -2.5, True, None, "x"]}),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'"\\u0000"', "\0"),
        (b"-12345678901234567890", -12345678901234567890),
        (b"1e308", 1e308),
        (b"1e-400", 0.0),
        ('"\N{SNOWMAN}"'.encode(), "\N{SNOWMAN}"),
    ],
)
def test_accepts(text: bytes, value: object):
    """Ordinary documents read as json.loads would read them."""
    assert loads(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 4 + b"]" * 4,
        b'{"a":' * 4 + b"1" + b"}" * 4,
        b'[{"a":[{}]}]',
        b'[[[["' + b"[" * 50 + b'"]]]]',
        b'["\\"' + b"[" * 50 + b'"]',
        b'["\\\\",[],"' + b"[" * 50 + b'"]',
        b"[" + b"[]," * 50 + b"[]]",
    ],
)
def test_depth_allows(text: bytes):
    """Depth counts nesting only: brackets inside strings and beside each other are free."""
    loads(text, depth=4)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 5 + b"]" * 5,
        b"[" * 100_000,
        b'[{"a":' * 2 + b"[]" + b"}]" * 2,
        b'["\\\\",[[[[]]]],"x"]',
        b'["\\\\\\"",[[[[]]]]]',
        b'[[],[],[[]],{"a":{"b":{"c":[]}}}]',
        b'["",[[[[",' + b"]]]]]",
    ],
)
def test_depth_refuses_before_parsing(text: bytes):
    """One level too many is refused, however strings and escapes are arranged around it."""
    with pytest.raises(JsonInvalid, match="deeper"):
        loads(text, depth=4)


def test_depth_is_the_callers():
    """A key set may nest deeper than a token, and integers may be shorter."""
    assert loads(b"[" * 40 + b"]" * 40, depth=40)
    with pytest.raises(JsonInvalid, match="3 digits"):
        loads(b"1234", integer_digits=3)


def test_messages_do_not_quote_the_document():
    """An error never carries what may be a token's content."""
    for text in (b'{"secret-value": nope}', b'{"secret-value":1,"secret-value":2}', b'"secret-value" x'):
        with pytest.raises(JsonInvalid) as caught:
            loads(text)
        assert "secret" not in str(caught.value)
        assert not caught.value.__cause__
