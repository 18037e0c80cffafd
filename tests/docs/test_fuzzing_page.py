"""docs/fuzzing.md shows the exceptions of the comparison and the fuzz targets as the tests have them.

After a change: `BEARERKIT_WRITE_DOCS=1 uv run pytest tests/docs/test_fuzzing_page.py` writes the table anew.
"""

from __future__ import annotations

import os
import re

from differential.explained import as_table
from docs.pages import ROOT
from fuzz.targets import TARGETS

PAGE = ROOT / "docs" / "fuzzing.md"
TABLE = re.compile(r"(?<=<!-- table: explained -->\n)(?P<table>.*?)(?=<!-- end -->)", re.DOTALL)


def test_the_table_is_that_of_the_test():
    """Row for row; tests/differential fails for a row that is missing, and for one that no case shows any more."""
    text = PAGE.read_text(encoding="utf-8")
    written = TABLE.search(text)
    assert written is not None
    if os.environ.get("BEARERKIT_WRITE_DOCS"):
        PAGE.write_text(TABLE.sub(lambda _: f"\n{as_table()}\n\n", text), encoding="utf-8")
        return
    assert written["table"].strip() == as_table()


def test_every_target_is_told():
    """The page has one row per fuzz target."""
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(TARGETS)
