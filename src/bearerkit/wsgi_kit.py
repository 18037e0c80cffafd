"""What the adapters of WSGI frameworks share: environ to `Request`, and a guarded WSGI app.

An adapter translates. Who may pass, and what a refusal looks like, is decided by the `Gate`; no status code, no
challenge and no rule may appear here. Nothing here imports a framework.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Protocol, TypeAlias, final

from bearerkit import known
from bearerkit._drive import run
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER, parts
from bearerkit.errors import Refused, Unavailable
from bearerkit.gate import Gate
from bearerkit.guards import Requirement
from bearerkit.http import Headers, Request, Response, called_directly
from bearerkit.known import MappedUser, caller_of, known_of, remember

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
            if key.startswith(_PREFIX):
                yield key.removeprefix(_PREFIX).replace("_", "-").lower(), value

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
            known.make_known(self.gate, environ, MappedUser(environ, USER_KEY), request, context)
            before = CALLER.set(context)
            try:
                body = self.app(environ, start)
            finally:
                CALLER.reset(before)
        except (Refused, Unavailable) as refusal:
            return self.refuse(refusal, environ, start)
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(body, list | tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            return body  # nothing is computed any more, and servers look at what these are
        return _Body(self, context, body, environ, start)

    def admit(self, request: Request, environ: Environ) -> AuthContext:
        """Who is calling. Raises Refused or Unavailable."""
        return self.gate.authorize(request, self.need)

    def refuse(self, refusal: Refused | Unavailable, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        """Answer a refusal. Raises it again if the app's own answer is under way already."""
        answer = run(self.gate.whole_answer(refusal, environ, called_directly))
        if not isinstance(answer, Response):
            theirs: Iterable[bytes] = answer(environ, start)
            return theirs
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        start.over(answer.status_line, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


@final
class _Start:
    """The `start_response` of one request, which knows whether the app has called it."""

    __slots__ = ("_begun", "_start_response")

    def __init__(self, start_response: StartResponse) -> None:
        self._start_response = start_response
        self._begun = False

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        self._begun = True
        return self._start_response(status, headers, exc_info) if exc_info else self._start_response(status, headers)

    def over(self, status: str, headers: list[tuple[str, str]]) -> None:
        """Begin another answer while an exception is handled: the server drops the first, or raises if it was sent."""
        self(status, headers, sys.exc_info() if self._begun else None)


@final
class _Body:
    """A body that is made while it is sent: under its caller, and an app that is a generator may still refuse."""

    __slots__ = ("_body", "_made")

    def __init__(
        self, guard: GuardedApp, context: AuthContext, body: Iterable[bytes], environ: dict[str, Any], start: _Start
    ) -> None:
        self._body = body
        self._made = self._make(guard, context, environ, start)

    def __iter__(self) -> Iterator[bytes]:
        return self._made

    def close(self) -> None:
        """Servers call this once, whatever happened (PEP 3333)."""
        self._made.close()
        close = getattr(self._body, "close", None)
        if close is not None:
            close()

    def _make(
        self, guard: GuardedApp, context: AuthContext, environ: dict[str, Any], start: _Start
    ) -> Generator[bytes, None, None]:
        try:
            yield from parts(context, self._body)
        except (Refused, Unavailable) as refusal:
            yield from guard.refuse(refusal, environ, start)


def request_of(
    environ: Environ,
    native: Any = None,
    *,
    path_params: Mapping[str, Any] | None = None,
    call: Callable[..., Any] = called_directly,
) -> Request:
    """The framework-neutral view of a WSGI environ. Its memo lives in the environ, as long as the request."""
    return Request(
        environ["REQUEST_METHOD"],
        route_path(environ),
        EnvironHeaders(environ),
        path_params or {},
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
