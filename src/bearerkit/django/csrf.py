"""Django's own CSRF check, asked by a guard for requests that a browser may have sent without its user's wish.

A guarded view is exempt from the check of the middleware, which cannot know how the caller will show who he is. Where
it is not by a bearer token (an optional one that is absent, one that a gateway adds for a cookie), the same check is
made here. Nothing of the check itself is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

__all__ = ["csrf_refusal"]


def csrf_refusal(request: HttpRequest, view: Callable[..., Any]) -> HttpResponseForbidden | None:
    """The answer of Django's check, where the project has that; None for a request that passes."""
    check = _check()
    return None if check is None else check.process_view(request, view, (), {})


@cache
def _check() -> CsrfViewMiddleware | None:
    for path in settings.MIDDLEWARE:
        middleware = import_string(path)
        if isinstance(middleware, type) and issubclass(middleware, CsrfViewMiddleware):
            return middleware(_unused)
    return None


def _unused(request: HttpRequest) -> Any:
    raise NotImplementedError


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "MIDDLEWARE":
        _check.cache_clear()


setting_changed.connect(_forget, dispatch_uid="bearerkit.csrf")
