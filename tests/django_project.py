"""One Django project for all tests of this process: Django's settings exist once, so nobody configures others.

It is what `startproject` makes, with REST framework and Ninja beside it. A test that needs other settings overrides
them (`django.test.override_settings`); the routes of a request may be given with it, under `URLCONF` in its WSGI
environ or ASGI scope. `configure()` may be called any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings

__all__ = ["MIDDLEWARE", "URLCONF", "configure"]

URLCONF = "test.urlconf"
"""Where an environ or a scope may hold the routes of its request: a tuple of `path(…)`."""
SCENE = "django_project.urlconf_middleware"
MIDDLEWARE = (
    SCENE,
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


def configure() -> None:
    """Configure Django and load its applications, once."""
    if settings.configured:
        return
    settings.configure(
        SECRET_KEY="a secret of the tests, which nothing relies on",
        ALLOWED_HOSTS=["*"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        ROOT_URLCONF=(),
        MIDDLEWARE=list(MIDDLEWARE),
        STATIC_URL="static/",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "rest_framework",
            "drf_spectacular",
            "corsheaders",
            "bearerkit.django",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        REST_FRAMEWORK={
            "EXCEPTION_HANDLER": "bearerkit.drf.drf_exception_handler",
            "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        },
        LOGGING_CONFIG=None,
    )
    django.setup()


def urlconf_middleware(get_response: Callable[[Any], Any]) -> Any:
    """Routes the request as its environ or scope says."""

    def choose(request: Any) -> None:
        routes = getattr(request, "scope", request.META).get(URLCONF)
        if routes is not None:
            request.urlconf = routes

    if iscoroutinefunction(get_response):

        async def amiddleware(request: Any) -> Any:
            choose(request)
            return await get_response(request)

        return markcoroutinefunction(amiddleware)

    def middleware(request: Any) -> Any:
        choose(request)
        return get_response(request)

    return middleware


urlconf_middleware.sync_capable = urlconf_middleware.async_capable = True  # type: ignore[attr-defined]
