"""The demo's service under Uvicorn on loopback, in a thread of its own. It listens nowhere else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import uvicorn

from bearerkit.demo.problems import DemoFailed

__all__ = ["listen", "serving"]


def listen(port: int) -> socket.socket:
    """A socket bound to this port of loopback (0: any free one). Raises OSError if it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def serving(app: Any, listener: socket.socket) -> Iterator[str]:
    """Serve `app` on `listener` while the block lasts and give the base URL. DemoFailed if it does not start."""
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    )
    thread = Thread(target=server.run_on, args=(listener,), name="bearerkit-demo", daemon=True)
    thread.start()
    server.settled.wait()
    try:
        if not server.started:
            raise DemoFailed("the demo's service did not start")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = Event()

    def run_on(self, listener: socket.socket) -> None:
        try:
            self.run(sockets=[listener])
        finally:
            listener.close()
            self.settled.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()
