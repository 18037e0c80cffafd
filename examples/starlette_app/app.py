"""An orders API in Starlette that is closed by default: what needs no token is listed, everything else does.

Run it beside an issuer (here the one that comes with bearerkit):

    bearerkit dev-issuer
    uvicorn app:app --port 8000        # in this folder
"""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from bearerkit import Auth, Issuer, role, scope
from bearerkit.starlette import BearerMiddleware, RequireBearer, auth_from, current_auth

auth = Auth(Issuer(os.environ.get("ORDERS_ISSUER", "http://127.0.0.1:9400"), audience="orders-api"))
bearer = RequireBearer(auth)
orders_of: dict[str | None, list[str]] = {}


async def health(request: Request) -> Response:
    """Exempt from the middleware."""
    return PlainTextResponse("ok")


def me(request: Request) -> Response:
    """Any valid token: the middleware saw to it."""
    return JSONResponse({"subject": auth_from(request).subject})


class Orders(HTTPEndpoint):
    """Each method has a need of its own."""

    @bearer.require(scope("orders:read"))
    async def get(self, request: Request) -> Response:
        return JSONResponse(_mine())

    @bearer.require(scope("orders:write"))
    async def post(self, request: Request) -> Response:
        _mine().append((await request.json())["item"])
        return JSONResponse(_mine(), status_code=201)


def _mine() -> list[str]:
    """Code far from the request still knows who is calling."""
    return orders_of.setdefault(current_auth.tenant_id, [])


async def tenants(request: Request) -> Response:
    """For administrators."""
    return JSONResponse(sorted(str(tenant) for tenant in orders_of))


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/me", me),
        Route("/orders", Orders),
        Mount("/admin", bearer.require(role("admin"))(Starlette(routes=[Route("/tenants", tenants)]))),
    ],
    middleware=[Middleware(BearerMiddleware, auth=auth, exempt=["/health"])],
)
