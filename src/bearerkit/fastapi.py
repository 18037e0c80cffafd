"""Guards for FastAPI: dependencies that are typed, documented in OpenAPI, and replaceable in tests.

A translation between FastAPI's dependencies and the core, nothing more: no status code, no challenge and no rule may
appear here. A refusal leaves a dependency as the core's own error; its handler is put among the exception handlers
of whichever app or mount is running (see `_answer_refusals`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, Unpack, final

from bearerkit.asgi import auth_from, current_auth
from bearerkit.asgi_kit import USER_KEY, Denial, Scope, answer_to, request_of
from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER
from bearerkit.errors import BearerkitError, ConfigError, Refused, Unavailable
from bearerkit.gate import Gate, GateOptions
from bearerkit.guards import Requirement, checked_need, scope
from bearerkit.http import Request
from bearerkit.known import MappedUser, known_caller, known_of, make_known, remember
from bearerkit.openapi import DEFAULT_SCHEME, add_answers, add_sign_in, sign_in_schemes

try:
    from fastapi import FastAPI, Security
    from fastapi.openapi.models import HTTPBearer
    from fastapi.requests import HTTPConnection
    from fastapi.security import SecurityScopes
    from fastapi.security.base import SecurityBase
    from starlette.websockets import WebSocket

    from bearerkit.starlette import BearerMiddleware, held_open, refuse
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.fastapi needs FastAPI: pip install "bearerkit[fastapi]"', name=missing.name
    ) from None

__all__ = ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth"]

_GATE: Final = "fastapi_gate"
_HELD: Final = "fastapi_held"
_REQUEST: Final = "fastapi_request"
_END: Final = "fastapi_inner_astack"
"""An undocumented key: the `AsyncExitStack` that FastAPI unwinds after the answer and its background tasks."""


@final
class RequireBearer(SecurityBase):
    """The dependency that says who is calling: `ctx: Annotated[AuthContext, Depends(bearer)]`.

    `Depends(bearer)` asks for any valid credential, `Depends(bearer.require(need))` for one that meets `need`, and
    `Security(bearer, scopes=["orders:read"])` for those scopes. Works for HTTP routes and WebSockets, on routes,
    routers and whole applications.

    Args:
        auth: An `Auth`, or one `Issuer`, for which an `Auth` is built.
        close_on_expiry: Closes a WebSocket when its token expires.
        scheme_name: The name of the security scheme in OpenAPI; two `Auth` objects in one app need two names.
        options: `optional`, `user`, `render`, `not_found`, as `GateOptions` says. `not_found` gets the request and
            returns a response, or raises `HTTPException`.
    """

    def __init__(
        self,
        auth: Auth | Verifier,
        *,
        close_on_expiry: bool = False,
        scheme_name: str = DEFAULT_SCHEME,
        **options: Unpack[GateOptions],
    ) -> None:
        self.gate = Gate.of(auth, **options)
        self.model = HTTPBearer()
        self.scheme_name = scheme_name
        self._close_on_expiry = close_on_expiry

    async def __call__(self, connection: HTTPConnection, scopes: SecurityScopes) -> AuthContext:
        """Called by FastAPI. Raises Refused or Unavailable, which are answered as the core says."""
        request = self._enter(connection)
        need = _need_of(scopes.scopes, connection)
        context = self.gate.at_once(request, need) or await self.gate.aauthorize(request, need)
        await self._let_in(connection, request, context)
        return context

    def require(self, need: Requirement) -> Callable[..., Any]:
        """A dependency for callers who meet `need`; it gives the same `AuthContext`.

        An override of this object in `app.dependency_overrides` reaches it too, and `need` is enforced on the
        context that the override returns. Raises ConfigError for no need.
        """
        return _Required(self, checked_need(need))

    def install(self, app: FastAPI, *, client_id: str | None = None, scopes: Sequence[str] = ()) -> None:
        """Describe our answers in the OpenAPI document of `app` and, with `client_id`, sign-in on its docs page.

        `client_id` is that of a public client for the docs page (authorization code with PKCE); `scopes` are ticked
        from the start. Nothing is fetched: the browser reads the issuer's metadata. Raises ConfigError if there is
        a `client_id` but no issuer with metadata.
        """
        schemes = {} if client_id is None else sign_in_schemes(self.gate.auth.issuers, self.scheme_name)
        if client_id is not None:
            app.swagger_ui_init_oauth = {
                "scopes": list(scopes),
                **(app.swagger_ui_init_oauth or {}),
                "clientId": client_id,
                "usePkceWithAuthorizationCodeGrant": True,
            }
        plain = app.openapi

        def openapi() -> dict[str, Any]:
            document = plain()
            add_answers(document, self.scheme_name)
            add_sign_in(document, self.scheme_name, schemes)
            return document

        app.openapi = openapi  # type: ignore[method-assign]

    async def _enforce(self, context: AuthContext, connection: HTTPConnection, need: Requirement) -> None:
        facts = known_of(connection.scope)
        if facts.get(_GATE) is self.gate and known_caller(connection.scope) is context:
            await self.gate.auth.aenforce(context, facts[_REQUEST], need)
            return
        # The context came through FastAPI, so it may be that of an override.
        request = self._enter(connection)
        await self.gate.auth.aenforce(context, request, need)
        await self._let_in(connection, request, context)

    def _enter(self, connection: HTTPConnection) -> Request:
        _answer_refusals(connection.scope)
        request = request_of(connection.scope, connection)
        remember(connection.scope, **{_GATE: self.gate, _REQUEST: request})
        return request

    async def _let_in(self, connection: HTTPConnection, request: Request, context: AuthContext) -> None:
        make_known(self.gate, connection.scope, request, context, MappedUser, connection.scope, USER_KEY)
        end: AsyncExitStack | None = connection.scope.get(_END)
        if end is None:
            raise RuntimeError(
                f'scope["{_END}"] is missing: RequireBearer must be called by FastAPI, in a version that has this key'
            )
        if CALLER.get() is not context:
            end.callback(CALLER.reset, CALLER.set(context))
        if isinstance(connection, WebSocket):
            held: tuple[tuple[AuthContext, bool], ...] = known_of(connection.scope).get(_HELD, ())
            if not any(known is context and ends >= self._close_on_expiry for known, ends in held):
                # Each caller may have an end of his own; the earliest counts.
                conversation = held_open(self.gate, connection, context, ends=self._close_on_expiry)
                await end.enter_async_context(conversation)
                remember(connection.scope, **{_HELD: (*held, (context, self._close_on_expiry))})


@final
class _Required:
    """`bearer.require(need)`: equal and hashed by (bearer, need), so that FastAPI and overrides recognise it."""

    def __init__(self, bearer: RequireBearer, need: Requirement) -> None:
        self.bearer = bearer
        self.need = need
        security = Security(bearer, scopes=[_Shown(name) for name in need.scopes()])
        self.__signature__ = Signature(
            [
                Parameter("connection", Parameter.KEYWORD_ONLY, annotation=HTTPConnection),
                Parameter("context", Parameter.KEYWORD_ONLY, annotation=Annotated[AuthContext, security]),
            ]
        )

    async def __call__(self, *, connection: HTTPConnection, context: AuthContext) -> AuthContext:
        await self.bearer._enforce(context, connection, self.need)
        return context

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Required) and (self.bearer, self.need) == (other.bearer, other.need)

    def __hash__(self) -> int:
        return hash((self.bearer, self.need))

    def __repr__(self) -> str:
        return f"<require {self.need.describe()}>"


class _Shown(str):
    """A scope that OpenAPI shows and `_Required` enforces together with the rest of its need, in the right order."""

    __slots__ = ()


def _need_of(scopes: Sequence[str], connection: HTTPConnection) -> Requirement | None:
    """What `Security(bearer, scopes=[…])` asks for. Raises ConfigError naming the route if no token can carry it."""
    if not scopes:
        return None
    # Sorted out before the cache, to which a shown scope and an asked one are the same text.
    asked = [name for name in scopes if not isinstance(name, _Shown)]
    try:
        return _scopes(*asked)
    except ConfigError as wrong:
        route = getattr(connection.scope.get("route"), "path", connection.scope["path"])
        raise ConfigError(f"the route {route} asks for Security(…, scopes={asked}): {wrong}") from None


@lru_cache(maxsize=1024)
def _scopes(*names: str) -> Requirement | None:
    return scope(*names) if names else None


def _answer_refusals(scope: Scope) -> None:
    """Make the running app answer our errors, unless the team has a handler of its own for them.

    An undocumented key: Starlette's ExceptionMiddleware puts the handlers of each app and mount there before routing.
    The key is the root of our errors, so that a team's handler for any class of them goes first.
    """
    handlers = scope.get("starlette.exception_handlers")
    if handlers is not None:
        handlers[0].setdefault(BearerkitError, _answer)


async def _answer(connection: HTTPConnection, error: Exception) -> Denial | None:
    gate: Gate | None = known_of(connection.scope).get(_GATE)
    if gate is None or not isinstance(error, Refused | Unavailable):
        raise error
    denial = await answer_to(gate, error, connection)
    if isinstance(connection, WebSocket):
        await refuse(connection, denial)
        return None
    return denial
