"""base64url: the one right spelling and nothing else."""

from __future__ import annotations

import pytest

from bearerkit.jose.base64url import decode, encode


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"\0", "AA"), (b"\xff", "_w"), (b"\xfb\xff", "-_8"), (b"foo", "Zm9v"), (b"foob", "Zm9vYg")],
)
def test_round_trip(data: bytes, text: str):
    """Known spellings, both ways (RFC 4648 section 10 and RFC 7515 appendix C)."""
    assert encode(data) == text
    assert decode(text.encode()) == data


@pytest.mark.parametrize(
    "text",
    [
        *(b"A", b"AAAAA", b"AB", b"AAB", b"_x", b"AA==", b"AA=", b"AAA=", b"=", b"====", b"A A", b"AAAA\n", b"\nAAAA"),
        *(b"AA+A", b"AA/A", b"AA?A", b"AA!A", b"AA\0A", b"AA\xffA", b"AA.A", b"\xd0\x90AA"),
    ],
)
def test_refuses_every_other_spelling(text: bytes):
    """Padding, whitespace, foreign alphabets, impossible lengths and non-zero trailing bits."""
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the C library's
        decode(text)
