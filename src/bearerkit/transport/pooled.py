"""`PooledClient`: requests to configured servers over connections that are kept for the next one.

For servers that are asked often (introspection). The limits are those of `exchange.py`, the same as for
`BlockingClient`; what differs is whose connection it is. For each server, proxy and certificate authority there is one
pool of at most `CONNECTIONS_MAX` connections; whoever finds none free waits, within the total time of his request. An
idle connection is closed after `IDLE_SECONDS`, which is less than most servers wait.

A server may close a kept connection at the moment at which a request is sent. The request is then made once more, on
another connection, if it surely was not processed (it did not go out whole), or if it is a GET, which may be made twice
(RFC 9110 section 9.2.2). A POST that went out whole is never sent again: it may have been acted on, and what is in it
may be good for once only. A request on a connection that was opened for it is not repeated either.

URLs that were built from untrusted data get a connection of their own, to an address that was judged.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, final
from urllib.parse import urlsplit

from bearerkit.http import Fetch, Fetched, FetchFailed, Network
from bearerkit.transport.blocking import BlockingClient
from bearerkit.transport.exchange import PORTS, Head, carry_out, failures_told, head_of, new_pool, refuse_url, tls_of
from bearerkit.transport.names import Resolve, resolve
from bearerkit.verify.forks import survives_fork

if TYPE_CHECKING:
    import httpcore2

    from bearerkit.transport.kept import Exchange, Exchanges
    from bearerkit.transport.sockets import Deadline

__all__ = ["CONNECTIONS_MAX", "IDLE_SECONDS", "POOLS_MAX", "PooledClient"]

CONNECTIONS_MAX: Final = 10
"""Connections to one server at a time."""
IDLE_SECONDS: Final = 4.0
"""Many servers close after five."""
POOLS_MAX: Final = 32
"""Servers whose connections are kept; any further one gets a connection for each request."""


class _Where(NamedTuple):
    """What a connection is good for."""

    scheme: str
    host: str
    port: int
    proxy: str | None
    ca_file: str | None


class _Kept:
    """One pool, and how many threads are using it: a socket that another thread reads from is never closed."""

    def __init__(self, pool: httpcore2.ConnectionPool, exchanges: Exchanges, authority: object) -> None:
        self.pool = pool
        self.exchanges = exchanges
        self.authority = authority
        self.users = 0
        self.retired = False


@final
class PooledClient:
    """Implements `bearerkit.ports.HttpClient` without ever suspending. Safe to share between threads; survives a fork.

    `resolve` and `monotonic` are there for tests: name resolution, and seconds that never run backwards.
    """

    def __init__(self, *, resolve: Resolve = resolve, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._monotonic = monotonic
        self._single = BlockingClient(resolve=resolve, monotonic=monotonic)
        self._lock = threading.Lock()
        self._pools: dict[_Where, _Kept] = {}
        survives_fork(self)
        # Most programs never close an `Auth`; weak references are told before the sockets complain.
        weakref.finalize(self, _close_unused, self._pools)

    async def fetch(self, fetch: Fetch) -> Fetched:
        """Return the complete answer, whatever its status. Raises FetchFailed."""
        if fetch.untrusted:
            return await self._single.fetch(fetch)
        refuse_url(fetch)
        with self._pool_of(fetch) as kept:
            if kept is not None:
                from bearerkit.transport.sockets import Deadline

                head = head_of(fetch, keep=True)
                with failures_told(fetch.network):
                    return self._ask(kept, fetch, head, Deadline(fetch.network.timeout, self._monotonic))
        return await self._single.fetch(fetch)

    def close(self) -> None:
        """Close all connections: idle ones now, those in use with their answers. It may be used again afterwards."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
            idle = [kept for kept in pools if _retire(kept)]
        for kept in idle:
            kept.pool.close()

    def after_fork(self) -> None:
        """The sockets belong to the parent too: one answer must not be read by two. Its locks may be held."""
        self._lock = threading.Lock()
        pools = list(self._pools.values())
        self._pools.clear()
        for kept in pools:
            for connection in kept.pool.connections:
                with suppress(Exception):
                    connection.close()  # the child's descriptor only; nothing is said to the server

    def __repr__(self) -> str:
        return f"<PooledClient {len(self._pools)} pools>"

    def _ask(self, kept: _Kept, fetch: Fetch, head: Head, deadline: Deadline) -> Fetched:
        import httpcore2

        from bearerkit.transport.kept import Exchange

        first = Exchange(deadline)
        try:
            return _exchange(kept, fetch, head, first)
        except (httpcore2.NetworkError, httpcore2.RemoteProtocolError):
            if first.opened or first.answered or not (first.incomplete or fetch.body is None):
                raise
        return _exchange(kept, fetch, head, Exchange(deadline))

    @contextmanager
    def _pool_of(self, fetch: Fetch) -> Iterator[_Kept | None]:
        """The pool for a URL, for as long as it is used; None if there are too many."""
        where = _where(fetch)
        authority = _authority(fetch.network)
        over: _Kept | None = None
        with self._lock:
            kept = self._pools.get(where)
            if kept is not None and kept.authority != authority:
                over = self._pools.pop(where)
                over = over if _retire(over) else None
                kept = None
            if kept is None and len(self._pools) < POOLS_MAX:
                # Under the lock, though it may take 300 ms: the others would have to load the same certificates.
                kept = self._pools[where] = self._new(fetch, authority)
            if kept is not None:
                kept.users += 1
        if over is not None:
            over.pool.close()
        try:
            yield kept
        finally:
            if kept is not None:
                with self._lock:
                    kept.users -= 1
                    last = kept.retired and not kept.users
                if last:
                    kept.pool.close()

    def _new(self, fetch: Fetch, authority: object) -> _Kept:
        from bearerkit.transport.kept import Exchanges, KeptBackend

        exchanges, network = Exchanges(), fetch.network
        backend = KeptBackend(exchanges, self._resolve)
        context = tls_of(fetch.url, network)
        pool = new_pool(network, context, backend, most=CONNECTIONS_MAX, idle_seconds=IDLE_SECONDS)
        return _Kept(pool, exchanges, authority)


def _exchange(kept: _Kept, fetch: Fetch, head: Head, exchange: Exchange) -> Fetched:
    kept.exchanges.current = exchange

    def arrived() -> None:
        if not exchange.answered:
            # It was sent along with the answer before: whoever it is about, it is not about this request.
            raise FetchFailed("the server answered before it was asked")

    return carry_out(kept.pool, fetch, head, wait=exchange.deadline.left(), arrived=arrived)


def _close_unused(pools: dict[_Where, _Kept]) -> None:
    for kept in pools.values():
        if not kept.users:
            kept.pool.close()


def _retire(kept: _Kept) -> bool:
    """Whether nobody uses a pool that is to be closed; otherwise its last user closes it."""
    kept.retired = True
    return not kept.users


def _where(fetch: Fetch) -> _Where:
    url, network = urlsplit(fetch.url), fetch.network
    port = url.port or PORTS[url.scheme]
    return _Where(url.scheme, url.hostname or "", port, network.proxy, network.ca_file)


def _authority(network: Network) -> object:
    """What tells one state of the `ca_file` from another: a new authority is not asked over a connection of the old."""
    if network.ca_file is None:
        return None
    try:
        found = Path(network.ca_file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
