"""Wildcards in granted scopes: `orders:*` and `*`. Whether an issuer may use them is decided elsewhere."""

from __future__ import annotations

__all__ = ["covered"]


def covered(name: str, granted: frozenset[str]) -> bool:
    """True when a granted wildcard covers `name`: `*`, or one of its prefixes up to a colon with `*` behind."""
    if "*" in granted:
        return True
    end = name.find(":")
    while end != -1:
        if len(name) > end + 1 and f"{name[: end + 1]}*" in granted:
            return True
        end = name.find(":", end + 1)
    return False
