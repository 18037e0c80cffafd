"""An ASGI application whose every answer, refusals included, names the worker process that gave it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[Any, Any, Any], Awaitable[None]]


def signed(routes: App) -> App:
    """`routes`, with a field X-Worker in each answer."""

    async def app(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        async def sign(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-worker", str(os.getpid()).encode())]
            await send(message)

        await routes(scope, receive, sign)

    return app
