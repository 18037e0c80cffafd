"""What strict JSON is, said slowly: a second reader that the fuzz targets compare ours with.

Written from RFC 8259, RFC 7493 and the promises of `jose/strict_json.py`, and not on Python's own readers: ours stands
on the one in C, and the one in Python takes escapes such as `\\ud8 3` and digits of other scripts. What must never
happen here: anything imported from bearerkit, or from json.
"""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["NotStrict", "read"]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_PLAIN = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}


class NotStrict(ValueError):
    """Not JSON that has one reading."""


def read(data: bytes, *, depth: int = 16, digits: int = 20) -> Any:
    """The value of a document, or NotStrict."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrict("not UTF-8") from None
    reader = _Reader(text, digits)
    value = reader.value(depth)
    reader.blanks()
    reader.expect(reader.place == len(text))
    return value


class _Reader:
    def __init__(self, text: str, digits: int) -> None:
        self.text, self.digits, self.place = text, digits, 0

    def expect(self, holds: object) -> None:
        if not holds:
            raise NotStrict(f"at {self.place}")

    def take(self, token: str) -> bool:
        found = self.text.startswith(token, self.place)
        self.place += len(token) if found else 0
        return found

    def blanks(self) -> None:
        while self.take(" ") or self.take("\t") or self.take("\r") or self.take("\n"):
            pass

    def value(self, depth: int) -> Any:
        self.blanks()
        if self.take('"'):
            return self.string()
        if self.take("{"):
            self.expect(depth)
            return self.object(depth - 1)
        if self.take("["):
            self.expect(depth)
            return self.array(depth - 1)
        for word, value in _WORDS.items():
            if self.take(word):
                return value
        return self.number()

    def object(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self.blanks()
        if self.take("}"):
            return members
        while True:
            self.blanks()
            self.expect(self.take('"'))
            name = self.string()
            self.expect(name not in members)
            self.blanks()
            self.expect(self.take(":"))
            members[name] = self.value(depth)
            self.blanks()
            if self.take("}"):
                return members
            self.expect(self.take(","))

    def array(self, depth: int) -> list[Any]:
        items: list[Any] = []
        self.blanks()
        if self.take("]"):
            return items
        while True:
            items.append(self.value(depth))
            self.blanks()
            if self.take("]"):
                return items
            self.expect(self.take(","))

    def string(self) -> str:
        units: list[str] = []
        while not self.take('"'):
            self.expect(self.place < len(self.text))
            if not self.take("\\"):
                self.expect(self.text[self.place] >= " ")
                units.append(self.text[self.place])
                self.place += 1
            elif self.take("u"):
                escape = _HEX.match(self.text, self.place)
                self.expect(escape)
                units.append(chr(int(self.text[self.place : self.place + 4], 16)))
                self.place += 4
            else:
                char = _PLAIN.get(self.text[self.place : self.place + 1])
                self.expect(char is not None)
                units.append(char or "")
                self.place += 1
        try:
            # Joins the pairs of surrogates and refuses the lone ones.
            return "".join(units).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise NotStrict("a lone surrogate") from None

    def number(self) -> int | float:
        found = _NUMBER.match(self.text, self.place)
        if found is None:
            raise NotStrict(f"no value at {self.place}")
        self.place = found.end()
        if found[2] is None and found[3] is None:
            self.expect(len(found[1]) <= self.digits)
            return int(found[0])
        value = float(found[0])
        self.expect(math.isfinite(value))
        return value
