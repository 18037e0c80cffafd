"""`BlockingClient`: one document over HTTP/1.1, within limits that no server can stretch.

What it refuses: any scheme but https (http to loopback, or where the operator allowed it), user information in a URL,
redirects (they are answers like any other), compressed bodies, bodies beyond `max_bytes`, and more than `timeout`
seconds in total, name resolution included. A URL from untrusted data is resolved once, refused if any address is not
public, and the connection goes to exactly the addresses that were judged. No header value is ever repeated in an
error. There is nothing to close: each fetch opens and closes its own connection.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, final
from urllib.parse import urlsplit

from bearerkit.http import Fetch, Fetched
from bearerkit.transport.exchange import (
    PORTS,
    Head,
    carry_out,
    failures_told,
    head_of,
    new_pool,
    proxy_parts,
    refuse_url,
    tls_of,
)
from bearerkit.transport.names import Resolve, addresses, public_addresses, resolve

if TYPE_CHECKING:
    from bearerkit.transport.sockets import Deadline

__all__ = ["BlockingClient", "resolve"]


@final
class BlockingClient:
    """Implements `bearerkit.ports.HttpClient` without ever suspending, so `run` and threads can drive it.

    `resolve` and `monotonic` are there for tests: name resolution, and seconds that never run backwards.
    """

    def __init__(self, *, resolve: Resolve = resolve, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._monotonic = monotonic

    async def fetch(self, fetch: Fetch) -> Fetched:
        """Return the complete answer, whatever its status. Raises FetchFailed."""
        refuse_url(fetch)
        from bearerkit.transport.sockets import Deadline

        # Loading certificates takes up to 300 ms and waits for nobody, so it does not count.
        context = tls_of(fetch.url, fetch.network)
        head = head_of(fetch, keep=False)
        with failures_told(fetch.network):
            return self._exchange(fetch, context, head, Deadline(fetch.network.timeout, self._monotonic))

    def _exchange(self, fetch: Fetch, context: ssl.SSLContext | None, head: Head, deadline: Deadline) -> Fetched:
        from bearerkit.transport.sockets import PinnedBackend

        url, network = urlsplit(fetch.url), fetch.network
        host, port = url.hostname or "", url.port or PORTS[url.scheme]
        judged = fetch.untrusted and not network.private
        named: str | None = None
        if network.proxy is not None:
            if judged:
                # The proxy resolves names itself, so it is given the address that was judged.
                named = public_addresses(self._resolve, host, port, deadline)[0]
            proxy = proxy_parts(network.proxy)
            found = addresses(self._resolve, proxy.hostname or "", proxy.port or PORTS["http"], deadline)
        else:
            found = (public_addresses if judged else addresses)(self._resolve, host, port, deadline)
        with new_pool(network, context, PinnedBackend(found, deadline)) as pool:
            return carry_out(pool, fetch, head, address=named)
