"""Where a server, and not the application behind it, makes an answer another one than scenarios.py says.

test_served_scenarios.py holds every served row on every server against this table, in both directions: a difference
that is not listed fails, and so does one that no longer occurs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

__all__ = ["OWN_BODY", "QUIRKS", "Quirk"]

OWN_BODY: Final = "a text of the server"


class Quirk(NamedTuple):
    """The answer to one row. `statuses`: any of them, by the version of the server; empty: it hangs up."""

    statuses: frozenset[int]
    body: Any
    why: str


_TOO_LONG = "of 20 kB"
_GUNICORN: Mapping[str, Quirk] = {
    _TOO_LONG: Quirk(frozenset({400, 431}), OWN_BODY, "`--limit-request-field_size` is 8,190 bytes"),
}

QUIRKS: Mapping[str, Mapping[str, Quirk]] = {
    "uvicorn-h11": {},
    "uvicorn-httptools": {},
    "hypercorn-asgi": {},
    "daphne": {
        _TOO_LONG: Quirk(frozenset(), None, "Twisted drops a connection at a line of more than 16,384 bytes"),
    },
    "gunicorn-sync": _GUNICORN,
    "gunicorn-gthread": _GUNICORN,
    "hypercorn-wsgi": {
        "closed: needless encoding": Quirk(
            frozenset({200}),
            {"subject": None, "tenant": None},
            "its environ holds no RAW_URI, so nobody behind it can tell `/%68ealth` from `/health`",
        ),
    },
}
"""By server, then by the name of the row."""
