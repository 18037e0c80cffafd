"""Which text names one action, and which may stand in a resource as one name where it comes from somebody else."""

from __future__ import annotations

import re
from typing import Final

from bearerkit.policy.pattern import has_control

__all__ = ["fits_one_name", "is_action"]

_ACTION: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_FORBIDDEN: Final = frozenset("/:*?")


def is_action(value: object) -> bool:
    """True for the whole name of an action: segments of letters, digits, `-` and `_` between dots, no wildcards."""
    return isinstance(value, str) and _ACTION.fullmatch(value) is not None


def fits_one_name(value: str) -> bool:
    """True for text that can stand in a resource as one name, and reaches nowhere beyond its place."""
    return bool(value) and not has_control(value) and _FORBIDDEN.isdisjoint(value)
