"""The applications of scenarios.py in Django REST framework."""

from __future__ import annotations

from typing import Any

from adapters.built import django_app
from adapters.scenarios import CLOSED_ROUTES, OWN_PAGE, ROUTES, Route, build_auths, closed_body, handler_body

from django.core.handlers.wsgi import WSGIHandler  # isort: skip - after the settings
from django.urls import path as url
from rest_framework.response import Response
from rest_framework.views import APIView

from bearerkit.drf import RequireBearer, auth_from


def guarded() -> Any:
    auths = build_auths()

    def view(route: Route) -> Any:
        page = {"not_found": lambda request: Response(OWN_PAGE, 404)} if route.own_page else {}
        bearer = RequireBearer(auths[route.auth], **route.options, **page)
        is_open = route.options.get("optional") and route.need is None

        class Endpoint(APIView):
            authentication_classes = (bearer.authentication,)
            permission_classes = [] if is_open else [bearer if route.need is None else bearer.require(route.need)]
            http_method_names = [method.lower() for method in route.methods]

            def get(self, request: Any, **_: Any) -> Response:
                user = request.user if "user" in route.options else None
                return Response(handler_body(auth_from(request), route, user))

            post = get

        return Endpoint.as_view()

    routes = [url(django_app.converted(path), view(route)) for path, route in ROUTES.items()]
    return django_app.hosted(WSGIHandler, tuple(routes))


def closed() -> Any:
    class Endpoint(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request: Any, **_: Any) -> Response:
            return Response(closed_body(auth_from(request)))

        options = get

    routes = [url(django_app.converted(path), Endpoint.as_view()) for path in CLOSED_ROUTES]
    return django_app.hosted_closed(WSGIHandler, tuple(routes))
