"""One request and its answer: what may be asked, what is sent, what is taken, and what is said when it fails.

The limits that hold for one exchange stand here, whatever connection it goes over; whose connection that is, and to
which address, is for `blocking.py` and `pooled.py` to say. No header value is ever repeated in an error.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from bearerkit.http import Fetch, Fetched, FetchFailed, Headers, Network
from bearerkit.verify.key_location import url_problem

if TYPE_CHECKING:
    import httpcore2

__all__ = ["PORTS", "Head", "carry_out", "failures_told", "head_of", "new_pool", "proxy_parts", "refuse_url", "tls_of"]

Head: TypeAlias = "list[tuple[bytes, bytes]]"
"""The header fields of one request, besides Host. They hold secrets."""

PORTS: Final = {"http": 80, "https": 443}
_QUOTED_LENGTH: Final = 200
_TOKEN_BYTES: Final = 16_384
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e\x80-\xff](?:[\x20\x21-\x7e\x80-\xff\t]*[\x21-\x7e\x80-\xff])?")
_FRAMING: Final = frozenset({"content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"})
_OURS: Final = frozenset({"host", "connection", "keep-alive"})
_TOKEN: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)


def refuse_url(fetch: Fetch) -> None:
    """Raise FetchFailed for a URL that may not be asked, before anything is resolved."""
    if problem := url_problem(fetch.url, fetch.network):
        raise FetchFailed(f"the URL may not be fetched: {problem}")


def head_of(fetch: Fetch, *, keep: bool) -> Head:
    """What is sent besides Host; `keep` leaves the connection open afterwards.

    Values are checked here: the HTTP library would quote a bad one in its error. Raises FetchFailed.
    """
    network = fetch.network
    given = {name.lower(): value for name, value in network.headers.items()}
    if network.token_file is not None:
        if fetch.untrusted:
            raise FetchFailed("a token file is never sent to a URL that was made from untrusted data")
        given["authorization"] = f"Bearer {_token(network.token_file)}"
    given |= {name.lower(): value for name, value in fetch.headers}
    for name, value in given.items():
        if name in _FRAMING or not _HEADER_NAME.fullmatch(name) or (value and not _HEADER_VALUE.fullmatch(value)):
            raise FetchFailed(f"the header {name[:_QUOTED_LENGTH]!r} cannot be sent")
    merged = {"user-agent": "bearerkit", **{name: value for name, value in given.items() if name not in _OURS}}
    merged |= {"accept": "application/json, */*;q=0.5", "accept-encoding": "identity"}
    if not keep:
        merged["connection"] = "close"
    if fetch.body is not None:
        merged["content-length"] = str(len(fetch.body))
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in merged.items()]


def carry_out(
    pool: httpcore2.ConnectionPool,
    fetch: Fetch,
    head: Head,
    *,
    address: str | None = None,
    wait: float | None = None,
    arrived: Callable[[], None] | None = None,
) -> Fetched:
    """Send one request over a connection of `pool` and read the answer whole.

    `address` is asked for in place of the host (by a proxy), `wait` bounds the wait for a free connection, and
    `arrived` is called when the head of the answer is there.
    """
    import httpcore2

    url = urlsplit(fetch.url)
    host = url.hostname or ""
    connect_host = host if address is None else address
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    extensions: dict[str, Any] = {"sni_hostname": host}
    if wait is not None:
        extensions["timeout"] = {"pool": wait}
    with pool.stream(
        "GET" if fetch.body is None else "POST",
        httpcore2.URL(
            scheme=url.scheme,
            host=f"[{connect_host}]" if ":" in connect_host else connect_host,
            port=url.port or PORTS[url.scheme],
            target=target,
        ),
        headers=[(b"Host", url.netloc.encode("ascii")), *head],
        content=fetch.body,
        extensions=extensions,
    ) as answer:
        if arrived is not None:
            arrived()
        return Fetched(answer.status, *_contents(answer, fetch.network.max_bytes))


@contextmanager
def failures_told(network: Network) -> Iterator[None]:
    """Whatever an exchange fails with, as a FetchFailed without a cause: the cause may hold the request."""
    import httpcore2

    try:
        yield
    except FetchFailed:
        raise
    except (httpcore2.TimeoutException, TimeoutError):
        raise FetchFailed(f"no complete answer within {network.timeout:g} s") from None
    except (httpcore2.NetworkError, httpcore2.RemoteProtocolError, httpcore2.ProxyError, OSError) as error:
        text = f"{type(error).__name__}: {error}"
        raise FetchFailed(text[:_QUOTED_LENGTH], hint=_hint(text)) from None


def tls_of(url: str, network: Network) -> ssl.SSLContext | None:
    """The platform's certificate authorities, or the one in `ca_file` instead of them; None where there is no TLS."""
    import httpcore2

    if not url.lower().startswith("https:"):
        return None
    if network.ca_file is None:
        return httpcore2.default_ssl_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=network.ca_file)
    except OSError as error:
        detail = f"the ca_file {network.ca_file!r} cannot be loaded: {type(error).__name__}"
        raise FetchFailed(detail) from None
    return context


def proxy_parts(proxy: str) -> SplitResult:
    """The parts of a proxy URL. Raises FetchFailed."""
    try:
        parts = urlsplit(proxy)
        if parts.scheme == "http" and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise FetchFailed("the proxy is not an http:// URL")


def new_pool(
    network: Network,
    context: ssl.SSLContext | None,
    backend: httpcore2.NetworkBackend,
    *,
    most: int = 1,
    idle_seconds: float | None = None,
) -> httpcore2.ConnectionPool:
    """At most `most` connections, straight or by the proxy, each kept for `idle_seconds` after an answer."""
    import httpcore2

    settings: dict[str, Any] = {
        "ssl_context": context,
        "network_backend": backend,
        "max_connections": most,
        "keepalive_expiry": idle_seconds,
    }
    if network.proxy is None:
        return httpcore2.ConnectionPool(**settings)
    parts = proxy_parts(network.proxy)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return httpcore2.HTTPProxy(
        httpcore2.URL(scheme="http", host=parts.hostname or "", port=parts.port, target="/"),
        proxy_auth=(user, password) if user or password else None,
        **settings,
    )


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


def _hint(text: str) -> str | None:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "If the server's certificate is from a private authority, set network=Network(ca_file=…)."
    return None
