"""Guards for Flask: views, class-based views, blueprints and whole applications, sync and async.

A translation between Flask's objects and the core, nothing more: no status code, no challenge and no rule may appear
here. A guard answers a refusal in place, so it needs no error handler of the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from importlib.util import find_spec
from inspect import isawaitable, isclass, iscoroutinefunction
from typing import Any, Final, TypeVar, Unpack, cast, final

from bearerkit._drive import run
from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER, CurrentAuth
from bearerkit.environment import is_ours
from bearerkit.errors import BearerkitError, ConfigError, CredentialsMissing, Refused, Unavailable
from bearerkit.exempt import ExemptPaths
from bearerkit.gate import Gate, GateOptions, check_options
from bearerkit.guards import Requirement, checked_need
from bearerkit.http import Request, Response
from bearerkit.known import MappedUser, caller_of, known_caller, known_of, make_known, remember
from bearerkit.spelling import nearest
from bearerkit.wsgi_kit import full_path, raw_path, request_of

try:
    from flask import (
        Blueprint,
        Flask,
        current_app,
        has_app_context,
        has_request_context,
        request,
    )
    from flask import Request as FlaskRequest
    from flask import Response as FlaskResponse
    from werkzeug.exceptions import HTTPException
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.flask needs Flask: pip install "bearerkit[flask]"', name=missing.name
    ) from None

__all__ = ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth"]

V = TypeVar("V", bound=Callable[..., Any])

_PREFIX: Final = "BEARERKIT_"
_SETTING: Final = "BEARERKIT_AUTH"
_EXTENSION: Final = "bearerkit"
_GATE: Final = "flask_gate"


class _Bound:
    """Something with a gate: known from the start, or bound to each application by `init_app`."""

    def __init__(self, auth: Auth | Verifier | None, options: GateOptions) -> None:
        check_options(options)
        waiting = [name for name in ("user", "not_found") if iscoroutinefunction(options.get(name))]
        if waiting and find_spec("asgiref") is None:
            needed = 'which Flask can call with its async extra: pip install "flask[async]"'
            raise ConfigError([f"{name}= is an async function, {needed}" for name in waiting])
        self._options = options
        self._gate = None if auth is None else Gate.of(auth, **options)

    @property
    def gate(self) -> Gate:
        """The gate of the current application. Raises ConfigError if nothing gave it an `Auth`."""
        gate = self._gate
        if gate is None and has_app_context():
            gate = current_app.extensions.get(_EXTENSION, {}).get(self, (None, None))[1]
        if gate is None:
            raise ConfigError(
                f"this {type(self).__name__} has no Auth: give it one, or call its init_app(app) where "
                f"app.config[{_SETTING!r}] is set"
            )
        return gate

    def _bind(self, app: Flask, auth: Auth | Verifier | None) -> None:
        # Some teams load all of os.environ into their config: variables of Auth.from_env are no misspelt setting.
        unknown = [name for name in app.config if name.startswith(_PREFIX) and name != _SETTING and not is_ours(name)]
        if unknown:
            raise ConfigError([f"app.config[{name!r}] is no setting{nearest(name, [_SETTING])}" for name in unknown])
        if self._gate is None:
            chosen = app.config.get(_SETTING) if auth is None else auth
            if chosen is None:
                raise ConfigError(f"init_app was given no Auth, and app.config[{_SETTING!r}] is not set")
            bound = app.extensions.setdefault(_EXTENSION, {})
            if self not in bound:  # a blueprint may be registered twice
                bound[self] = (chosen, Gate.of(chosen, **self._options))
            elif bound[self][0] is not chosen:
                raise ConfigError(f"this {type(self).__name__} is bound to another Auth in this application already")
        elif auth is not None:
            raise ConfigError(f"this {type(self).__name__} has an Auth, so init_app takes none")
        # For refusals that are raised where no guard of a view stands around. The key is the root of our errors, so
        # that a team's handler for any class of them goes first.
        app.error_handler_spec[None][None].setdefault(BearerkitError, _answer_error)


@final
class RequireBearer(_Bound):
    """Guards views: `@bearer.require(scope("orders:read"))` below `@app.get("/orders")`.

    `@bearer` asks for any valid credential, `@bearer.require(need)` for one that meets `need`. A view is a function or
    a method, sync or async; a class-based view says `decorators = [bearer]`. The view may raise bearerkit's own
    refusals; they are answered in the same way.

    Args:
        auth: An `Auth`, or one `Issuer`, for which an `Auth` is built. None: it comes with `init_app`.
        options: `optional`, `user`, `render`, `not_found`, as `GateOptions` says. The user becomes `request.user`;
            `not_found` gets the request and returns a response, or aborts. Async ones need `flask[async]`.
    """

    def __init__(self, auth: Auth | Verifier | None = None, **options: Unpack[GateOptions]) -> None:
        super().__init__(auth, options)

    def init_app(self, app: Flask, auth: Auth | Verifier | None = None) -> None:
        """Bind this to an application: to `auth`, or to `app.config["BEARERKIT_AUTH"]`, unless it has an `Auth`.

        Also answers refusals that are raised outside a guarded view, unless the team has an error handler for them.
        Raises ConfigError if there is no `Auth`, or a second one.
        """
        self._bind(app, auth)

    def __call__(self, view: V) -> V:
        """Guard a view: any valid credential passes."""
        return self._guard(view, None)

    def require(self, need: Requirement) -> Callable[[V], V]:
        """A decorator for views that only callers who meet `need` may reach. Raises ConfigError for no need."""
        needed = checked_need(need)
        return lambda view: self._guard(view, needed)

    def request_loader(self, _: FlaskRequest) -> Any:
        """The team's user for Flask-Login: `login_manager.request_loader(bearer.request_loader)`.

        None without a credential, so that a session cookie goes first. Raises Refused or Unavailable, which `init_app`
        answers; ConfigError without `user=`.
        """
        gate = self.gate.but(optional=True)
        if gate.user is None:
            raise ConfigError("RequireBearer.request_loader needs user=, which loads the user")
        judged = _request()
        try:
            return gate.user_of(judged, gate.authorize(judged))
        except (Refused, Unavailable):
            remember(request.environ, **{_GATE: gate})
            raise

    def unauthorized(self) -> FlaskResponse:
        """The answer for nobody, for Flask-Login: `login_manager.unauthorized_handler(bearer.unauthorized)`."""
        return _answer(self.gate, CredentialsMissing("Flask-Login knows nobody"))

    def _guard(self, view: V, need: Requirement | None) -> V:
        if isclass(view):
            raise TypeError(f"{view.__name__} is a class: name this guard in its `decorators`")
        is_async = iscoroutinefunction(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            gate, before = self.gate, None
            try:
                judged = _request()
                context = gate.authorize(judged, need)
                _let_in(gate, judged, context)
                before = CALLER.set(context)
                call = current_app.ensure_sync(view) if is_async else view
                return call(*args, **kwargs)
            except (Refused, Unavailable) as refusal:
                return _answer(gate, refusal)
            finally:
                if before is not None:
                    CALLER.reset(before)

        return cast(V, guarded)


@final
class BearerMiddleware(_Bound):
    """Guards a whole application, or a blueprint, by default: `BearerMiddleware(app, auth, exempt=["/health"])`.

    It is a `before_request` function: functions that were registered earlier run for strangers too, and what is
    registered as `after_request` (CORS) sees refusals as well. `exempt` lists paths below the mount point, exactly as
    they are routed (`"/health"`), or trees (`"/static/*"`); they and CORS preflights pass with the anonymous context.
    `need` is what every other request must meet; None: any valid credential. The other arguments are those of
    `RequireBearer`; without `app`, call `init_app`.
    """

    def __init__(
        self,
        app: Flask | Blueprint | None = None,
        auth: Auth | Verifier | None = None,
        *,
        need: Requirement | None = None,
        exempt: Iterable[str] = (),
        **options: Unpack[GateOptions],
    ) -> None:
        super().__init__(auth, options)
        self.need = None if need is None else checked_need(need)
        self._exempt = ExemptPaths(exempt)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask | Blueprint, auth: Auth | Verifier | None = None) -> None:
        """Guard an application or a blueprint. The `Auth` is found as by `RequireBearer.init_app`."""
        if isinstance(app, Flask):
            self._bind(app, auth)
        elif not isinstance(app, Blueprint):
            raise TypeError(f"{app!r} is no Flask application or blueprint; bearerkit.wsgi guards WSGI applications")
        else:
            app.record(lambda state: self._bind(cast(Flask, state.app), auth))
        app.before_request(self._before_request)

    def _before_request(self) -> Any:
        gate = self.gate
        try:
            judged, environ = _request(), request.environ
            if self._exempt.let_pass(judged, full_path=full_path(environ), raw_path=raw_path(environ)):
                context = AuthContext.anonymous()
            else:
                context = gate.authorize(judged, self.need)
            _let_in(gate, judged, context)
        except (Refused, Unavailable) as refusal:
            return _answer(gate, refusal)
        return None


def auth_from(request: FlaskRequest) -> AuthContext:
    """The `AuthContext` of a Flask request. Raises RuntimeError if nothing of bearerkit guards it."""
    return caller_of(request.environ)


def _caller() -> AuthContext | None:
    """Of Flask's request where there is one: threads that Flask gave a request to have no other context."""
    return known_caller(request.environ) if has_request_context() else CALLER.get()


