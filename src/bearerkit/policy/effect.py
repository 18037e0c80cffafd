"""The effects that a decision can have, by their names. Nothing is decided here."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["ALLOW", "BOUNDARY_DENY", "EXPLICIT_DENY", "IMPLICIT_DENY", "Effect"]

Effect = Literal["allow", "explicit_deny", "implicit_deny", "boundary_deny"]
ALLOW: Final = "allow"
EXPLICIT_DENY: Final = "explicit_deny"
IMPLICIT_DENY: Final = "implicit_deny"
BOUNDARY_DENY: Final = "boundary_deny"
