"""Guards for plain WSGI applications.

The frame around them is `wsgi_kit.py`, which the adapters of WSGI frameworks share; the options are carried out by
the `Gate`. No status code, no challenge and no rule may appear here, and nothing here imports a framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction
from typing import Unpack, final

from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.current_caller import current_auth
from bearerkit.errors import ConfigError
from bearerkit.exempt import ExemptPaths
from bearerkit.gate import Gate, GateOptions
from bearerkit.guards import Requirement, checked_need
from bearerkit.http import Request
from bearerkit.wsgi_kit import App, Environ, GuardedApp, auth_from, full_path, raw_path

__all__ = ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth"]


@final
class RequireBearer:
    """Guards WSGI applications: `RequireBearer(auth)(app)`, `RequireBearer(auth).require(need)(app)`.

    Args:
        auth: An `Auth`, or one `Issuer`, for which an `Auth` is built.
        options: `optional`, `user`, `render`, `not_found`, as `GateOptions` says. The user becomes
            `environ["bearerkit.user"]`; `not_found` gets the environ and returns a WSGI app. There is no event loop
            here, so `user` and `not_found` must not be async.
    """

    def __init__(self, auth: Auth | Verifier, **options: Unpack[GateOptions]) -> None:
        self.gate = _gate_of(auth, options)

    def __call__(self, app: App) -> GuardedApp:
        """Guard a WSGI app: any valid credential passes."""
        return GuardedApp(app, self.gate)

    def require(self, need: Requirement) -> Callable[[App], GuardedApp]:
        """A decorator for a WSGI app that only callers who meet `need` may reach. Raises ConfigError for no need."""
        needed = checked_need(need)
        return lambda app: GuardedApp(app, self.gate, needed)


@final
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
        **options: Unpack[GateOptions],
    ) -> None:
        super().__init__(app, _gate_of(auth, options), None if need is None else checked_need(need))
        self._exempt = ExemptPaths(exempt)

    def admit(self, request: Request, environ: Environ) -> AuthContext:
        """Who is calling; the anonymous context where nobody has to say."""
        if self._exempt.let_pass(request, full_path=full_path(environ), raw_path=raw_path(environ)):
            return AuthContext.anonymous()
        return super().admit(request, environ)


def _gate_of(auth: Auth | Verifier, options: GateOptions) -> Gate:
    waiting = [name for name in ("user", "not_found") if iscoroutinefunction(options.get(name))]
    if waiting:
        raise ConfigError([f"{name}= is an async function, and plain WSGI has no event loop" for name in waiting])
    return Gate.of(auth, **options)
