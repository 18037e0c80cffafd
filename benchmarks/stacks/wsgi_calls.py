"""Calls a WSGI app in process."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from itertools import cycle
from typing import Any

_EMPTY = io.BytesIO()


def caller(app: Any, tokens: Sequence[str] = ()) -> Any:
    """A candidate that sends GET /orders, with the tokens in turn."""
    headers = cycle([{"HTTP_AUTHORIZATION": f"Bearer {token}"} for token in tokens] or [{}])
    answers: list[str] = []

    def start_response(status: str, _: Any, exc_info: Any = None) -> Any:
        answers.append(status)

    def run(times: int) -> None:
        answers.clear()
        for _ in range(times):
            body = app(_environ(next(headers)), start_response)
            for _part in body:
                pass
            close = getattr(body, "close", None)
            if close is not None:
                close()
        assert {status[:3] for status in answers} == {"200"}, answers

    return run


def _environ(more: dict[str, str]) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/orders",
        "RAW_URI": "/orders",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "api.example.com",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": _EMPTY,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }
