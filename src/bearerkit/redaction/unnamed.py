"""Credentials that show by themselves, whatever they stand under.

A scheme and what follows it, a user and a password, API keys of ours, and everything of the JOSE family. The spans
that are given are those of the credentials alone.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Final

from bearerkit.redaction.extents import run_end
from bearerkit.redaction.words import is_harmless, is_random

__all__ = ["unnamed"]

_BEARER: Final = re.compile(
    r"""(?<![A-Z0-9])(?:bearer|dpop)
    (?:(?:[ \t]|\+)++(?:\\*["'`])?|[:=][ \t]*+(?:\\*["'`])?|(\\*["'`]?\s*+,\s*+)(b?\\*["'`])?)""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PARAMETER: Final = re.compile(r"[a-z][a-z_]{0,40}=(?!=|\Z|\s)", re.ASCII)
_MEMBER_END: Final = re.compile(r"\\*[\"'`]\s*:", re.ASCII)
_BASIC: Final = re.compile(r"(?<![A-Z0-9])basic(?:[ \t]|\+)++([A-Z0-9+/_-]{4,}+)=*+", re.IGNORECASE | re.ASCII)
_USERINFO: Final = re.compile(r"://[^\s/?#@:\"'`<>]*+:([^\s/?#@\"'`<>]++)@", re.ASCII)
_API_KEY: Final = re.compile(r"(?<=[a-z0-9]_)[0-9a-hjkmnp-tv-z]{16}_([0-9a-hjkmnp-tv-z]{30,}+)", re.ASCII)
"""The secret of a key, whole or cut off; its prefix and id stay, so that the key can be found and revoked."""
_JOSE_RUN: Final = re.compile(r"[\w\-.~=]++", re.ASCII)
_JOSE_HEADER: Final = re.compile(r"ey[IJ][\w\-~=]{5,}", re.ASCII)
"""A JSON object in base64url: `{"`. With white space after the brace:"""
_SPACED_JOSE_HEADER: Final = re.compile(r"(?:ey[A-D]|ew[k-r0-3])[\w\-~=]{5,}", re.ASCII)


def unnamed(text: str) -> Iterator[tuple[int, int]]:
    """Where they stand in `text`."""
    small = text.lower()
    if "bearer" in small or "dpop" in small:
        yield from _after_bearer(text)
    if "basic" in small:
        yield from ((found.start(1), found.end()) for found in _BASIC.finditer(text) if _is_user_and_password(found[1]))
    if "://" in text:
        yield from (found.span(1) for found in _USERINFO.finditer(text))
    if "_" in text:
        yield from (found.span(1) for found in _API_KEY.finditer(text))
    if "ey" in text or "ew" in text:
        yield from _jose(text)


def _after_bearer(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (found := _BEARER.search(text, at)) is not None:
        at = start = found.end()
        if _PARAMETER.match(text, start):
            continue  # of a challenge: Bearer realm="api"
        end = run_end(text, start)
        if is_harmless(text, start, end):
            continue
        at = end
        separated, quoted = found.groups()
        # A list may be that of the offers of a WebSocket, of schemes, or one of members: "Bearer", "expires_in": 300.
        if separated and (_MEMBER_END.match(text, end) or not (quoted or is_random(text, start, end))):
            continue
        yield start, end


def _is_user_and_password(run: str) -> bool:
    whole = run[: len(run) - (len(run) % 4 == 1)]
    return b":" in urlsafe_b64decode(whole.replace("+", "-").replace("/", "_") + "=" * (-len(whole) % 4))


def _jose(text: str) -> Iterator[tuple[int, int]]:
    """JWS and JWE, compact, with disclosures, cut off after the header; and two parts only if the first is `{"…`."""
    for run in _JOSE_RUN.finditer(text):
        whole = run[0].rstrip(".")
        at = run.start()
        parts = whole.split(".")
        for following, part in zip(range(len(parts) - 1, 0, -1), parts, strict=False):
            header = _JOSE_HEADER.search(part) or (following > 1 and _SPACED_JOSE_HEADER.search(part))
            if header:
                yield at + header.start(), run.start() + len(whole)
                break
            at += len(part) + 1
