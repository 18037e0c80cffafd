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


_tables: list[bytes] = []
"""A database file with all tables, once it was made."""


@contextmanager
def database_in(folder: Path, **settings: Any) -> Iterator[None]:
    """Tables in a file of their own, so that threads see them too. `settings` are further ones of the database."""
    from asgiref.sync import SyncToAsync
    from django.core.management import call_command
    from django.db import connections

    def close() -> None:
        connections.close_all()
        # Sync code of async tests runs in one thread that stays, and its connection with it.
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()

    close()
    file, configured = folder / "db.sqlite3", connections["default"].settings_dict
    before = dict(configured)
    configured.update({"NAME": str(file), **settings})
    try:
        if _tables:
            file.write_bytes(_tables[0])
        else:
            call_command("migrate", verbosity=0)
            connections.close_all()
            _tables.append(file.read_bytes())
        yield
    finally:
        close()
        configured.clear()
        configured.update(before)
