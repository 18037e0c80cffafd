"""The attack list as a whole: categories, what cannot occur here and why, and the tables of docs/attacks.md.

Everything else is read from the marks of the tests. `ABSENT` holds cases of the catalogue that no test can try, `LATER`
advisories that cannot concern what verifies tokens. A case never stands here and in a test.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from security.attack import OWN, Number

CATEGORIES = {
    "Algorithms and keys": range(1, 34),
    "Keys of the attacker": range(34, 47),
    "Structure, encoding, size": range(47, 66),
    "Encryption": range(66, 73),
    "Claims": range(73, 89),
    "Transport": range(89, 100),
    "JWKS and discovery": range(100, 112),
    "Caches and introspection": range(112, 120),
}
ADVISORIES, OWN_IDEAS = "Advisories", "Not in the catalogue"
LAST = 119

ABSENT: dict[tuple[int, str], str] = {
    (68, "50 levels of nesting"): "each level adds a third: such a token has 500 MB, and more than 16 kB are refused",
    (85, "jti replayed"): "a bearer token is for many requests; once-only ids belong to DPoP proofs, a later step",
    (95, "X-Forwarded-* for htu"): "DPoP proofs are not checked yet: tokens that need one are refused (119)",
}
"""Number and title to the reason."""

_CLIENT = "about OAuth clients or authorization servers, which this version does not have"
_KEYCLOAK = "about the authorization server Keycloak"
LATER: dict[str, str] = {
    "GHSA-fg6f-75jq-6523": _CLIENT, "CVE-2026-41425": _CLIENT, "CVE-2026-41479": _CLIENT, "CVE-2026-44681": _CLIENT,
    "CVE-2026-27124": _CLIENT, "GHSA-6x8h-498w-gv8c": _CLIENT, "GHSA-q9xg-f2v2-695g": _CLIENT,
    "GHSA-wx5f-576r-gpcx": _CLIENT,
    **dict.fromkeys(
        (
            f"CVE-2026-{number}"
            for number in (1035, 3872, 4325, 7571, 9704, 9792, 9798, 16089, 16103, 18208, 37979, 88770, 93999)
        ),
        _KEYCLOAK,
    ),
}  # fmt: skip
"""Advisories of the reference data that wait for the issuing side."""

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Tried:
    """One case that a test tries."""

    number: Number
    title: str
    answer: str
    file: str


def tried() -> Iterator[Tried]:
    """Every case of every test in this folder, in the order of the files."""
    for path in sorted(FOLDER.glob("test_*.py")):
        module = _module(path)
        for name, function in vars(module).items():
            if name.startswith("test_") and function.__module__ == module.__name__:
                for mark in _marks(function):
                    for title in mark.args[1:]:
                        yield Tried(mark.args[0], title, mark.kwargs["answer"], path.name)


def _module(path: Path) -> Any:
    """The module of a file: the one that pytest has loaded already, under whatever name, or a new one."""
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == str(path):
            return module
    return importlib.import_module(f"security.{path.stem}")


def category_of(number: Number) -> str:
    """The heading under which a number is counted."""
    if isinstance(number, str):
        return OWN_IDEAS if number == OWN else ADVISORIES
    return next(name for name, numbers in CATEGORIES.items() if number in numbers)


def as_tables() -> str:
    """docs/attacks.md below its introduction: per category one row for each number, answer and file."""
    cases = list(tried())
    parts = []
    for category in (*CATEGORIES, ADVISORIES, OWN_IDEAS):
        here = [case for case in cases if category_of(case.number) == category]
        parts.append(f"## {category}\n\n| No. | Attack | Answer | Where |\n| --- | --- | --- | --- |")
        for row in _grouped(here):
            parts[-1] += f"\n| {' | '.join(row)} |"
        for (number, title), reason in ABSENT.items():
            if category_of(number) == category:
                parts[-1] += f"\n| {number} | {_cell(title)} | cannot occur | {_cell(reason)} |"
    parts.append("## Advisories for later steps\n\n| Advisory | Why it cannot occur |\n| --- | --- |")
    for name, reason in LATER.items():
        parts[-1] += f"\n| {name} | {reason} |"
    return "\n\n".join(parts)


def _grouped(cases: list[Tried]) -> Iterator[tuple[str, str, str, str]]:
    groups: dict[tuple[Number, str, str], list[str]] = {}
    for case in cases:
        groups.setdefault((case.number, case.answer, case.file), []).append(case.title)
    for number, answer, file in sorted(groups, key=lambda key: key[0] if isinstance(key[0], int) else 0):
        titles = "; ".join(groups[number, answer, file])
        yield str(number) if number != OWN else "", _cell(titles), _cell(answer), file.removesuffix(".py")


def _cell(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\|<>*`\[\]])", r"\\\1", text)


def _marks(function: Any) -> Iterator[Any]:
    """The marks of a test and of its parameters."""
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "attacks":
            yield mark
        elif mark.name == "parametrize":
            for value in mark.args[1]:
                yield from (inner for inner in getattr(value, "marks", ()) if inner.name == "attacks")
