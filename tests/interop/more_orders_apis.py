"""The API of orders_api.py as a team would write it in plain ASGI and WSGI, Flask, Django, REST framework and Ninja."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask

from bearerkit import Auth, AuthContext, asgi, authenticated, flask, scope, tenant, wsgi

READ = scope("orders:read")
READ_IN_TENANT = scope("orders:read") & tenant(path="tenant_id")


def who(ctx: AuthContext) -> dict[str, Any]:
    """What every route answers."""
    return {"subject": ctx.subject, "tenant": ctx.tenant_id, "kind": ctx.principal_type, "scopes": sorted(ctx.scopes)}


def asgi_app(auth: Auth) -> Any:
    """One guarded app per route behind a router of three lines."""
    bearer = asgi.RequireBearer(auth)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        body = json.dumps(who(asgi.auth_from(scope))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    routes = {"me": bearer(answer), "orders": bearer.require(READ)(answer), "t": bearer.require(READ_IN_TENANT)(answer)}

    async def router(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            first, *rest = scope["path"].strip("/").split("/")
            await routes[first]({**scope, "path_params": {"tenant_id": rest[0] if rest else None}}, receive, send)

    return router


def wsgi_app(auth: Auth) -> Any:
    """The same behind WSGI."""
    bearer = wsgi.RequireBearer(auth)

    def answer(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(who(wsgi.auth_from(environ))).encode()]

    routes = {"me": bearer(answer), "orders": bearer.require(READ)(answer), "t": bearer.require(READ_IN_TENANT)(answer)}

    def router(environ: Any, start_response: Any) -> Any:
        first, *rest = environ["PATH_INFO"].strip("/").split("/")
        environ["wsgiorg.routing_args"] = ((), {"tenant_id": rest[0] if rest else None})
        return routes[first](environ, start_response)

    return router


def flask_app(auth: Auth) -> Any:
    """With decorators; async and sync views."""
    app, bearer = Flask("orders", static_folder=None), flask.RequireBearer(auth)

    @app.get("/me")
    @bearer
    async def me() -> Any:
        return who(flask.current_auth)

    @app.get("/orders")
    @bearer.require(READ)
    def orders() -> Any:
        return who(flask.current_auth)

    @app.get("/t/<tenant_id>/orders")
    @bearer.require(READ_IN_TENANT)
    def tenant_orders(tenant_id: str) -> Any:
        return who(flask.current_auth)

    return app


def django_routes(auth: Auth) -> Any:
    """With decorators; async and sync views."""
    from django.http import JsonResponse
    from django.urls import path

    from bearerkit.django import RequireBearer, auth_from

    bearer = RequireBearer(auth)

    def view(request: Any, **_: Any) -> Any:
        return JsonResponse(who(auth_from(request)))

    async def async_view(request: Any, **_: Any) -> Any:
        return view(request)

    return (
        path("me", bearer(async_view)),
        path("orders", bearer.require(READ)(view)),
        path("t/<tenant_id>/orders", bearer.require(READ_IN_TENANT)(async_view)),
    )


def rest_routes(auth: Auth) -> Any:
    """With authentication and permission classes."""
    from django.urls import path
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from bearerkit.drf import RequireBearer

    bearer = RequireBearer(auth)

    def view(need: Any) -> Any:
        class Endpoint(APIView):
            authentication_classes = (bearer.authentication,)
            permission_classes = (bearer.require(need),)

            def get(self, request: Any, **_: Any) -> Response:
                return Response(who(request.auth))

        return Endpoint.as_view()

    return (
        path("me", view(authenticated())),
        path("orders", view(READ)),
        path("t/<tenant_id>/orders", view(READ_IN_TENANT)),
    )


def ninja_routes(auth: Auth) -> Any:
    """With `auth=`; async and sync operations."""
    from django.http import HttpRequest
    from django.urls import path
    from ninja import NinjaAPI

    from bearerkit.ninja import RequireBearer

    api = NinjaAPI(urls_namespace=f"orders-{id(auth)}", docs_url=None, openapi_url=None)
    bearer = RequireBearer(auth)
    bearer.install(api)

    async def me(request: Any) -> Any:
        return who(request.auth)

    def orders(request: Any) -> Any:
        return who(request.auth)

    def tenant_orders(request: Any, tenant_id: str) -> Any:
        return who(request.auth)

    for operation, route, auth_of in (
        (me, "/me", bearer),
        (orders, "/orders", bearer.require(READ)),
        (tenant_orders, "/t/{tenant_id}/orders", bearer.require(READ_IN_TENANT)),
    ):
        operation.__annotations__["request"] = HttpRequest
        if "tenant_id" in operation.__annotations__:
            operation.__annotations__["tenant_id"] = str
        api.get(route, auth=auth_of)(operation)
    return (path("", api.urls),)


def django_hosted(routes: Any, *, is_async: bool) -> Any:
    """The routes in the one Django project of the tests, behind ASGI or WSGI."""
    from adapters.built.django_app import hosted

    from django.core.handlers.asgi import ASGIHandler  # isort: skip - after the settings
    from django.core.handlers.wsgi import WSGIHandler

    return hosted(ASGIHandler if is_async else WSGIHandler, routes)
