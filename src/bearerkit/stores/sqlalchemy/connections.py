"""One piece of work on a database, by sync engines and awaited ones, and what its failures are called. No SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bearerkit._drive import needs_loop
from bearerkit.errors import StoreUnavailable

__all__ = ["work_in"]

T = TypeVar("T")


async def work_in(what: str, engine: Engine | AsyncEngine, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction of `engine`, on a connection that it finds blocking in both worlds.

    `what` names the store. Raises StoreUnavailable.
    """
    try:
        if isinstance(engine, AsyncEngine):
            needs_loop()  # a connection that is taken and then left would be lost
            async with engine.begin() as waiting:
                return await waiting.run_sync(work)
        with engine.begin() as connection:
            return work(connection)
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(
            f"the {what} failed: {_first_line(error)}",
            hint="Is the database up, and were the tables made (create_all, or a migration)?",
        ) from error


def _first_line(error: BaseException) -> str:
    # The driver's own text; SQLAlchemy's would add the statement and its parameters.
    text: Any = getattr(error, "orig", None) or error
    return f"{type(text).__name__}: {str(text).partition(chr(10))[0]}"[:500]
