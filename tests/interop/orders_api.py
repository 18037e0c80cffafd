"""The API that the provider's tokens are for, as a team would write it in each framework: same routes, same needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bearerkit import Auth, AuthContext, Issuer, fastapi, starlette
from interop.api_server import serving, serving_wsgi
from interop.more_orders_apis import (
    READ,
    READ_IN_TENANT,
    asgi_app,
    django_hosted,
    django_routes,
    flask_app,
    ninja_routes,
    rest_routes,
    who,
    wsgi_app,
)
from interop.oidc_peer import API
from key_doubles import Recorder


def fastapi_app(auth: Auth) -> Any:
    """With dependencies; async and sync handlers.

    Not in the form Annotated[AuthContext, Depends(bearer)]: FastAPI cannot resolve that as text, where `bearer` is
    a local name.
    """
    app = FastAPI()
    bearer = fastapi.RequireBearer(auth)

    @app.get("/me")
    async def me(ctx: AuthContext = Depends(bearer)) -> Any:
        return who(ctx)

    @app.get("/orders")
    def orders(ctx: AuthContext = Depends(bearer.require(READ))) -> Any:
        return who(ctx)

    @app.get("/t/{tenant_id}/orders")
    async def tenant_orders(ctx: AuthContext = Depends(bearer.require(READ_IN_TENANT))) -> Any:
        return who(ctx)

    return app


def starlette_app(auth: Auth) -> Any:
    """With decorators; async and sync handlers."""
    bearer = starlette.RequireBearer(auth)

    @bearer
    async def me(request: Request) -> JSONResponse:
        return JSONResponse(who(starlette.auth_from(request)))

    @bearer.require(READ)
    def orders(request: Request) -> JSONResponse:
        return JSONResponse(who(starlette.auth_from(request)))

    @bearer.require(READ_IN_TENANT)
    async def tenant_orders(request: Request) -> JSONResponse:
        return JSONResponse(who(starlette.auth_from(request)))

    return Starlette(routes=[Route("/me", me), Route("/orders", orders), Route("/t/{tenant_id}/orders", tenant_orders)])


BUILDERS: Mapping[str, Callable[[Auth], Any]] = {
    "fastapi": fastapi_app,
    "starlette": starlette_app,
    "asgi": asgi_app,
    "django-asgi": lambda auth: django_hosted(django_routes(auth), is_async=True),
    "ninja": lambda auth: django_hosted(ninja_routes(auth), is_async=True),
}
WSGI_BUILDERS: Mapping[str, Callable[[Auth], Any]] = {
    "wsgi": wsgi_app,
    "flask": flask_app,
    "django-wsgi": lambda auth: django_hosted(django_routes(auth), is_async=False),
    "drf": lambda auth: django_hosted(rest_routes(auth), is_async=False),
}
FRAMEWORKS = (*BUILDERS, *WSGI_BUILDERS)


@dataclass(frozen=True)
class OrdersApi:
    """A running API; `observer` heard why it refused."""

    url: str
    observer: Recorder

    @property
    def reason(self) -> str:
        """Why the last refused request was refused."""
        reasons = [fields["reason"] for name, fields in self.observer.events if name == "request.refused"]
        return str(reasons[-1])

    @property
    def fetches(self) -> int:
        """How often keys were fetched, with or without success."""
        return sum(name in ("keys.fetched", "keys.failed") for name in self.observer.names)


@contextmanager
def running_apis(issuer: str) -> Iterator[dict[str, OrdersApi]]:
    """One API per framework, each with an `Auth` of its own that knows the issuer's name and nothing else."""
    with ExitStack() as stack:
        apis = {}
        for builders, serve in ((BUILDERS, serving), (WSGI_BUILDERS, serving_wsgi)):
            for framework, build in builders.items():
                observer = Recorder()
                auth = Auth(Issuer(issuer, audience=API), observer=observer)
                apis[framework] = OrdersApi(stack.enter_context(serve(build(auth))), observer)
        yield apis
