"""Python blocks of the docs run (see conftest.py in the root folder); here: none of them gets away silently."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from docs.pages import ROOT, Page, pages

SKIP = re.compile(r"<!--+\s*;?\s*skip:?\s*(?P<arguments>.*?)\s*--+>", re.DOTALL)
WITH_REASON = re.compile(r'^next\s+(?:"[^"]{10,}"|if\(without\("[a-z-]+"\), "[^"]{10,}"\))$')
INFO = re.compile(r"^[ \t]*(?:```+|~~~+)[ \t]*(?P<info>\S[^\n]*)$", re.MULTILINE)
LANGUAGES = {"bash", "console", "dockerfile", "env", "html", "http", "ini", "json", "python", "text", "toml", "yaml"}


def snippet_problems(page: Page) -> Iterator[str]:
    """Blocks that are left out without a reason, or that no parser recognises as Python."""
    for found in SKIP.finditer(page.text):
        if not WITH_REASON.match(found["arguments"]):
            yield f'{page.path.name}: write <!-- skip: next "why it cannot run" -->, not {found.group()}'
    for found in INFO.finditer(page.text):
        if found["info"].strip() not in LANGUAGES:
            yield f"{page.path.name}: the block language {found['info']!r} is not one of {sorted(LANGUAGES)}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.path.relative_to(ROOT)))
def test_every_python_block_runs_or_says_why_not(page):
    """A skipped block has a reason, and a misspelt language does not keep a block from running."""
    assert list(snippet_problems(page)) == []


@pytest.mark.parametrize(
    "text",
    [
        "<!-- skip: next -->",
        "<!--- skip: start --->",
        '<!-- skip: next "x" -->',
        '<!-- skip: next if(True, "whatever the reason is") -->',
        "```py\nx\n```",
        "``` python3\nx\n```",
    ],
)
def test_a_block_that_gets_away_is_found(text):
    """The checker goes red on a planted violation."""
    assert list(snippet_problems(Page(ROOT / "planted.md", text)))


def test_a_block_with_a_reason_is_no_problem():
    """The checker stays green where it should."""
    text = '<!-- skip: next "needs a real identity provider" -->\n```python\nx\n```\n'
    assert list(snippet_problems(Page(ROOT / "planted.md", text))) == []
