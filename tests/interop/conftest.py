"""Fixtures that install and run other implementations. Nothing is installed into the working tree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest

import prerequisites
from interop.foreign_code import Consumers, Minters
from interop.node_process import running
from interop.oidc_peer import OidcPeer
from interop.orders_api import OrdersApi, running_apis

HERE = Path(__file__).parent
STAND_INS = HERE / "rudder_stand_ins"
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
    parts = [HERE / "package.json", *sorted(path for path in STAND_INS.rglob("*") if path.is_file())]
    installed = folder / sha256(b"\0".join(path.read_bytes() for path in parts)).hexdigest()[:16]
    if not installed.exists():
        _install(npm, installed)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, installed)
    return installed


def _install(npm: str, target: Path) -> None:
    """All or nothing, so that an interrupted run and two at once leave no half of it."""
    with TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as scratch:
        work = Path(scratch, "packages")
        work.mkdir()
        shutil.copy(HERE / "package.json", work)
        shutil.copytree(STAND_INS, work / STAND_INS.name)
        command = [
            *(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"),
            # Without a network it must not take npm minutes to say so.
            *("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"),
        ]
        result = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False)
        if result.returncode != 0:
            reason = f"npm could not install {HERE.name}/package.json: {result.stderr[-1_000:]}"
            if prerequisites.is_strict():
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
        with suppress(OSError):  # another run was quicker
            work.rename(target)


@pytest.fixture(scope="session")
def peer_at(needs: Callable[[str], str], node_folder: Path) -> Callable[..., OidcPeer]:
    """`peer_at(keys=file)` is a provider that has not been started yet."""

    def build(keys: Path | None = None) -> OidcPeer:
        return OidcPeer(needs("node"), node_folder / "oidc_provider.mjs", keys)

    return build


@pytest.fixture(scope="session")
def peer(peer_at: Callable[..., OidcPeer]) -> Iterator[OidcPeer]:
    """A provider that stays up for all tests."""
    with peer_at().running() as peer:
        yield peer


@pytest.fixture
def own_peer(peer_at: Callable[..., OidcPeer]) -> Iterator[OidcPeer]:
    """A provider that this test may stop and restart."""
    with peer_at().running() as peer:
        yield peer


@pytest.fixture(scope="session")
def apis(peer: OidcPeer) -> Iterator[dict[str, OrdersApi]]:
    """The API in every framework, behind `peer`."""
    with running_apis(peer.issuer) as apis:
        yield apis


@pytest.fixture(scope="session")
def run_script(needs: Callable[[str], str], node_folder: Path) -> Callable[..., Any]:
    """`with run_script("name.mjs", settings) as told:` runs one of our scripts and gives what it told at the start."""

    def run(name: str, settings: Any = None, *options: str) -> Any:
        return running(needs("node"), node_folder / name, settings, *options)

    return run


@pytest.fixture(scope="session")
def http() -> Iterator[httpx2.Client]:
    """A client of the API."""
    with httpx2.Client(timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def consumers(run_script: Callable[..., Any], http: httpx2.Client) -> Iterator[Consumers]:
    """Other people's verifiers, running."""
    with run_script("consumers.mjs") as told:
        yield Consumers(told, http)


@pytest.fixture(scope="session")
def minters(run_script: Callable[..., Any], http: httpx2.Client) -> Iterator[Minters]:
    """Other people's issuers, running."""
    with run_script("minters.mjs") as told:
        yield Minters(told, http)
