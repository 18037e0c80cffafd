"""An application for several workers: opaque tokens, answers and evictions shared through Redis. Says who answered."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bearerkit import Auth, Introspection
from bearerkit.starlette import RequireBearer, auth_from
from bearerkit.stores.redis import RedisCache, RedisEvictions
from concurrency.signed_answers import signed

shared = {"secret": os.environ["OPAQUE_SECRET"], "namespace": os.environ["OPAQUE_NAMESPACE"]}
auth = Auth(
    Introspection(
        os.environ["OPAQUE_ENDPOINT"],
        client_id="orders",
        client_secret="s",
        audience="orders-api",
        shared=RedisCache(os.environ["OPAQUE_REDIS"], **shared),
    ),
    evictions=RedisEvictions(os.environ["OPAQUE_REDIS"], **shared),
)
bearer = RequireBearer(auth)


@bearer
async def me(request: Request) -> JSONResponse:
    return JSONResponse({"subject": auth_from(request).subject})


async def forget(request: Request) -> JSONResponse:
    auth.forget(subject=request.path_params["subject"])
    return JSONResponse({})


app = signed(Starlette(routes=[Route("/me", me), Route("/forget/{subject}", forget)]))
