"""The applications of scenarios.py in FastAPI; endpoints are sync and async in turn."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse

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
from bearerkit import AuthContext
from bearerkit.fastapi import BearerMiddleware, RequireBearer, auth_from


def guarded() -> Any:
    auths = build_auths()
    app = FastAPI()

    def add(path: str, route: Route, is_async: bool) -> None:
        page = {"not_found": lambda request: JSONResponse(OWN_PAGE, 404)} if route.own_page else {}
        bearer = RequireBearer(auths[route.auth], **route.options, **page)
        dependency = bearer if route.need is None else bearer.require(route.need)

        def sync_endpoint(request: Request, ctx: Annotated[AuthContext, Depends(dependency)]) -> Any:
            return handler_body(ctx, route, request.user if "user" in route.options else None)

        async def async_endpoint(request: Request, ctx: Annotated[AuthContext, Depends(dependency)]) -> Any:
            return sync_endpoint(request, ctx)

        endpoint = async_endpoint if is_async else sync_endpoint
        endpoint.__annotations__ = {"request": Request, "ctx": Annotated[AuthContext, Depends(dependency)]}
        app.add_api_route(path, endpoint, methods=list(route.methods))

    for number, (path, route) in enumerate(ROUTES.items()):
        add(path, route, is_async=number % 2 == 1)
    return app


def closed() -> Any:
    app = FastAPI()

    async def endpoint(request: Request) -> Any:
        return closed_body(auth_from(request))

    for path in CLOSED_ROUTES:
        app.add_api_route(path, endpoint, methods=["GET", "OPTIONS"])
    app.add_middleware(BearerMiddleware, auth=build_auths()["main"], need=CLOSED_NEED, exempt=CLOSED_EXEMPT)
    return app
