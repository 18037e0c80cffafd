"""JSON as signed documents need it: one reading only (RFC 8259, RFC 7493, RFC 8725 section 2.6).

Python's own reader takes duplicate members, NaN and numbers that overflow to infinity, so two parties can read one
signed text differently. This one refuses them. What must never happen here: a document that recurses before its
depth is known, an error message that quotes the document, or a second, laxer reader for "trusted" input.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

__all__ = ["JsonInvalid", "loads"]


class JsonInvalid(ValueError):
    """The bytes are not JSON that has exactly one reading. The message never quotes them."""


def loads(data: bytes, *, depth: int = 16, integer_digits: int = 20) -> Any:
    """Read one JSON document.

    In: UTF-8 bytes without a byte order mark; `depth` is how many objects and arrays may lie within each other,
    `integer_digits` how long an integer may be. Out: what `json.loads` would give.
    Raises `JsonInvalid` for anything else: wrong encoding, duplicate members at any level, NaN, Infinity, numbers
    beyond a double, lone surrogates, trailing text.
    """
    if data.count(b"{") + data.count(b"[") > depth:
        _refuse_deep(data, depth)
    scan = _scan if integer_digits == _DIGITS else _scanner(integer_digits)
    problem: str | None = None
    text, value, end = "", None, 0
    try:
        text = data.decode("utf-8")
        if text[:1] in _SPACE:
            text = text.lstrip(_SPACE)
        value, end = scan(text, 0)
    except UnicodeDecodeError:
        problem = "not UTF-8"
    except StopIteration as stop:
        problem = f"not JSON, at character {stop.value}"
    except json.JSONDecodeError as error:
        problem = f"not JSON, at character {error.pos}"
    if problem is not None:  # raised out here, because those errors hold the whole document
        raise JsonInvalid(problem)
    if end != len(text) and text[end:].strip(_SPACE):
        raise JsonInvalid(f"text after the end of the JSON document, at character {end}")
    if "\\u" in text and _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


_DIGITS: Final = 20
_SPACE: Final = " \t\r\n"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE = re.compile(r"[\ud800-\udfff]")
# Both kinds of bracket become one: which closes which is for the parser to judge.
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")


def _refuse_deep(data: bytes, depth: int) -> None:
    # Drop escaped quotes, then everything between quotes, then peel the innermost pairs off once per allowed level.
    # Exact up to the first place where the document is not JSON, and the parser goes no further than that.
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")
    outside = b"".join(plain.split(b'"')[::2])
    brackets = outside.translate(_SQUARE, _NO_BRACKETS)
    # The plainest attack, a long run of opening brackets, is not worth peeling.
    if b"[" * (depth + 1) not in brackets:
        for _ in range(depth):
            brackets = brackets.replace(b"[]", b"")
    if b"[" in brackets:
        raise JsonInvalid(f"nested deeper than {depth} levels, or not closed")


def _refuse_lone_surrogates(value: Any) -> None:
    # Asked without encode(), whose error would hold the whole text.
    if _LONE.search(json.dumps(value, ensure_ascii=False)):
        raise JsonInvalid("a lone surrogate in a string")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonInvalid("a member name occurs twice in one object")
    return members


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0.0:
        raise JsonInvalid("a number is beyond the range of a double")
    return number


def _constant(name: str) -> Any:
    raise JsonInvalid(f"{name} is not a JSON number")


@lru_cache(maxsize=8)
def _scanner(integer_digits: int) -> Callable[[str, int], tuple[Any, int]]:
    def integer(text: str) -> int:
        if len(text) > integer_digits and len(text.lstrip("-")) > integer_digits:
            raise JsonInvalid(f"an integer has more than {integer_digits} digits")
        return int(text)

    decoder: Any = json.JSONDecoder(
        object_pairs_hook=_members, parse_int=integer, parse_float=_float, parse_constant=_constant
    )
    # The decoder's own methods wrap this in two frames and two searches for white space.
    scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once
    return scan


_scan: Final = _scanner(_DIGITS)
