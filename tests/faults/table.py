"""The table of docs/faults.md, made of what callers saw. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from faults.faults import FAULTS
from faults.lifecycle import STAGES, Outcome, Seen, Stage, outcome

__all__ = ["HEAD", "as_table", "row_of"]

HEAD = (
    f"| What goes wrong | {' | '.join(STAGES)} | Fetches | Then |",
    f"| --- | {'--- | ' * len(STAGES)}--- | --- |",
)


def _statuses(seen: Iterable[Seen]) -> str:
    return ", ".join(dict.fromkeys(str(caller.status) for caller in seen))


def _cell(stage: Stage) -> str:
    parts = [_statuses(group) for group in (stage.honest, stage.forged, stage.unknown)]
    return parts[0] if len(set(parts)) == 1 else " · ".join(parts)


def row_of(text: str, found: Outcome) -> str:
    """One line of the table."""
    cells = [_cell(found.stages[name]) for name in STAGES]
    fetches = ", ".join(str(found.stages[name].fetches) for name in STAGES)
    return f"| {text} | {' | '.join(cells)} | {fetches} | {_statuses(found.then)} |"


def as_table(framework: str) -> str:
    """All faults, as they were seen in one framework."""
    return "\n".join([*HEAD, *(row_of(fault.text, outcome(fault.text, framework)) for fault in FAULTS)])
