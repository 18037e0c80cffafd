"""One FastAPI route, bare and behind each way of asking who is calling."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bearerkit import AuthContext, scope
from bearerkit.fastapi import RequireBearer

from .tokens import auth, claims_of

http_bearer = HTTPBearer()


async def nothing() -> None:
    """What a dependency costs that does nothing."""


async def nested(_: Annotated[None, Depends(nothing)]) -> None:
    """Two of them, one below the other."""


async def by_pyjwt(credentials: Annotated[HTTPAuthorizationCredentials, Depends(http_bearer)]) -> Any:
    claims = claims_of(f"Bearer {credentials.credentials}")
    if claims is None:
        raise HTTPException(401)
    return claims


def bare() -> Any:
    app = FastAPI()

    @app.get("/orders", response_class=PlainTextResponse)
    async def orders() -> str:
        return "ok"

    return app


def behind(dependency: Any) -> Any:
    app = FastAPI()

    async def orders(caller: Any) -> str:
        return "ok"

    orders.__annotations__["caller"] = Annotated[Any, Depends(dependency)]
    app.get("/orders", response_class=PlainTextResponse)(orders)
    return app


def bearerkit(*, cache: int = 10_000, require: bool = False) -> Any:
    bearer = RequireBearer(auth(cache=cache))
    app = FastAPI()

    async def orders(ctx: AuthContext) -> str:
        return "ok"

    dependency = bearer.require(scope("orders:read")) if require else bearer
    orders.__annotations__["ctx"] = Annotated[AuthContext, Depends(dependency)]
    app.get("/orders", response_class=PlainTextResponse)(orders)
    return app
