"""A database for tests of Django, and the header fields of their requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.scenarios import ISSUER

__all__ = ["bearing", "database_in"]


def bearing(**claims: Any) -> dict[str, str]:
    """The header field with a good token."""
    return {"Authorization": f"Bearer {ISSUER.token(**claims)}"}


@contextmanager
def database_in(folder: Path, **settings: Any) -> Iterator[None]:
    """Tables in a file of their own, so that threads see them too. `settings` are further ones of the database."""
    from django.core.management import call_command
    from django.db import connections

    connection = connections["default"]
    connection.close()
    before = dict(connection.settings_dict)
    connection.settings_dict.update({"NAME": str(folder / "db.sqlite3"), **settings})
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)
