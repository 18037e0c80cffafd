"""One text as it reads with its escapes undone, layer by layer, and where each piece stands in the text as it came.

A parameter in a URL inside a URL, a header inside a JSON string inside a `repr`: what is searched for may be written
with percent signs and backslashes any number of times over. Pure, and linear in the length of the text. What is read
here is only looked at: nothing but the text as it came may ever be given back.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, final

__all__ = ["DEPTH", "Reading", "readings", "unescaped"]

DEPTH: Final = 5
"""How many layers of escapes are undone."""

_ESCAPE: Final = re.compile(r"%(?:u[0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})|\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[\\/\"'`nrt])")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t"}


@final
class Reading:
    """`text`, and the place of each of its characters in the text as it came."""

    __slots__ = ("_after", "_below", "_gained", "text")

    def __init__(
        self, text: str, below: Reading | None = None, after: Sequence[int] = (), gained: Sequence[int] = ()
    ) -> None:
        self.text = text
        self._below = below
        self._after = after
        self._gained = gained

    def place(self, index: int) -> int:
        """Where the character at `index` begins in the text as it came."""
        reading = self
        while reading._below is not None:
            before = bisect_right(reading._after, index)
            if before:
                index += reading._gained[before - 1]
            reading = reading._below
        return index

    def deeper(self) -> Reading | None:
        """The same with one more layer of escapes undone, None where there is none."""
        parts: list[str] = []
        after: list[int] = []
        gained: list[int] = []
        done = length = more = 0
        for found in _ESCAPE.finditer(self.text):
            start, end = found.span()
            parts += (self.text[done:start], _meaning(found))
            length += start - done + 1
            more += end - start - 1
            after.append(length)
            gained.append(more)
            done = end
        return Reading("".join((*parts, self.text[done:])), self, after, gained) if parts else None


def readings(text: str) -> Iterator[Reading]:
    """The text as it came, then with one layer of escapes undone after the other."""
    reading: Reading | None = Reading(text)
    for _ in range(DEPTH + 1):
        if reading is None:
            return
        yield reading
        reading = reading.deeper()


def unescaped(text: str) -> str:
    """`text` with one layer of escapes undone."""
    return _ESCAPE.sub(_meaning, text)


def _meaning(found: re.Match[str]) -> str:
    escape = found[0]
    if len(escape) == 2:
        return _LETTERS.get(escape[1], escape[1])
    return chr(int(escape.lstrip("%\\ux"), 16))