current_auth: Final = cast(AuthContext, CurrentAuth(_caller))
"""The `AuthContext` of the request that is being handled. Raises RuntimeError where there is none."""


def _request() -> Request:
    return request_of(request.environ, _native(), path_params=request.view_args or {}, call=_call)


def _native() -> FlaskRequest:
    """The request itself and not its proxy: a callback may keep it longer than Flask does."""
    return cast(FlaskRequest, request._get_current_object())  # type: ignore[attr-defined]


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    result = function(*arguments)
    return current_app.async_to_sync(_awaited)(result) if isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def _let_in(gate: Gate, judged: Request, context: AuthContext) -> None:
    # The user stands in the request itself: `g` is shared by requests that are made inside one another.
    make_known(gate, request.environ, judged, context, MappedUser, vars(judged.native), "user")
    remember(request.environ, **{_GATE: gate})


def _answer(gate: Gate, refusal: Refused | Unavailable) -> FlaskResponse:
    """Ours, or what the team's `not_found` returns. What that raises is passed on."""
    answer = run(gate.whole_answer(refusal, _native(), _call))
    if isinstance(answer, Response):
        answer = FlaskResponse(answer.body, answer.status, list(answer.headers))
    if answer is None:
        # Flask would go on to the view.
        raise TypeError(f"{gate.not_found!r} returned no response")
    return current_app.make_response(answer)


def _answer_error(error: BearerkitError) -> Any:
    gate: Gate | None = known_of(request.environ).get(_GATE)
    if gate is not None and isinstance(error, Refused | Unavailable):
        try:
            return _answer(gate, error)
        except HTTPException as theirs:  # from `not_found`; Flask asks no handler about what a handler raises
            return current_app.handle_user_exception(theirs)
    # Not ours to answer, so the team's handler for everything is the next one that Flask would have found.
    handler = current_app.error_handler_spec[None][None].get(Exception)
    if handler is None:
        raise error
    return current_app.ensure_sync(handler)(error)
