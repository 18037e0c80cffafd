"""Adapters translate; they know no status code and no header text: challenge.py and verify/credentials.py do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from architecture.source_tree import Module, modules

ADAPTERS = (
    *("asgi", "asgi_kit", "websocket", "starlette", "fastapi", "mcp"),
    *("known", "wsgi", "wsgi_kit", "flask", "django", "drf", "drf_spectacular", "ninja"),
)
HEADER_TEXT = re.compile(
    r"\b(www-authenticate|authorization|bearer|cache-control|no-store|retry-after|problem\+json|sec-websocket-protocol)\b",
    re.IGNORECASE,
)
CODES = {int(status) for status in HTTPStatus} | set(range(1000, 1016)) | set(range(3000, 5000))
"""HTTP statuses, and the close codes of RFC 6455 section 7.4 that endpoints may send."""
STATUS_NAME = re.compile(r"^(HTTP|WS)_\d+|^HTTPStatus$")


def literal_problems(module: Module) -> Iterator[str]:
    """Status codes, close codes and header texts among the constants of an adapter; docstrings may name them."""
    prose = {id(constant) for constant in _docstrings(module.tree)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and id(node) not in prose:
            if isinstance(node.value, int) and node.value in CODES:
                yield f"{module.name}:{node.lineno} holds the status or close code {node.value}"
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if isinstance(text, str) and HEADER_TEXT.search(text):
                yield f"{module.name}:{node.lineno} holds the header text {text!r}"
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if STATUS_NAME.search(name):
            yield f"{module.name}:{getattr(node, 'lineno', 0)} holds the status {name}"


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """String statements: docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def test_adapters_hold_no_status_code_and_no_header_text():
    """No adapter breaks the rule."""
    adapters = [module for module in modules() if module.is_in(*ADAPTERS)]
    problems = [problem for module in adapters for problem in literal_problems(module)]
    assert not problems, "\n".join(problems)
    assert adapters


@pytest.mark.parametrize(
    "source",
    [
        "status = 401",
        "close(1008)",
        "headers = {'WWW-Authenticate': challenge}",
        "headers = [(b'cache-control', value)]",
        "value = f'Bearer {realm}'",
        "status.HTTP_403_FORBIDDEN",
        "HTTPStatus.NOT_FOUND",
        "protocols = ('bearer',)",
    ],
)
def test_a_literal_in_an_adapter_is_found(source):
    """The checker goes red on a planted violation."""
    assert list(literal_problems(Module("bearerkit.fastapi", source)))


@pytest.mark.parametrize(
    "source", ['"""401 with a Bearer challenge."""', "x = 3", "name = 'bearerkit.auth'", "RequireBearer"]
)
def test_prose_and_names_are_no_problem(source):
    """The checker stays green where it should."""
    assert list(literal_problems(Module("bearerkit.fastapi", source))) == []
