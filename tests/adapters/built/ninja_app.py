"""The applications of scenarios.py in Django Ninja, behind ASGI; operations are sync and async in turn."""

from __future__ import annotations

import re
from inspect import Parameter, Signature
from itertools import count
from typing import Any

from adapters.built import django_app
from adapters.scenarios import CLOSED_ROUTES, OWN_PAGE, ROUTES, Route, build_auths, closed_body, handler_body

from django.core.handlers.asgi import ASGIHandler  # isort: skip - after the settings
from django.http import HttpRequest, JsonResponse
from django.urls import path as url
from ninja import NinjaAPI

from bearerkit.ninja import RequireBearer, auth_from

_names = count()


def guarded() -> Any:
    auths = build_auths()
    api = _api()
    RequireBearer(auths["main"]).install(api)

    def add(path: str, route: Route, is_async: bool) -> None:
        page = {"not_found": lambda request: JsonResponse(OWN_PAGE, status=404)} if route.own_page else {}
        bearer = RequireBearer(auths[route.auth], **route.options, **page)
        auth = bearer if route.need is None else bearer.require(route.need)

        def operation(request: HttpRequest, **_: Any) -> Any:
            user = request.user if "user" in route.options else None
            return handler_body(request.auth, route, user)  # type: ignore[attr-defined]

        async def async_operation(request: HttpRequest, **_: Any) -> Any:
            return operation(request)

        endpoint = _taking_parameters_of(path, async_operation if is_async else operation)
        api.api_operation(list(route.methods), path, auth=auth)(endpoint)

    for number, (path, route) in enumerate(ROUTES.items()):
        add(path, route, number % 2 == 1)
    return django_app.hosted(ASGIHandler, (url("", api.urls),))


def closed() -> Any:
    api = _api()

    def endpoint(path: str) -> Any:
        def operation(request: HttpRequest, **_: Any) -> Any:
            return closed_body(auth_from(request))

        return _taking_parameters_of(path, operation)

    for path in CLOSED_ROUTES:
        api.api_operation(["GET", "OPTIONS"], path)(endpoint(path))
    return django_app.hosted_closed(ASGIHandler, (url("", api.urls),))


def _taking_parameters_of(path: str, endpoint: Any) -> Any:
    """Ninja reads the signature, and names the operation after the function."""
    names = ["request", *re.findall(r"\{(\w+)\}", path)]
    annotations = dict.fromkeys(names, str) | {"request": HttpRequest}
    endpoint.__signature__ = Signature(
        [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotations[name]) for name in names]
    )
    endpoint.__annotations__ = annotations
    endpoint.__name__ += re.sub(r"\W", "_", path)
    return endpoint


def _api() -> NinjaAPI:
    return NinjaAPI(urls_namespace=f"scenarios-{next(_names)}", docs_url=None, openapi_url=None)
