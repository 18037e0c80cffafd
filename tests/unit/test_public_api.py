"""The names that users import: lazy, complete, and the same in every list that holds them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bearerkit

SOURCE = Path(bearerkit.__file__)


@pytest.mark.parametrize("name", bearerkit.__all__)
def test_each_name_is_the_one_of_its_module(name):
    """`bearerkit.X` is the very object that its home defines."""
    value = getattr(bearerkit, name)
    home = bearerkit._HOME[name]
    module = __import__(f"bearerkit.{home}", fromlist=[name])
    assert value is getattr(module, name)
    assert name in module.__all__


def test_the_lists_agree():
    """`_HOME`, `__all__` and what type checkers see are one list."""
    assert list(bearerkit._HOME) == sorted(bearerkit._HOME, key=list(bearerkit.__all__).index)
    assert set(bearerkit._HOME) == set(bearerkit.__all__)
    tree = ast.parse(SOURCE.read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: str(node.module).removeprefix("bearerkit.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == bearerkit._HOME


@pytest.mark.parametrize("name", ["nothing", "errors_", "jwt", "decode", "Verify", "__path"])
def test_an_unknown_name(name):
    """An AttributeError as from any module, so that hasattr and from-imports behave."""
    assert not hasattr(bearerkit, name)
    with pytest.raises(AttributeError, match=name):
        getattr(bearerkit, name)
    with pytest.raises(ImportError):
        exec(f"from bearerkit import {name}")


def test_dir_lists_the_names():
    """And the version."""
    assert set(bearerkit.__all__) <= set(dir(bearerkit))
    assert isinstance(bearerkit.__version__, str)


def test_names_load_on_first_use_only():
    """In a fresh interpreter importing the package loads none of its modules; one name loads its home and is kept."""
    program = """
import sys
import bearerkit
assert not [name for name in sys.modules if name.startswith("bearerkit.")], sorted(sys.modules)
bearerkit.PRESENT
assert "PRESENT" in vars(bearerkit)
assert "bearerkit.jose.claims" in sys.modules
assert "bearerkit.auth" not in sys.modules
assert "asyncio" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
