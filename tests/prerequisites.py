"""What tests need beyond Python: programs, local services, and the folder of reference data beside the repository.

Each prerequisite is found by one function that returns what a test needs to use it, or raises `Missing` with the
reason. Nothing here installs or starts anything; `needs` in conftest.py turns `Missing` into a skip, or into a
failure when BEARERKIT_TEST_STRICT is set (CI), so that nothing goes untested unnoticed there.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["FINDERS", "Missing", "find", "is_strict", "shared_folder"]

ROOT = Path(__file__).resolve().parent.parent


class Missing(LookupError):
    """A prerequisite is not there; the message says what and how to get it."""


def is_strict(environment: Mapping[str, str] = os.environ) -> bool:
    """True when a missing prerequisite is a failure (BEARERKIT_TEST_STRICT is set to anything but 0)."""
    return environment.get("BEARERKIT_TEST_STRICT", "0") not in {"", "0"}


def find(name: str) -> str:
    """What a test needs to use prerequisite `name`: a path, or a URL of a server on this machine."""
    return FINDERS[name]()


def shared_folder() -> Path | None:
    """The folder of reference data (`shared`, beside the repository, or BEARERKIT_VECTORS), None when absent."""
    chosen = os.environ.get("BEARERKIT_VECTORS")
    folder = Path(chosen) if chosen else ROOT.parent / "shared"
    return folder if folder.is_dir() else None


def _shared() -> str:
    folder = shared_folder()
    if folder is None:
        raise Missing("no reference data: put the folder `shared` beside the repository, or set BEARERKIT_VECTORS")
    return str(folder)


def _program(*names: str) -> Callable[[], str]:
    def finder() -> str:
        for name in names:
            if path := shutil.which(name):
                return path
        raise Missing(f"no {names[0]} on PATH: install it")

    return finder


def _server(variable: str, url: str, port: int) -> Callable[[], str]:
    def finder() -> str:
        if given := os.environ.get(variable):
            return given
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            raise Missing(f"nothing listens on 127.0.0.1:{port}: start the server, or set {variable}") from None
        return url

    return finder


FINDERS: Mapping[str, Callable[[], str]] = {
    "chromium": _program("chromium", "chromium-browser", "google-chrome"),
    "node": _program("node"),
    "npm": _program("npm"),
    "postgresql": _server("BEARERKIT_TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test", 5432),
    "redis": _server("BEARERKIT_TEST_REDIS_URL", "redis://127.0.0.1:6379/15", 6379),
    "redis-server": _program("redis-server"),
    "shared": _shared,
}
