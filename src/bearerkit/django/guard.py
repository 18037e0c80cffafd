"""The decorator for views: functions, methods, and the `dispatch` of class-based views, sync and async.

A refusal is answered in place, so it needs no middleware and no exception handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, wraps
from inspect import isclass, iscoroutine
from typing import Any, Final, TypeVar, Unpack, cast, final

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.views import View

from bearerkit.auth import Auth, Verifier
from bearerkit.current_caller import CALLER
from bearerkit.django.csrf import LEFT_TO_GUARD, csrf_refusal, is_let_off
from bearerkit.django.requests import (
    aanswer_to,
    answer_to,
    http_request_in,
    let_in,
    request_of,
    roll_back,
    under_caller,
)
from bearerkit.django.settings import configured_door, rely_on_settings
from bearerkit.django.users import check_loader
from bearerkit.errors import Refused, Unavailable
from bearerkit.gate import Gate, GateOptions, check_options
from bearerkit.guards import Requirement, checked_need

__all__ = ["RequireBearer"]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""What changes nothing (RFC 9110 section 9.2.1)."""

V = TypeVar("V", bound=Callable[..., Any])


@final
class RequireBearer:
    """Guards views: `@bearer.require(scope("orders:read"))` above a view.

    `@bearer` asks for any valid credential, `@bearer.require(need)` for one that meets `need`. A view is a function or
    a method that takes the request, sync or async; for a class-based view there is `BearerRequiredMixin`, and
    `method_decorator(bearer, "dispatch")` works too. The view may raise bearerkit's own refusals; they are answered in
    the same way. A request with a bearer token needs no CSRF token, since no browser sends the former by itself.

    Args:
        auth: An `Auth`, or one `Issuer`, for which an `Auth` is built. None: `BEARERKIT_AUTH` and the options beside
            it in the settings, read when the first request arrives; `options` given here go first.
        options: `optional`, `user`, `render`, `not_found`, as `GateOptions` says. `not_found` gets the request and
            returns a response, or raises `Http404`.
    """

    def __init__(self, auth: Auth | Verifier | None = None, **options: Unpack[GateOptions]) -> None:
        check_options(options)
        check_loader(options.get("user"))
        self._options = options
        self._gate = None if auth is None else Gate.of(auth, **options)

    @property
    def gate(self) -> Gate:
        """The gate: this guard's own, or that of the settings. Raises ConfigError listing every problem of those."""
        if self._gate is not None:
            return self._gate
        gate = configured_door().gate
        return gate.but(**self._options) if self._options else gate

    def __call__(self, view: V) -> V:
        """Guard a view: any valid credential passes."""
        return self.guard(view, None)

    def require(self, need: Requirement) -> Callable[[V], V]:
        """A decorator for views that only callers who meet `need` may reach. Raises ConfigError for no need."""
        needed = checked_need(need)
        return lambda view: self.guard(view, needed)

    def guard(self, view: V, need: Requirement | None) -> V:
        """Guard a view; None asks for any valid credential."""
        if isclass(view):
            raise TypeError(f"{view.__name__} is a class: derive it from BearerRequiredMixin, or decorate its dispatch")
        if self._gate is None:
            rely_on_settings(view)
        guarded = self._async_guard(view, need) if _is_async(view) else self._sync_guard(view, need)
        # What Django's own check would have refused is refused below, when it is known who is calling and how.
        guarded.csrf_exempt = LEFT_TO_GUARD
        return cast(V, guarded)

    def _sync_guard(self, view: Callable[..., Any], need: Requirement | None) -> Any:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            gate, before = self.gate, None
            request = http_request_in(args, kwargs)
            try:
                judged = request_of(request, _named(request, kwargs))
                context = gate.authorize(judged, need)
                let_in(gate, request, judged, context)
                before = CALLER.set(context)
                refused = None if is_let_off(request) else csrf_refusal(request, view)
                if refused is not None:
                    return refused
                return under_caller(context, _no_coroutine(view, view(*args, **kwargs)))
            except (Refused, Unavailable) as refusal:
                roll_back()
                return answer_to(gate, refusal, request)
            finally:
                if before is not None:
                    CALLER.reset(before)

        return guarded

    def _async_guard(self, view: Callable[..., Any], need: Requirement | None) -> Any:
        @wraps(view)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            gate, before = self.gate, None
            request = http_request_in(args, kwargs)
            try:
                judged = request_of(request, _named(request, kwargs), is_async=True)
                context = await gate.aauthorize(judged, need)
                let_in(gate, request, judged, context)
                before = CALLER.set(context)
                # The check may read the session, but not for a request that changes nothing.
                if not (is_let_off(request) or request.method in _SAFE):
                    refused = await sync_to_async(csrf_refusal)(request, view)
                    if refused is not None:
                        return refused
                return under_caller(context, await view(*args, **kwargs))
            except (Refused, Unavailable) as refusal:
                return await aanswer_to(gate, refusal, request)
            finally:
                if before is not None:
                    CALLER.reset(before)

        return guarded


def _is_async(view: Any) -> bool:
    """Whether what the view returns has to be awaited."""
    while isinstance(view, partial):
        view = view.func
    owner = getattr(view, "__self__", None)
    if isinstance(owner, View) and view.__name__ == "dispatch":
        # A plain function, which returns what the method of the view returns.
        return bool(owner.view_is_async)
    return iscoroutinefunction(view)


def _named(request: HttpRequest, kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The path parameters as the view gets them; a test may call it without any route."""
    return kwargs or (request.resolver_match.kwargs if request.resolver_match else {})


def _no_coroutine(view: Callable[..., Any], response: Any) -> Any:
    if iscoroutine(response):
        response.close()
        raise TypeError(
            f"{view!r} is async behind a decorator that does not show it: put RequireBearer next to the view "
            "(in a list of method_decorator, last), or use BearerRequiredMixin"
        )
    return response
