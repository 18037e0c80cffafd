"""A key server that misbehaves costs answers, never safety: no 500, no forgery let in, no flood of fetches.

Each fault is a real server on loopback behind the real HTTP client, in front of an async and a threaded application.
docs/faults.md shows what callers saw. After a change:
`BEARERKIT_WRITE_DOCS=1 uv run pytest tests/faults` writes the table anew.
"""

from __future__ import annotations

import os
import re

import pytest

from docs.pages import ROOT
from faults.faults import FAULTS, Fault
from faults.lifecycle import FRAMEWORKS, STAGES, Outcome, Stage, outcome
from faults.table import as_table, row_of

PAGE = ROOT / "docs" / "faults.md"
TABLE = re.compile(r"(?<=<!-- table: faults -->\n)(?P<table>.*?)(?=<!-- end -->)", re.DOTALL)
MEMORY = 16 << 20
"""Bytes that client and server of a huge answer may need together: 30 times the limit of a body, 1/12 of the answer."""


def name_of(fault: Fault) -> str:
    return re.sub(r"\W+", "-", fault.text).strip("-")


each_fault = pytest.mark.parametrize("fault", FAULTS, ids=name_of)
everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)


@each_fault
@everywhere
def test_a_fault_costs_answers_and_never_safety(fault: Fault, framework: str) -> None:
    """Nobody is wrongly allowed, nothing breaks, keys at hand go on, fetches are few, and all ends with the fault."""
    found = outcome(fault.text, framework)
    for name in STAGES:
        assert_safe(name, found.stages[name])
        assert_few_fetches(name, found.stages[name], fault)
    assert_keys_at_hand_go_on(found, fault)
    stages = found.stages.values()
    assert sum(stage.connections for stage in stages) <= sum(stage.fetches for stage in stages)
    if fault.says is not None:
        assert any(stage.errors for stage in stages), "no fetch met the fault"
    # A minute later. A wrong set that looks right stays while it is fresh.
    wrong_set = fault.text == "5 keys of the same kid"
    assert {seen.status for seen in found.then} == ({401} if wrong_set else {200})


def assert_safe(name: str, stage: Stage) -> None:
    """A forged token and an invented kid never pass; nobody sees a 500; a 503 says when to come back."""
    assert {seen.status for seen in stage.forged + stage.unknown} <= {401, 503}, name
    assert {seen.status for seen in stage.honest} <= {200, 401, 503}, name
    for seen in stage.everybody:
        assert (seen.retry_after is not None and int(seen.retry_after) >= 1) == (seen.status == 503), name


def assert_keys_at_hand_go_on(found: Outcome, fault: Fault) -> None:
    """While fetches fail, callers whose key is known pass until the grace period ends; a stranger makes no 5xx."""
    fresh, old = found.stages["keys fresh"], found.stages["keys past fresh"]
    if fault.says is not None:
        assert {seen.status for seen in fresh.honest + old.honest} == {200}
    assert {seen.status for seen in fresh.forged + fresh.unknown + old.forged} == {401}


def assert_few_fetches(name: str, stage: Stage, fault: Fault) -> None:
    """Seven callers cost one attempt, and one more if an unknown kid asks a fresh set; names are resolved once each.

    An attempt is at most two requests (metadata, keys). That it failed is told once, and why.
    """
    assert stage.fetches <= 2, name
    assert stage.resolved == stage.fetches, name
    if fault.unreached:
        assert stage.connections == 0, name
    elif not fault.endless and "rebinds" not in fault.text:
        assert stage.connections == stage.fetches, name
    assert len(stage.errors) <= 1, name
    assert all(fault.says is not None and fault.says in error for error in stage.errors), name


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.heavy], ids=name_of)
@everywhere
def test_a_huge_answer_is_not_held(fault: Fault, framework: str) -> None:
    """The memory that a fetch needs is bounded by the limit of a body, not by what the server sends."""
    assert 0 < outcome(fault.text, framework).stages["no keys yet"].peak < MEMORY


@each_fault
def test_tasks_and_threads_see_the_same(fault: Fault) -> None:
    """The async and the threaded application have the same line in the table."""
    assert len({row_of(fault.text, outcome(fault.text, framework)) for framework in FRAMEWORKS}) == 1


def test_the_table_is_that_of_this_run() -> None:
    """Docs show what was measured here, line for line."""
    text, table = PAGE.read_text(encoding="utf-8"), as_table("starlette")
    written = TABLE.search(text)
    assert written is not None
    if os.environ.get("BEARERKIT_WRITE_DOCS"):
        PAGE.write_text(TABLE.sub(lambda _: f"\n{table}\n\n", text), encoding="utf-8")
        return
    assert written["table"].strip() == table
