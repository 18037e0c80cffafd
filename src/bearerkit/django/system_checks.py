"""The system checks: `manage.py check` tells what is wrong with the settings before any request does."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's names
from django.utils.module_loading import import_string

from bearerkit.django.middleware import BearerMiddleware
from bearerkit.django.settings import NOT_SET, PREFIX, relying, settings_problems

__all__ = ["check_settings"]

_USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"
_CORS = "corsheaders.middleware.CorsMiddleware"


def check_settings(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Every problem of the settings, and of the order of the middleware."""
    order = [_name(path) for path in settings.MIDDLEWARE]
    ours = f"{BearerMiddleware.__module__}.{BearerMiddleware.__qualname__}"
    found: list[CheckMessage] = [
        Error(problem.text, hint=problem.hint, id=problem.id)
        for problem in settings_problems()
        if problem is not NOT_SET or ours in order or _is_relied_on()
    ]
    if ours not in order:
        return found
    behind = order[order.index(ours) + 1 :]
    if _USERS in behind and getattr(settings, "BEARERKIT_USER", None) is not None:
        found.append(
            Error(
                "AuthenticationMiddleware stands behind BearerMiddleware and replaces the user that it loads",
                hint=f"Move bearerkit.django.BearerMiddleware below {_USERS}.",
                id="bearerkit.E006",
            )
        )
    if _CORS in behind:
        found.append(
            Warning(
                "CorsMiddleware stands behind BearerMiddleware, so browsers cannot read refusals",
                hint=f"Move bearerkit.django.BearerMiddleware below {_CORS}.",
                id="bearerkit.W001",
            )
        )
    return found


def _is_relied_on() -> bool:
    """Guards may all have an `Auth` of their own; then the settings need not name one."""
    return (
        bool(relying())
        or any(name.startswith(PREFIX) for name in dir(settings))
        or "bearerkit.drf.BearerAuthentication" in str(getattr(settings, "REST_FRAMEWORK", {}))
    )


def _name(path: str) -> str:
    """The place where a middleware is defined: there may be several dotted paths to it."""
    try:
        middleware = import_string(path)
    except ImportError:  # Django reports it by itself
        return path
    return f"{middleware.__module__}.{getattr(middleware, '__qualname__', '')}"
