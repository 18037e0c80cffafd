"""What the adapters of WSGI frameworks share: environ to `Request`, and a guarded WSGI app.

An adapter translates. Who may pass, and what a refusal looks like, is decided by the `Gate`; no status code, no
challenge and no rule may appear here. Nothing here imports a framework.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Protocol, TypeAlias, final

from bearerkit import known
from bearerkit._drive import run
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER, parts
from bearerkit.errors import Refused, Unavailable
from bearerkit.gate import Gate
from bearerkit.guards import Requirement
from bearerkit.http import NOTHING, Headers, Request, Response, called_directly
from bearerkit.known import MappedUser, caller_of, known_caller, known_of, remember

__all__ = [
    "USER_KEY",
    "App",
    "Environ",
    "EnvironHeaders",
    "GuardedApp",
    "StartResponse",
    "auth_from",
    "full_path",
    "memo_of",
    "raw_path",
    "request_of",
    "route_path",
]

Environ: TypeAlias = MutableMapping[str, Any]


class StartResponse(Protocol):
    """What a WSGI server hands to an app (PEP 3333)."""

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Begin the answer."""
        ...


App: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

USER_KEY: Final = "bearerkit.user"
"""Where a plain WSGI app finds the team's user."""
_MEMO: Final = "memo"
_ROUTING: Final = "wsgiorg.routing_args"
_UNROUTED: Final[tuple[Any, Mapping[str, Any]]] = ((), NOTHING)
_PREFIX: Final = "HTTP_"
_UNPREFIXED: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


