"""Strings with placeholders that are filled from a token: issuer templates and key URLs.

A template is a hole when the claim is unchecked, so every placeholder has a declared format and a value that does
not match it is refused before it is put into a string. Nothing here compares, fetches or decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, final

from bearerkit.jose.claim_path import ClaimPath

__all__ = ["FORMATS", "Template", "has_placeholders"]

FORMATS: Final[Mapping[str, re.Pattern[str]]] = {
    "uuid": re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "dns-label": re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"),
    "word": re.compile(r"[A-Za-z0-9_-]{1,128}"),
}
"""What a placeholder's value may look like. None of them admits a character that means something in a URL."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def has_placeholders(text: str) -> bool:
    """True if `text` is a template."""
    return _PLACEHOLDER.search(text) is not None


@final
class Template:
    """`https://login.example.com/{tid}/v2.0` with a format for each placeholder.

    `{kid}` stands for the header's key id, any other name is a claim path. Raises ValueError listing what is wrong.
    """

    __slots__ = ("_parts", "names", "text")

    def __init__(self, text: str, formats: Mapping[str, str]) -> None:
        self.text = text
        self.names = tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))
        problems = [
            f'placeholder {{{name}}} of "{text}" needs a format in placeholders=: one of {", ".join(FORMATS)}'
            for name in self.names
            if not isinstance(formats.get(name), str) or formats[name] not in FORMATS
        ]
        if problems:
            raise ValueError("; ".join(problems))
        pieces = _PLACEHOLDER.split(text)
        self._parts: tuple[str | tuple[ClaimPath, re.Pattern[str]], ...] = tuple(
            (ClaimPath("header.kid" if piece == "kid" else piece), FORMATS[formats[piece]]) if index % 2 else piece
            for index, piece in enumerate(pieces)
        )

    def fill(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str | None:
        """The text with every placeholder replaced; None if a value is missing or not of its format."""
        filled: list[str] = []
        for part in self._parts:
            if isinstance(part, str):
                filled.append(part)
                continue
            path, shape = part
            value = path.read(claims, header)
            if not isinstance(value, str) or shape.fullmatch(value) is None:
                return None
            filled.append(value)
        return "".join(filled)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"
