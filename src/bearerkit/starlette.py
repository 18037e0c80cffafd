"""Guards for Starlette: routes, class endpoints, WebSockets, mounts, and a middleware for the whole application.

A translation between Starlette's objects and the core, nothing more: no status code, no challenge and no rule may
appear here. A refusal is answered in place, so it needs no exception handler of the application.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial, update_wrapper, wraps
from inspect import iscoroutinefunction, isfunction, ismethod
from itertools import chain
from typing import Any, TypeVar, Unpack, cast, final

from bearerkit import asgi, asgi_kit
from bearerkit.asgi import auth_from, current_auth
from bearerkit.asgi_kit import USER_KEY, Denial, answer_to, channel_for, request_of
from bearerkit.auth import Auth, Verifier
from bearerkit.challenge import WEBSOCKET_POLICY_VIOLATION
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER, async_parts
from bearerkit.errors import Refused, Unavailable
from bearerkit.gate import Gate, GateOptions
from bearerkit.guards import Requirement, checked_need
from bearerkit.known import MappedUser, make_known
from bearerkit.websocket import Channel

try:
    from starlette.background import BackgroundTask, BackgroundTasks
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.middleware.exceptions import ExceptionMiddleware
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.starlette needs Starlette: pip install "bearerkit[starlette]"', name=missing.name
    ) from None

__all__ = ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth", "held_open", "refuse"]

E = TypeVar("E", bound=Callable[..., Any])


class _Guarded(asgi_kit.GuardedApp):
    """A class endpoint or a mounted app behind the gate; callbacks get a Starlette object."""

    @property
    def routes(self) -> list[Any]:
        """The routes of the app inside, so that `url_for` finds them through a guarded mount."""
        return list(getattr(self.app, "routes", ()))

    async def denial_of(self, refusal: Refused | Unavailable, native: HTTPConnection) -> Denial:
        try:
            return await super().denial_of(refusal, native)
        except HTTPException as theirs:
            return Denial(_raising(theirs), refusal.public)

    def native(self, scope: asgi_kit.Scope, receive: asgi_kit.Receive, send: asgi_kit.Send) -> HTTPConnection:
        return WebSocket(scope, receive, send) if scope["type"] == "websocket" else Request(scope)


@final
class BearerMiddleware(_Guarded, asgi.BearerMiddleware):
    """Guards a whole application: `Middleware(BearerMiddleware, auth=auth, exempt=["/health"])`.

    The arguments are those of `bearerkit.asgi.BearerMiddleware`; callbacks get Starlette's `Request` or `WebSocket`.
    """


@final
class RequireBearer:
    """Guards endpoints: `Route("/orders", bearer.require(scope("orders:read"))(orders))`.

    `bearer(endpoint)` asks for any valid credential, `bearer.require(need)(endpoint)` for one that meets `need`. An
    endpoint is a function or method that takes a `Request` or a `WebSocket`, sync or async, a class endpoint, or an
    ASGI app to be mounted. The endpoint may raise bearerkit's own refusals; they are answered in the same way.

    Args:
        auth: An `Auth`, or one `Issuer`, for which an `Auth` is built.
        close_on_expiry: Closes a WebSocket when its token expires.
        options: `optional`, `user`, `render`, `not_found`, as `GateOptions` says. `not_found` gets the request and
            returns a response, or raises `HTTPException`.
    """

    def __init__(self, auth: Auth | Verifier, *, close_on_expiry: bool = False, **options: Unpack[GateOptions]) -> None:
        self.gate = Gate.of(auth, **options)
        self._close_on_expiry = close_on_expiry

    def __call__(self, endpoint: E) -> E:
        """Guard an endpoint: any valid credential passes."""
        return self._guard(endpoint, None)

    def require(self, need: Requirement) -> Callable[[E], E]:
        """A decorator for endpoints that only callers who meet `need` may reach. Raises ConfigError for no need."""
        needed = checked_need(need)
        return lambda endpoint: self._guard(endpoint, needed)

    def _guard(self, endpoint: E, need: Requirement | None) -> E:
        function: Any = endpoint
        while isinstance(function, partial):
            function = function.func
        if isfunction(function) or ismethod(function):
            return cast(E, self._guard_function(endpoint, need, is_async=iscoroutinefunction(function)))
        app = _Guarded(cast(asgi_kit.App, endpoint), self.gate, need, close_on_expiry=self._close_on_expiry)
        return cast(E, update_wrapper(app, endpoint, updated=()))

    def _guard_function(self, endpoint: Callable[..., Any], need: Requirement | None, *, is_async: bool) -> Any:
        gate = self.gate

        # Not the endpoint's own signature: a method is called with its instance before the request.
        @wraps(endpoint)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            connection = _connection_in(args, kwargs)
            before = None
            try:
                request = request_of(connection.scope, connection)
                context = gate.at_once(request, need) or await gate.aauthorize(request, need)
                make_known(gate, connection.scope, request, context, MappedUser, connection.scope, USER_KEY)
                before = CALLER.set(context)
                if isinstance(connection, WebSocket):
                    async with held_open(gate, connection, context, ends=self._close_on_expiry):
                        return await endpoint(*args, **kwargs)
                call = endpoint if is_async else partial(run_in_threadpool, endpoint)
                return _as_caller(context, await call(*args, **kwargs))
            except (Refused, Unavailable) as refusal:
                denial = await answer_to(gate, refusal, connection)
                if isinstance(connection, WebSocket):
                    await refuse(connection, denial)
                    return None
                return _response(denial.answer)
            finally:
                if before is not None:
                    CALLER.reset(before)

        return guarded


@asynccontextmanager
async def held_open(gate: Gate, websocket: WebSocket, context: AuthContext, *, ends: bool) -> AsyncIterator[None]:
    """Stands around the handler of a WebSocket that was let in; see `websocket.Channel`. Raises Expired."""
    channel = channel_for(
        gate,
        websocket.scope,
        websocket.receive,
        websocket.send,
        context,
        ends=ends,
        gone=lambda: WebSocketDisconnect(WEBSOCKET_POLICY_VIOLATION),
        accepted=websocket.application_state is WebSocketState.CONNECTED,
    )
    before = websocket.receive, websocket.send
    websocket.receive, websocket.send = channel.receive, channel.send  # type: ignore[method-assign]
    try:
        async with channel.open():
            yield
    finally:
        # A method of a WebSocketEndpoint comes here with every message.
        websocket.receive, websocket.send = before  # type: ignore[method-assign]


async def refuse(websocket: WebSocket, denial: Denial) -> None:
    """Answer a handshake, close a conversation, and leave one alone that is over."""
    if websocket.application_state is WebSocketState.CONNECTING:
        await denial(websocket.scope, websocket.receive, websocket.send)
    elif websocket.application_state is WebSocketState.CONNECTED:
        await denial.through(Channel(websocket.scope, websocket.receive, websocket.send, accepted=True))


def _raising(error: HTTPException) -> asgi_kit.App:
    """An ASGI app that answers as the application does when one of its routes raises `error`."""

    async def raises(scope: asgi_kit.Scope, receive: asgi_kit.Receive, send: asgi_kit.Send) -> None:
        raise error

    async def answer(scope: asgi_kit.Scope, receive: asgi_kit.Receive, send: asgi_kit.Send) -> None:
        handlers = getattr(scope.get("app"), "exception_handlers", {})
        await ExceptionMiddleware(raises, handlers)(scope, receive, send)

    return answer


def _connection_in(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> HTTPConnection:
    for value in chain(args, kwargs.values()):
        if isinstance(value, HTTPConnection):
            return value
    raise TypeError("RequireBearer guards endpoints that take a Starlette Request or WebSocket")


def _response(answer: asgi_kit.App) -> Any:
    """Ours as a Starlette response, because decorators outside this one may look at it; the team's own as it is."""
    if not isinstance(answer, asgi_kit.Answer):
        return answer
    response = Response(answer.response.body, answer.response.status)
    response.raw_headers = answer.headers
    return response


def _as_caller(context: AuthContext, response: Any) -> Any:
    """`response`, with `current_auth` in the code of the handler that runs after it has returned."""
    if hasattr(getattr(response, "body_iterator", None), "__aiter__"):
        response.body_iterator = async_parts(context, response.body_iterator)
    if getattr(response, "background", None) is not None:
        response.background = BackgroundTasks([BackgroundTask(_later, context, response.background)])
    return response


async def _later(context: AuthContext, background: Any) -> None:
    before = CALLER.set(context)
    try:
        await background()
    finally:
        CALLER.reset(before)
