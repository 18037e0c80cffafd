"""The applications of scenarios.py in plain WSGI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
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
from bearerkit.wsgi import BearerMiddleware, RequireBearer, auth_from
from bearerkit.wsgi_kit import App, route_path


def guarded() -> App:
    auths = build_auths()

    def endpoint(route: Route, path: str) -> App:
        def app(environ: Any, start_response: Any) -> Iterable[bytes]:
            user = environ.get("bearerkit.user")
            return _says(handler_body(auth_from(environ), route, user))(environ, start_response)

        page = {"not_found": lambda environ: _says(OWN_PAGE, "404 Not Found")} if route.own_page else {}
        bearer = RequireBearer(auths[route.auth], **route.options, **page)
        return bearer(app) if route.need is None else bearer.require(route.need)(app)

    return _router({path: endpoint(route, path) for path, route in ROUTES.items()})


def closed() -> App:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        return _says(closed_body(auth_from(environ)))(environ, start_response)

    routes = _router(dict.fromkeys(CLOSED_ROUTES, app))
    return BearerMiddleware(routes, build_auths()["main"], need=CLOSED_NEED, exempt=CLOSED_EXEMPT)


def _router(routes: dict[str, App]) -> App:
    table = [(re.compile(pattern_of(path)), app) for path, app in routes.items()]

    def router(environ: Any, start_response: Any) -> Iterable[bytes]:
        path = route_path(environ)
        for pattern, app in table:
            if found := pattern.fullmatch(path):
                environ["wsgiorg.routing_args"] = ((), found.groupdict())
                return app(environ, start_response)
        raise LookupError(path)

    return router


def _says(content: Any, status: str = "200 OK") -> App:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(content).encode()]

    return app
