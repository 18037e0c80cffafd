"""One table of tokens, five judges over real HTTP: they agree, or the difference is listed with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from interop.agreement.differences import DIFFERENCES, difference, expected
from interop.agreement.judges import COUNTERPART, OURS, Judges, as_said_by, judges
from interop.agreement.row import ACCEPT, Row
from interop.agreement.table import PEERS, ROWS, as_peers

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def bar(run_script: Callable[..., Any], http: httpx2.Client) -> Iterator[Judges]:
    """All five, running."""
    with judges(run_script, http) as running:
        yield running


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_judge_says_what_the_table_says(bar: Judges, row: Row) -> None:
    """Ours says what the row says; the others the same, status and error code included, or what a difference names."""
    said, reasons = bar.judge(row.asked(bar.bench))
    assert said == {judge: as_said_by(judge, expected(row, judge)) for judge in (*OURS, *COUNTERPART)}
    assert reasons == {"bearerkit": row.outcome(profile=False), "bearerkit rfc9068": row.outcome(profile=True)}


def test_a_listed_difference_is_one() -> None:
    """Every pair of row and judge stands in the list once, exists, and says something else than ours."""
    ids = {row.id: row for row in ROWS}
    assert len(ids) == len(ROWS) >= 60
    pairs = [(row, judge) for item in DIFFERENCES for row in item.rows for judge in item.judges]
    assert len(set(pairs)) == len(pairs)
    for row, judge in pairs:
        ours = expected(ids[row], COUNTERPART[judge])
        assert as_said_by(judge, expected(ids[row], judge)) != as_said_by(judge, ours), (row, judge)


def test_every_difference_has_a_name_and_a_reason_that_cites() -> None:
    """Which sentence decides it, or leaves it open."""
    assert len({item.id for item in DIFFERENCES}) == len(DIFFERENCES)
    assert [item.id for item in DIFFERENCES if "RFC " not in item.why or " section" not in item.why] == []


@pytest.mark.parametrize("judge", [*OURS, *COUNTERPART])
def test_no_judge_is_of_one_mind(judge: str) -> None:
    """A server that refuses everything, or lets everything pass, would prove nothing."""
    accepted = sum(expected(row, judge) == ACCEPT for row in ROWS)
    assert 20 < accepted < len(ROWS) - 20


def test_ours_is_laxer_only_where_it_is_meant_to_be() -> None:
    """What ours takes and another refuses, by name: a new one is a decision, not an accident."""
    laxer = {
        found.id
        for row in ROWS
        for judge, ours in COUNTERPART.items()
        if (found := difference(row, judge)) and expected(row, ours) == ACCEPT
    }
    assert laxer == {
        *("leeway", "ed25519", "ed25519-alias", "kid-optional", "jti-null", "client-number", "several-methods"),
    }


def test_every_package_is_in_the_table_of_versions() -> None:
    """Those that only make others run are not: the server beneath, and what stands in for a framework."""
    support = {"express", "passport", "@productcraft/core"}
    listed = as_peers()
    assert all(f"| `{name}` |" in listed for name in PEERS)
    package = json.loads((Path(__file__).parents[1] / "package.json").read_text(encoding="utf-8"))
    versions = {name for name, version in package["dependencies"].items() if not version.startswith("file:")}
    assert versions == {*PEERS, *support}
