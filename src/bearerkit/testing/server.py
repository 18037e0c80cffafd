"""A small HTTP server on loopback that answers GET and POST from a function.

For tests, the demo and the development issuer. It refuses to listen anywhere but on loopback: what it serves is
made for one machine.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, final

from bearerkit.http import Fetched

__all__ = ["LoopbackServer"]

_BODY_MAX = 65_536


@final
class LoopbackServer:
    """Serves `answer(url)` for every GET and HEAD, `answer(url, body)` for a POST, while the context is open.

    Entering gives the base URL.

    `port` 0 picks a free one. Raises ValueError for a `host` beyond loopback, OSError if the port is taken.
    `answer` is called on the server's own daemon threads.
    """

    def __init__(self, answer: Callable[..., Fetched], *, host: str = "127.0.0.1", port: int = 0) -> None:
        address = _loopback(host)
        self._server = _Server(address, port)
        shown = f"[{address}]" if address.version == 6 else host
        self.base_url = f"http://{shown}:{self._server.server_address[1]}"
        self._server.answer = lambda path, *body: answer(self.base_url + path, *body)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), name="bearerkit-loopback", daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return self.base_url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answer: Callable[..., Fetched]

    def __init__(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
        self.address_family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        super().__init__((str(address), port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind asks DNS for this machine's name, which may take seconds and is of no use here.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up early is no error of ours.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "")
        self._respond(self.rfile.read(min(int(size), _BODY_MAX) if size.isdigit() else 0))

    def _respond(self, *body: bytes) -> None:
        server = self.server
        assert isinstance(server, _Server)
        fetched = server.answer(self.path, *body)
        self.send_response(fetched.status)
        for name, value in fetched.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(fetched.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(fetched.body)

    do_HEAD = do_GET  # noqa: N815 - the name that BaseHTTPRequestHandler looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parameter is theirs
        """Stay silent: the stdlib would write to stderr."""


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(f"{host!r} is not a loopback address; this server is for one machine only")
    return address
