"""The Markdown pages of the repository: what the docs tests read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["ROOT", "Page", "pages"]

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<fence>```+|~~~+)[^\n]*\n.*?^(?P=fence)[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)[^`].*?\1")
LINK = re.compile(r"\[[^\]\[]*\]\((?P<target>[^()\s]+(?:\([^()\s]*\)[^()\s]*)?)(?:\s+\"[^\"]*\")?\)")
DEFINITION = re.compile(r"^\[[^\]]+\]:\s+(?P<target>\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$", re.MULTILINE)
NAMED = re.compile(r"<a\s+(?:id|name)=\"(?P<name>[^\"]+)\"")


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path
    text: str

    @cached_property
    def prose(self) -> str:
        """The text without its code blocks."""
        return FENCE.sub("", self.text)

    @property
    def links(self) -> Iterator[str]:
        """The targets of all links."""
        prose = CODE.sub("", self.prose)
        for pattern in (LINK, DEFINITION):
            for found in pattern.finditer(prose):
                yield found["target"]

    @cached_property
    def anchors(self) -> frozenset[str]:
        """What may follow `#`, as GitHub makes it of the headings."""
        seen: dict[str, int] = {}
        anchors = {found["name"] for found in NAMED.finditer(self.prose)}
        for found in HEADING.finditer(self.prose):
            slug = _slug(found["text"])
            anchors.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
            seen[slug] = seen.get(slug, 0) + 1
        return frozenset(anchors)


def _slug(heading: str) -> str:
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def pages() -> tuple[Page, ...]:
    """Every page: those of the root folder, then docs/."""
    found = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
    return tuple(Page(path, path.read_text(encoding="utf-8")) for path in found)
