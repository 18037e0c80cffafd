"""The project runs as its README says. Django's settings exist once in a process, so it has processes of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize("command", [["check"], ["test", "orders"]], ids=" ".join)
def test_the_project_passes_its_own(command: list[str]):
    """The system checks, and the tests that its team would write."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *command],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert ("no issues" if command == ["check"] else "OK") in result.stdout + result.stderr
