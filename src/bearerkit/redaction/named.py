"""Credentials that stand under a name: `Authorization: …`, `access_token=…`, `"password": "…"`.

The text is read once, from name to name; one that is known is judged with its value and the place where it stands.
Escapes are undone before. What is found is where a credential begins and ends, never what it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from bearerkit.redaction.extents import line_end, list_end, quote_end, run_end
from bearerkit.redaction.names import (
    AUTHORIZATION,
    COOKIES,
    CREDENTIAL_NAMES,
    HEADERS,
    PASSWORDS,
    SPARINGLY,
    SUBPROTOCOL,
    WORDS,
    folded,
    known_name,
)
from bearerkit.redaction.words import SHORT, is_harmless, is_prose, is_random, is_stand_in

__all__ = ["inside", "named"]

_Span = tuple[int, int]

_KEY: Final = re.compile(
    r"""(?<![\w.%$@\\\[\]-])([\w.%$@\\\[\]-]++)     # a name, however it is escaped
    (["'`]?)                                        # the end of its quotes
    (?:(\r?\n\r?\n)                                 # a part of multipart/form-data
      |[^\S\r\n]*+(?:(=>|->|[:=])|,\s*+(?:(\\*["']value\\*["'])\s*+:)?)(\s*+))""",
    re.VERBOSE | re.ASCII,
)
_NAME, _CLOSED, _PART, _SIGN, _VALUE_MEMBER, _SPACE = range(1, 7)
_OPENER: Final = re.compile(r"([\[(]\s*+)?[bfru]{0,2}(\\*+[\"'`])", re.IGNORECASE | re.ASCII)
_PAIR: Final = re.compile(r"[\[(]\s*b?\\*[\"'`]\Z", re.ASCII)
_PAIR_END: Final = re.compile(r"\\*[\"'`]\s*[\])]|\Z", re.ASCII)
_PART_END: Final = re.compile(r"[\r\n]|\Z")
_SCHEME: Final = re.compile(
    r"(?:bearer|dpop|basic|token|api-?key|jwt|negotiate|ntlm)(?:[ \t]|\+|%20)++(?:\\*[\"'`])?", re.IGNORECASE | re.ASCII
)
_LISTING_SCHEME: Final = re.compile(
    r"(?:digest|hawk|oauth|mac|signature|gnap|vapid|aws4-(?:hmac|ecdsa-p256)-sha256)[ \t]++(?=[\w-]+=|\[redacted\])",
    re.IGNORECASE | re.ASCII,
)
_LISTED: Final = re.compile(r"[\w-]++=(?:\\*+\"[^\"\r\n]*+\"|[^\s,\"']*+)(?:[ \t]*+,?\s*+(?=[\w-]++=))?", re.ASCII)
_COOKIE: Final = re.compile(r"[^\s=;,\"'`\\]{1,256}=", re.ASCII)
_OFFERED: Final = re.compile(
    r"""(?:[\w.+-]{1,64}\s*,\s*){0,8}(?:bearer\s*,\s*|base64url\.bearer\.authorization\.k8s\.io\.)(?=[^\s"'\\])""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_SENTENCE: Final = re.compile(r"[A-Za-z][A-Za-z'_-]{0,19}[.,;:!?)]*", re.ASCII)
_NEXT_WORD: Final = re.compile(r"[ \t]+[A-Za-z]")
_CALL: Final = re.compile(r"(?:await )?[A-Za-z_][\w.]{0,80}[(\[]", re.ASCII)


def named(text: str, names: Collection[str]) -> Iterator[_Span]:
    """Where the credentials stand in `text` that have one of `names`."""
    at = 0
    while (found := _KEY.search(text, at)) is not None:
        at = found.end()
        name = known_name(found[_NAME], names)
        if name is not None and (span := _value(text, found, name)) is not None:
            yield span
            end = span[1]
            # A value that ends like a name may be one, with its own value behind it.
            at = max(at, end - SHORT if text[end - 1] in ":=>" else end)


def inside(text: str, start: int, end: int, name: str) -> _Span | None:
    """The credential in a value of which beginning and end are known, None if there is none."""
    if name in AUTHORIZATION:
        scheme = _SCHEME.match(text, start, end) or _LISTING_SCHEME.match(text, start, end)
        start = scheme.end() if scheme else start
    elif name == SUBPROTOCOL:
        offered = _OFFERED.match(text, start, end)
        return (offered.end(), end) if offered else None
    elif name in SPARINGLY and (name == "request" or not is_random(text, start, end)):
        return None
    return (start, end) if start < end and not is_stand_in(text, start, end) else None


def _value(text: str, found: re.Match[str], name: str) -> _Span | None:
    begin, start = found.span()
    before = text[begin - 1 : begin]
    if found[_PART]:
        is_field = found[_CLOSED] and text.endswith('name="', 0, begin)
        end = _PART_END.search(text, start)
        return inside(text, start, end.start(), name) if is_field and end else None
    opened = _OPENER.match(text, start)
    if found[_SIGN] == "=" and not found[_SPACE] and _is_query(text, before, opened):
        stop = run_end(text, start)
        return (start, stop) if start < stop and not is_stand_in(text, start, stop) else None
    if opened is None:
        return _unquoted(text, found, name, before) if found[_SIGN] else None
    start = opened.end()
    if opened[1]:
        # From the first quote to the last: what stands in between are credentials too.
        listed = text[start : list_end(text, opened.end(1))]
        last = max(map(listed.rfind, "'\"`"))
        kept = listed[: last + 1].removesuffix(opened[2])
        return inside(text, start, start + (len(kept) if len(kept) <= last else len(listed)), name)
    stop = quote_end(text, start, opened[2])
    if not found[_SIGN] and not found[_VALUE_MEMBER] and not _is_pair(text, found, name, start, stop):
        return None
    return inside(text, start, stop, name)


def _is_query(text: str, before: str, opened: re.Match[str] | None) -> bool:
    """Whether a parameter stands where quotes mean nothing; behind a semicolon it may also be one of a header."""
    if before == ";" and opened is not None:
        return text.find("&", opened.end(), quote_end(text, opened.end(), opened[2])) >= 0
    return before in ("?", "&", "#", ";")


def _is_pair(text: str, found: re.Match[str], name: str, start: int, end: int) -> bool:
    """Whether two strings with a comma between them are a name and its value, and no list of names or words."""
    value = text[start : min(end, start + SHORT)]
    if not found[_CLOSED] or is_prose(value) or folded(value) in CREDENTIAL_NAMES:
        return False
    begin = found.start()
    return name in HEADERS or bool(_PAIR.search(text, max(0, begin - 8), begin) and _PAIR_END.match(text, end))


def _unquoted(text: str, found: re.Match[str], name: str, before: str) -> _Span | None:
    start, sign, space = found.end(), found[_SIGN], found[_SPACE]
    if "\n" in space or "\r" in space:
        return None  # an empty value at the end of a line
    if name in AUTHORIZATION:
        return _authorization(text, start, before, is_line=sign != "=" or bool(space))
    if name == SUBPROTOCOL:
        return inside(text, start, line_end(text, start, before), name) if _OFFERED.match(text, start) else None
    if name in COOKIES and (_COOKIE.match(text, start) or (sign != "=" and text.startswith("[redacted]", start))):
        return inside(text, start, line_end(text, start, before), name)
    if sign == ":" and text.startswith("[", start) and not text.startswith("[redacted]", start):
        start += 1  # Go: map[Name:[value]]
    end = run_end(text, start)
    is_form = sign == "=" and not space and text.startswith("&", end)
    if is_form and start < end and not is_stand_in(text, start, end):
        return start, end
    if name in SPARINGLY:
        return inside(text, start, end, name)
    if is_harmless(text, start, end) or (space and _CALL.match(text, start)):
        return None
    if name not in PASSWORDS and folded(text[start : min(end, start + SHORT)].rstrip(").,")) == name:
        return None  # token=token: source code
    if name in WORDS and sign == ":" and space and _SENTENCE.fullmatch(text, start, end):
        return (start, end) if name in PASSWORDS and not _NEXT_WORD.match(text, end) else None
    return start, line_end(text, start, before) if name in COOKIES and sign != "=" else end


def _authorization(text: str, start: int, before: str, *, is_line: bool) -> _Span | None:
    if scheme := _SCHEME.match(text, start):
        start = scheme.end()
        end = run_end(text, start)
        return None if is_harmless(text, start, end) else (start, end)
    if listing := _LISTING_SCHEME.match(text, start):
        start = end = listing.end()
        while listed := _LISTED.match(text, end):
            end = listed.end()
        return (start, end) if start < end else None
    end = run_end(text, start)
    if is_harmless(text, start, end):
        return None
    return start, line_end(text, start, before) if is_line else end
