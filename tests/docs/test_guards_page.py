"""docs/guards.md lists every maker of requirements."""

from __future__ import annotations

import re

from bearerkit import guards
from docs.pages import ROOT


def test_every_maker_is_listed() -> None:
    """Each function of `bearerkit` that gives a requirement, and none that does not exist."""
    text = (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")
    table = text.partition("| Requirement |")[2].partition("\n\n")[0]
    listed = {name for row in table.splitlines() for name in re.findall(r"`(\w+)\(", row.partition(" | ")[0])}
    makers = {
        name
        for name in guards.__all__
        if getattr(getattr(guards, name), "__annotations__", {}).get("return") == "Requirement"
    }
    assert listed == makers - {"checked_need"}
