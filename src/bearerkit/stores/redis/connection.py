"""The client: built from a URL with short timeouts and without retries, or given by the team. It decides nothing."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - or a fork while a thread first resolves a name leaves half of it in the child
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bearerkit.errors import ConfigError

__all__ = ["FAILURES", "blocking_client", "named", "of_bytes", "why"]

FAILURES: Final = (RedisError, OSError)
"""What a client raises when Redis does not answer, or not as it should."""


def blocking_client(where: str | redis.Redis, timeout: float) -> Any:
    """A client for a URL (`redis://`, `rediss://`, `unix://`), or the given one. Raises ConfigError."""
    if not isinstance(where, str):
        if not isinstance(where, redis.Redis):
            raise ConfigError(f"a URL or a redis.Redis is needed, not {type(where).__name__}")
        return of_bytes(where)
    if not 0 < timeout <= 60:
        raise ConfigError(f"timeout must be between 0 and 60 seconds, not {timeout!r}")
    try:
        return redis.Redis.from_url(
            where,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
        )
    except ValueError as error:
        # The error's own text may hold the password of the URL.
        raise ConfigError("the URL of Redis must be redis://, rediss:// or unix://") from error.with_traceback(None)


def named(namespace: str) -> str:
    """A namespace that can begin keys. Raises ConfigError."""
    if not namespace or not namespace.isascii() or not namespace.isprintable() or len(namespace) > 200:
        raise ConfigError(f"namespace must be printable ASCII, not {namespace!r}")
    return namespace


def why(error: BaseException) -> str:
    """One line for operators."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:300]


def of_bytes(client: Any) -> Any:
    """A client that answers with bytes. Raises ConfigError."""
    if client.get_connection_kwargs().get("decode_responses"):
        raise ConfigError("the Redis client must not be built with decode_responses=True: sealed entries are bytes")
    return client
