"""Guards for plain ASGI applications, and what the Starlette and FastAPI adapters share.

An adapter translates: scope to `Request`, refusal to ASGI messages. Who may pass, and what a refusal looks like, is
decided by the `Gate`; no status code, no challenge and no rule may appear here. Nothing here imports a framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from inspect import isawaitable
from typing import Any, Final, TypeAlias, final

from bearerkit.auth import Auth, Verifier
from bearerkit.challenge import WEBSOCKET_POLICY_VIOLATION
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER, OUTSIDE, current_auth
from bearerkit.errors import Expired, Refused, Unavailable
from bearerkit.exempt import ExemptPaths, is_preflight
from bearerkit.gate import Gate, Render, UserLoader
from bearerkit.guards import Requirement
from bearerkit.http import Headers, Request, Response
from bearerkit.websocket import Channel

__all__ = [
    "SCOPE_KEY",
    "Answer",
    "BearerMiddleware",
    "Denial",
    "GuardedApp",
    "RequireBearer",
    "answer_to",
    "auth_from",
    "channel_for",
    "current_auth",
    "make_known",
    "request_of",
    "route_path",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY: Final = "bearerkit"
"""Where the scope of a request holds what we know about it (`Request.memo`)."""
_CHANNEL: Final = "asgi.channel"
_CONTEXT: Final = "asgi.context"
_DENIAL: Final = "websocket.http.response"


@final
class RequireBearer:
    """Guards ASGI applications: `RequireBearer(auth)(app)`, `RequireBearer(auth).require(need)(app)`.

    Args:
        auth: An `Auth`, or one `Issuer`, for which an `Auth` is built.
        optional: A request without a credential passes as an anonymous context; a bad credential is still refused.
        user: Loads the team's own user from the context, sync or async; it becomes `scope["user"]`. None, or a user
            whose `is_active` is False, is refused.
        render: Gives refusals another body: `render(refusal, response) -> response.with_body(...)`.
        not_found: Called with the scope where a tenant is not the caller's; returns the ASGI app that answers
            instead of ours.
        close_on_expiry: Closes a WebSocket when its token expires.
    """

    def __init__(
        self,
        auth: Auth | Verifier,
        *,
        optional: bool = False,
        user: UserLoader | None = None,
        render: Render | None = None,
        not_found: Callable[..., Any] | None = None,
        close_on_expiry: bool = False,
    ) -> None:
        self.gate = Gate.of(auth, optional=optional, user=user, render=render, not_found=not_found)
        self._close_on_expiry = close_on_expiry

    def __call__(self, app: App) -> GuardedApp:
        """Guard an ASGI app: any valid credential passes."""
        return GuardedApp(app, self.gate, close_on_expiry=self._close_on_expiry)

    def require(self, need: Requirement) -> Callable[[App], GuardedApp]:
        """A decorator for an ASGI app that only callers who meet `need` may reach."""
        return lambda app: GuardedApp(app, self.gate, need, close_on_expiry=self._close_on_expiry)


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
        before = None
        try:
            request = request_of(scope, native)
            context = await self.admit(request, scope)
            make_known(self.gate, scope, request, context)
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
            answer = await answer_to(self.gate, refusal, native)
            await answer(scope, receive, send)
        finally:
            if before is not None:
                CALLER.reset(before)

    async def admit(self, request: Request, scope: Scope) -> AuthContext:
        """Who is calling. Raises Refused or Unavailable."""
        return await self.gate.aauthorize(request, self.need)

    def native(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """What the team's callbacks get as their request."""
        return scope


