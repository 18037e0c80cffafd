"""Where the conformance vectors are, and how to read them.

Every folder of vectors has a README with its source, licence and errata; a test that departs from a vector says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def vectors(shared: Path) -> Path:
    """The folder of conformance vectors in the reference data."""
    return shared / "vectors"


@pytest.fixture(scope="session")
def load_vectors(vectors: Path) -> Callable[[str], Any]:
    """`load_vectors("wycheproof/x.json")` gives the document."""

    def load(name: str) -> Any:
        return json.loads((vectors / name).read_text(encoding="utf-8"))

    return load
