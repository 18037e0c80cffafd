"""The applications of scenarios.py in Flask; views are sync and async in turn."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, request

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
from bearerkit.flask import BearerMiddleware, RequireBearer, auth_from, current_auth


def guarded() -> Any:
    auths = build_auths()
    app = Flask("scenarios", static_folder=None)

    def view(route: Route, is_async: bool) -> Any:
        page = {"not_found": lambda request: (OWN_PAGE, 404)} if route.own_page else {}
        bearer = RequireBearer(auths[route.auth], **route.options, **page)

        def sync_view(**_: Any) -> Any:
            return handler_body(current_auth, route, getattr(request, "user", None))

        async def async_view(**_: Any) -> Any:
            return handler_body(auth_from(request), route, getattr(request, "user", None))

        decorate = bearer if route.need is None else bearer.require(route.need)
        return decorate(async_view if is_async else sync_view)

    for number, (path, route) in enumerate(ROUTES.items()):
        app.add_url_rule(_rule(path), path, view(route, number % 2 == 1), methods=list(route.methods))
    return app


def closed() -> Any:
    app = Flask("scenarios", static_folder=None)
    BearerMiddleware(app, build_auths()["main"], need=CLOSED_NEED, exempt=CLOSED_EXEMPT)
    for path in CLOSED_ROUTES:
        app.add_url_rule(
            _rule(path),
            path,
            lambda **_: closed_body(auth_from(request)),
            methods=["GET", "OPTIONS"],
            provide_automatic_options=False,
        )
    return app


def _rule(path: str) -> str:
    return re.sub(r"\{(\w+)\}", r"<\1>", path)
