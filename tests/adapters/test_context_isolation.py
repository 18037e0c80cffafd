"""`current_auth` names the caller of this request: under interleaving, in threads, in tasks, on both event loops."""

import random
from typing import Annotated

import anyio
import anyio.to_thread
import pytest
from fastapi import Depends, FastAPI, Request
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapters.asgi_calls import get
from adapters.scenarios import ISSUER
from bearerkit import Auth, AuthContext
from bearerkit.current_caller import CALLER
from bearerkit.fastapi import BearerMiddleware, RequireBearer, auth_from, current_auth
from bearerkit.starlette import RequireBearer as StarletteBearer

pytestmark = pytest.mark.anyio


class Turnstile:
    """Lets tasks run in a random order: each passes a few times, giving the turn away each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    async def __call__(self) -> None:
        for _ in range(self._random.randrange(1, 6)):
            await anyio.lowlevel.checkpoint()


async def sightings(request: Request, turn: Turnstile) -> list[str]:
    """Everybody that anything in this handler takes for the caller."""
    seen = [auth_from(request).subject, current_auth.subject]
    await turn()
    seen.append(current_auth.subject)

    async def task() -> None:
        await turn()
        seen.append(current_auth.subject)

    async with anyio.create_task_group() as group:
        group.start_soon(task)
        group.start_soon(task)
    seen.append(await anyio.to_thread.run_sync(lambda: current_auth.subject))
    return [str(subject) for subject in seen]


def applications(auth: Auth, turn: Turnstile) -> dict[str, object]:
    async def endpoint(request):
        return JSONResponse(await sightings(request, turn))

    def sync_endpoint(request):
        return JSONResponse([auth_from(request).subject, current_auth.subject])

    class Endpoint(HTTPEndpoint):
        async def get(self, request):
            return await endpoint(request)

    bearer = RequireBearer(auth)
    by_dependency = FastAPI()

    @by_dependency.get("/async")
    async def by_dependency_async(request: Request, ctx: Annotated[AuthContext, Depends(bearer)]):
        return [ctx.subject, *await sightings(request, turn)]

    @by_dependency.get("/sync")
    def by_dependency_sync(request: Request, ctx: Annotated[AuthContext, Depends(bearer)]):
        return [ctx.subject, auth_from(request).subject, current_auth.subject]

    guard = StarletteBearer(auth)
    plain = [Route("/async", endpoint), Route("/sync", sync_endpoint), Route("/class", Endpoint)]
    guarded = [Route(route.path, guard(route.endpoint)) for route in plain]
    return {
        "starlette": Starlette(routes=guarded),
        "middleware": Starlette(routes=plain, middleware=[Middleware(BearerMiddleware, auth=auth)]),
        "fastapi": by_dependency,
    }


@pytest.mark.parametrize(
    ("framework", "path"),
    [
        ("starlette", "/async"),
        ("starlette", "/sync"),
        ("starlette", "/class"),
        ("middleware", "/async"),
        ("middleware", "/sync"),
        ("middleware", "/class"),
        ("fastapi", "/async"),
        ("fastapi", "/sync"),
    ],
)
async def test_200_interleaved_requests_see_their_own_caller(auth: Auth, framework: str, path: str):
    """Nobody is ever taken for somebody else."""
    app = applications(auth, Turnstile(seed=7))[framework]
    answers: dict[str, set[str]] = {}

    async def ask(user: str) -> None:
        call = await get(app, path, ISSUER.token(sub=user))
        answers[user] = set(call.body.decode().strip("[]").replace('"', "").split(","))

    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(ask, f"u{number}")
    assert answers == {f"u{number}": {f"u{number}"} for number in range(200)}


async def test_a_task_that_outlives_the_request_keeps_its_caller(auth: Auth):
    """A task sees the caller of the request that started it, not of the one that runs when it gets its turn."""
    seen: list[str | None] = []
    go_on = anyio.Event()

    async def late() -> None:
        await go_on.wait()
        seen.append(current_auth.subject)

    async with anyio.create_task_group() as group:

        async def endpoint(request):
            group.start_soon(late)
            return JSONResponse(None)

        app = Starlette(routes=[Route("/", StarletteBearer(auth)(endpoint))])
        for user in ("first", "second"):
            await get(app, "/", ISSUER.token(sub=user))
        go_on.set()
    assert sorted(map(str, seen)) == ["first", "second"]


async def test_an_unguarded_route_has_no_caller(auth: Auth):
    """Also after a guarded request in the same task: the last caller does not linger."""

    async def endpoint(request):
        with pytest.raises(RuntimeError, match="current_auth"):
            _ = current_auth.subject
        with pytest.raises(RuntimeError, match="auth_from"):
            auth_from(request)
        return JSONResponse("fine")

    bearer = RequireBearer(auth)
    app = FastAPI()
    app.router.routes.append(Route("/public", endpoint))

    @app.get("/me")
    async def me(ctx: Annotated[AuthContext, Depends(bearer)]):
        return ctx.subject

    assert (await get(app, "/me", ISSUER.token())).status == 200
    assert (await get(app, "/public")).body == b'"fine"'
    assert CALLER.get() is None


async def test_nested_applications_give_the_outer_caller_back(auth: Auth):
    """An app that calls another app in its own task is itself again afterwards."""
    guard = StarletteBearer(auth)

    async def inner(request):
        return JSONResponse(current_auth.subject)

    inner_app = Starlette(routes=[Route("/", guard(inner))])

    async def outer(request):
        await get(inner_app, "/", ISSUER.token(sub="service"))
        return JSONResponse(current_auth.subject)

    app = Starlette(routes=[Route("/", guard(outer))])
    assert (await get(app, "/", ISSUER.token(sub="alice"))).body == b'"alice"'


def test_current_auth_stands_for_the_context():
    """It compares, hashes and reads as the context does, and cannot be changed."""
    ctx = AuthContext.of(subject="u1", scopes=["a"])
    before = CALLER.set(ctx)
    try:
        assert current_auth == ctx
        assert hash(current_auth) == hash(ctx)
        assert repr(current_auth) == repr(ctx)
        assert current_auth.has_scope("a")
        assert isinstance(current_auth, AuthContext)
        with pytest.raises(AttributeError, match="immutable"):
            current_auth.subject = "admin"  # type: ignore[misc]
    finally:
        CALLER.reset(before)


def test_current_auth_outside_a_request_is_harmless_to_look_at():
    """Debuggers, doctest and mock look at every module-level name."""
    assert repr(current_auth) == "<current_auth: nobody is calling>"
    assert not hasattr(current_auth, "__wrapped__")
    assert isinstance(current_auth, AuthContext)
    with pytest.raises(RuntimeError, match="outside a request"):
        _ = current_auth.scopes