@final
class EnvironHeaders(Headers):
    """The header fields of a WSGI environ, read where they stand.

    A server joins repeated fields by a comma, which is how `Headers.get` gives them too (RFC 9110 section 5.3).
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def get_all(self, name: str) -> list[str]:
        """The value of `name`, as a list of at most one."""
        value = self.get(name)
        return [] if value is None else [value]

    def get(self, name: str) -> str | None:
        """The value of `name`, None when the field is absent."""
        lower = name.lower()
        value: str | None = self._environ.get(_UNPREFIXED.get(lower) or _PREFIX + lower.upper().replace("-", "_"))
        # Servers may set an empty CONTENT_TYPE and CONTENT_LENGTH where the client sent neither.
        return None if value == "" and lower in _UNPREFIXED else value

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for name in _UNPREFIXED:
            if (value := self.get(name)) is not None:
                yield name, value
        for key, value in self._environ.items():
            name = key.removeprefix(_PREFIX).replace("_", "-").lower()
            if key.startswith(_PREFIX) and name not in _UNPREFIXED:
                yield name, value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __len__(self) -> int:
        return sum(1 for _ in self)


class GuardedApp:
    """A WSGI app that is reached only by requests which pass the gate."""

    def __init__(self, app: App, gate: Gate, need: Requirement | None = None) -> None:
        self.app = app
        self.gate = gate
        self.need = need

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Judge the request, then run the app or answer the refusal."""
        start = _Start(start_response)
        try:
            request = request_of(environ, environ)
            context = self.admit(request, environ)
        except (Refused, Unavailable) as refusal:
            return self.refuse(refusal, environ, start)
        known.make_known(self.gate, environ, request, context, MappedUser, environ, USER_KEY)
        before = CALLER.set(context)
        try:
            body = self.app(environ, start)
        except (Refused, Unavailable) as refusal:
            body = self.refuse(refusal, environ, start)
        finally:
            CALLER.reset(before)
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(body, list | tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            return body  # nothing is computed any more, and servers look at what these are
        return _Body(self, context, body, environ, start)

    def admit(self, request: Request, environ: Environ) -> AuthContext:
        """Who is calling. Raises Refused or Unavailable."""
        return self.gate.authorize(request, self.need)

    def refuse(self, refusal: Refused | Unavailable, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        """Answer a refusal. Raises it again if the app's own answer is under way already."""
        if start.is_under_way:
            raise refusal
        answer = run(self.gate.whole_answer(refusal, environ, called_directly))
        begin = start.instead(refusal)
        if not isinstance(answer, Response):
            theirs: Iterable[bytes] = answer(environ, begin)
            return theirs
        begin(answer.status_line, [*answer.headers, ("Content-Length", str(len(answer.body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


@final
class _Start:
    """The `start_response` of one request, which knows how far the app has come with its answer."""

    __slots__ = ("_begun", "_start_response", "is_under_way")

    def __init__(self, start_response: StartResponse) -> None:
        self._start_response = start_response
        self._begun = False
        self.is_under_way = False
        """Bytes of the body were handed over, so that the server has sent the status."""

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        self._begun = True
        start = self._start_response
        write = start(status, headers, exc_info) if exc_info else start(status, headers)

        def written(data: bytes) -> object:
            self.is_under_way |= bool(data)
            return write(data)

        return written

    def instead(self, refusal: Refused | Unavailable) -> StartResponse:
        """A `start_response` for the answer to `refusal`: the server forgets what the app may have begun."""
        reason = (type(refusal), refusal, refusal.__traceback__) if self._begun else None

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            return self(status, headers, exc_info or reason)

        return start


@final
class _Body:
    """A body that is made while it is sent: under its caller, and an app that is a generator may still refuse."""

    __slots__ = ("_bodies", "_context", "_guard", "_made", "_start")

    def __init__(
        self, guard: GuardedApp, context: AuthContext, body: Iterable[bytes], environ: dict[str, Any], start: _Start
    ) -> None:
        # A guard further inside, of a framework say, may have found another caller.
        self._context = known_caller(environ) or context
        self._guard = guard
        self._bodies = [body]
        self._start = start
        self._made = self._make(environ)

    def __iter__(self) -> Iterator[bytes]:
        return self._made

    def close(self) -> None:
        """Servers call this once, whatever happened (PEP 3333)."""
        bodies, self._bodies = self._bodies, []
        with self._as_caller(), ExitStack() as closing:
            for body in bodies:
                close = getattr(body, "close", None)
                if close is not None:
                    closing.callback(close)
            self._made.close()

    def _make(self, environ: dict[str, Any]) -> Generator[bytes, None, None]:
        try:
            for part in parts(self._context, self._bodies[0]):
                self._start.is_under_way |= bool(part)
                yield part
        except (Refused, Unavailable) as refusal:
            with self._as_caller():
                answer = self._guard.refuse(refusal, environ, self._start)
            self._bodies.append(answer)
            yield from parts(self._context, answer)

    @contextmanager
    def _as_caller(self) -> Iterator[None]:
        before = CALLER.set(self._context)
        try:
            yield
        finally:
            CALLER.reset(before)


def request_of(
    environ: Environ,
    native: Any = None,
    *,
    path_params: Mapping[str, Any] | None = None,
    call: Callable[..., Any] = called_directly,
) -> Request:
    """The framework-neutral view of a WSGI environ. Its memo lives in the environ, as long as the request.

    `path_params` are those of the framework's router; by default what a router put into `wsgiorg.routing_args`.
    """
    return Request(
        environ["REQUEST_METHOD"],
        route_path(environ),
        EnvironHeaders(environ),
        environ.get(_ROUTING, _UNROUTED)[1] if path_params is None else path_params,
        environ.get("QUERY_STRING", ""),
        "http",
        environ.get("REMOTE_ADDR"),
        memo_of(environ),
        native,
        call,
    )


def memo_of(carrier: known.Carrier) -> MutableMapping[str, Any]:
    """The scratch space of a request; a copy of its environ shares it, so what lies there names its credential."""
    memo: MutableMapping[str, Any] | None = known_of(carrier).get(_MEMO)
    if memo is None:
        memo = {}
        remember(carrier, **{_MEMO: memo})
    return memo


def auth_from(environ: Environ) -> AuthContext:
    """The `AuthContext` of a WSGI request. Raises RuntimeError if nothing of bearerkit guards it."""
    return caller_of(environ)


def route_path(environ: Mapping[str, Any]) -> str:
    """The decoded path below the mount point, as routers compare it."""
    return _decoded(environ.get("PATH_INFO", ""))


def full_path(environ: Mapping[str, Any]) -> str:
    """The decoded path with the mount point."""
    return _decoded(environ.get("SCRIPT_NAME", "")) + route_path(environ)


def raw_path(environ: Mapping[str, Any]) -> bytes | None:
    """The path as the server received it, without the query; None if the server does not say."""
    target: str | None = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    return None if target is None else target.partition("?")[0].encode("latin-1", "replace")


def _decoded(text: str) -> str:
    """WSGI text holds the bytes of a URL as Latin-1 (PEP 3333)."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
