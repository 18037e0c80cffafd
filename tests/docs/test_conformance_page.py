"""docs/conformance.md shows the vectors as the tests count them, every deviation by its id.

After a change: `BEARERKIT_WRITE_DOCS=1 uv run pytest tests/docs/test_conformance_page.py` writes the tables anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from docs.pages import ROOT
from vectors.registry import as_tables

PAGE = ROOT / "docs" / "conformance.md"
TABLES = re.compile(r"(?<=<!-- table: conformance -->\n)(?P<tables>.*?)(?=<!-- end -->)", re.DOTALL)


def test_the_tables_are_those_of_the_tests(shared: Path) -> None:
    """Row for row, so that a vector which changes sides shows in a review."""
    text, tables = PAGE.read_text(encoding="utf-8"), as_tables(shared / "vectors")
    written = TABLES.search(text)
    assert written is not None
    if os.environ.get("BEARERKIT_WRITE_DOCS"):
        PAGE.write_text(TABLES.sub(lambda _: f"\n{tables}\n\n", text), encoding="utf-8")
        return
    assert written["tables"].strip() == tables
