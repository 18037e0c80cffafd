"""Django's own CSRF check, asked by a guard for requests that a browser may have sent without its user's wish.

A guarded view is exempt from the check of the middleware, which cannot know how the caller will show who he is. Where
it is not by a bearer token (an optional one that is absent, one that a gateway adds for a cookie), the same check is
made here. Nothing of the check itself is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, final

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

__all__ = ["LEFT_TO_GUARD", "csrf_refusal", "is_let_off", "let_off"]


@final
class _LeftToGuard:
    """The `csrf_exempt` of guarded views: true in a project that has Django's check, which the guard then makes.

    In any other project nobody is told to leave the check to us, since we make none: not a `csrf_protect` above the
    guard, and not a middleware of other people.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return bool(_checks())


LEFT_TO_GUARD: Final = _LeftToGuard()


def let_off(request: HttpRequest) -> None:
    """Note that a bearer token makes up for the CSRF token of a request, wherever that will be asked for.

    No page makes a browser add the former. But a page of another origin that CORS lets in may send its own token
    beside the cookies of its visitor, and a view may look at either: there Django's check is left to judge.
    """
    is_mixed = bool(request.META.get("HTTP_ORIGIN") and request.META.get("HTTP_COOKIE"))
    # A project without the check may have it above single views, or in REST framework's sessions.
    if not is_mixed or all(check._origin_verified(request) for check in _checks() or (_plain(),)):  # type: ignore[attr-defined]
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]


def is_let_off(request: HttpRequest) -> bool:
    """True if there is nothing to check: for the reason of `let_off`, or in a project without the check."""
    return bool(getattr(request, "_dont_enforce_csrf_checks", False)) or not _checks()


def csrf_refusal(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse | None:
    """The answer of Django's check, where the project has that; None for a request that passes.

    `view` is what is guarded: where the team exempts that, it stays exempt.
    """
    while getattr(view, "csrf_exempt", False) is LEFT_TO_GUARD:
        # Another guard further inside, which may never be reached.
        view = getattr(view, "__wrapped__", HttpResponseForbidden)
    match = request.resolver_match
    arguments = ((), {}) if match is None else (match.args, match.kwargs)
    for check in _checks():
        refused = check.process_view(request, view, *arguments)
        if refused is not None:
            return refused
    return None


@cache
def _checks() -> tuple[CsrfViewMiddleware, ...]:
    """The checks of the project: Django's, and what the team derived from it."""
    found = []
    for path in settings.MIDDLEWARE:
        middleware = import_string(path)
        if isinstance(middleware, type) and issubclass(middleware, CsrfViewMiddleware):
            try:
                found.append(middleware(HttpResponse))  # which is never called: only views are checked
            except MiddlewareNotUsed:
                continue
    return tuple(found)


@cache
def _plain() -> CsrfViewMiddleware:
    return CsrfViewMiddleware(HttpResponse)


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "MIDDLEWARE" or setting.startswith("CSRF_"):
        _checks.cache_clear()
        _plain.cache_clear()


setting_changed.connect(_forget, dispatch_uid="bearerkit.csrf")
