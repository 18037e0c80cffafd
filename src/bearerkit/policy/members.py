"""The members of a JSON or YAML object, each of which counts once.

Readers differ about which of two equal members counts, so that a second `effect` or `conditions` could win unseen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["each_once"]


def each_once(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """The object of these members. Raises ValueError for one that is written twice, TypeError for a list as a name."""
    members: dict[Any, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the member {str(name)[:80]!r} is written twice")
        members[name] = value
    return members
