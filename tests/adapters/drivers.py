"""Builds the application of scenarios.py in each framework, and sends it the requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route as StarletteRoute

from adapters.asgi_calls import Call, http_scope
from adapters.scenarios import ROUTES, Answer, Route, Scenario, answer_of, build_auths, handler_body
from bearerkit import AuthContext, asgi, fastapi, starlette


def _plain_asgi(frame: Callable[[asgi.App], asgi.App] = lambda app: app) -> asgi.App:
    auths = build_auths()

    def endpoint(route: Route) -> asgi.App:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            body = json.dumps(handler_body(asgi.auth_from(scope), route, scope.get("user"))).encode()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

        bearer = asgi.RequireBearer(auths[route.auth], **route.options)
        return bearer(app) if route.need is None else bearer.require(route.need)(app)

    table = [
        (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), endpoint(route)) for path, route in ROUTES.items()
    ]

    async def router(scope: Any, receive: Any, send: Any) -> None:
        for pattern, app in table:
            if found := pattern.fullmatch(scope["path"]):
                await app({**scope, "path_params": found.groupdict()}, receive, send)

    return frame(router)


def _starlette() -> Any:
    auths = build_auths()

    def endpoint(route: Route, is_async: bool) -> Any:
        bearer = starlette.RequireBearer(auths[route.auth], **route.options)
        decorate = bearer if route.need is None else bearer.require(route.need)

        def sync_endpoint(request: StarletteRequest) -> JSONResponse:
            user = request.user if "user" in route.options else None
            return JSONResponse(handler_body(starlette.auth_from(request), route, user))

        async def async_endpoint(request: StarletteRequest) -> JSONResponse:
            return sync_endpoint(request)

        return decorate(async_endpoint if is_async else sync_endpoint)

    return Starlette(
        routes=[
            StarletteRoute(path, endpoint(route, is_async=number % 2 == 0), methods=list(route.methods))
            for number, (path, route) in enumerate(ROUTES.items())
        ]
    )


def _fastapi() -> Any:
    auths = build_auths()
    app = FastAPI()

    def add(path: str, route: Route, is_async: bool) -> None:
        bearer = fastapi.RequireBearer(auths[route.auth], **route.options)
        dependency = bearer if route.need is None else bearer.require(route.need)

        def sync_endpoint(request: FastAPIRequest, ctx: Annotated[AuthContext, Depends(dependency)]) -> Any:
            return handler_body(ctx, route, request.user if "user" in route.options else None)

        async def async_endpoint(request: FastAPIRequest, ctx: Annotated[AuthContext, Depends(dependency)]) -> Any:
            return sync_endpoint(request, ctx)

        endpoint = async_endpoint if is_async else sync_endpoint
        endpoint.__annotations__ = {"request": FastAPIRequest, "ctx": Annotated[AuthContext, Depends(dependency)]}
        app.add_api_route(path, endpoint, methods=list(route.methods))

    for number, (path, route) in enumerate(ROUTES.items()):
        add(path, route, is_async=number % 2 == 1)
    return app


BUILDERS: dict[str, Callable[[], Any]] = {"asgi": _plain_asgi, "starlette": _starlette, "fastapi": _fastapi}


@cache
def _application(framework: str) -> Any:
    return BUILDERS[framework]()


async def ask(framework: str, scenario: Scenario) -> Answer:
    """Send the request of a scenario to the application in this framework."""
    scope = http_scope(scenario.path, scenario.sent, method=scenario.method, query=scenario.query)
    call = await Call(_application(framework), scope).run()
    return answer_of(call.status, call.headers, call.body)
