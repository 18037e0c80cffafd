"""Where the conformance vectors are; and the totals of a run, shown at its end.

Every folder of vectors has a README with its source, licence and errata; a test that departs from a vector says why.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vectors.tally import counted


@pytest.fixture(scope="session")
def vectors(shared: Path) -> Path:
    """The folder of conformance vectors in the reference data."""
    return shared / "vectors"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per source that was judged in this run."""
    if tallies := counted():
        terminalreporter.section("conformance vectors")
        for tally in tallies:
            terminalreporter.line(tally.line)
