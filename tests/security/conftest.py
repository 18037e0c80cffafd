"""After a run of attacks: how many were tried in each category, and how many of them got through."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from security.catalogue import ADVISORIES, CATEGORIES, OWN_IDEAS, category_of

PROPERTY = "attack"


def pytest_itemcollected(item: pytest.Item) -> None:
    """A report knows nothing of marks, so the category travels with it."""
    for mark in item.iter_markers("attacks"):
        item.user_properties.append((PROPERTY, category_of(mark.args[0])))
        break


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line per category in which something was tried."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*CATEGORIES, ADVISORIES, OWN_IDEAS)}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY and (report.when == "call" or outcome == "skipped"):
                    counts[value][outcome] += 1
    if not any(counts.values()):
        return
    terminalreporter.section("attacks tried, and refused as they should be")
    for name, outcomes in counts.items():
        if outcomes:
            terminalreporter.line(_line(name, outcomes))
    terminalreporter.line(_line("all", sum(counts.values(), Counter())))


def _line(name: str, outcomes: Counter[str]) -> str:
    rest = [f"{outcomes[kind]} {kind.upper()}" for kind in ("failed", "skipped") if outcomes[kind]]
    return f"{name:28}{outcomes['passed']:5} of {outcomes.total():<5}{', '.join(rest)}".rstrip()
