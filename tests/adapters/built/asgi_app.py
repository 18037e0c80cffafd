"""The applications of scenarios.py in plain ASGI."""

from __future__ import annotations

import json
import re
from typing import Any

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
    pattern_of,
)
from bearerkit.asgi import App, BearerMiddleware, RequireBearer, auth_from


def guarded() -> App:
    auths = build_auths()

    def endpoint(route: Route) -> App:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await _says(handler_body(auth_from(scope), route, scope.get("user")))(scope, receive, send)

        page = {"not_found": lambda scope: _says(OWN_PAGE, 404)} if route.own_page else {}
        bearer = RequireBearer(auths[route.auth], **route.options, **page)
        return bearer(app) if route.need is None else bearer.require(route.need)(app)

    return _router({path: endpoint(route) for path, route in ROUTES.items()})


def closed() -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _says(closed_body(auth_from(scope)))(scope, receive, send)

    routes = _router(dict.fromkeys(CLOSED_ROUTES, app))
    return BearerMiddleware(routes, build_auths()["main"], need=CLOSED_NEED, exempt=CLOSED_EXEMPT)


def _router(routes: dict[str, App]) -> App:
    table = [(re.compile(pattern_of(path)), app) for path, app in routes.items()]

    async def router(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        for pattern, app in table:
            if found := pattern.fullmatch(scope["path"]):
                await app({**scope, "path_params": found.groupdict()}, receive, send)
                return

    return router


def _says(content: Any, status: int = 200) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    return app
