"""Every check of this project, one session each; `.ci/run` calls the sessions and adds nothing to them.

`nox -l` lists them, `nox -s tests-3.12 -- -k keys` passes what follows `--` to pytest. Sessions never install a
Python: they use those that are on the machine.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_external_run = True
nox.options.sessions = ["lint", "types", "tests", "docs"]
os.environ["UV_PYTHON_DOWNLOADS"] = "never"

# Pythons of pyenv that are not activated come after all others.
_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, sorted(_pyenv.glob("3.*/bin")))])

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
EXTRAS = ["none", *PROJECT["project"]["optional-dependencies"]]
BEYOND_SOURCE = ["tests", "examples", "docs", "conftest.py", "pyproject.toml", "constraints.txt", "noxfile.py"]
BEYOND_SOURCE += [".ci", ".pre-commit-config.yaml"]
IN_THE_WHEEL = ["tests/unit", "tests/procedures", "tests/providers", "tests/docs", "tests/adapters/test_scenarios.py"]
IN_THE_WHEEL += ["examples", "docs", "README.md"]
ON_OLD_VERSIONS = ["tests/unit", "tests/procedures", "tests/adapters", "tests/providers", "tests/concurrency"]
ON_OLD_VERSIONS += ["tests/stores"]


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Ruff: rules and format. `nox -s lint -- --fix` repairs what it can."""
    _sync(session, "--only-group", "lint")
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")


@nox.session(python=PYTHONS[0])
def types(session: nox.Session) -> None:
    """`mypy --strict` and pyright over the package."""
    _sync(session)
    session.run("mypy")
    session.run("pyright", "--pythonpath", str(Path(session.bin, "python")))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The whole suite with every extra."""
    _sync(session)
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
def docs(session: nox.Session) -> None:
    """Runs every Python snippet of the docs and the README and follows every link inside them."""
    _sync(session)
    session.run("pytest", "docs", "README.md", "tests/docs", *session.posargs)


@nox.session(python=PYTHONS[0])
def package(session: nox.Session) -> None:
    """Builds the wheel once and runs tests of every module on it, in a tree that has no src. Argument: a wheel."""
    work = Path(session.create_tmp()).resolve()
    shutil.rmtree(work)
    if session.posargs:
        wheel = Path(session.posargs[0]).resolve()
    else:
        session.run_install("uv", "build", "--quiet", "--wheel", "--out-dir", str(work / "dist"))
        (wheel,) = (work / "dist").glob("*.whl")
    tree = work / "tree"
    tree.mkdir(parents=True)
    for path in (ROOT / name for name in BEYOND_SOURCE):
        if path.is_dir():
            shutil.copytree(path, tree / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.exists():
            shutil.copy(path, tree)
    for path in ROOT.glob("*.md"):
        shutil.copy(path, tree)
    _pip(session, f"bearerkit[all] @ {wheel.as_uri()}", "--group", "test", "-c", "constraints.txt")
    session.chdir(tree)
    vectors = os.environ.get("BEARERKIT_VECTORS", str(ROOT.parent / "shared"))
    session.run("pytest", *IN_THE_WHEEL, env={"BEARERKIT_VECTORS": vectors})


@nox.session(python=PYTHONS[0])
@nox.parametrize("extra", EXTRAS, ids=EXTRAS)
def extras(session: nox.Session, extra: str) -> None:
    """With one extra alone, its modules import, and the others say which extra they need."""
    _pip(session, "." if extra == "none" else f".[{extra}]", "-c", "constraints.txt")
    session.run("python", "-I", "-W", "error", "tests/import_smoke.py", extra)


@nox.session(python=PYTHONS[0])
def no_extras(session: nox.Session) -> None:
    """The suite of the layers below the adapters, with none of the optional packages installed."""
    _pip(session, ".", "--group", "test", "-c", "constraints.txt")
    session.run("pytest", "-m", "not interop", *session.posargs, "tests/unit", "tests/procedures", "tests/property")


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """What depends on other packages, on the oldest versions that pyproject.toml admits."""
    _pip(session, "--no-config", "--resolution", "lowest-direct", ".[all]", "--group", "test")
    session.run("pytest", *(session.posargs or ["-m", "not interop and not slow", *ON_OLD_VERSIONS]))


@nox.session(python=PYTHONS[-1])
def long(session: nox.Session) -> None:
    """Property tests with many more examples, then the comparison with other libraries and each fuzz target.

    Each of the latter runs for BEARERKIT_FUZZ_SECONDS (60). What is given as argument goes to the property tests.
    """
    has_atheris = sys.platform == "linux"
    _sync(session, *(["--group", "fuzz"] if has_atheris else []))
    seconds = os.environ.get("BEARERKIT_FUZZ_SECONDS", "60")
    # Here a test may well take longer than one that hangs.
    pytest = ("pytest", "-o", "faulthandler_timeout=0")
    session.run(*pytest, "--hypothesis-profile=long", "tests/property", *session.posargs)
    session.run(*pytest, "-s", "tests/differential", env={"BEARERKIT_FUZZ_SECONDS": seconds})
    if has_atheris:
        for corpus in sorted(ROOT.glob("tests/fuzz/corpus/*")):
            session.run("python", "tests/fuzz/atheris_run.py", corpus.name, seconds)


@nox.session(python=PYTHONS[0])
def bench(session: nox.Session) -> None:
    """Runs the benchmarks and prints their tables; nothing is asserted."""
    _sync(session)
    for script in sorted(ROOT.glob("benchmarks/*.py")):
        session.run("python", str(script), *session.posargs)


@nox.session(python=PYTHONS[0])
def constraints(session: nox.Session) -> None:
    """Resolves the newest versions anew and writes them to constraints.txt and to pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "pyproject.toml").write_text(_with_pins(text, []), encoding="utf-8")
        exported = session.run_install(
            *("uv", "export", "--quiet", "--directory", scratch, "--all-groups", "--all-extras"),
            *("--no-hashes", "--no-header", "--no-annotate", "--no-emit-project"),
            silent=True,
        )
    pins = [line.strip() for line in str(exported).splitlines() if "==" in line]
    header = "# The versions that are tested; written by `nox -s constraints`, as is [tool.uv] in pyproject.toml.\n"
    (ROOT / "constraints.txt").write_text(header + "\n".join(pins) + "\n", encoding="utf-8")
    (ROOT / "pyproject.toml").write_text(_with_pins(text, pins), encoding="utf-8")
    session.log("%d pins written", len(pins))


def _with_pins(pyproject: str, pins: list[str]) -> str:
    """`pyproject` with [tool.uv] constraint-dependencies replaced."""
    block = "".join(f'    "{pin.replace(chr(34), chr(39))}",\n' for pin in pins)
    changed, count = re.subn(
        r"(?ms)^constraint-dependencies = \[\n.*?^\]$",
        lambda _: f"constraint-dependencies = [\n{block}]",
        pyproject,
    )
    if count != 1 or tomllib.loads(changed)["tool"]["uv"]["constraint-dependencies"] != pins:
        raise ValueError("pyproject.toml has no constraint-dependencies block of the expected form")
    return changed


def _sync(session: nox.Session, *arguments: str) -> None:
    """Install the project with its dev group (or what `arguments` say) as `uv run` would."""
    environment = str(session.virtualenv.location)
    session.run_install(
        *("uv", "sync", "--quiet", "--python", environment, *arguments), env={"UV_PROJECT_ENVIRONMENT": environment}
    )


def _pip(session: nox.Session, *arguments: str) -> None:
    session.run_install("uv", "pip", "install", "--quiet", *arguments)
