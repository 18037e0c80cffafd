"""The npm packages of tests/interop/package.json, installed once, with the scripts of all test folders beside them.

Nothing is installed into the working tree: Node looks for packages beside the script it runs, so the scripts are
copied to where the packages are. A conftest.py that needs them imports the fixture `node_folder`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import prerequisites

__all__ = ["node_folder"]

TESTS = Path(__file__).parent
MANIFEST = TESTS / "interop" / "package.json"
STAND_INS = TESTS / "interop" / "rudder_stand_ins"
"""In place of packages that @rudderjs/passport needs and no registry has."""
INSTALL_TIMEOUT = 300


@pytest.fixture(scope="session")
def node_folder(
    needs: Callable[[str], str], pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the packages of package.json and our scripts beside them.

    It is kept in pytest's cache, by the content of package.json and of the packages that stand in for others, so that
    only the first run installs.
    """
    needs("node")
    npm = needs("npm")
    cache = getattr(pytestconfig, "cache", None)
    folder: Path = tmp_path_factory.mktemp("interop") if cache is None else cache.mkdir("interop")
    parts = [MANIFEST, *sorted(path for path in STAND_INS.rglob("*") if path.is_file())]
    installed = folder / sha256(b"\0".join(path.read_bytes() for path in parts)).hexdigest()[:16]
    if not installed.exists():
        _install(npm, installed)
    for script in (*TESTS.glob("interop/*.mjs"), *TESTS.glob("differential/*.mjs")):
        shutil.copy(script, installed)
    return installed


def _install(npm: str, target: Path) -> None:
    """All or nothing, so that an interrupted run and two at once leave no half of it."""
    with TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as scratch:
        work = Path(scratch, "packages")
        work.mkdir()
        shutil.copy(MANIFEST, work)
        shutil.copytree(STAND_INS, work / STAND_INS.name)
        command = [
            *(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"),
            # Without a network it must not take npm minutes to say so.
            *("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"),
        ]
        result = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False)
        if result.returncode != 0:
            reason = f"npm could not install tests/interop/package.json: {result.stderr[-1_000:]}"
            if prerequisites.is_strict():
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
        with suppress(OSError):  # another run was quicker
            work.rename(target)
