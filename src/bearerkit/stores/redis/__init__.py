"""What several processes share through Redis: cached answers, evictions, revocations.

The only package that imports `redis`. Redis is trusted with availability, and with the list of revocations if it is
kept there; never with who somebody is: cached answers are sealed.
"""

from __future__ import annotations

try:
    import redis as _redis  # noqa: F401 - asked for here, so that the message names the extra
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.stores.redis needs redis: pip install "bearerkit[redis]"', name=missing.name
    ) from None

from bearerkit.stores.redis.cache import RedisCache
from bearerkit.stores.redis.evictions import RedisEvictions
from bearerkit.stores.redis.revocations import RedisRevocations

__all__ = ["RedisCache", "RedisEvictions", "RedisRevocations"]
