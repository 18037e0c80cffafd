"""The Node process that every comparison asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from differential.opinions import Jose
from node_packages import node_folder

__all__ = ["node_folder"]


@pytest.fixture(scope="module")
def jose(needs: Callable[[str], str], node_folder: Path) -> Iterator[Jose]:
    """jose in Node, up for all tests of a module."""
    jose = Jose(needs("node"), node_folder)
    yield jose
    jose.close()
