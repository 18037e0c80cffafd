"""Calls an ASGI application in process, with full control over the scope; nothing between the test and the app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import anyio

Fields = Sequence[tuple[str, str]]


def http_scope(path: str, headers: Fields = (), *, method: str = "GET", query: str = "", **more: Any) -> dict[str, Any]:
    """The scope that a server would make for a request line with this (encoded) path."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 40_000),
        "server": ("api.example.test", 443),
        **more,
    }


class Call:
    """One request and what the app sent for it."""

    def __init__(self, app: Any, scope: dict[str, Any], sends: bytes = b"") -> None:
        self.app = app
        self.scope = scope
        self.sends = sends
        self.messages: list[dict[str, Any]] = []

    async def run(self) -> Call:
        bodies = [{"type": "http.request", "body": self.sends, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not bodies:
                # A client that stays: streaming responses listen for its leaving.
                await anyio.sleep_forever()
            return bodies.pop()

        async def send(message: Any) -> None:
            self.messages.append(dict(message))

        await self.app(self.scope, receive, send)
        return self

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.messages[0]["headers"]]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])


async def get(app: Any, path: str, token: str | None = None, headers: Fields = (), **more: Any) -> Call:
    """GET a path (or another `method=`), with a bearer token if one is given."""
    credential = () if token is None else (("Authorization", f"Bearer {token}"),)
    return await Call(app, http_scope(path, (*credential, *headers), **more)).run()


def websocket_scope(path: str, headers: Fields = (), *, denial: bool = True, **more: Any) -> dict[str, Any]:
    """The scope of a handshake; `denial`: the server can send an HTTP answer instead of accepting."""
    scope = http_scope(path, headers, **more)
    del scope["method"]
    offered = [
        item.strip() for name, value in headers if name.lower() == "sec-websocket-protocol" for item in value.split(",")
    ]
    extensions = {"websocket.http.response": {}} if denial else {}
    return {**scope, "type": "websocket", "scheme": "wss", "subprotocols": offered, "extensions": extensions}


class _Messages:
    """Messages on their way, in order."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, Any]] = []
        self._arrived = anyio.Event()

    async def put(self, message: Any) -> None:
        self.waiting.append(dict(message))
        self._arrived.set()

    async def take(self) -> dict[str, Any]:
        while not self.waiting:
            self._arrived = anyio.Event()
            await self._arrived.wait()
        return self.waiting.pop(0)


class Socket:
    """The client's end of one WebSocket conversation with an app that runs beside the test."""

    def __init__(self, app: Any, scope: dict[str, Any]) -> None:
        self.app = app
        self.scope = scope

    async def __aenter__(self) -> Socket:
        self._to_app, self._from_app = _Messages(), _Messages()
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        await self._to_app.put({"type": "websocket.connect"})
        self._group.start_soon(self.app, self.scope, self._to_app.take, self._from_app.put)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        await self._to_app.put({"type": "websocket.disconnect", "code": 1000, "reason": ""})
        if error is not None:
            self._group.cancel_scope.cancel()
        await self._group.__aexit__(kind, error, trace)

    def leave(self) -> None:
        """Stop the app, as a server does that shuts down."""
        self._group.cancel_scope.cancel()

    async def say(self, text: str) -> None:
        """Send a text message to the app."""
        await self._to_app.put({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        """The next message of the app."""
        with anyio.fail_after(10):
            return await self._from_app.take()

    async def silent(self) -> bool:
        """True if the app sent nothing (more)."""
        await anyio.wait_all_tasks_blocked()
        return not self._from_app.waiting
