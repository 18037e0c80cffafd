"""Small applications of REST framework, and which of the two exception handlers answers for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.built import django_app
from adapters.wsgi_calls import WsgiCall, wsgi_get

from django.conf import settings  # isort: skip - after the settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.urls import path as url
from rest_framework.response import Response
from rest_framework.views import APIView

OURS = "bearerkit.drf.drf_exception_handler"
THEIRS = "rest_framework.views.exception_handler"


def who(view: Any, request: Any, **_: Any) -> Response:
    """A handler that tells its user and its context."""
    return Response([str(request.user), getattr(request.auth, "subject", None)])


def view_of(*permissions: Any, authentication: Any = (), get: Any = who, **members: Any) -> Any:
    """A view with these permission and authentication classes."""
    policies = {"permission_classes": permissions, "authentication_classes": authentication}
    return type("View", (APIView,), {**policies, "get": get, **members}).as_view()


def app_of(*views: Any, path: str = "", **settings: Any) -> Any:
    """An application with one view under `/`, or with routes."""
    routes = tuple(url(path, view) if callable(view) else view for view in views)
    return django_app.hosted(WSGIHandler, routes, **settings)


def ask(view: Any, token: str | None = None, headers: Any = (), **more: Any) -> WsgiCall:
    """One request to a view; what would be a 500 is raised."""
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True):
        return wsgi_get(app_of(view), "/", token, headers, **more)


def said(call: WsgiCall) -> Any:
    """The JSON of an answer."""
    return json.loads(call.body)


@contextmanager
def answered_by(handler: str) -> Iterator[None]:
    """REST framework with this exception handler."""
    with override_settings(REST_FRAMEWORK={**settings.REST_FRAMEWORK, "EXCEPTION_HANDLER": handler}):
        yield


@contextmanager
def routed(*routes: Any, **settings: Any) -> Iterator[None]:
    """The project with these routes, for the test clients of Django and REST framework."""
    with override_settings(ROOT_URLCONF=tuple(routes), **settings):
        yield


@contextmanager
def database() -> Iterator[None]:
    """The tables of the project; what is written goes away."""
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
