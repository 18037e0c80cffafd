"""Which of the known names somebody probably meant: the tail of a problem sentence in a `ConfigError`.

Used while settings are read, never on values that a caller sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'issuer'?`, or the list of what is known where nothing is near."""
    names = list(known)
    close = get_close_matches(name, names, n=2) if isinstance(name, str) else []
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else f"; known are {', '.join(names)}"
