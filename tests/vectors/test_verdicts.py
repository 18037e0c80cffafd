"""Every vector of every source: it agrees, or it is listed with the reason. The lists are beside each source."""

from __future__ import annotations

from pathlib import Path

import pytest

from vectors.registry import NOT_JOSE, SOURCES
from vectors.tally import Source, count


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.path.partition(".")[0].rstrip("*/"))
def test_every_vector_is_accounted_for(source: Source, vectors: Path) -> None:
    """None is unexplained, and no explanation is out of date."""
    tally = count(source, vectors)
    assert tally.unexplained == ()
    assert tally.stale == ()
    assert len(tally.outcomes) == len(tally.agreed) + len(tally.deviating) + tally.not_applicable > 0


def test_no_file_is_left_out(vectors: Path) -> None:
    """What no source reads is listed too, and no pattern is for nothing."""
    files = {path for path in vectors.rglob("*") if path.is_file()} - {vectors / "README.md"}
    read = {source.path: set(vectors.glob(source.path)) for source in SOURCES}
    others = {pattern: set(vectors.glob(pattern)) for pattern in NOT_JOSE}
    assert files - set().union(*read.values(), *others.values()) == set()
    assert [pattern for pattern, found in {**read, **others}.items() if not found] == []
