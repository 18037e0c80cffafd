"""The kept fuzz inputs through their targets, without a fuzzer."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
INPUTS = sorted(path for name in TARGETS for path in (CORPUS / name).iterdir())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.name[:12]}")
def test_a_kept_input_finds_nothing(path):
    """What the fuzzer found worth keeping still holds."""
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff", b"\n\n\n"], ids=["empty", "zero", "ff", "lines"])
def test_an_input_of_hardly_anything_finds_nothing(name, data):
    """The targets themselves take any bytes."""
    TARGETS[name](data)


def test_every_target_has_a_corpus():
    """A target that is added without inputs, or inputs without a target, would be replayed by nobody."""
    folders = {path.name: len(list(path.iterdir())) for path in CORPUS.iterdir()}
    assert folders.keys() == TARGETS.keys()
    assert all(5 <= count <= 100 for count in folders.values()), folders
