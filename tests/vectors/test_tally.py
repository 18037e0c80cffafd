"""The counting of vectors itself: what is excused, what is not, and what is out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from vectors.tally import ACCEPT, REJECT, Deviation, Outcome, Source, judge


def source(*outcomes: Outcome, **settings: object) -> Source:
    return Source("made", "made/*", lambda folder: outcomes, **settings)  # type: ignore[arg-type]


def judged(*outcomes: Outcome, **settings: object) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    tally = judge(source(*outcomes, **settings), Path())
    return [name for name, _ in tally.deviating], tally.unexplained, tally.stale


NO = Outcome("1", ACCEPT, f"{REJECT}: x")
YES = Outcome("1", REJECT, ACCEPT)


@pytest.mark.parametrize(
    ("outcome", "settings"),
    [
        pytest.param(NO, {}, id="not-listed"),
        pytest.param(YES, {}, id="accepted"),
        pytest.param(NO, {"deviations": {"1": Deviation(f"{REJECT}: y", "…")}}, id="another-reason"),
        pytest.param(NO, {"policies": {REJECT: "…"}}, id="policy-of-another-reason"),
        pytest.param(YES, {"policies": {ACCEPT: "…"}}, id="a-policy-excuses-no-acceptance"),
        pytest.param(Outcome("1", REJECT, ACCEPT, "class"), {"outside": {"class": "…"}}, id="outside-yet-accepted"),
        pytest.param(Outcome("1", REJECT, REJECT, "class"), {}, id="class-without-reason"),
    ],
)
def test_what_is_not_explained(outcome: Outcome, settings: dict[str, object]) -> None:
    """A verdict is excused only by a reason for exactly this verdict."""
    assert judged(outcome, **settings)[1] != ()


def test_an_id_that_occurs_twice() -> None:
    """Two vectors of one name cannot be told apart in a list of deviations."""
    assert judged(Outcome("1", REJECT, REJECT), Outcome("1", REJECT, REJECT))[1] == ("1: this id occurs twice",)


def test_what_is_stale() -> None:
    """A deviation that agrees by now, or names no vector."""
    agrees = Outcome("1", ACCEPT, ACCEPT)
    listed = Deviation(f"{REJECT}: x", "…")
    assert judged(agrees, deviations={"1": listed})[2] == ("1",)
    assert judged(agrees, deviations={"2": listed})[2] == ("2",)
    elsewhere = Deviation(f"{REJECT}: x", "…", elsewhere=True)
    assert judged(agrees, deviations={"2": elsewhere})[2] == ()
    assert judged(agrees, deviations={"1": elsewhere})[2] == ("1",)
    assert judged(NO, deviations={"1": listed}) == (["1"], (), ())
