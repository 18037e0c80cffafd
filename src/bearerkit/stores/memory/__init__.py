"""Stores in the memory of this process: for one process, tests and demonstrations.

Each store has a module of its own here, and is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bearerkit.stores.memory.api_keys import MemoryApiKeys
    from bearerkit.stores.memory.policies import MemoryPolicies
    from bearerkit.stores.memory.revocations import GRACE, MemoryRevocations

__all__ = ["GRACE", "MemoryApiKeys", "MemoryPolicies", "MemoryRevocations"]

_HOMES = {
    "GRACE": "revocations",
    "MemoryApiKeys": "api_keys",
    "MemoryPolicies": "policies",
    "MemoryRevocations": "revocations",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
