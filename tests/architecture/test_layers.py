"""Which module may import which, and what of the outside world each layer may touch.

Every import counts: at the top of a file, inside a function, and under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

import pytest

from architecture.source_tree import Module, modules

LAYERS: Sequence[tuple[str, frozenset[str]]] = (
    ("base", frozenset({"errors", "http", "challenge", "ports", "_drive", "spelling", "policy_problem"})),
    ("pure", frozenset({"jose", "guards", "context", "policy", "exempt", "redaction", "api_key"})),
    ("procedures", frozenset({"verify"})),
    ("default drivers", frozenset({"transport", "stores", "system"})),
    (
        "facades",
        frozenset(
            {"auth", "gate", "issuer", "issuer_keys", "environment", "current_caller", "logs", "wiring", "api_keys"}
        ),
    ),
    ("public names", frozenset({""})),
    (
        "adapters and presets",
        frozenset(
            {
                *("known", "openapi", "providers"),
                *("asgi", "asgi_kit", "websocket", "starlette", "fastapi"),
                *("wsgi", "wsgi_kit", "flask", "django", "drf", "drf_spectacular", "ninja"),
            }
        ),
    ),
    ("testing", frozenset({"testing"})),
    ("programs", frozenset({"cli", "demo", "policy_cli", "__main__"})),
)
"""From the bottom to the top; a module imports its own layer and those below it. "" is bearerkit/__init__.py."""

EVERYWHERE_BUT_PURE = (
    "verify",
    "transport",
    "stores",
    "system",
    "auth",
    "gate",
    "asgi",
    "starlette",
    "fastapi",
    "logs",
)
EDGES = ("testing", "cli", "demo", "policy_cli")
WORLD: Mapping[str, Sequence[str]] = {
    # what can wait, tell the time, roll dice or touch the machine → where it may be imported
    "asyncio": ("system", "django", *EDGES),
    "anyio": ("system", "asgi", "websocket", "starlette", "fastapi", *EDGES),
    "trio": ("system", *EDGES),
    "sniffio": ("system",),
    "time": ("system", "transport", *EDGES),
    "random": ("system", *EDGES),
    "secrets": ("system", *EDGES),
    "uuid": EDGES,
    "threading": (*EVERYWHERE_BUT_PURE, *EDGES),
    "multiprocessing": EDGES,
    "logging": (*EVERYWHERE_BUT_PURE, *EDGES),
    "socket": ("transport", *EDGES),
    "ssl": ("transport", *EDGES),
    "os": (*EVERYWHERE_BUT_PURE, *EDGES),
    "pathlib": ("transport", *EDGES),
    "tempfile": EDGES,
    "signal": EDGES,
    "subprocess": EDGES,
    "urllib.request": EDGES,
    "http.client": EDGES,
    "http.server": EDGES,
    # dependencies → the one place that knows them
    "httpcore2": ("transport",),
    "jwt": ("jose", "issuer_keys", "testing"),
    "cryptography": ("jose", "testing"),
    "cachetools": ("verify", "stores", "auth"),
    # optional packages → the modules named after them, and the demo that shows them
    "starlette": ("starlette", "fastapi", "demo"),
    "fastapi": ("fastapi", "demo"),
    "flask": ("flask",),
    "werkzeug": ("flask",),
    "django": ("django", "drf", "drf_spectacular", "ninja"),
    "asgiref": ("django", "ninja"),
    "rest_framework": ("drf", "drf_spectacular"),
    "drf_spectacular": ("drf_spectacular",),
    "ninja": ("ninja",),
    "redis": ("stores.redis",),
    "sqlalchemy": ("stores.sqlalchemy",),
    "rich": ("cli", "demo"),
    "uvicorn": ("demo",),
    "pytest": ("testing.plugin",),
}
NEVER = frozenset({"httpx", "httpx2", "requests", "aiohttp", "joserfc", "authlib", "hypothesis"})
ASYNC_ALLOWED_IN_BASE = ("ports", "_drive")
CLOCK_READINGS = frozenset({"now", "utcnow", "today"})
BUILTINS_THAT_DO_IO = frozenset({"open", "print", "input"})


def layer_of(name: str) -> int | None:
    """The number of the layer of a module, None for a module that has none."""
    top = name.removeprefix("bearerkit").removeprefix(".").partition(".")[0]
    return next((number for number, (_, names) in enumerate(LAYERS) if top in names), None)


def layer_problems(module: Module) -> Iterator[str]:
    """Imports that point upwards."""
    own = layer_of(module.name)
    if own is None:
        yield f"{module.name} belongs to no layer: add it to LAYERS, or move it"
        return
    for found in module.imports:
        if found.root != "bearerkit":
            continue
        other = layer_of(found.target)
        if other is None or other > own:
            above = "no layer" if other is None else LAYERS[other][0]
            yield f"{module.name}:{found.line} ({LAYERS[own][0]}) imports {found.target} ({above})"


def world_problems(module: Module) -> Iterator[str]:
    """Imports of the outside world, of dependencies and of optional packages from where they do not belong."""
    for found in module.imports:
        for name, allowed in WORLD.items():
            if f"{found.target}.".startswith(f"{name}.") and not module.is_in(*allowed):
                yield f"{module.name}:{found.line} imports {found.target}, which only {', '.join(allowed)} may"
        if found.root in NEVER:
            yield f"{module.name}:{found.line} imports {found.root}, which is no dependency of ours"


def purity_problems(module: Module) -> Iterator[str]:
    """Whatever in a pure module could wait, read the clock or do I/O without an import that shows it."""
    layer = layer_of(module.name)
    is_base = layer == 0
    if layer not in (0, 1) or (is_base and module.is_in(*ASYNC_ALLOWED_IN_BASE)):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)):
            yield f"{module.name}:{node.lineno} is pure and must not wait"
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in BUILTINS_THAT_DO_IO:
                yield f"{module.name}:{node.lineno} is pure and must not call {called.id}()"
            elif isinstance(called, ast.Attribute) and called.attr in CLOCK_READINGS and not node.args:
                yield f"{module.name}:{node.lineno} is pure and must not read the clock: `now` is a parameter"


CHECKS = (layer_problems, world_problems, purity_problems)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package_keeps_the_rule(check):
    """No module of the package breaks it."""
    problems = [problem for module in modules() for problem in check(module)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("errors", "from bearerkit.jose.keys import KeySet", id="base-pure"),
        pytest.param("jose.keys", "import bearerkit.verify", id="pure-procedures"),
        pytest.param(
            "guards.scopes", "if TYPE_CHECKING:\n    from bearerkit.auth import Auth", id="under-TYPE_CHECKING"
        ),
        pytest.param("verify.keys", "def f():\n    from bearerkit.transport.blocking import X", id="in-a-function"),
        pytest.param("transport.blocking", "from ..auth import Auth", id="relative"),
        pytest.param("auth", "from bearerkit.fastapi import RequireBearer", id="facade-adapter"),
        pytest.param("verify.keys", "from bearerkit import Auth", id="public-names-from-below"),
        pytest.param("fastapi", "from bearerkit.testing import FakeIssuer", id="adapter-testing"),
        pytest.param("utilities", "", id="no-layer"),
    ],
)
def test_an_import_that_points_upwards_is_found(name, source):
    """The layer checker goes red on a planted violation."""
    assert list(layer_problems(Module(f"bearerkit.{name}", source)))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("starlette", "from bearerkit.asgi import X\nfrom bearerkit.errors import Y", id="adapter"),
        pytest.param("jose.keys", "from bearerkit.jose import base64url", id="same-layer"),
        pytest.param("verify.keys", "from bearerkit.http import Fetch", id="below"),
    ],
)
def test_an_import_that_points_downwards_is_no_problem(name, source):
    """The layer checker stays green where it should."""
    assert list(layer_problems(Module(f"bearerkit.{name}", source))) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        *(
            pytest.param("jose.claims", f"import {root}", id=f"pure-{root}")
            for root in ("time", "random", "secrets", "asyncio", "threading", "logging", "socket", "os")
        ),
        pytest.param("context", "import urllib.request", id="pure-urllib.request"),
        pytest.param("http", "from http.client import HTTPConnection", id="base-http.client"),
        pytest.param("verify.keys", "def f():\n    import asyncio", id="procedure-asyncio"),
        pytest.param("verify.keys", "from httpcore2 import ConnectionPool", id="procedure-httpcore2"),
        pytest.param("verify.jwt", "from jwt.algorithms import RSAAlgorithm", id="procedure-jwt"),
        pytest.param("starlette", "from fastapi import Depends", id="starlette-fastapi"),
        pytest.param("asgi", "from starlette.requests import Request", id="asgi-starlette"),
        pytest.param("testing.issuer", "import pytest", id="testing-pytest"),
        pytest.param("transport.blocking", "import httpx2", id="never-httpx2"),
    ],
)
def test_an_import_of_the_outside_world_is_found(name, source):
    """The world checker goes red on a planted violation."""
    assert list(world_problems(Module(f"bearerkit.{name}", source)))


@pytest.mark.parametrize(
    "source",
    [
        "async def f(): ...",
        "def f():\n    open('x')",
        "print('x')",
        "from datetime import datetime\nx = datetime.now()",
    ],
)
@pytest.mark.parametrize("name", ["jose.claims", "guards.scopes", "context", "challenge"])
def test_a_pure_module_that_is_not_pure_is_found(name, source):
    """The purity checker goes red on a planted violation."""
    assert list(purity_problems(Module(f"bearerkit.{name}", source)))
