"""docs/configuration.md lists the variables of `Auth.from_env` as the code knows them."""

from __future__ import annotations

import re

from bearerkit.environment import PREFIX, VARIABLES
from docs.pages import ROOT

ROW = re.compile(rf"^\| `{PREFIX}(?P<suffix>\w+)` \| (?P<meaning>.+) \|$", re.MULTILINE)


def test_the_table_is_that_of_the_code():
    """Every variable with its meaning, in the order of the code, and none beside them."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [(found["suffix"], found["meaning"]) for found in ROW.finditer(text)]
    assert rows == [(suffix, meaning) for suffix, (_, _, meaning) in VARIABLES.items()]
