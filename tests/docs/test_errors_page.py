"""docs/errors.md lists every answer as the code gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bearerkit import errors
from bearerkit.challenge import render
from docs.pages import ROOT

HEAD = (
    "| Error | Status | `reason` | `error=` in the challenge | Text the caller sees |\n| --- | --- | --- | --- | --- |"
)


def rows(cls: type[errors.BearerkitError]) -> Iterator[str]:
    """The table row of an error class, then those of the classes below it, in the order of the source."""
    answer = render(cls())
    challenge = answer.header("WWW-Authenticate")
    found = re.search(r'error="(\w+)"', challenge or "")
    code = f"`{found[1]}`" if found else "–" if challenge is None else 'none, `Bearer realm="…"` only'
    yield f"| `{cls.__name__}` | {answer.status} | `{cls.reason}` | {code} | {cls.public} |"
    for below in cls.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from rows(below)


def test_the_table_is_that_of_the_code():
    """Status, reason, challenge and public text of every refusal and outage."""
    top = (errors.InvalidRequest, errors.Unauthenticated, errors.Forbidden, errors.TenantUnknown, errors.Unavailable)
    table = "\n".join([HEAD, *(row for cls in top for row in rows(cls))])
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert table in text, f"docs/errors.md should hold this table:\n\n{table}\n"


def test_the_tree_is_that_of_the_code():
    """The page shows the same drawing as the module."""
    drawing = (errors.__doc__ or "").split("\n\n")[1]
    lines = [line.strip() for line in drawing.splitlines() if line.strip()]
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [line for line in lines if line not in text] == []
