"""`BlockingClient`: one document over HTTP/1.1, within limits that no server can stretch.

What it refuses: any scheme but https (http to loopback, or where the operator allowed it), user information in a URL,
redirects (they are answers like any other), compressed bodies, bodies beyond `max_bytes`, and more than `timeout`
seconds in total, name resolution included. A URL from untrusted data is resolved once, refused if any address is not
public, and the connection goes to exactly the addresses that were judged. No header value is ever repeated in an
error. There is nothing to close: each fetch opens and closes its own connection.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - or a fork while a thread first resolves a name leaves half of it in the child
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Final, final
from urllib.parse import SplitResult, unquote, urlsplit

from bearerkit.http import Fetch, Fetched, FetchFailed, Headers, Network
from bearerkit.transport.addresses import is_public
from bearerkit.verify.key_location import url_problem

if TYPE_CHECKING:
    import httpcore2

    from bearerkit.transport.sockets import Deadline

__all__ = ["BlockingClient", "resolve"]

_PORTS: Final = {"http": 80, "https": 443}
_MAX_ADDRESSES: Final = 8
_NO_SUCH_HOST: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_QUOTED_LENGTH: Final = 200
_TOKEN_BYTES: Final = 16_384
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e\x80-\xff](?:[\x20\x21-\x7e\x80-\xff\t]*[\x21-\x7e\x80-\xff])?")
_FRAMING: Final = frozenset({"content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"})
_TOKEN: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)
_PRIVATE_HINT: Final = (
    "If this host is meant to be on a private network, say so with network=Network(private=True, ca_file=…)."
)


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host name, in the order in which to try them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@final
class BlockingClient:
    """Implements `bearerkit.ports.HttpClient` without ever suspending, so `run` and threads can drive it.

    `resolve` and `monotonic` are there for tests: name resolution, and seconds that never run backwards.
    """

    def __init__(
        self,
        *,
        resolve: Callable[[str, int], Sequence[str]] = resolve,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolve = resolve
        self._monotonic = monotonic

    async def fetch(self, fetch: Fetch) -> Fetched:
        """Return the complete answer, whatever its status. Raises FetchFailed."""
        if problem := url_problem(fetch.url, fetch.network):
            raise FetchFailed(f"the URL may not be fetched: {problem}")
        import httpcore2

        from bearerkit.transport.sockets import Deadline

        # Loading certificates takes up to 300 ms and waits for nobody, so it does not count.
        context = _ssl_context(fetch) if fetch.url.lower().startswith("https:") else None
        headers = _headers(fetch)
        try:
            return self._exchange(fetch, context, headers, Deadline(fetch.network.timeout, self._monotonic))
        except FetchFailed:
            raise
        except (httpcore2.TimeoutException, TimeoutError):
            raise FetchFailed(f"no complete answer within {fetch.network.timeout:g} s") from None
        except (httpcore2.NetworkError, httpcore2.RemoteProtocolError, httpcore2.ProxyError, OSError) as error:
            text = f"{type(error).__name__}: {error}"
            raise FetchFailed(text[:_QUOTED_LENGTH], hint=_hint(text)) from None

    def _exchange(
        self, fetch: Fetch, context: ssl.SSLContext | None, headers: list[tuple[bytes, bytes]], deadline: Deadline
    ) -> Fetched:
        import httpcore2

        from bearerkit.transport.sockets import PinnedBackend

        url, network = urlsplit(fetch.url), fetch.network
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        connect_host = host
        if network.proxy is not None:
            if fetch.untrusted and not network.private:
                # The proxy resolves names itself, so it is given the address that was judged.
                connect_host = self._public_addresses(host, port, deadline)[0]
            proxy = _proxy_parts(network.proxy)
            addresses = self._addresses(proxy.hostname or "", proxy.port or _PORTS["http"], deadline)
        elif fetch.untrusted and not network.private:
            addresses = self._public_addresses(host, port, deadline)
        else:
            addresses = self._addresses(host, port, deadline)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        bracketed = f"[{connect_host}]" if ":" in connect_host else connect_host
        with (
            _pool(network, context, PinnedBackend(addresses, deadline)) as pool,
            pool.stream(
                "GET" if fetch.body is None else "POST",
                httpcore2.URL(scheme=url.scheme, host=bracketed, port=port, target=target),
                headers=[(b"Host", url.netloc.encode("ascii")), *headers],
                content=fetch.body,
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            return Fetched(answer.status, *_contents(answer, network.max_bytes))

    def _addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        """Resolve once. The resolver of the C library knows no deadline, so it is left behind if it takes too long."""
        outcome: Future[Sequence[str]] = Future()

        def look_up() -> None:
            try:
                outcome.set_result(self._resolve(host, port))
            except Exception as error:
                outcome.set_exception(error)

        try:
            threading.Thread(target=look_up, name="bearerkit-dns", daemon=True).start()
        except RuntimeError:  # no thread to be had
            look_up()
        try:
            found = outcome.result(deadline.left())
        except TimeoutError:
            raise
        except (OSError, UnicodeError) as error:
            detail = f"the host {host[:_QUOTED_LENGTH]!r} cannot be resolved: {type(error).__name__}"
            unknown = getattr(error, "errno", None) in _NO_SUCH_HOST
            raise FetchFailed(detail, no_such_host=unknown) from None
        if not found:
            raise FetchFailed(f"the host {host[:_QUOTED_LENGTH]!r} has no address", no_such_host=True)
        return found[:_MAX_ADDRESSES]

    def _public_addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        found = self._addresses(host, port, deadline)
        refused = [address for address in found if not is_public(address)]
        if refused:
            detail = f"the host {host[:_QUOTED_LENGTH]!r} leads to {refused[0]}, which is not a public address"
            raise FetchFailed(detail, hint=_PRIVATE_HINT)
        return found


def _contents(answer: httpcore2.Response, max_bytes: int) -> tuple[Headers, bytes]:
    headers = Headers.from_raw(answer.headers)
    coding = (headers.get("content-encoding") or "identity").strip().lower()
    if coding != "identity":
        raise FetchFailed(f"the body is compressed ({coding[:_QUOTED_LENGTH]!r}) although that was not asked for")
    too_large = f"the body is larger than {max_bytes} bytes"
    announced = headers.get("content-length") or "0"
    if not announced.isdigit() or int(announced[:20]) > max_bytes:
        raise FetchFailed(too_large)
    body = bytearray()
    for chunk in answer.iter_stream():
        body += chunk
        if len(body) > max_bytes:
            raise FetchFailed(too_large)
    return headers, bytes(body)


def _headers(fetch: Fetch) -> list[tuple[bytes, bytes]]:
    """What is sent besides Host. Values are checked here: the HTTP library would quote a bad one in its error."""
    network = fetch.network
    ours = {"accept": "application/json, */*;q=0.5", "accept-encoding": "identity", "connection": "close"}
    if network.token_file is not None:
        if fetch.untrusted:
            raise FetchFailed("a token file is never sent to a URL that was made from untrusted data")
        ours["authorization"] = f"Bearer {_token(network.token_file)}"
    given = {name.lower(): value for name, value in (*network.headers.items(), *fetch.headers)}
    for name, value in given.items():
        if name in _FRAMING or not _HEADER_NAME.fullmatch(name) or (value and not _HEADER_VALUE.fullmatch(value)):
            raise FetchFailed(f"the header {name[:_QUOTED_LENGTH]!r} cannot be sent")
    merged = {"user-agent": "bearerkit", **given, **ours}
    merged.pop("host", None)
    if fetch.body is not None:
        merged["content-length"] = str(len(fetch.body))
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in merged.items()]


def _token(path: str) -> str:
    """The token in a file, read anew for each fetch because Kubernetes replaces it every hour."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_TOKEN_BYTES + 1).decode("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"the token file {path!r} cannot be read: {type(error).__name__}") from None
    if not _TOKEN.fullmatch(text) or len(text) > _TOKEN_BYTES:
        raise FetchFailed(f"the token file {path!r} does not hold one token")
    return text


