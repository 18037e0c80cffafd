"""What the servers of servers.py serve: every application of drivers.py; the Host field of a request says which.

It is imported by child processes, which know the keys of their parent's issuer from the environment (`scenarios.KEYS`).
The choice is made outside bearerkit and changes nothing of what the server says about the request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapters.drivers import application

__all__ = ["asgi", "host_of", "wsgi"]


def host_of(framework: str, *, closed: bool) -> str:
    """The Host by which a request chooses its application."""
    return f"{'closed' if closed else 'guarded'}.{framework}.example.test"


def _chosen_by(host: str) -> Any:
    kind, framework, _ = host.split(".", 2)
    return application(framework, kind == "closed")


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    host = next(value for name, value in scope["headers"] if name == b"host")
    await _chosen_by(host.decode("ascii"))(scope, receive, send)


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The WSGI application."""
    parts: Iterable[bytes] = _chosen_by(environ["HTTP_HOST"])(environ, start_response)
    return parts
