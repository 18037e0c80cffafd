"""Guards for plain ASGI applications.

The frame around them is `asgi_kit.py`, which the adapters of ASGI frameworks share; the options are carried out by
the `Gate`. No status code, no challenge and no rule may appear here, and nothing here imports a framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Unpack, final

from bearerkit.asgi_kit import App, GuardedApp, Scope, auth_from
from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.current_caller import current_auth
from bearerkit.exempt import ExemptPaths
from bearerkit.gate import Gate, GateOptions
from bearerkit.guards import Requirement, checked_need
from bearerkit.http import Request

__all__ = ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth"]


@final
class RequireBearer:
    """Guards ASGI applications: `RequireBearer(auth)(app)`, `RequireBearer(auth).require(need)(app)`.

    Args:
        auth: An `Auth`, or one `Issuer`, for which an `Auth` is built.
        close_on_expiry: Closes a WebSocket when its token expires.
        options: `optional`, `user`, `render`, `not_found`, as `GateOptions` says. The user becomes `scope["user"]`;
            `not_found` gets the scope and returns an ASGI app.
    """

    def __init__(self, auth: Auth | Verifier, *, close_on_expiry: bool = False, **options: Unpack[GateOptions]) -> None:
        self.gate = Gate.of(auth, **options)
        self._close_on_expiry = close_on_expiry

    def __call__(self, app: App) -> GuardedApp:
        """Guard an ASGI app: any valid credential passes."""
        return GuardedApp(app, self.gate, close_on_expiry=self._close_on_expiry)

    def require(self, need: Requirement) -> Callable[[App], GuardedApp]:
        """A decorator for an ASGI app that only callers who meet `need` may reach. Raises ConfigError for no need."""
        needed = checked_need(need)
        return lambda app: GuardedApp(app, self.gate, needed, close_on_expiry=self._close_on_expiry)


class BearerMiddleware(GuardedApp):
    """Guards a whole application by default; `exempt` paths and CORS preflights pass.

    `exempt` lists paths below the mount point, exactly as they are routed (`"/health"`), or trees (`"/static/*"`).
    A handler that is reached without a check sees the anonymous context; a preflight does reach it, so put a CORS
    middleware that answers preflights outside this one. `need` is what every other request must meet; None: any
    valid credential. The other arguments are those of `RequireBearer`.
    """

    def __init__(
        self,
        app: App,
        auth: Auth | Verifier,
        *,
        need: Requirement | None = None,
        exempt: Iterable[str] = (),
        close_on_expiry: bool = False,
        **options: Unpack[GateOptions],
    ) -> None:
        gate = Gate.of(auth, **options)
        needed = None if need is None else checked_need(need)
        super().__init__(app, gate, needed, close_on_expiry=close_on_expiry)
        self._exempt = ExemptPaths(exempt)

    async def admit(self, request: Request, scope: Scope) -> AuthContext:
        """Who is calling; the anonymous context where nobody has to say."""
        if self._exempt.let_pass(request, full_path=scope["path"], raw_path=scope.get("raw_path")):
            return AuthContext.anonymous()
        return await super().admit(request, scope)
