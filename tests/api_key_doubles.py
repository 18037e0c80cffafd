"""Doubles for tests of API keys: a store that counts and fails on demand, and peppers."""

from __future__ import annotations

from typing import Any

from bearerkit import ApiKeys
from bearerkit.stores.memory import MemoryApiKeys
from bearerkit.testing import FrozenClock

PEPPERS = {1: bytes(range(32))}


class CountingStore:
    """A `MemoryApiKeys` that remembers which methods were called; `down` is raised by each of them."""

    def __init__(self) -> None:
        self.inner = MemoryApiKeys()
        self.calls: list[str] = []
        self.down: BaseException | None = None
        self.written: list[dict[str, float]] = []

    async def _call(self, name: str, *args: Any, **named: Any) -> Any:
        self.calls.append(name)
        if self.down is not None:
            raise self.down
        return await getattr(self.inner, name)(*args, **named)

    async def find(self, key: str) -> Any:
        return await self._call("find", key)

    async def add(self, record: Any) -> None:
        await self._call("add", record)

    async def revoke(self, key: str, at: float) -> None:
        await self._call("revoke", key, at)

    async def rotate(self, key: str, ends_at: float, now: float, record: Any) -> bool:
        return await self._call("rotate", key, ends_at, now, record)  # type: ignore[no-any-return]

    async def used(self, moments: Any) -> None:
        self.written.append(dict(moments))
        await self._call("used", moments)

    async def records(self, **of: Any) -> Any:
        return await self._call("records", **of)


def own_keys(store: Any, clock: FrozenClock, **settings: Any) -> ApiKeys:
    """Keys of ours over this store."""
    return ApiKeys(**{"prefix": "acme_live_", "store": store, "peppers": PEPPERS, "clock": clock, **settings})
