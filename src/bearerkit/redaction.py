"""Text without the credentials that stand in it: which spellings are recognised, and how far each one reaches.

Pure rules, linear in the length of the text, which is cut where it is too long to be searched. In doubt a value is
taken for a credential; whatever is none stays as it is, character by character, and redacting twice changes nothing
more. Nothing here may keep or raise a credential; the logging filter is in logs.py.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from bearerkit.credential_names import (
    AUTHORIZATION,
    COOKIES,
    CREDENTIAL_NAMES,
    HEADERS,
    PASSWORDS,
    SPARINGLY,
    SUBPROTOCOL,
    WORDS,
    folded,
    is_prose,
    is_random,
    known_name,
)
from bearerkit.escapes import readings

__all__ = ["CUT", "MARK", "MAX_LENGTH", "redacted", "redacted_field"]

MARK: Final = "[redacted]"
"""What stands in the place of a credential."""
CUT: Final = " [cut: too long to be searched for credentials]"
"""What stands in the place of the rest of a text that is too long."""
MAX_LENGTH: Final = 65_536
"""How many characters of a text are kept, `CUT` included."""
_ROOM: Final = MAX_LENGTH - len(CUT)
_BEYOND: Final = 1024
"""How far what stands at the cut is followed."""
_SHORT: Final = 256
"""Only what is no longer than this can be a word of a sentence."""

_Span = tuple[int, int]

_KEY: Final = re.compile(
    r"""(?<![\w.%$@\\\[\]-])([\w.%$@\\\[\]-]++)     # a name, however it is escaped
    (["'`]?)                                        # the end of its quotes
    (?:(\r?\n\r?\n)                                 # a part of multipart/form-data
      |[^\S\r\n]*+(?:(=>|->|[:=])|,\s*+(?:(\\*["']value\\*["'])\s*+:)?)(\s*+))""",
    re.VERBOSE | re.ASCII,
)
_NAME, _CLOSED, _PART, _SIGN, _VALUE_MEMBER, _SPACE = range(1, 7)
_OPENER: Final = re.compile(r"([\[(]\s*+)?[bru]{0,2}(\\*+[\"'`])", re.IGNORECASE | re.ASCII)
_QUOTE: Final = re.compile(r"(\\*+)([\"'`])")
_IN_LIST: Final = re.compile(r"\\+.|[\"'`\[\]()]", re.DOTALL)
_PAIR: Final = re.compile(r"[\[(]\s*b?\\*[\"'`]\Z", re.ASCII)
_PAIR_END: Final = re.compile(r"\\*[\"'`]\s*[\])]|\Z", re.ASCII)
_RUN: Final = re.compile(
    r"""(?:\[redacted\]
      |[^\x00-\x20\x7f&;,"'`<>()\[\]{}\\]++
      |;(?!\s|\Z|[\w.%\-\[\]]*+=)                                      # unless it separates parameters
      |,(?!\s|\Z|\\*+["'`]|(?:bearer|dpop|basic)\b)                     # unless it separates what is listed
      |\\*+["'`<>()\[\]{}](?!\\*+[\s,;:)\]}>"'`&|]|\\*+\Z|\.(?:\s|\Z))  # unless it closes what was opened before
      |\\++(?!["'`<>()\[\]{}]|u0026)
    )*+""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
"""A value that stands in no quotes."""
_PART_END: Final = re.compile(r"[\r\n]|\Z")
_LINE_END: Final = re.compile(r"[\r\n]|\\[rn]|\\*[\"'`](?=\s|\Z)", re.ASCII)
_SCHEME: Final = re.compile(
    r"(?:bearer|dpop|basic|token|api-?key|jwt|negotiate|ntlm)(?:\s|\+|%20)++(?:\\*[\"'`])?", re.IGNORECASE | re.ASCII
)
_LISTING_SCHEME: Final = re.compile(
    r"(?:digest|hawk|oauth|mac|signature|gnap|vapid|aws4-hmac-sha256|aws4-ecdsa-p256-sha256)\s++(?=[\w-]+=)",
    re.IGNORECASE | re.ASCII,
)
_COOKIE: Final = re.compile(r"[^\s=;,\"'`\\]{1,256}=", re.ASCII)
_OFFERED: Final = re.compile(
    r"""(?:[\w.+-]{1,64}\s*,\s*){0,8}(?:bearer\s*,\s*|base64url\.bearer\.authorization\.k8s\.io\.)(?=[^\s"'\\])""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_BARE: Final = re.compile(
    r"""(?<![A-Z0-9])(?:bearer|dpop)
    (?:(?:\s|\+)++(?:\\*["'`])?|[:=]\s*+(?:\\*["'`])?|(\\*["'`]?\s*+,\s*+)(b?\\*["'`])?)""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_BASIC: Final = re.compile(r"(?<![A-Z0-9])basic(?:\s|\+)++([A-Z0-9+/_-]{4,}+)=*+", re.IGNORECASE | re.ASCII)
_USERINFO: Final = re.compile(r"://[^\s/?#@:\"'`<>]*+:([^\s/?#@\"'`<>]++)@", re.ASCII)
_JOSE_RUN: Final = re.compile(r"[\w\-.~=]++", re.ASCII)
_JOSE_HEADER: Final = re.compile(r"ey[IJ][\w\-~=]{5,}", re.ASCII)
"""A JSON object in base64url: `{"`. With white space after the brace:"""
_SPACED_JOSE_HEADER: Final = re.compile(r"(?:ey[A-D]|ew[k-r0-3])[\w\-~=]{5,}", re.ASCII)
_PARAMETER: Final = re.compile(r"[a-z][a-z_]{0,40}=(?!=|\Z|\s)", re.ASCII)
_SENTENCE: Final = re.compile(r"[A-Za-z][A-Za-z'_-]{0,19}[.,;:!?)]*", re.ASCII)
_NEXT_WORD: Final = re.compile(r"[ \t]+[A-Za-z]")
_CALL: Final = re.compile(r"(?:await )?[A-Za-z_][\w.]{0,80}[(\[]", re.ASCII)
_STAND_IN: Final = re.compile(r"%(?:\(\w+\))?[srd]|\{[\w.!]*\}|HTTP/[0-9](?:\.[0-9])?", re.ASCII)
"""What a template, or the rest of a request line, has where a value would be."""
_SUSPECT: Final = re.compile(r"[=:,%\\]|ey[A-J]|ew[k-r0-3]|bearer|dpop|basic", re.IGNORECASE)


def redacted(text: str, names: Collection[str] = CREDENTIAL_NAMES) -> str:
    """`text` with `MARK` in the place of every credential; `names` as `credential_names` gives them."""
    if _SUSPECT.search(text, 0, _SHORT) is None and len(text) <= _SHORT:
        return text
    is_cut = len(text) > MAX_LENGTH or text.endswith(CUT)
    room = _ROOM if is_cut else len(text)
    searched = text.removesuffix(CUT)[: room + _BEYOND] if is_cut else text
    parts: list[str] = []
    done = 0
    for start, end in _merged(_spans(searched, names)):
        if start >= room:
            break
        parts += (searched[done:start], MARK)
        done = end
    kept = "".join((*parts, searched[done : max(done, room)]))
    return kept[:_ROOM] + CUT if is_cut or len(kept) > MAX_LENGTH else kept


def redacted_field(name: str, value: str, names: Collection[str] = CREDENTIAL_NAMES) -> str:
    """`value` as it may be shown where it stands under `name`: a header, a parameter, a member of a mapping."""
    if name.startswith("{"):  # gunicorn and Hypercorn: {authorization}i
        name = name[1:].partition("}")[0]
    known = known_name(name, names)
    span = known and _inside(value, 0, len(value), known)
    return value[: span[0]] + MARK if span else redacted(value, names)


def _spans(text: str, names: Collection[str]) -> Iterator[_Span]:
    for reading in readings(text):
        for rule in (_named(reading.text, names), _schemes(reading.text), _jose(reading.text)):
            for start, end in rule:
                yield reading.place(start), reading.place(end)


def _merged(spans: Iterable[_Span]) -> Iterator[_Span]:
    start = end = -1
    for begun, ended in sorted(spans):
        if begun > end:
            if end > start:
                yield start, end
            start = begun
        end = max(end, ended)
    if end > start:
        yield start, end


# --- what stands under a name ---------------------------------------------------------------------------------------


def _named(text: str, names: Collection[str]) -> Iterator[_Span]:
    at = 0
    while (found := _KEY.search(text, at)) is not None:
        at = found.end()
        name = known_name(found[_NAME], names)
        if name is not None and (span := _value(text, found, name)) is not None:
            yield span
            at = max(at, span[1])


def _value(text: str, found: re.Match[str], name: str) -> _Span | None:
    begin, start = found.span()
    if found[_PART]:
        if not (found[_CLOSED] and text.endswith('name="', 0, begin)):
            return None
        line = _PART_END.search(text, start)
        return (start, line.start()) if line and line.start() > start else None
    opened = _OPENER.match(text, start)
    if opened is None:
        return _unquoted(text, found, name) if found[_SIGN] else None
    start = opened.end()
    if opened[1]:
        # From the first quote to the last: what was in between were credentials too.
        listed = text[start : _list_end(text, opened.end(1))].rstrip(", \t\r\n")
        return _inside(text, start, start + len(listed.removesuffix(opened[2])), name)
    end = _quote_end(text, start, opened[2])
    if not found[_SIGN] and not found[_VALUE_MEMBER]:
        # ("name", "value"): without a sign between them, two strings are a pair only if they look like one.
        value = text[start : min(end, start + _SHORT)]
        if not found[_CLOSED] or is_prose(value) or folded(value) in CREDENTIAL_NAMES:
            return None
        if name not in HEADERS and not (_PAIR.search(text, max(0, begin - 8), begin) and _PAIR_END.match(text, end)):
            return None
    elif name in SPARINGLY and text[begin - 1 : begin] in ("?", "&", ";", "#") and end > start:
        return start, end
    return _inside(text, start, end, name)


def _inside(text: str, start: int, end: int, name: str) -> _Span | None:
    """The credential in a value of which beginning and end are known."""
    if name in AUTHORIZATION:
        scheme = _SCHEME.match(text, start, end) or _LISTING_SCHEME.match(text, start, end)
        start = scheme.end() if scheme and scheme.end() < end else start
    elif name == SUBPROTOCOL:
        offered = _OFFERED.match(text, start, end)
        return (offered.end(), end) if offered else None
    elif name in SPARINGLY and (name == "request" or not is_random(text[start : min(end, start + _SHORT)])):
        return None
    stand_in = _STAND_IN.match(text, start, end)
    return None if start >= end or (stand_in and stand_in.end() == end) else (start, end)


def _unquoted(text: str, found: re.Match[str], name: str) -> _Span | None:
    start, sign, space = found.end(), found[_SIGN], found[_SPACE]
    if "\n" in space or "\r" in space:
        return None  # an empty value at the end of a line
    before = text[found.start() - 1 : found.start()]
    if name in AUTHORIZATION:
        return _authorization(text, start, before, is_line=sign != "=" or bool(space))
    if name == SUBPROTOCOL or (name in COOKIES and _COOKIE.match(text, start)):
        return _inside(text, start, _line_end(text, start, before), name)
    if sign == ":" and text.startswith("[", start) and not text.startswith(MARK, start):
        start += 1  # Go: map[Name:[value]]
    end = _run_end(text, start)
    in_query = sign == "=" and not space and (before in ("?", "&", ";", "#") or text.startswith("&", end))
    if in_query and end > start and not _is_stand_in(text, start, end):
        return start, end
    if name in SPARINGLY:
        return _inside(text, start, end, name)
    if _is_harmless(text, start, end) or (space and _CALL.match(text, start)):
        return None
    if name not in PASSWORDS and folded(text[start : min(end, start + _SHORT)].rstrip(").,")) == name:
        return None  # token=token: source code
    if name in WORDS and sign == ":" and space and _SENTENCE.fullmatch(text, start, end):
        return (start, end) if name in PASSWORDS and not _NEXT_WORD.match(text, end) else None
    return start, end


def _authorization(text: str, start: int, before: str, *, is_line: bool) -> _Span | None:
    if scheme := _SCHEME.match(text, start):
        start = scheme.end()
        end = _run_end(text, start)
        return None if _is_harmless(text, start, end) else (start, end)
    if listing := _LISTING_SCHEME.match(text, start):
        return listing.end(), _line_end(text, start, before)
    run = _run_end(text, start)
    if _is_harmless(text, start, run):
        return None
    return start, max(run, _line_end(text, start, before)) if is_line else run


# --- where a value ends ---------------------------------------------------------------------------------------------


def _run_end(text: str, start: int) -> int:
    run = _RUN.match(text, start)
    return run.end() if run else start


def _line_end(text: str, start: int, before: str) -> int:
    """The end of a header line: of the string that begins with it, if `before` is a quote."""
    for end in _LINE_END.finditer(text, start):
        if before not in ("'", '"') or end[0][-1] not in "\"'`" or end[0][-1] == before:
            return end.start()
    return len(text)


def _quote_end(text: str, start: int, quote: str) -> int:
    """Where the string ends that `quote` opened: a quote with as many backslashes, in a string of strings too."""
    depth = len(quote) - 1
    for found in _QUOTE.finditer(text, start):
        if found[2] == quote[-1]:
            if len(found[1]) < depth:
                return found.start()
            if (len(found[1]) - depth) % (2 * depth + 2) == 0:
                return found.end() - len(quote)
    return len(text)


def _list_end(text: str, start: int) -> int:
    """Where the list or tuple ends whose first element begins at `start`."""
    depth, quote = 1, ""
    for found in _IN_LIST.finditer(text, start):
        sign = found[0]
        if len(sign) > 1:
            continue
        if sign in "\"'`":
            quote = sign if not quote else "" if quote == sign else quote
        elif not quote:
            depth += 1 if sign in "[(" else -1
            if not depth:
                return found.start()
    return len(text)


# --- what needs no name ---------------------------------------------------------------------------------------------


def _schemes(text: str) -> Iterator[_Span]:
    at = 0
    while (found := _BARE.search(text, at)) is not None:
        at = start = found.end()
        end = _run_end(text, start)
        if _is_harmless(text, start, end) or _PARAMETER.match(text, start):
            continue
        at = end
        if found[1] is not None:
            # A list: of schemes, of members of JSON ("token_type": "Bearer", "scope": …), of offers of a WebSocket.
            is_member = re.compile(r"\\*[\"'`]\s*:").match(text, end)
            if is_member or not (found[2] or is_random(text[start : min(end, start + _SHORT)])):
                continue
        yield start, end
    for found in _BASIC.finditer(text):
        if _is_user_and_password(found[1]):
            yield found.start(1), found.end()
    for found in _USERINFO.finditer(text):
        yield found.span(1)


def _is_user_and_password(run: str) -> bool:
    whole = run[: len(run) - (len(run) % 4 == 1)]
    return b":" in urlsafe_b64decode(whole.replace("+", "-").replace("/", "_") + "=" * (-len(whole) % 4))


def _jose(text: str) -> Iterator[_Span]:
    if "ey" not in text and "ew" not in text:
        return
    for run in _JOSE_RUN.finditer(text):
        at = run.start()
        parts = run[0].rstrip(".").split(".")
        for number, part in enumerate(parts[:-1], 1):
            header = _JOSE_HEADER.search(part) or (number < len(parts) - 1 and _SPACED_JOSE_HEADER.search(part))
            if header:
                yield at + header.start(), run.start() + len(run[0].rstrip("."))
                break
            at += len(part) + 1


# --- what is none ---------------------------------------------------------------------------------------------------


def _is_harmless(text: str, start: int, end: int) -> bool:
    return end - start <= _SHORT and (is_prose(text[start:end]) or _is_stand_in(text, start, end))


def _is_stand_in(text: str, start: int, end: int) -> bool:
    stand_in = _STAND_IN.match(text, start)
    return stand_in is not None and stand_in.end() >= end
