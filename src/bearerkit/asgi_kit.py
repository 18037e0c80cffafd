"""What the adapters of ASGI frameworks share: scope to `Request`, refusal to ASGI messages, and a guarded app.

An adapter translates. Who may pass, and what a refusal looks like, is decided by the `Gate`; no status code, no
challenge and no rule may appear here. Nothing here imports a framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias, final

from bearerkit import known
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER
from bearerkit.errors import Refused, Unavailable
from bearerkit.gate import Gate
from bearerkit.guards import Requirement
from bearerkit.http import NOTHING, Headers, Request, Response, called_directly
from bearerkit.known import MappedUser, caller_of, known_of, make_known, remember
from bearerkit.websocket import Channel

__all__ = [
    "USER_KEY",
    "Answer",
    "App",
    "Denial",
    "GuardedApp",
    "Receive",
    "Scope",
    "Send",
    "answer_to",
    "auth_from",
    "channel_for",
    "request_of",
    "route_path",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

USER_KEY: Final = "user"
"""Where a scope holds the user."""
_HEADERS: Final = "headers"
_MEMO: Final = "memo"
_CHANNEL: Final = "channel"


class GuardedApp:
    """An ASGI app that is reached only by requests which pass the gate. Other scopes (lifespan) go through."""

    def __init__(self, app: App, gate: Gate, need: Requirement | None = None, *, close_on_expiry: bool = False) -> None:
        self.app = app
        self.gate = gate
        self.need = need
        self._close_on_expiry = close_on_expiry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge the request, then run the app or answer the refusal."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        started = False

        async def tracked(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        native = self.native(scope, receive, send)
        before = channel = None
        try:
            request = request_of(scope, native)
            context = await self.admit(request, scope)
            make_known(self.gate, scope, request, context, MappedUser, scope, USER_KEY)
            before = CALLER.set(context)
            if scope["type"] == "http":
                await self.app(scope, receive, tracked)
            else:
                channel = channel_for(self.gate, scope, receive, send, context, ends=self._close_on_expiry)
                async with channel.open():
                    await self.app(scope, channel.receive, channel.send)
        except (Refused, Unavailable) as refusal:
            if started:
                raise
            denial = await self.denial_of(refusal, native)
            await (denial(scope, receive, send) if channel is None else denial.through(channel))
        finally:
            if before is not None:
                CALLER.reset(before)

    async def admit(self, request: Request, scope: Scope) -> AuthContext:
        """Who is calling. Raises Refused or Unavailable."""
        return self.gate.at_once(request, self.need) or await self.gate.aauthorize(request, self.need)

    async def denial_of(self, refusal: Refused | Unavailable, native: Any) -> Denial:
        """The answer to a refusal."""
        return await answer_to(self.gate, refusal, native)

    def native(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """What the team's callbacks get as their request."""
        return scope


def request_of(scope: Scope, native: Any = None) -> Request:
    """The framework-neutral view of an ASGI scope.

    Its memo lives in the scope, so it lasts as long as the request. Other header fields make it another request: a
    sub-request that was dispatched with a copy of the scope knows nothing of what was found out about the outer one.
    """
    fields = scope["headers"]
    if not isinstance(fields, list):
        fields = scope["headers"] = list(fields)
    facts = scope.get(known.KEY)
    # By content: Starlette copies the list when it first reads it, and lets middlewares change it in place.
    if facts is None or facts.get(_HEADERS) != fields:
        facts = known.begin(scope, {_HEADERS: list(fields), _MEMO: {}})
    client = scope.get("client")
    return Request(
        scope.get("method", "GET"),
        route_path(scope) if scope.get("root_path") else scope["path"],
        Headers.from_raw(fields),
        scope.get("path_params") or NOTHING,
        scope.get("query_string", b"").decode("latin-1"),
        scope["type"],
        client[0] if client else None,
        facts[_MEMO],
        native,
    )


def route_path(scope: Scope) -> str:
    """The decoded path below the mount point: what routers compare (as Starlette's `get_route_path`)."""
    path: str = scope["path"]
    root = scope.get("root_path", "")
    if root and path.startswith(root) and (len(path) == len(root) or path[len(root)] == "/"):
        return path[len(root) :]
    return path


def auth_from(request: Any) -> AuthContext:
    """The `AuthContext` of a request: a Starlette or FastAPI `Request` or `WebSocket`, or an ASGI scope.

    Raises RuntimeError if nothing of bearerkit guards it.
    """
    return caller_of(getattr(request, "scope", request))


def channel_for(
    gate: Gate, scope: Scope, receive: Receive, send: Send, context: AuthContext, *, ends: bool, **options: Any
) -> Channel:
    """The channel of a WebSocket that was let in; with `ends` it lasts as long as the credential.

    Channels of several guards nest, so that the earliest end counts. Raises Expired if it is over already.
    """
    seconds = gate.seconds_left(context) if ends else None
    outer: Channel | None = known_of(scope).get(_CHANNEL)
    accepted = options.pop("accepted", False) or (outer is not None and outer.accepted)
    channel = Channel(scope, receive, send, seconds=seconds, accepted=accepted, **options)
    remember(scope, **{_CHANNEL: channel})
    return channel


async def answer_to(gate: Gate, refusal: Refused | Unavailable, native: Any) -> Denial:
    """The ASGI app that answers a refusal: ours, or the team's own 404. What `not_found` raises is passed on."""
    answer = await gate.whole_answer(refusal, native, called_directly)
    return Denial(Answer(answer) if isinstance(answer, Response) else answer, refusal.public)


@final
class Answer:
    """A `Response` as ASGI app, for HTTP and for the denial of a WebSocket handshake."""

    __slots__ = ("headers", "response")

    def __init__(self, response: Response) -> None:
        self.response = response
        self.headers = [
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers),
            (b"content-length", str(len(response.body)).encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        prefix = "" if scope["type"] == "http" else "websocket."
        await send({"type": f"{prefix}http.response.start", "status": self.response.status, "headers": self.headers})
        await send({"type": f"{prefix}http.response.body", "body": self.response.body})


@final
class Denial:
    """Answers through `answer` where HTTP can still be spoken; closes the WebSocket where it cannot."""

    __slots__ = ("answer", "reason")

    def __init__(self, answer: App, reason: str) -> None:
        self.answer = answer
        self.reason = reason

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, or the close frame."""
        if scope["type"] == "websocket":
            await self.through(known_of(scope).get(_CHANNEL) or Channel(scope, receive, send))
        else:
            await self.answer(scope, receive, send)

    async def through(self, channel: Channel) -> None:
        """Refuse a conversation that may have begun."""
        await channel.refuse(self.answer, self.reason)
