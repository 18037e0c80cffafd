"""What frameworks add to answers that bearerkit renders, before or after us: the differences that no adapter can undo.

test_scenarios.py holds every refusal in every framework against this table, in both directions: an addition that is
not listed fails, and so does one that no longer occurs. docs/adapters.md shows the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["FORCED", "Addition", "additions_of", "as_table"]


class Addition(NamedTuple):
    """One header field; `*` stands for any value."""

    name: str
    value: str
    why: str

    @property
    def field(self) -> tuple[str, str]:
        return self.name, self.value


_STARTPROJECT = (
    Addition("x-content-type-options", "nosniff", "`SecurityMiddleware` of `startproject`"),
    Addition("referrer-policy", "same-origin", "`SecurityMiddleware` of `startproject`"),
    Addition("cross-origin-opener-policy", "same-origin", "`SecurityMiddleware` of `startproject`"),
    Addition("x-frame-options", "DENY", "`XFrameOptionsMiddleware` of `startproject`"),
)
_DRF = (
    Addition("allow", "*", "`APIView` sets it on every answer of a view"),
    Addition("vary", "*", "`APIView` sets it where it negotiates the content type"),
)

FORCED: Mapping[str, tuple[Addition, ...]] = {
    "asgi": (),
    "starlette": (),
    "fastapi": (),
    "wsgi": (),
    "flask": (),
    "django-wsgi": _STARTPROJECT,
    "django-asgi": _STARTPROJECT,
    "ninja": _STARTPROJECT,
    "drf": (*_STARTPROJECT, *_DRF),
}


def additions_of(framework: str, *, reached_view: bool) -> frozenset[tuple[str, str]]:
    """The fields that this framework adds to a refusal; a middleware's refusal has not reached a view."""
    return frozenset(addition.field for addition in FORCED[framework] if reached_view or addition not in _DRF)


def as_table() -> str:
    """The table of the docs, in Markdown."""
    named: dict[Addition, list[str]] = {}
    for framework, additions in FORCED.items():
        for addition in additions:
            named.setdefault(addition, []).append(framework)
    rows = [
        f"| `{addition.name}: {addition.value}` | {', '.join(frameworks)} | {addition.why} |"
        for addition, frameworks in named.items()
    ]
    without = ", ".join(framework for framework, additions in FORCED.items() if not additions)
    rows.append(f"| nothing | {without} | |")
    return "\n".join(["| field | in | because |", "| --- | --- | --- |", *rows])
