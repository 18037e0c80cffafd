"""Connections that outlive an exchange, and what must be known of an exchange that goes over one of them.

A connection serves one thread at a time, so each thread says which exchange it carries out, and the sockets take
their deadline from there. Imported when something is fetched: it loads the HTTP library.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import final

import httpcore2

from bearerkit.transport.names import Resolve, TimeLeft, addresses
from bearerkit.transport.sockets import TimedStream, connect

__all__ = ["Exchange", "Exchanges", "KeptBackend"]


@final
class Exchange:
    """How far one exchange came."""

    __slots__ = ("answered", "begun", "deadline", "incomplete", "opened")

    def __init__(self, deadline: TimeLeft) -> None:
        self.deadline = deadline
        self.opened = False
        """A connection was opened for it."""
        self.begun = False
        """Its first bytes were handed to the socket, or were about to be."""
        self.incomplete = False
        """The request did not go out whole, so nobody can have acted on it."""
        self.answered = False
        """A byte came back."""


class Exchanges(threading.local):
    """The exchange that this thread carries out. Its `left` is that exchange's."""

    current: Exchange

    def left(self) -> float:
        """Seconds that remain to this thread's exchange. Raises TimeoutError when none do."""
        return self.current.deadline.left()


class KeptBackend(httpcore2.NetworkBackend):
    """Resolves a name when a connection is opened, within the deadline of the exchange that needs it."""

    def __init__(self, exchanges: Exchanges, resolve: Resolve) -> None:
        self._exchanges = exchanges
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection that may be used by other exchanges afterwards."""
        self._exchanges.current.opened = True
        found = addresses(self._resolve, host.strip("[]"), port, self._exchanges)
        return _KeptStream(connect(found, port, self._exchanges, local_address, socket_options), self._exchanges)


class _KeptStream(TimedStream):
    _deadline: Exchanges

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = super().read(max_bytes, timeout)
        if data:
            self._deadline.current.answered = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        exchange = self._deadline.current
        if not exchange.begun:
            exchange.begun = True
            if not exchange.opened and self._inner.get_extra_info("is_readable"):
                # The server hung up, or says something that nobody asked for: it must not become the answer.
                exchange.incomplete = True
                raise httpcore2.ReadError("the connection was closed by the server")
        try:
            super().write(buffer, timeout)
        except httpcore2.WriteError:
            exchange.incomplete = True
            raise
