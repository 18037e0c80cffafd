"""Every link inside the repository leads somewhere, and every page can be reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from docs.pages import ROOT, Page, pages

ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def link_problems(page: Page) -> Iterator[str]:
    """Relative links to files that are not there, and anchors that no heading has."""
    for target in page.links:
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = unquote(target).partition("#")
        path = (page.path.parent / name).resolve() if name else page.path
        if name and not path.exists():
            yield f"{page.path.name}: {target} leads nowhere"
        elif anchor and path.suffix == ".md":
            anchors = page.anchors if path == page.path else Page(path, path.read_text(encoding="utf-8")).anchors
            if anchor not in anchors:
                yield f"{page.path.name}: {target} names no heading; there are {sorted(anchors)}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Files exist and anchors are headings."""
    assert list(link_problems(page)) == []


def test_every_page_is_in_the_index():
    """docs/index.md links every page of docs/, and the README links the index."""
    index = Page(ROOT / "docs/index.md", (ROOT / "docs/index.md").read_text(encoding="utf-8"))
    linked = {target.partition("#")[0] for target in index.links}
    assert {path.name for path in ROOT.glob("docs/*.md")} - linked - {"index.md"} == set()
    readme = Page(ROOT / "README.md", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert "docs/index.md" in readme.links


@pytest.mark.parametrize(
    "text",
    ["[x](missing.md)", "[x](#nothing)", "[x](README.md#nothing)", "[x]: missing.md", "[`x`](missing.md)"],
)
def test_a_broken_link_is_found(text):
    """The checker goes red on a planted violation."""
    assert list(link_problems(Page(ROOT / "planted.md", text)))


@pytest.mark.parametrize(
    "text",
    [
        "# One `two`, three\n[x](#one-two-three)",
        "# A\n# A\n[x](#a-1)",
        "[x](https://id.example.com/#y)",
        "```\n[x](missing.md)\n```",
        "`[x](missing.md)`",
        "[x](docs/index.md)",
    ],
)
def test_a_good_link_is_no_problem(text):
    """The checker stays green where it should."""
    assert list(link_problems(Page(Path(ROOT / "planted.md"), text))) == []
