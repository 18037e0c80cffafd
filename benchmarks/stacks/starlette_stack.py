"""One Starlette route, bare and behind each way of asking who is calling."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser, requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bearerkit import scope
from bearerkit.starlette import BearerMiddleware, RequireBearer

from .tokens import auth, claims_of


async def orders(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def bare() -> Any:
    return Starlette(routes=[Route("/orders", orders)])


def bearerkit(*, cache: int = 10_000) -> Any:
    guarded = RequireBearer(auth(cache=cache)).require(scope("orders:read"))(orders)
    return Starlette(routes=[Route("/orders", guarded)])


def bearerkit_middleware() -> Any:
    middleware = Middleware(BearerMiddleware, auth=auth(), need=scope("orders:read"))
    return Starlette(routes=[Route("/orders", orders)], middleware=[middleware])


def pyjwt() -> Any:
    """A pure ASGI middleware with PyJWT, the quickest way to put it there."""
    return Starlette(routes=[Route("/orders", orders)], middleware=[Middleware(_Glue)])


def authentication_middleware() -> Any:
    """Starlette's own way, with PyJWT as its backend."""

    @requires("orders:read")
    async def guarded(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    middleware = Middleware(AuthenticationMiddleware, backend=_Backend())
    return Starlette(routes=[Route("/orders", guarded)], middleware=[middleware])


class _Glue:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            scope["claims"] = claims_of(header.decode("latin-1"))
            if scope["claims"] is None:
                await PlainTextResponse("no", 401)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class _Backend(AuthenticationBackend):
    async def authenticate(self, conn: Any) -> Any:
        claims = claims_of(conn.headers.get("authorization"))
        if claims is None:
            return None
        return AuthCredentials(claims["scope"].split()), SimpleUser(claims["sub"])
