"""Fixtures that run other implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from interop.foreign_code import Consumers, Minters
from interop.node_process import running
from interop.oidc_peer import OidcPeer
from interop.orders_api import OrdersApi, running_apis
from node_packages import node_folder

__all__ = ["node_folder"]


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
