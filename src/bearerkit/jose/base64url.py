"""base64url as JOSE uses it (RFC 7515 section 2, appendix C): no padding, no whitespace, one spelling per value.

Two spellings of one value would split caches and dodge deny lists, so trailing bits must be zero. What must never
happen here: skipping a character, or accepting the standard alphabet's + and /.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

__all__ = ["decode", "encode"]

_TO_URL = bytes.maketrans(b"+/", b"-_")
# "+", "/" and "=" become "!", which strict mode refuses like every other foreign byte.
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING = (b"", b"!", b"==", b"=")
_ANY = frozenset(range(256))
# The last characters whose unused low bits are zero, by length modulo 4.
_LAST = (_ANY, _ANY, frozenset(b"AQgw"), frozenset(b"AEIMQUYcgkosw048"))


def decode(text: bytes) -> bytes:
    """The bytes that `text` spells. Raises ValueError, without quoting the text, for any but the one right spelling."""
    rest = len(text) & 3
    if rest and text[-1] not in _LAST[rest]:
        raise ValueError("not base64url: the unused bits at the end are not zero")
    return a2b_base64(text.translate(_FROM_URL) + _PADDING[rest], strict_mode=True)


def encode(data: bytes) -> str:
    """The one base64url spelling of `data`, without padding."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")
