"""pyproject.toml, constraints.txt, README.md, CHANGELOG.md, .ci/run and noxfile.py agree with one another."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

import import_smoke
from architecture.source_tree import ROOT, modules

README_COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install -q uv && .venv/bin/uv run bearerkit demo",
    "python3 -m venv .venv && .venv/bin/pip install -q uv && .venv/bin/uv run pytest",
)


def read(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads(read("pyproject.toml"))


def pins(text: str) -> list[str]:
    """The requirement lines of a constraints file."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pin_problems(constraints: list[str], in_pyproject: list[str]) -> Iterator[str]:
    """Where the two lists differ, and entries that are no exact pins."""
    for line in sorted(set(constraints) ^ set(in_pyproject)):
        yield f"only in one of constraints.txt and pyproject.toml: {line} (run `nox -s constraints`)"
    for line in constraints:
        if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.+!]*( ; .+)?", line) or "://" in line:
            yield f"not an exact pin: {line}"


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements}


def test_the_pins_stand_in_both_places(project):
    """`uv run` reads pyproject.toml, pip and nox read constraints.txt: they hold the same pins."""
    written = project["tool"]["uv"]["constraint-dependencies"]
    assert list(pin_problems(pins(read("constraints.txt")), written)) == []
    assert written


@pytest.mark.parametrize(
    ("constraints", "in_pyproject"),
    [(["a==1"], []), (["a==1"], ["a==2"]), ([], ["a==1"]), (["a>=1"], ["a>=1"]), (["a==1 @ https://x"],) * 2],
)
def test_pins_that_differ_are_found(constraints, in_pyproject):
    """The checker goes red on a planted violation."""
    assert list(pin_problems(constraints, in_pyproject))


def test_every_dependency_is_pinned_and_has_a_floor_but_no_ceiling(project):
    """Floors are tested (`nox -s lowest`), newest versions are pinned, and users are never held back."""
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    wanted = [*project["project"]["dependencies"], *(item for extra in extras for item in extra)]
    tools = [item for group in groups for item in group if isinstance(item, str)]
    others = [item for item in [*wanted, *tools] if not item.startswith("bearerkit[")]
    assert _names(others) <= _names(pins(read("constraints.txt")))
    assert [item for item in others if ">=" not in item or "<" in item or "==" in item] == []


def test_the_extra_all_is_the_sum_of_the_others(project):
    """`pip install "bearerkit[all]"` leaves nothing out, and every extra is smoke tested alone."""
    extras = project["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    assert set(re.findall(r"[a-z]+", everything.removeprefix("bearerkit"))) == set(extras) - {"all"}
    assert set(import_smoke.GIVES) == {"none", *extras}
    assert set(import_smoke.NEEDS.values()) <= set(extras)
    assert any(item == "bearerkit[all]" for item in project["dependency-groups"]["dev"])


def test_modules_that_need_an_extra_exist():
    """The smoke test's table names modules that are really there."""
    assert set(import_smoke.NEEDS) <= {module.name for module in modules()}


@pytest.mark.parametrize("command", README_COMMANDS)
def test_the_readme_sets_up_with_one_line(command):
    """Each of the two commands stands in the README on a line of its own, and .ci/run takes it from there."""
    assert command in read("README.md").splitlines()
    assert f"readme '{command.rpartition('.venv/bin/')[2]}'" in read(".ci/run")


def test_ci_is_strict_and_installs_no_python():
    """A missing prerequisite fails in CI, and CI runs on the Pythons that are there."""
    script = read(".ci/run")
    assert "export BEARERKIT_TEST_STRICT=1" in script
    assert "export UV_PYTHON_DOWNLOADS=never" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_ci_runs_only_sessions_that_exist():
    """A renamed nox session does not silently leave CI."""
    noxfile = read("noxfile.py")
    called = {name for line in re.findall(r"nox -s ([a-z_ ]+)", read(".ci/run")) for name in line.split()}
    assert called
    assert {name for name in called if f"\ndef {name}(session: nox.Session" not in noxfile} == set()


def test_the_changelog_tells_what_is_new():
    """There is an open section, and it names every adapter, extra and command of the package."""
    head, _, rest = read("CHANGELOG.md").partition("## [Unreleased]")
    assert "Keep a Changelog" in head
    words = rest
    names = ("asgi", "starlette", "fastapi", "wsgi", "flask", "drf", "drf_spectacular", "ninja")
    adapters = ["bearerkit.django", *(module.name for module in modules() if module.is_in(*names))]
    assert [name for name in ["`bearerkit demo`", *(f"`{name}`" for name in adapters)] if name not in words] == []


def test_pre_commit_fetches_nothing():
    """Hooks are local: they run the project's own tools."""
    assert set(re.findall(r"repo: (\S+)", read(".pre-commit-config.yaml"))) == {"local"}