def _ssl_context(fetch: Fetch) -> ssl.SSLContext:
    """The platform's certificate authorities, or the one in `ca_file` instead of them."""
    import httpcore2

    if fetch.network.ca_file is None:
        return httpcore2.default_ssl_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=fetch.network.ca_file)
    except OSError as error:
        detail = f"the ca_file {fetch.network.ca_file!r} cannot be loaded: {type(error).__name__}"
        raise FetchFailed(detail) from None
    return context


def _proxy_parts(proxy: str) -> SplitResult:
    try:
        parts = urlsplit(proxy)
        if parts.scheme == "http" and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise FetchFailed("the proxy is not an http:// URL")


def _pool(
    network: Network, context: ssl.SSLContext | None, backend: httpcore2.NetworkBackend
) -> httpcore2.ConnectionPool:
    import httpcore2

    if network.proxy is None:
        return httpcore2.ConnectionPool(ssl_context=context, network_backend=backend, max_connections=1)
    parts = _proxy_parts(network.proxy)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return httpcore2.HTTPProxy(
        httpcore2.URL(scheme="http", host=parts.hostname or "", port=parts.port, target="/"),
        proxy_auth=(user, password) if user or password else None,
        ssl_context=context,
        network_backend=backend,
        max_connections=1,
    )


def _hint(text: str) -> str | None:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "If the server's certificate is from a private authority, set network=Network(ca_file=…)."
    return None