class BearerMiddleware(GuardedApp):
    """Guards a whole application by default; `exempt` paths and CORS preflights pass.

    `exempt` lists paths below the mount point, exactly as they are routed (`"/health"`), or trees (`"/static/*"`).
    A handler that is reached without a check sees the anonymous context. `need` is what every other request must
    meet; None: any valid credential. The other arguments are those of `RequireBearer`.
    """

    def __init__(
        self,
        app: App,
        auth: Auth | Verifier,
        *,
        need: Requirement | None = None,
        exempt: Iterable[str] = (),
        optional: bool = False,
        user: UserLoader | None = None,
        render: Render | None = None,
        not_found: Callable[..., Any] | None = None,
        close_on_expiry: bool = False,
    ) -> None:
        gate = Gate.of(auth, optional=optional, user=user, render=render, not_found=not_found)
        super().__init__(app, gate, need, close_on_expiry=close_on_expiry)
        self._exempt = ExemptPaths(exempt)

    async def admit(self, request: Request, scope: Scope) -> AuthContext:
        """Who is calling; the anonymous context where nobody has to say."""
        if is_preflight(request.method, request.headers) or (
            self._exempt and self._exempt.covers(request.path, full_path=scope["path"], raw_path=scope.get("raw_path"))
        ):
            return AuthContext.anonymous()
        return await super().admit(request, scope)


def request_of(scope: Scope, native: Any = None) -> Request:
    """The framework-neutral view of an ASGI scope. Its memo lives in the scope, so it lasts as long as the request."""
    client = scope.get("client")
    return Request(
        scope.get("method", "GET"),
        route_path(scope),
        Headers.from_raw(scope["headers"]),
        scope.get("path_params") or {},
        scope.get("query_string", b"").decode("latin-1"),
        scope["type"],
        client[0] if client else None,
        scope.setdefault(SCOPE_KEY, {}),
        native,
    )


def route_path(scope: Scope) -> str:
    """The decoded path below the mount point: what routers compare (as Starlette's `get_route_path`)."""
    path: str = scope["path"]
    root = scope.get("root_path", "")
    if root and path.startswith(root) and (len(path) == len(root) or path[len(root)] == "/"):
        return path[len(root) :]
    return path


def make_known(gate: Gate, scope: Scope, request: Request, context: AuthContext) -> None:
    """Let `auth_from` find the caller, and `scope["user"]` the team's user if the gate loads one."""
    request.memo[_CONTEXT] = context
    if gate.user is not None:
        scope["user"] = gate.user_of(request)


def auth_from(request: Any) -> AuthContext:
    """The `AuthContext` of a request: a Starlette or FastAPI `Request` or `WebSocket`, or an ASGI scope.

    Raises RuntimeError if nothing of bearerkit guards it.
    """
    scope: Scope = getattr(request, "scope", request)
    context: AuthContext | None = scope.get(SCOPE_KEY, {}).get(_CONTEXT)
    if context is None:
        raise RuntimeError(f"auth_from: {OUTSIDE}")
    return context


def channel_for(
    gate: Gate, scope: Scope, receive: Receive, send: Send, context: AuthContext, *, ends: bool, **options: Any
) -> Channel:
    """The channel of a WebSocket that was let in; with `ends` it lasts as long as the credential.

    Raises Expired if that is over already: within the leeway a token verifies, but there is no time left to talk.
    """
    seconds = None
    if ends and context.expires_at is not None:
        seconds = context.expires_at - gate.auth.now()
        if seconds <= 0:
            raise Expired("the token expired within the leeway, and the conversation would end with it")
    channel = Channel(scope, receive, send, seconds=seconds, **options)
    scope[SCOPE_KEY][_CHANNEL] = channel
    return channel


async def answer_to(gate: Gate, refusal: Refused | Unavailable, native: Any) -> Denial:
    """The ASGI app that answers a refusal: ours, or the team's own 404. What `not_found` raises is passed on."""
    if gate.not_found is not None and gate.wants_own_not_found(refusal):
        theirs = gate.not_found(native)
        if isawaitable(theirs):
            theirs = await theirs
        return Denial(theirs, refusal.public)
    return Denial(Answer(gate.answer(refusal)), refusal.public)


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
        if scope["type"] == "websocket" and not _may_deny(scope):
            await send({"type": "websocket.close", "code": WEBSOCKET_POLICY_VIOLATION, "reason": self.reason[:120]})
        else:
            await self.answer(scope, receive, send)


def _may_deny(scope: Scope) -> bool:
    channel = scope.get(SCOPE_KEY, {}).get(_CHANNEL)
    return _DENIAL in (scope.get("extensions") or {}) and not (channel is not None and channel.accepted)
