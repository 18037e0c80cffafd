"""Claim paths: how a setting names one value inside a token.

    sub                        a plain name, looked up literally: `cognito:groups`, `urn:example:roles`
    o.id   emails.0            if no claim has that literal name: a dotted path; a number also indexes a list
    /kubernetes.io/namespace   a leading slash: a JSON pointer (RFC 6901), for names that hold dots
    header.signer              a member of the JOSE header instead of the claims
    tenants.{dct}.roles        `{…}` is the value of another claim, which must be a non-empty string

Only own members of JSON objects and elements of JSON arrays are reached, never attributes of Python objects. JSON
null counts as absent. What comes out of `{…}` is always one name: it is never parsed again, so a dot, slash or
brace in a token cannot lead a path astray. Nothing here may judge a value or know what a claim means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NoReturn, final

__all__ = ["MISSING", "ClaimPath", "Missing"]


class Missing(Enum):
    """The type of `MISSING`, an enumeration so that copies and pickles stay the one object."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING
"""What `ClaimPath.read` returns when the token has no such value, or null in its place."""

_NO_HEADER: Final[Mapping[str, Any]] = MappingProxyType({})
_HEADER_PREFIX: Final = "header."
_OBJECTS: Final = (dict, MappingProxyType)
_ARRAYS: Final = (list, tuple)
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_BAD_ESCAPE = re.compile(r"~(?![01])")


@final
class ClaimPath:
    """One compiled claim path. Immutable, hashable, equal by its text.

    Raises ValueError, with a message fit for a settings error, when `path` is malformed.
    """

    __slots__ = ("_in_header", "_literal", "_name", "_steps", "path")

    path: str
    """The text it was made from."""

    _name: str | None
    _in_header: bool
    _literal: _Name | None
    _steps: tuple[_Name, ...]

    def __init__(self, path: str) -> None:
        given: object = path
        if not isinstance(given, str) or not given:
            raise ValueError("a claim path is a non-empty string")
        in_header = path.startswith(_HEADER_PREFIX)
        text = path.removeprefix(_HEADER_PREFIX) if in_header else path
        if not text:
            raise ValueError(f"claim path {path!r} names no header member")
        literal: _Name | None = None
        if text.startswith("/"):
            steps = _pointer(path, text[1:])
        else:
            literal, steps = _dotted(path, text)
        plain = steps[0].fixed if literal is not None and len(steps) == 1 and not in_header else None
        keep = object.__setattr__
        keep(self, "path", path)
        keep(self, "_in_header", in_header)
        keep(self, "_literal", literal if len(steps) > 1 else None)
        keep(self, "_steps", steps)
        keep(self, "_name", plain)

    def read(self, claims: Mapping[str, Any], header: Mapping[str, Any] = _NO_HEADER) -> Any:
        """The value at this path, `MISSING` if there is none or it is null. Raises nothing for JSON input."""
        name = self._name
        if name is not None:
            value = claims.get(name)
            return MISSING if value is None else value
        return self._find(claims, header)

    def _find(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
        source = header if self._in_header else claims
        if self._literal is not None:
            name = self._literal.fill(claims, header)
            value = None if name is None else source.get(name)
            if value is not None:
                return value
        node: Any = source
        for step in self._steps:
            node = step.member(node, claims, header)
            if node is None:
                return MISSING
        return node

    def __eq__(self, other: object) -> bool:
        return self.path == other.path if isinstance(other, ClaimPath) else NotImplemented

    def __hash__(self) -> int:
        return hash((ClaimPath, self.path))

    def __repr__(self) -> str:
        return f"ClaimPath({self.path!r})"

    def __reduce__(self) -> tuple[type[ClaimPath], tuple[str]]:
        return ClaimPath, (self.path,)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a ClaimPath does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a ClaimPath does not change")


@final
class _Name:
    """One member name: fixed text, or text with the values of other claims in it."""

    __slots__ = ("fixed", "index", "parts")

    def __init__(self, parts: tuple[str | ClaimPath, ...]) -> None:
        self.parts = parts
        self.fixed: str | None = None if any(isinstance(part, ClaimPath) for part in parts) else "".join(_texts(parts))
        # Only typed digits index an array: a claim value that looks like a number stays a name.
        self.index = int(self.fixed) if self.fixed is not None and _INDEX.fullmatch(self.fixed) else None

    def fill(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str | None:
        """The name for this token, None when a claim that it needs is no non-empty string."""
        if self.fixed is not None:
            return self.fixed
        filled = []
        for part in self.parts:
            value = part.read(claims, header) if isinstance(part, ClaimPath) else part
            if not isinstance(value, str) or not value:
                return None
            filled.append(value)
        return "".join(filled)

    def member(self, node: Any, claims: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
        """The own member of `node` by this name, None when it has none."""
        if isinstance(node, _OBJECTS) or node is claims or node is header:
            name = self.fill(claims, header)
            return None if name is None else node.get(name)
        if isinstance(node, _ARRAYS) and self.index is not None and self.index < len(node):
            return node[self.index]
        return None


def _texts(parts: tuple[str | ClaimPath, ...]) -> list[str]:
    return [part for part in parts if isinstance(part, str)]


def _parts(path: str, text: str) -> list[str | ClaimPath]:
    """`text` cut at its placeholders; the texts between them are kept, none of them empty."""
    parts: list[str | ClaimPath] = []
    end = 0
    for found in _BRACES.finditer(text):
        inner = found.group(1)
        if not inner:
            raise ValueError(f"claim path {path!r}: a brace must enclose the path of another claim, as in {{dct}}")
        if found.start() > end:
            parts.append(text[end : found.start()])
        parts.append(ClaimPath(inner))
        end = found.end()
    if end < len(text):
        parts.append(text[end:])
    return parts


def _cut(parts: list[str | ClaimPath], separator: str) -> list[list[str | ClaimPath]]:
    """The segments between separators; separators inside placeholders do not count."""
    segments: list[list[str | ClaimPath]] = [[]]
    for part in parts:
        if isinstance(part, ClaimPath):
            segments[-1].append(part)
            continue
        first, *rest = part.split(separator)
        segments[-1] += [first] if first else []
        for piece in rest:
            segments.append([piece] if piece else [])
    return segments


def _dotted(path: str, text: str) -> tuple[_Name, tuple[_Name, ...]]:
    parts = _parts(path, text)
    segments = _cut(parts, ".")
    if not all(segments):
        raise ValueError(
            f"claim path {path!r} has an empty segment; write names that hold dots as a JSON pointer: /name/inner"
        )
    return _Name(tuple(parts)), tuple(_Name(tuple(segment)) for segment in segments)


def _pointer(path: str, text: str) -> tuple[_Name, ...]:
    return tuple(
        _Name(tuple(_unescaped(path, part) if isinstance(part, str) else part for part in segment))
        for segment in _cut(_parts(path, text), "/")
    )


def _unescaped(path: str, text: str) -> str:
    """RFC 6901 section 4: `~1` is a slash, then `~0` is a tilde."""
    if _BAD_ESCAPE.search(text):
        raise ValueError(f"claim path {path!r}: in a JSON pointer a tilde is written ~0 and a slash ~1")
    return text.replace("~1", "/").replace("~0", "~")
