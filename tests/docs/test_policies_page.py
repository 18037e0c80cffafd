"""docs/policies.md lists every code of a problem and every operator, and none that does not exist."""

from __future__ import annotations

import re

from bearerkit.policy import Limits
from bearerkit.policy.operators import OPERATORS
from docs.pages import ROOT

PAGE = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
SOURCE = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/bearerkit/policy").glob("*.py"))


def test_every_code_is_listed() -> None:
    """As the source spells them, those of lists by the lists that there are."""
    codes = set(re.findall(r'\.problem\(\s*"([a-z_]+)"', SOURCE)) | set(re.findall(r'Problem\(\s*"([a-z_]+)"', SOURCE))
    names = ("actions", "resources", "principals", "values")
    codes |= {f"{kind}_{name}" for kind in ("missing", "empty", "too_many") for name in names}
    codes -= {"missing_principals"}  # empty_principals says both
    table = PAGE.partition("| Code |")[2]
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", table.partition("\n\n")[0])) == codes


def test_every_operator_is_listed() -> None:
    """By name, or as one of a family."""
    for name in OPERATORS:
        assert f"`{name}`" in PAGE or name.startswith("Date"), name


def test_the_limits_are_those_of_the_class() -> None:
    """Each number of `Limits()` stands in the sentence about them."""
    sentence = PAGE.partition("`Limits()`:")[2]
    for value in vars(Limits) and [getattr(Limits(), name) for name in Limits.__slots__]:
        assert f"{value:,}" in sentence, value
