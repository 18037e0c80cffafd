"""The system checks: `manage.py check` tells what is wrong with the settings before any request does."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's names
from django.urls import get_resolver
from django.utils.module_loading import import_string

from bearerkit.django.middleware import BearerMiddleware
from bearerkit.django.settings import NOT_SET, PREFIX, relying, settings_problems
from bearerkit.django.users import loader_problems

__all__ = ["check_settings"]

_USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"
_CORS = "corsheaders.middleware.CorsMiddleware"
_BACKENDS = ("bearerkit.django.BearerBackend", "bearerkit.django.backend.BearerBackend")


def check_settings(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Every problem of the settings, and of the order of the middleware."""
    _load_views()
    order = [_name(path) for path in settings.MIDDLEWARE]
    ours = f"{BearerMiddleware.__module__}.{BearerMiddleware.__qualname__}"
    problems = settings_problems()
    found: list[CheckMessage] = [
        Error(problem.text, hint=problem.hint, id=problem.id)
        for problem in problems
        if problem is not NOT_SET or ours in order or _is_relied_on()
    ]
    told = "\n".join(problem.text for problem in problems)
    found += [Error(text, id="bearerkit.E007") for text in sorted(set(loader_problems())) if text not in told]
    if _has_backend() and getattr(settings, "BEARERKIT_USER", None) is None:
        found.append(Error("BearerBackend needs BEARERKIT_USER, which loads the user", id="bearerkit.E008"))
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
        or _has_backend()
        or any(name.startswith(PREFIX) for name in dir(settings))
        or "bearerkit.drf.BearerAuthentication" in str(getattr(settings, "REST_FRAMEWORK", {}))
    )


def _has_backend() -> bool:
    return any(path in _BACKENDS for path in settings.AUTHENTICATION_BACKENDS)


def _load_views() -> None:
    """Guards are made where views are imported, which may not have happened yet."""
    with suppress(Exception):  # Django reports by itself what cannot be imported
        _ = get_resolver().url_patterns


def _name(path: str) -> str:
    """The place where a middleware is defined: there may be several dotted paths to it."""
    try:
        middleware = import_string(path)
    except ImportError:  # Django reports it by itself
        return path
    return f"{middleware.__module__}.{getattr(middleware, '__qualname__', '')}"
