"""The text of an API key: how ours is made and told from a mistyped one, and what is asked of one that others made.

A text that passes says nothing about who it belongs to, or whether it was ever given out. No secret leaves this module
in an error.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Protocol, final
from zlib import crc32

from bearerkit.errors import Malformed

__all__ = ["ALPHABET", "LONGEST", "RANDOM_BYTES", "ForeignForm", "Form", "MadeKey", "OwnForm", "prefix_problem"]

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Five bits each; no i, l, o and u, which are misread, and one case only, so that a key has one spelling."""
LONGEST: Final = 512
"""Characters of a key that others made."""
_ID: Final = 16
_SECRET: Final = 40
_CHECK: Final = 7
RANDOM_BYTES: Final = (_ID + _SECRET) * 5 // 8
"""80 bits of id and 200 bits of secret."""
_CLASS: Final = "[0-9a-hjkmnp-tv-z]"
_OWN_PREFIX: Final = re.compile(r"[a-z](?:[a-z0-9]|_(?!_)){1,30}_", re.ASCII)
_FOREIGN_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9._~-]{1,62}", re.ASCII)
_TOKEN: Final = r"[A-Za-z0-9._~+/=-]{16,}"


class Form(Protocol):
    """What keys of one kind look like."""

    prefix: str

    def check(self, text: str) -> None:
        """Raise Malformed for what cannot be such a key."""
        ...


class MadeKey(NamedTuple):
    """A new key: its public id, and the whole text, which is a secret."""

    id: str
    text: str


@final
class OwnForm:
    """`<prefix><id>_<secret><checksum>`: `acme_live_` and 64 characters. `prefix` is one that has no problem."""

    __slots__ = ("_whole", "pattern", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.pattern = f"{re.escape(prefix)}{_CLASS}{{{_ID}}}_{_CLASS}{{{_SECRET + _CHECK}}}"
        """A regular expression for scanners of leaked secrets."""
        self._whole = re.compile(self.pattern, re.ASCII)

    def make(self, random: bytes) -> MadeKey:
        """The key of these `RANDOM_BYTES` bytes."""
        if len(random) != RANDOM_BYTES:
            raise ValueError(f"a key is made of {RANDOM_BYTES} random bytes, not {len(random)}")
        letters = _letters(int.from_bytes(random, "big"), _ID + _SECRET)
        body = f"{self.prefix}{letters[:_ID]}_{letters[_ID:]}"
        return MadeKey(letters[:_ID], body + _checksum(body))

    def check(self, text: str) -> None:
        """Raise Malformed for what is cut off, mistyped, of another prefix, or was never made by `make`."""
        self.id_in(text)

    def id_in(self, text: str) -> str:
        """The id of a key. Raises Malformed as `check` does."""
        if self._whole.fullmatch(text) is None:
            raise Malformed(
                f"not an API key of the form {self.prefix}…: {len(text)} characters",
                hint="Was the key cut off when it was copied, or is it one of another system?",
            )
        body = text[:-_CHECK]
        if text[-_CHECK:] != _checksum(body):
            raise Malformed(
                f"the checksum of an API key {self.prefix}… does not fit: it was mistyped or made up",
                hint="Copy the key again. Keys are told from typing errors before any store is asked.",
            )
        return body[len(self.prefix) : len(self.prefix) + _ID]


@final
class ForeignForm:
    """A prefix, and a pattern for what follows it; at most `LONGEST` characters."""

    __slots__ = ("_rest", "prefix")

    def __init__(self, prefix: str, pattern: str | None) -> None:
        self.prefix = prefix
        self._rest = re.compile(_TOKEN if pattern is None else pattern, re.ASCII)

    def check(self, text: str) -> None:
        """Raise Malformed for what does not look so."""
        fits = len(text) <= LONGEST and text.startswith(self.prefix)
        if not fits or self._rest.fullmatch(text, len(self.prefix)) is None:
            raise Malformed(f"not an API key of the form {self.prefix}…: {len(text)} characters")


def prefix_problem(prefix: object, *, own: bool) -> str | None:
    """What is wrong with a prefix, None if nothing. Prefixes of others may have capitals and end in anything."""
    if not isinstance(prefix, str):
        return f"prefix must be text, not {type(prefix).__name__}"
    if own and _OWN_PREFIX.fullmatch(prefix) is None:
        return (
            f"prefix {prefix!r} must be 3 to 32 small letters, digits and single underscores, begin with a letter and "
            "end with an underscore, such as acme_live_"
        )
    if _FOREIGN_PREFIX.fullmatch(prefix) is None:
        return f"prefix {prefix!r} must be 2 to 63 of A-Z a-z 0-9 . _ ~ - and begin with a letter"
    if prefix.startswith("ey"):
        return f"prefix {prefix!r} begins as JWTs do"
    return None


def _checksum(body: str) -> str:
    # CRC-32 finds every burst of up to 32 bits: any one letter, and any two neighbours that were swapped.
    return _letters(crc32(body.encode("ascii")), _CHECK)


def _letters(number: int, count: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (count - 1), -1, -5))
