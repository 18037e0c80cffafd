"""Patterns: `*` for any run of characters, `?` for exactly one, everything else literal, case-sensitive, whole string.

`*` crosses `.`, `/`, `:` and newlines. `${*}`, `${?}` and `${$}` are the three characters themselves; `${name}` is a
variable, which a caller may forbid and which is filled with literal text only. Matching is linear: pieces between stars
are looked for from the left, which is optimal for such patterns, so nothing is ever tried twice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = [
    "Match",
    "Pattern",
    "PatternProblem",
    "Variable",
    "has_control",
    "is_clean",
    "parse_literal",
    "parse_pattern",
]

Match = Callable[[str], bool]

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_VARIABLE: Final = re.compile(r"[a-z]+(?:\.[A-Za-z0-9_-]+)+")
_ESCAPES: Final = {"*": "*", "?": "?", "$": "$"}


class PatternProblem(ValueError):
    """What is wrong with a pattern: a code of the policy language, and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Wild(Enum):
    RUN = "*"
    ONE = "?"


RUN: Final = _Wild.RUN
ONE: Final = _Wild.ONE


@dataclass(frozen=True, slots=True)
class Variable:
    """`${principal.tenant}` inside a pattern or value."""

    name: str


Atom = str | _Wild | Variable


def has_control(text: str) -> bool:
    """True for text with control characters or line separators."""
    return _CONTROL.search(text) is not None


def is_clean(text: str) -> bool:
    """True for text without control characters, in Unicode normal form C."""
    return not has_control(text) and unicodedata.is_normalized("NFC", text)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern: literal text, wildcards and variables in order."""

    text: str
    atoms: tuple[Atom, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its variables, in order."""
        return tuple(atom.name for atom in self.atoms if isinstance(atom, Variable))

    @property
    def wildcards(self) -> int:
        """How many wildcards it has, runs of stars counted once."""
        return sum(atom in (RUN, ONE) for atom in self.atoms)

    @property
    def exact(self) -> str | None:
        """The one string it matches, None if it has wildcards. Without variables only."""
        return "".join(map(str, self.atoms)) if all(isinstance(atom, str) for atom in self.atoms) else None

    @property
    def prefix(self) -> str | None:
        """What stands before the one star at its end, None for any other form. Without variables only."""
        if not self.atoms or self.atoms[-1] is not RUN:
            return None
        head = self.atoms[:-1]
        return "".join(map(str, head)) if all(isinstance(atom, str) for atom in head) else None

    @property
    def head(self) -> str:
        """The literal text that it begins with."""
        first = self.atoms[0] if self.atoms else ""
        return first if isinstance(first, str) else ""

    def filled(self, values: Mapping[str, str]) -> Pattern:
        """The pattern with its variables replaced by literal text."""
        atoms = [values[atom.name] if isinstance(atom, Variable) else atom for atom in self.atoms]
        return Pattern(self.text, _joined(atoms))

    def below(self, separator: str) -> Pattern:
        """The pattern of everything below what this one matches."""
        return Pattern(f"{self.text}{separator}*", _joined([*self.atoms, separator, RUN]))

    def matcher(self) -> Match:
        """A function that says whether a string matches, in time linear in its length. Without variables only."""
        exact, prefix = self.exact, self.prefix
        if exact is not None:
            return exact.__eq__
        if prefix is not None:
            return lambda text: text.startswith(prefix)
        return _glob(self.atoms)


def parse_pattern(text: object, *, variables: bool = True) -> Pattern:
    """The pattern that `text` spells. Raises PatternProblem."""
    return _parse(text, wild=True, variables=variables)


def parse_literal(text: object, *, variables: bool = True) -> Pattern:
    """Text in which `*` and `?` are literal, but variables and escapes are not. Raises PatternProblem."""
    return _parse(text, wild=False, variables=variables)


def _parse(text: object, *, wild: bool, variables: bool) -> Pattern:
    if not isinstance(text, str) or (wild and not text):
        raise PatternProblem("bad_pattern", "a pattern is a non-empty string")
    if not is_clean(text):
        raise PatternProblem("bad_pattern", "control characters, or not in Unicode normal form C (NFC)")
    atoms: list[Atom] = []
    at = 0
    while at < len(text):
        char = text[at]
        if text.startswith("${", at):
            end = text.find("}", at)
            if end < 0:
                raise PatternProblem("bad_template", "a variable has no closing brace")
            atoms.append(_dollar(text[at + 2 : end], variables))
            at = end + 1
            continue
        atoms.append(_Wild(char) if wild and char in "*?" else char)
        at += 1
    return Pattern(text, _joined(atoms))


def _dollar(inner: str, variables: bool) -> Atom:
    if inner in _ESCAPES:
        return _ESCAPES[inner]
    if not variables:
        raise PatternProblem("template_not_allowed", "variables are allowed in resources and condition values only")
    if _VARIABLE.fullmatch(inner) is None:
        raise PatternProblem("bad_template", f"${{{inner[:60]}}} is no variable; one looks like ${{principal.tenant}}")
    if not inner.startswith("principal.") and inner != "request.tenant":
        raise PatternProblem(
            "unknown_variable", f"${{{inner[:60]}}}: there are ${{principal.…}} and ${{request.tenant}}"
        )
    return Variable(inner)


def _joined(atoms: Iterable[Atom]) -> tuple[Atom, ...]:
    """Neighbouring texts as one, and runs of stars as one."""
    joined: list[Atom] = []
    for atom in atoms:
        last = joined[-1] if joined else None
        if isinstance(atom, str) and isinstance(last, str):
            joined[-1] = last + atom
        elif not (atom is RUN and last is RUN) and atom != "":
            joined.append(atom)
    return tuple(joined)


class _Piece:
    """What stands between two stars: text, or text with `?` in it, always of one length."""

    __slots__ = ("find", "length", "text")

    def __init__(self, atoms: list[str | _Wild]) -> None:
        self.length = sum(len(atom) if isinstance(atom, str) else 1 for atom in atoms)
        self.text = "".join(atom for atom in atoms if isinstance(atom, str)) if ONE not in atoms else None
        if self.text is None:
            source = "".join("." if atom is ONE else re.escape(str(atom)) for atom in atoms)
            search = re.compile(source, re.DOTALL).search
            self.find: Callable[[str, int, int], int] = lambda subject, start, end: _start(search(subject, start, end))
        else:
            wanted = self.text
            self.find = lambda subject, start, end: subject.find(wanted, start, end)

    def stands_at(self, subject: str, start: int) -> bool:
        return self.find(subject, start, start + self.length) == start


def _start(found: re.Match[str] | None) -> int:
    return -1 if found is None else found.start()


def _glob(atoms: tuple[Atom, ...]) -> Match:
    pieces: list[list[str | _Wild]] = [[]]
    for atom in atoms:
        if atom is RUN:
            pieces.append([])
        else:
            assert not isinstance(atom, Variable), "a variable must be filled before it is matched"
            pieces[-1].append(atom)
    first, *middle = map(_Piece, pieces)
    if not middle:
        return lambda text: len(text) == first.length and first.stands_at(text, 0)
    last = middle.pop()
    inner = tuple(piece.find for piece in middle)
    lengths = tuple(piece.length for piece in middle)

    def match(text: str) -> bool:
        at, end = first.length, len(text) - last.length
        if at > end or not first.stands_at(text, 0) or not last.stands_at(text, end):
            return False
        for find, length in zip(inner, lengths, strict=True):
            at = find(text, at, end)
            if at < 0:
                return False
            at += length
        return True

    return match
