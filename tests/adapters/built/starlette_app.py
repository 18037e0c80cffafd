"""The applications of scenarios.py in Starlette; endpoints are sync and async in turn."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route as StarletteRoute

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
from bearerkit.starlette import BearerMiddleware, RequireBearer, auth_from


def guarded() -> Any:
    auths = build_auths()

    def endpoint(route: Route, is_async: bool) -> Any:
        page = {"not_found": lambda request: JSONResponse(OWN_PAGE, 404)} if route.own_page else {}
        bearer = RequireBearer(auths[route.auth], **route.options, **page)
        decorate = bearer if route.need is None else bearer.require(route.need)

        def sync_endpoint(request: Request) -> JSONResponse:
            user = request.user if "user" in route.options else None
            return JSONResponse(handler_body(auth_from(request), route, user))

        async def async_endpoint(request: Request) -> JSONResponse:
            return sync_endpoint(request)

        return decorate(async_endpoint if is_async else sync_endpoint)

    return Starlette(
        routes=[
            StarletteRoute(path, endpoint(route, is_async=number % 2 == 0), methods=list(route.methods))
            for number, (path, route) in enumerate(ROUTES.items())
        ]
    )


def closed() -> Any:
    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(closed_body(auth_from(request)))

    return Starlette(
        routes=[StarletteRoute(path, endpoint, methods=["GET", "OPTIONS"]) for path in CLOSED_ROUTES],
        middleware=[Middleware(BearerMiddleware, auth=build_auths()["main"], need=CLOSED_NEED, exempt=CLOSED_EXEMPT)],
    )
