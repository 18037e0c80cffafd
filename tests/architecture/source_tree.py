"""The package as parsed source: what the architecture tests read. It never imports the code it reads.

The tree is the one that tests import, so the installed wheel is checked like the checkout.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

__all__ = ["PACKAGE", "ROOT", "Import", "Module", "modules"]

ROOT = Path(__file__).resolve().parents[2]
"""The folder with README.md: a checkout, or the copy without src that the package session tests in."""


def _package() -> Path:
    spec = find_spec("bearerkit")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("bearerkit is not importable")
    return Path(spec.submodule_search_locations[0])


PACKAGE = _package()
"""The folder of the package under test."""


@dataclass(frozen=True)
class Import:
    """One imported module: its full dotted name and the line of the statement."""

    target: str
    line: int

    @property
    def root(self) -> str:
        """The top-level package of the import."""
        return self.target.partition(".")[0]


@dataclass(frozen=True)
class Module:
    """One source file. `name` is dotted and begins with `bearerkit`."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text, self.name)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import wherever it stands: at the top, in a function, under TYPE_CHECKING."""
        return tuple(found for node in ast.walk(self.tree) for found in self._imports_of(node))

    def is_in(self, *names: str) -> bool:
        """True if the module is one of `names` or lies below one of them (names without `bearerkit.`)."""
        return any(f"{self.name}.".startswith(f"bearerkit.{name}.") for name in names)

    def _imports_of(self, node: ast.AST) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            source = self._absolute(node)
            for alias in node.names:
                # `from bearerkit.jose import keys` names a module, `from bearerkit.jose.keys import KeySet` does not.
                below = f"{source}.{alias.name}"
                yield Import(below if below in _names() else source, node.lineno)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + (1 if self.is_package else 0)]
        return ".".join([*parts, *([node.module] if node.module else [])])


@cache
def _names() -> frozenset[str]:
    return frozenset(_name(path) for path in PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    parts = ["bearerkit", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, by name."""
    found = (
        Module(_name(path), path.read_text(encoding="utf-8"), path.name == "__init__.py")
        for path in PACKAGE.rglob("*.py")
    )
    return tuple(sorted(found, key=lambda module: module.name))
