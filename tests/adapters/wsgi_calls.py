"""Calls a WSGI application in process, as a server would: the environ, `start_response`, the parts, `close()`."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

Fields = Sequence[tuple[str, str]]


def environ_of(
    path: str, headers: Fields = (), *, method: str = "GET", query: str = "", sends: bytes = b"", **more: Any
) -> dict[str, Any]:
    """The environ that a server would make for a request line with this (encoded) path; repeated fields are joined."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}" if query else path,
        "SERVER_NAME": "api.example.test",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(sends),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if sends:
        environ["CONTENT_LENGTH"] = str(len(sends))
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ | more


class WsgiCall:
    """One request and what the app answered."""

    def __init__(self, app: Any, environ: dict[str, Any]) -> None:
        self.headers: list[tuple[str, str]] = []
        self.status = 0
        self.body = b""
        parts = app(environ, self._start)
        try:
            for part in parts:
                self.body += part
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if self.body and exc_info:
            raise exc_info[1]
        self.status, self.headers = int(status.split()[0]), headers
        return None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def wsgi_get(app: Any, path: str, token: str | None = None, headers: Fields = (), **more: Any) -> WsgiCall:
    """One request, with a bearer token if there is one."""
    fields = [*headers, *([("Authorization", f"Bearer {token}")] if token else [])]
    return WsgiCall(app, environ_of(path, fields, **more))
