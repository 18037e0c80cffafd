"""The applications of scenarios.py in Django, behind WSGI and ASGI; views are functions and classes, sync and async."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import django_project
from adapters.scenarios import (
    CLOSED_EXEMPT,
    CLOSED_NEED,
    CLOSED_ROUTES,
    OWN_PAGE,
    ROUTES,
    Route,
    build_auths,
    closed_body,
    handler_body,
)

django_project.configure()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402 - needs the settings
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import path as url  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402

from bearerkit.django import BearerRequiredMixin, RequireBearer, auth_from, current_auth  # noqa: E402

Routes = tuple[Any, ...]
Views = Callable[[Route, RequireBearer, int], Any]


def guarded(handler: type[WSGIHandler] | type[ASGIHandler]) -> Any:
    return hosted(handler, routes_of(guarded_view))


def closed(handler: type[WSGIHandler] | type[ASGIHandler]) -> Any:
    def view(request: HttpRequest, **_: Any) -> JsonResponse:
        return JsonResponse(closed_body(auth_from(request)))

    async def async_view(request: HttpRequest, **_: Any) -> JsonResponse:
        return view(request)

    views = (view, async_view)
    routes = [url(converted(path), views[number % 2]) for number, path in enumerate(CLOSED_ROUTES)]
    return hosted_closed(handler, tuple(routes))


def hosted_closed(handler: type[WSGIHandler] | type[ASGIHandler], routes: Routes) -> Any:
    """Routes behind `BearerMiddleware` with the need and the exempt paths of the second application."""
    return hosted(
        handler,
        routes,
        MIDDLEWARE=[*django_project.MIDDLEWARE, "bearerkit.django.BearerMiddleware"],
        BEARERKIT_AUTH=build_auths()["main"],
        BEARERKIT_NEED=CLOSED_NEED,
        BEARERKIT_EXEMPT=CLOSED_EXEMPT,
    )


def hosted(handler: type[WSGIHandler] | type[ASGIHandler], routes: Routes, **settings: Any) -> Any:
    """A WSGI or ASGI application of the one project with these routes; settings are read while it is made."""
    with override_settings(**settings):
        application: Any = handler()
    if issubclass(handler, ASGIHandler):

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "lifespan":
                await application({**scope, django_project.URLCONF: routes}, receive, send)

        return asgi

    def wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
        environ[django_project.URLCONF] = routes
        return application(environ, start_response)

    return wsgi


def routes_of(views: Views) -> Routes:
    auths = build_auths()

    def view(route: Route, number: int) -> Any:
        page = {"not_found": lambda request: JsonResponse(OWN_PAGE, status=404)} if route.own_page else {}
        return views(route, RequireBearer(auths[route.auth], **route.options, **page), number)

    return tuple(url(converted(path), view(route, number)) for number, (path, route) in enumerate(ROUTES.items()))


def converted(path: str) -> str:
    """A path in Django's spelling."""
    return re.sub(r"\{(\w+)\}", r"<\1>", path.removeprefix("/"))


def guarded_view(route: Route, bearer: RequireBearer, number: int) -> Any:
    decorate = bearer if route.need is None else bearer.require(route.need)

    def answer(request: HttpRequest, context: Any) -> JsonResponse:
        return JsonResponse(handler_body(context, route, request.user if "user" in route.options else None))

    def view(request: HttpRequest, **_: Any) -> JsonResponse:
        return answer(request, current_auth)

    async def async_view(request: HttpRequest, **_: Any) -> JsonResponse:
        return answer(request, auth_from(request))

    class ClassView(BearerRequiredMixin, View):
        need = route.need

        def get(self, request: HttpRequest, **_: Any) -> JsonResponse:
            return answer(request, request.auth_context)  # type: ignore[attr-defined]

    @method_decorator(decorate, "dispatch")
    class AsyncClassView(View):
        async def get(self, request: HttpRequest, **_: Any) -> JsonResponse:
            return answer(request, current_auth)

    if "POST" in route.methods or number % 4 == 0:
        return decorate(view)
    if number % 4 == 1:
        return decorate(async_view)
    return ClassView.as_view(bearer=bearer) if number % 4 == 2 else AsyncClassView.as_view()
