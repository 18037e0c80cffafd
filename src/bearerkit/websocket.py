"""One guarded WebSocket conversation: the `bearer` subprotocol is echoed, and the end of the token can end it.

A `Channel` stands between a WebSocket handler and the server, as an ASGI `receive` and `send` pair. Who may connect
is decided before there is a channel; nothing here looks at a token or names a framework.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, final

import anyio

from bearerkit.challenge import WEBSOCKET_POLICY_VIOLATION
from bearerkit.errors import Expired
from bearerkit.verify.credentials import SUBPROTOCOL

__all__ = ["Channel"]

_DENIAL: Final = "websocket.http.response"
_ROOM: Final = 123
"""Bytes of UTF-8 that the reason of a close frame may have (RFC 6455 section 5.5)."""


@final
class Channel:
    """The `receive` and `send` of one WebSocket.

    `seconds` is how long the token is still good, None for no end. When it is over, the peer gets a close frame,
    a handler that receives is told `websocket.disconnect`, and a handler that sends gets what `gone()` makes.
    `accepted` says that the handshake is over already. Build it inside a running event loop.
    """

    __slots__ = (
        "_closed",
        "_connected",
        "_deadline",
        "_gone",
        "_offered",
        "_receive",
        "_scope",
        "_send",
        "accepted",
    )

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Any],
        send: Callable[[Any], Any],
        *,
        seconds: float | None = None,
        gone: Callable[[], Exception] = ConnectionResetError,
        accepted: bool = False,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._offered = SUBPROTOCOL in (scope.get("subprotocols") or ())
        self._deadline = math.inf if seconds is None else anyio.current_time() + seconds
        self._gone = gone
        self._closed = False
        self._connected = self.accepted = accepted

    async def receive(self) -> Any:
        """The next message of the peer; `websocket.disconnect` once the token is over."""
        if not self._connected:
            # The handshake message comes first whatever the time is; accepting it is what may be too late.
            self._connected = True
            return await self._receive()
        if anyio.current_time() < self._deadline:
            with anyio.CancelScope(deadline=self._deadline):
                return await self._receive()
        await self._end()
        return {"type": "websocket.disconnect", "code": WEBSOCKET_POLICY_VIOLATION, "reason": Expired.public}

    async def send(self, message: Any) -> None:
        """Pass a message on, unless the token is over."""
        kind = message["type"]
        if anyio.current_time() >= self._deadline:
            await self._end()
            if kind == "websocket.close" or kind.startswith(_DENIAL):
                return
            raise self._gone()
        if kind == "websocket.accept":
            self.accepted = True
            if self._offered and message.get("subprotocol") is None:
                message = {**message, "subprotocol": SUBPROTOCOL}
        elif kind in ("websocket.close", "websocket.http.response.start"):
            self._closed = True
        await self._send(message)

    async def refuse(self, answer: Callable[[Any, Any, Any], Awaitable[None]], reason: str) -> None:
        """Refuse the conversation: by `answer`, an ASGI app, while HTTP can be spoken, by a close frame after that.

        Does nothing if the conversation is over.
        """
        if self._closed:
            return
        if self.accepted or _DENIAL not in (self._scope.get("extensions") or {}):
            await self._close(reason)
        else:
            self._closed = True
            await answer(self._scope, self._receive, self._send)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Watch over the conversation while the handler runs."""
        if self._deadline == math.inf:
            yield
            return
        failure: Exception | None = None
        async with anyio.create_task_group() as watch:
            watch.start_soon(self._end_in_time)
            try:
                yield
            except Exception as error:
                # Raised again below, as it is: a task group would wrap it.
                failure = error
            watch.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _end_in_time(self) -> None:
        await anyio.sleep_until(self._deadline)
        await self._end()

    async def _end(self) -> None:
        # The peer may have left meanwhile; each server has an exception of its own for that.
        with suppress(Exception):
            await self._close(Expired.public)

    async def _close(self, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        short = reason.encode()[:_ROOM].decode(errors="ignore")
        await self._send({"type": "websocket.close", "code": WEBSOCKET_POLICY_VIOLATION, "reason": short})
