"""Where the conformance vectors are, and how to read them.

Every folder of vectors has a README with its source, licence and errata; a test that departs from a vector says why.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import prerequisites


@pytest.fixture(scope="session")
def vectors(needs: Callable[[str], str]) -> Path:
    """The folder of vectors: BEARERKIT_VECTORS, else `vectors` in the shared folder; skips (in CI fails) without it."""
    chosen = os.environ.get("BEARERKIT_VECTORS")
    folder = Path(chosen) if chosen else Path(needs("shared")) / "vectors"
    if not folder.is_dir():
        reason = "no conformance vectors: the folder that BEARERKIT_VECTORS or the shared folder names is not there"
        if prerequisites.is_strict():
            pytest.fail(f"BEARERKIT_TEST_STRICT is set, and there are {reason}", pytrace=False)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def load_vectors(vectors: Path) -> Callable[[str], Any]:
    """`load_vectors("wycheproof/x.json")` gives the document."""

    def load(name: str) -> Any:
        return json.loads((vectors / name).read_text(encoding="utf-8"))

    return load
