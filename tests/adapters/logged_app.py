"""What the child processes of test_access_logs.py serve, with the logging that a recipe of docs/logging.md sets up.

Each application answers 200, and fails on `/fail` with an error that tells the query. The socket is inherited.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["asgi_app", "recipe", "run", "wsgi_app"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "logging.md"


def recipe(heading: str, *, redacts: bool) -> str:
    """The Python block under a heading of the page; or the same with a filter that does nothing."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^### {heading}\n.*?```python\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/logging.md has no recipe for {heading}"
    return found[1] if redacts else found[1].replace("bearerkit.RedactTokens", "logging.Filter")


def wsgi_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/fail":
        raise ValueError(f"cannot read {environ['QUERY_STRING']}")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    if scope["path"] == "/fail":
        raise ValueError(f"cannot read {scope['query_string'].decode()}")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def run(server: str) -> None:
    """Serve until the process is stopped."""
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(os.environ["TEST_RECIPE"], names)
    {"Uvicorn": _uvicorn, "Flask": _flask, "Django": _django}[server](names, int(os.environ["TEST_SOCKET"]))


def _uvicorn(recipe: dict[str, Any], descriptor: int) -> None:
    import uvicorn

    uvicorn.run(asgi_app, fd=descriptor, log_config=recipe["log_config"], ws="none", lifespan="off")


def _flask(recipe: dict[str, Any], descriptor: int) -> None:
    from flask import request
    from werkzeug.serving import make_server

    app = recipe["app"]

    @app.get("/<path:path>")
    def view(path: str) -> str:
        if path == "fail":
            raise ValueError(f"cannot read {request.query_string.decode()}")
        return "ok"

    make_server("127.0.0.1", 0, app, fd=descriptor).serve_forever()


def _django(recipe: dict[str, Any], descriptor: int) -> None:
    import django
    from django.conf import settings
    from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
    from django.core.wsgi import get_wsgi_application

    settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="adapters.logged_urls", LOGGING=recipe["LOGGING"])
    django.setup()
    server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=descriptor)
    server.server_name, server.server_port = "127.0.0.1", server.socket.getsockname()[1]
    server.setup_environ()
    server.set_app(get_wsgi_application())
    server.serve_forever()
