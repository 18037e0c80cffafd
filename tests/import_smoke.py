"""Imports every module of the installed package, given which extra was installed: `python import_smoke.py fastapi`.

A module whose extra is there must import; one whose extra is not must say which extra it needs, as the pip command.
It runs in environments that hold nothing but bearerkit and one extra, so it uses the standard library only.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Mapping

import bearerkit

GIVES: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "starlette": frozenset({"starlette"}),
    "fastapi": frozenset({"starlette", "fastapi"}),
    "cli": frozenset({"cli"}),
    "demo": frozenset({"starlette", "fastapi", "cli", "demo"}),
    "flask": frozenset({"flask"}),
    "django": frozenset({"django"}),
    "drf": frozenset({"django", "drf"}),
    "spectacular": frozenset({"django", "drf", "spectacular"}),
    "ninja": frozenset({"django", "ninja"}),
    "redis": frozenset({"redis"}),
    "sqlalchemy": frozenset({"sqlalchemy"}),
    "all": frozenset(
        {"starlette", "fastapi", "cli", "demo", "flask", "django", "drf", "spectacular", "ninja", "redis", "sqlalchemy"}
    ),
}
"""What each extra makes importable."""

NEEDS: Mapping[str, str] = {
    "bearerkit.django": "django",
    "bearerkit.drf": "drf",
    "bearerkit.drf_spectacular": "spectacular",
    "bearerkit.fastapi": "fastapi",
    "bearerkit.flask": "flask",
    "bearerkit.ninja": "ninja",
    "bearerkit.starlette": "starlette",
    "bearerkit.stores.redis": "redis",
    "bearerkit.stores.sqlalchemy": "sqlalchemy",
}
"""Module and its extra; every other module must import without any."""

NEED_NOT_IMPORT = {"bearerkit.__main__", "bearerkit.testing.plugin"}
"""A program, and a module that only pytest imports."""


def configure_django() -> None:
    """Django's own modules ask for settings while they are imported."""
    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"])
    django.setup()


def problem_of(module: str, given: frozenset[str]) -> str | None:
    """What is wrong with the import of `module`, None when all is well."""
    extra = NEEDS.get(module)
    try:
        if module == "bearerkit.demo" and "demo" not in given:
            extra = "demo"
            importlib.import_module(module).run_demo(port=0, once=True)
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if extra is None or extra in given:
            return f"{module} does not import: {error}"
        return (
            None if f'pip install "bearerkit[{extra}]"' in str(error) else f"{module} does not name its extra: {error}"
        )
    if extra is not None and extra not in given:
        return f"{module} imports without its extra {extra}"
    return None


def main(extra: str) -> int:
    """Check all modules; 0 when all is well, 1 after printing what is not."""
    found = pkgutil.walk_packages(bearerkit.__path__, "bearerkit.", onerror=lambda _: None)
    given = GIVES[extra]
    if "django" in given:
        configure_django()
    names = sorted({module.name for module in found} - NEED_NOT_IMPORT)
    # run_demo() asks for its extra before it imports what is below bearerkit.demo.
    names = [name for name in names if "demo" in given or not name.startswith("bearerkit.demo.")]
    problems = [text for name in names if (text := problem_of(name, given))]
    print(*problems or [f"extra {extra!r}: {len(names)} modules behave"], sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
