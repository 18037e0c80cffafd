"""What users' tests and ours need: an identity provider without a network, a clock that stands still, identities.

Everything is loaded on first use, so that the pytest plugin in this package costs nothing at start-up. Nothing
here may be imported by code that serves requests, and nothing here switches verification off: a `FakeIssuer`
signs real tokens with real keys, and `as_user` leaves every requirement in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bearerkit.testing.clock import FrozenClock
    from bearerkit.testing.identity import as_user
    from bearerkit.testing.issuer import FakeIssuer
    from bearerkit.testing.memory_http import MemoryHttp
    from bearerkit.testing.signing import SigningKey

__all__ = ["FakeIssuer", "FrozenClock", "MemoryHttp", "SigningKey", "as_user"]

_HOMES = {
    "FakeIssuer": "issuer",
    "FrozenClock": "clock",
    "MemoryHttp": "memory_http",
    "SigningKey": "signing",
    "as_user": "identity",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
