"""Requests and answers as plain frozen values, the same for every framework.

Adapters translate their framework's objects into these and back. Nothing here knows a framework, a socket or a
security rule. `Fetch` and `Fetched` are the outgoing counterpart: what a procedure asks of the `HttpClient` port.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, Literal

from bearerkit.errors import ConfigError

__all__ = ["NOTHING", "Fetch", "FetchFailed", "Fetched", "Headers", "Network", "Request", "Response", "called_directly"]

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
"""No members, and none can be added: it is shared by all requests."""


class Headers:
    """Immutable header fields: names ignore case, a name may occur several times, order is kept.

    Values are Latin-1 text as HTTP delivers them (RFC 9110 section 5.5).
    """

    __slots__ = ("_raw",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._raw: Sequence[tuple[bytes, bytes]] = [
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in items
        ]

    @classmethod
    def from_raw(cls, raw: Sequence[tuple[bytes, bytes]]) -> Headers:
        """Wrap the byte pairs of an ASGI scope without copying them."""
        headers = cls.__new__(cls)
        headers._raw = raw
        return headers

    def get_all(self, name: str) -> list[str]:
        """Every value of `name`, in order of arrival."""
        wanted = name.lower().encode("latin-1")
        return [value.decode("latin-1") for key, value in self._raw if key.lower() == wanted]

    def get(self, name: str) -> str | None:
        """The values of `name` joined by a comma (RFC 9110 section 5.3), None when the field is absent."""
        wanted = name.lower().encode("latin-1")
        size = len(wanted)  # compared first: every guard asks this of every request
        found: bytes | None = None
        for key, value in self._raw:
            if len(key) == size and key.lower() == wanted:
                found = value if found is None else found + b"," + value
        return None if found is None else found.decode("latin-1")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self._raw)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.get_all(name))

    def __len__(self) -> int:
        return len(self._raw)

    def __eq__(self, other: object) -> bool:
        return sorted(self) == sorted(other) if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Headers {sorted({name for name, _ in self})}>"


def called_directly(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(*arguments)`: how callbacks of the team are called unless a framework has a bridge of its own."""
    return function(*arguments)


@dataclass(frozen=True, slots=True, init=False)
class Request:
    """What a rule may know of an incoming request.

    `path` is decoded and relative to the mount. `memo` is scratch space that lives exactly as long as the request
    and is lent by the adapter; it is how a token is verified once however many guards stack. `native` is the
    framework's own request, for the team's callbacks only: no rule of ours reads it. `call(function, *arguments)` is
    how those callbacks are called: a framework that joins sync and async code puts its bridge there. What it returns
    may be awaitable.
    """

    method: str
    path: str
    headers: Headers
    path_params: Mapping[str, Any]
    query: str
    kind: Literal["http", "websocket"]
    client: str | None
    memo: MutableMapping[str, Any] = field(compare=False, repr=False)
    native: Any = field(compare=False, repr=False)
    call: Callable[..., Any] = field(compare=False, repr=False)

    def __init__(
        self,
        method: str,
        path: str,
        headers: Headers,
        path_params: Mapping[str, Any] = NOTHING,
        query: str = "",
        kind: Literal["http", "websocket"] = "http",
        client: str | None = None,
        memo: MutableMapping[str, Any] | None = None,
        native: Any = None,
        call: Callable[..., Any] = called_directly,
    ) -> None:
        # The setters of the slots: what dataclass writes for frozen classes takes twice as long, for every request.
        _SET_METHOD(self, method)
        _SET_PATH(self, path)
        _SET_HEADERS(self, headers)
        _SET_PATH_PARAMS(self, path_params)
        _SET_QUERY(self, query)
        _SET_KIND(self, kind)
        _SET_CLIENT(self, client)
        _SET_MEMO(self, {} if memo is None else memo)
        _SET_NATIVE(self, native)
        _SET_CALL(self, call)


_SET_METHOD, _SET_PATH, _SET_HEADERS, _SET_PATH_PARAMS, _SET_QUERY = (
    getattr(Request, name).__set__ for name in ("method", "path", "headers", "path_params", "query")
)
_SET_KIND, _SET_CLIENT, _SET_MEMO, _SET_NATIVE, _SET_CALL = (
    getattr(Request, name).__set__ for name in ("kind", "client", "memo", "native", "call")
)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that every adapter sends unchanged: status, header fields, body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def status_line(self) -> str:
        """Status code and reason phrase, as WSGI wants them."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    def header(self, name: str) -> str | None:
        """The first value of a header field, None when it is absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def with_body(self, content: str | bytes | Mapping[str, Any], media_type: str | None = None) -> Response:
        """The same status and headers around another body; `render=` callbacks return this.

        A mapping becomes JSON. `media_type` defaults to `application/json` for a mapping and to
        `text/plain; charset=utf-8` otherwise.
        """
        if isinstance(content, Mapping):
            body, default = json.dumps(content).encode(), "application/json"
        else:
            body, default = content if isinstance(content, bytes) else content.encode(), "text/plain; charset=utf-8"
        kept = tuple((key, value) for key, value in self.headers if key.lower() != "content-type")
        return replace(self, headers=(*kept, ("Content-Type", media_type or default)), body=body)


@dataclass(frozen=True, slots=True)
class Network:
    """How key and metadata documents may be fetched.

    `ca_file` trusts another certificate authority (PEM). `private` allows hosts that resolve to private addresses
    even where the URL came from a token. `allow_http` permits plain HTTP beyond loopback. `headers` are sent with
    every fetch; `token_file` is read anew for each fetch and sent as a bearer token (Kubernetes), only to the
    hosts that this issuer's keys come from. `proxy` is an `http://` proxy URL. `timeout` bounds one fetch as a
    whole, in seconds; `max_bytes` bounds the body.
    """

    ca_file: str | None = None
    private: bool = False
    allow_http: bool = False
    headers: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)
    token_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    timeout: float = 5.0
    max_bytes: int = 512 * 1024

    def __post_init__(self) -> None:
        bounds: dict[str, object] = {"timeout": self.timeout, "max_bytes": self.max_bytes}
        problems = [
            f"Network({name}={value!r}) must be a positive number"
            for name, value in bounds.items()
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf")
        ]
        if self.proxy is not None and not self.proxy.startswith("http://"):
            problems.append("Network(proxy=…) must be an http:// URL")
        if problems:
            raise ConfigError(problems)


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request that a procedure wants made: a GET, or a POST if there is a `body`.

    `headers` go with this request only and win over those of `network`; like `body` they may hold secrets.
    `untrusted` says that the URL was built from data that arrived at run time (an issuer resolver, a URL
    template): its host is then resolved once, the address pinned, and private or loopback addresses refused
    unless `network.private` says otherwise.
    """

    url: str
    network: Network = Network()
    untrusted: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a `Fetch`: always a complete body within the limits; the status may be anything."""

    status: int
    headers: Headers
    body: bytes


class FetchFailed(OSError):
    """There is no complete answer within the limits of a `Fetch`.

    `detail` and `hint` are for the operator: they may name hosts and addresses, never a header value. `no_such_host`
    says that the name does not resolve.
    """

    detail: str
    hint: str | None
    no_such_host: bool

    def __init__(self, detail: str, *, hint: str | None = None, no_such_host: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.no_such_host = no_such_host
