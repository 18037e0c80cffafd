"""Makes pytest execute the Python code blocks of README.md and docs/*.md, one namespace per page, from top to bottom.

A block that cannot run (it needs a real identity provider, say) is announced by a comment right above it, and shows
up as skipped with its reason: `<!-- skip: next "needs a real identity provider" -->`.
"""

from __future__ import annotations

from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import prerequisites

pytest_plugins = ["pytester", "log_audit"]
"""For the tests of our own pytest plugin; pytest takes this list from the top-level conftest.py only."""


def _without(name: str) -> bool:
    """True where a snippet that needs `name` cannot run; in CI it runs, and fails."""
    try:
        prerequisites.find(name)
    except prerequisites.Missing:
        return not prerequisites.is_strict()
    return False


def _open_page(namespace: dict[str, Any]) -> None:
    # Classes and functions of a snippet ask their module for its name.
    namespace["__name__"] = "page"
    namespace["without"] = _without


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    setup=_open_page,
).pytest()
