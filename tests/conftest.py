"""Fixtures that every test folder shares: the async backends, reference data and prerequisites."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import prerequisites

# A slow machine is no bug, and CI must fail on the change that caused it, not on luck.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=20_000)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every `@pytest.mark.anyio` test runs on both event loops."""
    return request.param


@pytest.fixture(scope="session")
def needs() -> Callable[[str], str]:
    """`needs("node")` gives its path (or URL), and skips the test where it is missing; in CI it fails instead."""

    def require(name: str) -> str:
        try:
            return prerequisites.find(name)
        except prerequisites.Missing as missing:
            if prerequisites.is_strict():
                pytest.fail(f"BEARERKIT_TEST_STRICT is set, and there is {missing}", pytrace=False)
            pytest.skip(str(missing))

    return require


@pytest.fixture(scope="session")
def shared(needs: Callable[[str], str]) -> Path:
    """The folder of reference data: vectors, identity provider samples, interop programs."""
    return Path(needs("shared"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`@pytest.mark.shared_files("vectors/x/*.json")` runs a test once per file as argument `shared_file`.

    Without the folder there is one case, which skips or fails through `needs` like any other missing prerequisite.
    """
    if "shared_file" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("shared_files")
    if marker is None:
        raise pytest.UsageError(f"{metafunc.definition.nodeid} uses shared_file without @pytest.mark.shared_files")
    folder = prerequisites.shared_folder()
    files = sorted(path for pattern in marker.args for path in folder.glob(pattern)) if folder else []
    metafunc.parametrize("shared_file", files or [None], ids=lambda path: path.stem if path else "none", indirect=True)


@pytest.fixture
def shared_file(request: pytest.FixtureRequest, shared: Path) -> Path:
    """One file of the reference data; see `pytest_generate_tests`."""
    if request.param is None:
        pytest.fail(f"no file in {shared.name}/ matches the patterns of this test", pytrace=False)
    path: Path = request.param
    return path
