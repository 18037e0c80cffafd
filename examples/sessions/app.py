"""An orders service whose own pages sign in with a cookie, and which other services of the team call with a secret.

INTERNAL_SECRETS=$(python -c "import secrets; print(secrets.token_urlsafe(32))") uvicorn app:app --port 8000
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bearerkit import Auth, InternalSecret, Sessions, principal
from bearerkit.starlette import RequireBearer, auth_from

COOKIE = "__Host-sid"
HOUR = 3_600
PASSWORDS = {"ada": "correct horse battery staple"}  # a real service has hashes, or signs in elsewhere
sessions: dict[str, dict[str, Any]] = {}
"""Claims of sessions by the digest of their id: who reads the store can sign in as nobody."""


def digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


async def session_of(session_id: str) -> dict[str, Any] | None:
    """What bearerkit asks; a real service awaits its database or Redis here."""
    return sessions.get(digest(session_id))


auth = Auth(
    Sessions(session_of, cookie=COOKIE, origins=["https://shop.example.com"]),
    InternalSecret.from_env(subject="billing"),
)
bearer = RequireBearer(auth)
orders: list[dict[str, Any]] = []


async def sign_in(request: Request) -> Response:
    """Nothing guards this form, since there is no session yet; it takes JSON, which no form of another site sends."""
    if request.headers.get("content-type") != "application/json":
        return Response(status_code=415)
    given = await request.json()
    password = PASSWORDS.get(given["user"])
    if password is None or not secrets.compare_digest(password.encode(), given["password"].encode()):
        return Response(status_code=403)
    session_id = secrets.token_urlsafe(32)
    handle = secrets.token_hex(8)
    sessions[digest(session_id)] = {"sub": given["user"], "sid": handle, "exp": time.time() + HOUR}
    response = JSONResponse({"user": given["user"]})
    response.set_cookie(COOKIE, session_id, max_age=HOUR, path="/", secure=True, httponly=True, samesite="lax")
    return response


@bearer.require(principal("user"))
async def sign_out(request: Request) -> Response:
    """Ends the session in the store, wherever its cookie is."""
    handle = auth_from(request).session_id
    for key in [key for key, claims in sessions.items() if claims["sid"] == handle]:
        del sessions[key]
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@bearer
async def me(request: Request) -> Response:
    ctx = auth_from(request)
    return JSONResponse({"subject": ctx.subject, "kind": ctx.credential_kind})


@bearer.require(principal("user"))
async def place_order(request: Request) -> Response:
    orders.append({"by": auth_from(request).subject, **await request.json()})
    return JSONResponse(orders[-1], status_code=201)


@bearer.require(principal("service"))
async def all_orders(request: Request) -> Response:
    """For the service that writes the bills."""
    return JSONResponse(orders)


app = Starlette(
    routes=[
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        Route("/me", me),
        Route("/orders", place_order, methods=["POST"]),
        Route("/internal/orders", all_orders),
    ]
)
