"""The WSGI server of the standard library in process, with a validator of PEP 3333 in front of the application."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.validate import validator

from adapters.wsgi_calls import environ_of

TEXT = [("Content-Type", "text/plain")]


class Server(SimpleHandler):
    """It knows the rules for `start_response`; what an application raises reaches the test."""

    os_environ: dict[str, str] = {}
    wsgi_run_once = False

    def handle_error(self) -> None:
        raise


class Served:
    """What went over the wire: the status, the header fields and the body."""

    def __init__(self, app: Any, environ: dict[str, Any]) -> None:
        wire = BytesIO()
        Server(environ["wsgi.input"], wire, environ["wsgi.errors"], environ).run(app)
        head, _, self.body = wire.getvalue().partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        parted = (line.partition(": ") for line in fields)
        self.headers = {name.lower(): value for name, _, value in parted if name not in ("Date", "Server")}


def serve(
    app: Any, token: str | None = None, headers: Iterable[tuple[str, str]] = (), path: str = "/orders", **more: Any
) -> Served:
    """One request, by a server that follows PEP 3333 and under the eyes of a validator."""
    fields = [*headers, *([("Authorization", f"Bearer {token}")] if token else [])]
    return Served(validator(app), environ_of(path, fields, **more))
