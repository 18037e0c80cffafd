"""The form of source files: small, named for one noun, opened by what they are for, free of this machine."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.source_tree import ROOT, Module, modules

MAX_LINES = 350
NAMES_THAT_SAY_NOTHING = re.compile(r"^_?(utils?|utilities|helpers?|common|misc|base|tools|.*manager)$")
REGISTRIES = ("pypi" + ".org", "python" + "hosted", "npmjs" + ".org", "deb." + "debian")
MACHINE_PATHS = re.compile(r"(?<![\w.~}])/(?:root|work|home/[a-z]+|Users/[A-Za-z]+|opt/[a-z]+)/[\w.]")
IGNORED = {".git", ".nox", ".hypothesis", "__pycache__", "dist", "build", "node_modules", "uv.lock", "htmlcov"}
BINARY = {".png", ".ico", ".gz", ".zip", ".pyc", ".whl"}


def form_problems(module: Module) -> Iterator[str]:
    """Length, name, docstring and the future import."""
    lines = module.text.count("\n")
    if lines > MAX_LINES:
        yield f"{module.name} has {lines} lines: split it by noun"
    for part in module.name.split("."):
        if NAMES_THAT_SAY_NOTHING.match(part):
            yield f"{module.name}: the name {part!r} says nothing about what belongs there"
    if len(ast.get_docstring(module.tree) or "") < 20:
        yield f"{module.name} does not open with what it is for"
    futures = [node for node in module.tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    if not futures and len(module.tree.body) > 1:
        yield f"{module.name} lacks `from __future__ import annotations`"


def place_problems(name: str, text: str) -> Iterator[str]:
    """Paths of one machine and addresses of registries."""
    for host in REGISTRIES:
        if host in text:
            yield f"{name} names a package registry"
    if found := MACHINE_PATHS.search(text):
        yield f"{name} holds a path of one machine: {found.group()}"


def kept_files() -> Iterator[Path]:
    """The files of the repository: what git knows or would add, else whatever is not built or cached."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        yield from (ROOT / name for name in listed.split("\0") if name)
        return
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if not any(
            part in IGNORED or part.startswith((".venv", ".coverage")) or part.endswith("_cache") for part in parts
        ):
            yield path


def test_every_module_has_the_form():
    """No module of the package breaks the rule."""
    problems = [problem for module in modules() for problem in form_problems(module)]
    assert not problems, "\n".join(problems)


def test_no_file_knows_this_machine_or_a_registry():
    """What is committed works anywhere."""
    texts = [path for path in kept_files() if path.is_file() and path.suffix not in BINARY]
    problems = [
        problem
        for path in texts
        for problem in place_problems(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not problems, "\n".join(problems)
    assert len(texts) > 30


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("jose.utils", '"""What belongs here and what must not."""\n', id="utils"),
        pytest.param("key_manager", '"""What belongs here and what must not."""\n', id="manager"),
        pytest.param("stores.base", '"""What belongs here and what must not."""\n', id="base"),
        pytest.param("jose.keys", "from __future__ import annotations\n", id="no-docstring"),
        pytest.param("jose.keys", '"""What belongs here and what must not."""\nx = 1\n', id="no-future-import"),
        pytest.param("jose.keys", '"""What belongs here and what must not."""\n' + "\n" * MAX_LINES, id="too-long"),
    ],
)
def test_a_module_without_the_form_is_found(name, source):
    """The checker goes red on a planted violation."""
    assert list(form_problems(Module(f"bearerkit.{name}", source)))


@pytest.mark.parametrize(
    "text", ["cd /" + "work/main", "open('/" + "root/.ssh/id')", "index = https://" + "pypi" + ".org/simple"]
)
def test_a_trace_of_this_machine_is_found(text):
    """The checker goes red on a planted violation."""
    assert list(place_problems("planted", text))


@pytest.mark.parametrize("text", ["GET /v1/home/index", "a/tmp-b", "~/.config/x"])
def test_ordinary_paths_are_no_problem(text):
    """The checker stays green where it should."""
    assert list(place_problems("planted", text)) == []
