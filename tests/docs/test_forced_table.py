"""docs/adapters.md shows what frameworks add as the scenario test measures it.

After a change: `BEARERKIT_WRITE_DOCS=1 uv run pytest tests/docs/test_forced_table.py` writes the table anew.
"""

from __future__ import annotations

import os
import re

from adapters.forced import as_table
from docs.pages import ROOT

PAGE = ROOT / "docs" / "adapters.md"
TABLE = re.compile(r"(?<=<!-- table: forced -->\n)(?P<table>.*?)(?=<!-- end -->)", re.DOTALL)


def test_the_table_is_that_of_the_test():
    """Row for row; test_scenarios.py fails for a row that is missing, and for one that no longer occurs."""
    text = PAGE.read_text(encoding="utf-8")
    written = TABLE.search(text)
    assert written is not None
    if os.environ.get("BEARERKIT_WRITE_DOCS"):
        PAGE.write_text(TABLE.sub(lambda _: f"\n{as_table()}\n\n", text), encoding="utf-8")
        return
    assert written["table"].strip() == as_table()
