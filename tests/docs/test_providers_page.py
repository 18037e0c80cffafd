"""docs/providers.md has a row and a snippet for every preset, and names none that does not exist."""

from __future__ import annotations

import re

import pytest

from bearerkit import providers
from docs.pages import ROOT

PAGE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
NAMES = [name for name in providers.__all__ if name != "IssuerOptions"]
ROWS = [row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| `")]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_has_its_snippet(name: str) -> None:
    """It is imported and called in a block that the docs tests run."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert any(re.search(rf"import .*\b{name}\b", block) for block in blocks)
    assert any(re.search(rf"\b{name}\(", block) for block in blocks)


def test_the_table_has_every_preset() -> None:
    """Once each."""
    named = [name for row in ROWS for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(NAMES)
