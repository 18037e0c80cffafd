"""Which of the known names somebody probably meant: the tail of a problem sentence.

For what a team writes: settings, documents, the actions in its code. Never for values that a caller sent, because
looking for what is near is slow.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

__all__ = ["nearest"]

_LISTED_MAX: Final = 20


def nearest(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'issuer'?`, or the list of what is known where nothing is near."""
    names = list(known)
    close = get_close_matches(name, names, n=2) if isinstance(name, str) else []
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    more = len(names) - _LISTED_MAX
    return f"; known are {', '.join(names[:_LISTED_MAX])}" + (f" and {more} more" if more > 0 else "")
