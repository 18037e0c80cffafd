"""`RedisRevocations`: what was revoked, in Redis, for all processes, from sync code or awaited.

Fail closed: a Redis that does not answer is a 503, and so is one that has lost the list. Whoever can write there can
lift a revocation; keep the list where only you write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any, Final, final

import redis
from redis.asyncio import Redis as AsyncRedis

from bearerkit._drive import needs_loop, port, run
from bearerkit.errors import StoreUnavailable
from bearerkit.ports import Clock
from bearerkit.stores.redis.connection import FAILURES, blocking_client, named, of_bytes, why
from bearerkit.stores.revocation_list import FOREVER, RevocationList

__all__ = ["RedisRevocations"]

_KEEP: Final = """
local left = redis.call('PTTL', KEYS[1])
local old = redis.call('GET', KEYS[1])
local moment, ends = ARGV[1], tonumber(ARGV[2])
if old and tonumber(old) > tonumber(moment) then moment = old end
if left == -1 or ends == -1 then
  redis.call('SET', KEYS[1], moment)
else
  redis.call('SET', KEYS[1], moment, 'PX', string.format('%.0f', math.max(left, ends)))
end
return 1
"""
"""ARGV: the moment, and how many milliseconds are left (-1: for good). The later one of two counts."""


@final
class RedisRevocations(RevocationList):
    """Revocations in Redis.

    Call `create` (or `acreate`) once, when the service is installed. Where what it writes is missing, Redis has lost
    the list, and nobody passes.

    Args:
        where: A URL or a `redis.Redis` for sync code, or a `redis.asyncio.Redis` to be awaited under asyncio.
        namespace: What keys begin with.
        timeout: Seconds for a connection and for an answer, where a URL is given.
        clock: A port.
    """

    def __init__(
        self,
        where: str | redis.Redis | AsyncRedis,
        *,
        namespace: str = "bearerkit",
        timeout: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self._client: Any = of_bytes(where) if isinstance(where, AsyncRedis) else blocking_client(where, timeout)
        self._namespace = named(namespace)
        self._created = f"{namespace}:revoked"

    async def acreate(self) -> None:
        """Say that the list begins here, or that its loss was looked into. Raises StoreUnavailable."""
        await self._ask(lambda: self._client.set(self._created, "1"))

    def create(self) -> None:
        """As `acreate`, for sync code."""
        run(port("revocations", self.acreate()))

    async def _keep(self, key: str, moment: float, ends: float) -> None:
        left = -1 if ends >= FOREVER else int((ends - self._clock.now()) * 1000)
        if left == 0 or left < -1:
            return  # what it revokes expired long ago
        place = f"{self._namespace}:revoked:{key}"
        await self._ask(lambda: self._client.eval(_KEEP, 1, place, repr(float(moment)), left))

    async def _moments(self, keys: Sequence[str]) -> Sequence[float]:
        places = [f"{self._namespace}:revoked:{key}" for key in keys]
        created, *found = await self._ask(lambda: self._client.mget(self._created, *places))
        if created is None:
            raise StoreUnavailable(
                "the list of revocations in Redis is not there: it was never created, or Redis has lost its data",
                hint="Call create() once at installation, and after a loss when the entries are back.",
            )
        try:
            return [float(moment) for moment in found if moment is not None]
        except ValueError as error:
            raise StoreUnavailable("the list of revocations in Redis holds what is no entry") from error

    async def _ask(self, call: Callable[[], Any]) -> Any:
        if isinstance(self._client, AsyncRedis):
            needs_loop()  # older clients say that there is no loop as if Redis were down
        try:
            answer = call()
            return await answer if isawaitable(answer) else answer
        except FAILURES as error:
            raise StoreUnavailable(f"the list of revocations failed: {why(error)}", hint="Is Redis up?") from error
