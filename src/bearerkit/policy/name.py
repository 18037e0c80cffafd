"""Which text may stand in a resource as one name, where it comes from somebody else."""

from __future__ import annotations

from typing import Final

from bearerkit.policy.pattern import has_control

__all__ = ["fits_one_name"]

_FORBIDDEN: Final = frozenset("/:*?")


def fits_one_name(value: str) -> bool:
    """True for text that can stand in a resource as one name, and reaches nowhere beyond its place."""
    return bool(value) and not has_control(value) and _FORBIDDEN.isdisjoint(value)
