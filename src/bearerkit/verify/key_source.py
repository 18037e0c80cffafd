"""What a verifier asks for keys, and the simplest answer: a fixed set.

`snapshot` and `ready` are the ordinary path of every request: plain reads, never a lock, never a coroutine. Keys that
are fetched are `verify/keys.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, final

from bearerkit.jose.key_set import KeySet
from bearerkit.jose.keys import VerificationKey
from bearerkit.ports import Waits
from bearerkit.verify.key_hints import count, key_not_found

__all__ = ["KeySource", "Snapshot", "StaticKeys"]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A key set as it is now. Swapped whole, so it can be read without a lock and compared by identity.

    `calm_until`: monotonic seconds until which every key of the set may be used and nothing needs doing.
    """

    keys: KeySet
    calm_until: float


class KeySource(Protocol):
    """What a verifier asks for keys. `now` is always `clock.monotonic()`."""

    snapshot: Snapshot | None
    """None before the first fetch."""

    def ready(self, kid: str | None, alg: str, now: float) -> tuple[VerificationKey, ...] | None:
        """The keys to try, None if `obtain` has to be asked. Never waits; may start a refresh in the background."""
        ...

    async def obtain(self, kid: str | None, alg: str, waits: Waits) -> tuple[VerificationKey, ...]:
        """The keys to try, fetched if need be. Raises KeyNotFound or KeysUnavailable."""
        ...

    def still_good(self, key: VerificationKey, now: float) -> bool:
        """True if a signature that `key` verified earlier still counts. May start a refresh in the background."""
        ...

    async def warm_up(self, waits: Waits) -> None:
        """Fetch now if there is nothing fresh. Raises KeysUnavailable if then no key may be used."""
        ...

    def describe(self) -> str:
        """One line for operators: where from, how many keys, how old, the last error."""
        ...


@final
class StaticKeys:
    """A fixed set of keys. An empty set is valid and refuses every token."""

    def __init__(self, keys: KeySet) -> None:
        self.snapshot: Snapshot | None = Snapshot(keys, math.inf)
        self._keys = keys

    def ready(self, kid: str | None, alg: str, now: float) -> tuple[VerificationKey, ...] | None:
        """The keys that fit, None if there are none."""
        return self._keys.candidates(kid, alg) or None

    async def obtain(self, kid: str | None, alg: str, waits: Waits) -> tuple[VerificationKey, ...]:
        """The keys that fit. Raises KeyNotFound."""
        found = self._keys.candidates(kid, alg)
        if not found:
            raise key_not_found(self._keys, kid, alg, "the configured set")
        return found

    def still_good(self, key: VerificationKey, now: float) -> bool:
        """True if the key is in the set."""
        return key in self._keys

    async def warm_up(self, waits: Waits) -> None:
        """Nothing to do."""

    def describe(self) -> str:
        """How many keys."""
        return f"{count(self._keys)}, configured"
