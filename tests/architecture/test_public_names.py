"""Every module says what it offers, and everything it offers says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

import bearerkit
from architecture.source_tree import Module, modules

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def declared(module: Module) -> list[str] | None:
    """The strings of `__all__`, None where a module has none."""
    for node in module.tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return [text for text in (_string(item) for item in ast.walk(node)) if text is not None]
    return None


def name_problems(module: Module) -> Iterator[str]:
    """A missing or unsorted `__all__`, and classes and functions in it without a docstring."""
    if module.name.endswith(".__main__"):
        return
    names = declared(module)
    if names is None and all(isinstance(node, (ast.Expr, ast.ImportFrom)) for node in module.tree.body):
        return  # the __init__ of a package that offers nothing itself
    if names is None:
        yield f"{module.name} has no __all__"
        return
    if len(set(names)) != len(names):
        yield f"{module.name}: __all__ names something twice"
    definitions = {node.name: node for node in module.tree.body if isinstance(node, Definition)}
    for name in names:
        if (node := definitions.get(name)) is not None and not _documented(node):
            yield f"{module.name}.{name} is public and has no docstring"
    for name, node in definitions.items():
        if not name.startswith("_") and name not in names and not _is_registered(node):
            yield f"{module.name}.{name} looks public and is not in __all__: name it there, or call it _{name}"


def _documented(node: Definition) -> bool:
    lends = any(isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "__doc__" for line in node.body)
    return lends or bool(ast.get_docstring(node))


def _is_registered(node: Definition) -> bool:
    """True for a function that exists for its decorator (`@app.get("/me")`), not for its name."""
    if isinstance(node, ast.ClassDef):
        return False
    return any(isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute) for found in node.decorator_list)


def _string(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_every_module_declares_and_documents_its_names():
    """No module of the package breaks the rule."""
    problems = [problem for module in modules() for problem in name_problems(module)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", sorted(getattr(bearerkit, "__all__", ["__all__"])))
def test_every_name_of_the_package_exists_and_is_documented(name):
    """`from bearerkit import name` works, and `help()` says more than the type."""
    value = getattr(bearerkit, name)
    if isinstance(value, str):
        return
    own = value.__doc__ if isinstance(value, type) or callable(value) else type(value).__doc__
    assert own
    assert own.strip()


def test_the_public_names_are_listed_by_dir():
    """Lazy names complete in an interactive session."""
    assert set(bearerkit.__all__) <= set(dir(bearerkit))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('"""Doc."""\nx = 1', id="no-all"),
        pytest.param('__all__ = ["f"]\ndef f(): ...', id="no-docstring"),
        pytest.param('__all__ = ["f"]\nasync def f(): ...', id="async-no-docstring"),
        pytest.param('__all__ = ["C"]\nclass C: x = 1', id="class-no-docstring"),
        pytest.param('__all__ = ["f", "f"]\ndef f():\n    """Doc."""', id="twice"),
        pytest.param('__all__ = []\ndef f():\n    """Doc."""', id="not-listed"),
    ],
)
def test_a_module_that_hides_something_is_found(source):
    """The checker goes red on a planted violation."""
    assert list(name_problems(Module("bearerkit.jose.planted", source)))
