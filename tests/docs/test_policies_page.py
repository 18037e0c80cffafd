"""docs/policies.md and docs/policy-stores.md list every code of a problem and every operator, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import bearerkit
from bearerkit.policy import Limits
from bearerkit.policy.operators import OPERATORS
from docs.pages import ROOT

PAGE = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
STORES_PAGE = (ROOT / "docs" / "policy-stores.md").read_text(encoding="utf-8")


PACKAGE = Path(bearerkit.__file__).parent


def source_of(folder: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / folder).rglob("*.py"))


SOURCE = source_of("policy")
MADE = re.compile(r'Problem\(\s*"([a-z_]+)"')
CODE = re.compile(r"`([a-z]+_[a-z_]+)`")


def listed_in(page: str) -> set[str]:
    """The codes of the table."""
    rows = page.partition("| Code |")[2].partition("\n\n")[0].splitlines()
    return {code for row in rows for code in CODE.findall(row.partition(" | ")[0])}


def test_every_code_is_listed() -> None:
    """As the source spells them, those of lists by the lists that there are."""
    codes = set(re.findall(r'\.problem\(\s*"([a-z_]+)"', SOURCE)) | set(MADE.findall(SOURCE))
    names = ("actions", "resources", "principals", "values")
    codes |= {f"{kind}_{name}" for kind in ("missing", "empty", "too_many") for name in names}
    codes -= {"missing_principals"}  # empty_principals says both
    assert listed_in(PAGE) == codes


def test_every_code_of_stores_is_listed() -> None:
    """What a store adds to those of documents, and what it says of its own."""
    assert listed_in(STORES_PAGE) == set(MADE.findall(source_of("stores"))) - {"bad_document"}


def test_every_operator_is_listed() -> None:
    """By name, or as one of a family."""
    for name in OPERATORS:
        assert f"`{name}`" in PAGE or name.startswith("Date"), name


def test_the_limits_are_those_of_the_class() -> None:
    """Each number of `Limits()` stands in the sentence about them."""
    sentence = PAGE.partition("`Limits()`:")[2]
    for value in vars(Limits) and [getattr(Limits(), name) for name in Limits.__slots__]:
        assert f"{value:,}" in sentence, value
