"""What `import bearerkit` may not load, measured in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FRAMEWORKS = frozenset({"django", "fastapi", "flask", "pydantic", "starlette", "werkzeug"})
HTTP_CLIENTS = frozenset({"aiohttp", "http.client", "httpcore2", "httpx", "httpx2", "requests", "urllib.request"})
EVENT_LOOPS = frozenset({"anyio", "asyncio", "trio"})


def loaded_by(statement: str) -> set[str]:
    """The modules that `statement` adds to those of a bare interpreter."""
    # Without the coverage of .ci/run, which imports this and that before we do.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    program = f"import sys; before = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_import_bearerkit_is_light():
    """It loads no framework, no HTTP client and no event loop."""
    assert loaded_by("import bearerkit") & (FRAMEWORKS | HTTP_CLIENTS | EVENT_LOOPS) == set()


def test_using_the_public_names_loads_no_framework_and_no_http_client_of_ours():
    """A resource server that verifies with static keys never pays for httpcore2, asyncio or a framework."""
    loaded = loaded_by("from bearerkit import *")
    # PyJWT itself imports urllib.request for a client that we never use.
    assert loaded & (FRAMEWORKS | EVENT_LOOPS | HTTP_CLIENTS - {"http.client", "urllib.request"}) == set()


@pytest.mark.parametrize("name", ["asyncio", "http.client"])
def test_a_heavy_import_is_found(name):
    """The checker goes red on a planted violation."""
    assert name in loaded_by(f"import {name}")
