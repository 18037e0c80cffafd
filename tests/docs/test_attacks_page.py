"""docs/attacks.md lists the attacks as the tests try them.

After a change: `BEARERKIT_WRITE_DOCS=1 uv run pytest tests/docs/test_attacks_page.py` writes the tables anew.
"""

from __future__ import annotations

import os
import re

from docs.pages import ROOT
from security.catalogue import as_tables

PAGE = ROOT / "docs" / "attacks.md"
TABLES = re.compile(r"(?<=<!-- table: attacks -->\n)(?P<tables>.*?)(?=<!-- end -->)", re.DOTALL)


def test_the_tables_are_those_of_the_tests():
    """Row for row; tests/security/test_catalogue.py fails for a number without a test or a reason."""
    text = PAGE.read_text(encoding="utf-8")
    written = TABLES.search(text)
    assert written is not None
    if os.environ.get("BEARERKIT_WRITE_DOCS"):
        PAGE.write_text(TABLES.sub(lambda _: f"\n{as_tables()}\n\n", text), encoding="utf-8")
        return
    assert written["tables"].strip() == as_tables()
