"""Fixtures that install and run other implementations. Nothing is installed into the working tree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

import prerequisites
from interop.oidc_peer import OidcPeer
from interop.orders_api import OrdersApi, running_apis

HERE = Path(__file__).parent
INSTALL_TIMEOUT = 300


@pytest.fixture(scope="session")
def node_folder(
    needs: Callable[[str], str], pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the packages of package.json and our scripts beside them.

    It is kept in pytest's cache, by the content of package.json, so that only the first run installs.
    """
    needs("node")
    npm = needs("npm")
    manifest = (HERE / "package.json").read_bytes()
    name = f"interop-{sha256(manifest).hexdigest()[:16]}"
    cache = getattr(pytestconfig, "cache", None)
    folder: Path = tmp_path_factory.mktemp(name) if cache is None else cache.mkdir(name)
    installed = folder / "installed"
    if not installed.exists():
        shutil.copy(HERE / "package.json", folder)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False
        )
        if result.returncode != 0:
            reason = f"npm could not install {HERE.name}/package.json: {result.stderr[-1_000:]}"
            if prerequisites.is_strict():
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
        installed.touch()
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


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
def http() -> Iterator[httpx2.Client]:
    """A client of the API."""
    with httpx2.Client(timeout=20, trust_env=False) as client:
        yield client
