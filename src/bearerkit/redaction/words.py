"""What stands where a credential would be and is none: words of sentences, constants, the holes of templates.

Judgements on a short value; where one begins and ends is decided elsewhere. A value that fits nothing here is taken
for a credential.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SHORT", "is_harmless", "is_prose", "is_random", "is_stand_in"]

SHORT: Final = 256
"""Only what is no longer than this can be harmless."""

_PUNCTUATION: Final = "\"'`<>()[]{}.,:;!?*…-"
_SENTENCES: Final = """
    a access again an and any api are as at auth authentication authenticated authorization bad basic be bearer been
    before but by can cannot challenge challenges could credential credentials denied digest dpop empty error errors
    expected expired failed false first flow for found from given had has have header headers if in introspection
    invalid is it its jwt jwts key keys malformed may method methods missing must needed negotiate new nil no none nor
    not null of off ok old on only optional or prefix present realm refresh refused rejected required revoked scheme
    schemes security shall should some str string subprotocol support supported than that the then this to token
    tokens true type types undefined unexpected unknown unsupported usage value values verification was were when
    which who will with without would wrong you your
"""
_PROSE: Final = frozenset(_SENTENCES.split())
_RANDOM: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])\S{8,}|\S{20,}", re.DOTALL)
_CONSTANT: Final = re.compile(r"[A-Za-z]+(?:[_\-./: ][A-Za-z]+)+|[A-Z0-9]+(?:_[A-Z0-9]+)+")
_STAND_IN: Final = re.compile(r"%(?:\(\w+\))?[srd]|\{[\w.!]*\}|HTTP/[0-9](?:\.[0-9])?", re.ASCII)


def is_prose(word: str) -> bool:
    """True for a word of a sentence about credentials, and for what holds no letter or digit at all."""
    bare = word.strip(_PUNCTUATION).lower()
    return bare in _PROSE or not any(map(str.isalnum, bare))


def is_stand_in(text: str, start: int, end: int) -> bool:
    """True for what a template, or the rest of a request line, has where a value would be."""
    found = _STAND_IN.match(text, start)
    return found is not None and found.end() >= end


def is_harmless(text: str, start: int, end: int) -> bool:
    """True for either."""
    return end - start <= SHORT and (is_prose(text[start:end]) or is_stand_in(text, start, end))


def is_random(text: str, start: int, end: int) -> bool:
    """True for what nobody would write by hand, false for words, constants and small numbers."""
    value = text[start : min(end, start + SHORT)]
    return _RANDOM.fullmatch(value) is not None and _CONSTANT.fullmatch(value) is None
