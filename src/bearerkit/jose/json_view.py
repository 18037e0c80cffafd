"""JSON values that nobody can change, and back again.

A verified context is shared between requests, so what it hands out must be read-only at every depth. Nothing here
may know what a value means.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["plain", "read_only"]


def read_only(value: Any) -> Any:
    """The same JSON value with objects as mapping proxies and arrays as tuples, at every depth."""
    if isinstance(value, Mapping):
        return MappingProxyType({name: read_only(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(read_only(item) for item in value)
    return value


def plain(value: Any) -> Any:
    """The same JSON value out of ordinary dicts and lists, which unlike mapping proxies can be pickled."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
