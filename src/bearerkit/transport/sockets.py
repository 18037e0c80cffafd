"""Sockets that share one deadline and connect only to addresses chosen beforehand.

httpcore2 has a timeout per operation, which a server that sends one byte a second never reaches, and resolves names
itself, after anybody else has looked at them. Here every operation gets what is left of the total, and a connection
goes to the addresses it was given. Imported when something is fetched: it loads the HTTP library.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

from bearerkit.transport.names import TimeLeft

__all__ = ["Deadline", "PinnedBackend", "TimedStream", "connect"]


class Deadline:
    """A moment by which everything must be done. `monotonic` gives seconds that never run backwards."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain. Raises TimeoutError when none do."""
        left = self._end - self._monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def connect(
    addresses: Sequence[str],
    port: int,
    deadline: TimeLeft,
    local_address: str | None,
    socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
) -> httpcore2.NetworkStream:
    """The first connection that succeeds. A dead address gets its share of the time, not all of it."""
    refusal: Exception = httpcore2.ConnectError("no address")
    backend = httpcore2.SyncBackend()
    for position, address in enumerate(addresses):
        share = deadline.left() / (len(addresses) - position)
        try:
            return backend.connect_tcp(address, port, share, local_address, socket_options)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            refusal = error
    raise refusal


class PinnedBackend(httpcore2.NetworkBackend):
    """Connects to `addresses`, one after another, whatever host it is asked for, within `deadline`."""

    def __init__(self, addresses: Sequence[str], deadline: TimeLeft) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection whose every operation is within the deadline."""
        stream = connect(self._addresses, port, self._deadline, local_address, socket_options)
        return TimedStream(stream, self._deadline)


class TimedStream(httpcore2.NetworkStream):
    """Gives every operation what is left of a deadline, whatever timeout it is asked for."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: TimeLeft) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes; none at the end."""
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of these bytes."""
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        """Needs no time."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The same over TLS."""
        try:
            left = self._deadline.left()
        except TimeoutError:
            # httpcore2 leaves it to the stream to close itself when TLS does not start.
            self._inner.close()
            raise
        return self._over(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """What the socket says."""
        return self._inner.get_extra_info(info)

    def _over(self, inner: httpcore2.NetworkStream) -> httpcore2.NetworkStream:
        return type(self)(inner, self._deadline)
