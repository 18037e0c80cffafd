"""Calls an ASGI app in process, many times in one go of one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import cycle
from typing import Any

_LOOP = asyncio.new_event_loop()


def caller(app: Any, tokens: Sequence[str] = ()) -> Any:
    """A candidate that sends GET /orders, with the tokens in turn."""
    headers = cycle([[(b"authorization", f"Bearer {token}".encode())] for token in tokens] or [[]])
    answers: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answers.append(message["status"])

    async def ask(times: int) -> None:
        for _ in range(times):
            await app(_scope(next(headers)), receive, send)

    def run(times: int) -> None:
        answers.clear()
        _LOOP.run_until_complete(ask(times))
        assert set(answers) == {200}, answers

    return run


def _scope(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/orders",
        "raw_path": b"/orders",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"api.example.com"), (b"accept", b"*/*"), *headers],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8_000),
    }
