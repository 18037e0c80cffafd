"""A request dispatched with a copy of another one's scope has its own caller, and changes nothing outside."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from adapters.asgi_calls import Call, Socket, get, http_scope, websocket_scope
from adapters.scenarios import AUDIENCE, ISSUER, User
from bearerkit import Auth, AuthContext, Issuer, Places
from bearerkit.asgi import RequireBearer as AsgiBearer
from bearerkit.asgi_kit import request_of
from bearerkit.errors import PermissionDenied
from bearerkit.fastapi import RequireBearer as FastAPIBearer
from bearerkit.starlette import BearerMiddleware, RequireBearer, auth_from, current_auth

pytestmark = pytest.mark.anyio
Fields = list[tuple[bytes, bytes]]


def bearing(subject: str) -> Fields:
    return [(b"authorization", f"Bearer {ISSUER.token(sub=subject)}".encode())]


async def me(request: Request) -> JSONResponse:
    return JSONResponse(auth_from(request).subject)


def by_starlette(auth: Auth):
    return Starlette(routes=[Route("/me", RequireBearer(auth)(me))])


def by_middleware(auth: Auth):
    return Starlette(routes=[Route("/me", me)], middleware=[(BearerMiddleware, (), {"auth": auth})])


def by_asgi(auth: Auth):
    async def app(scope, receive, send):
        await JSONResponse(auth_from(scope).subject)(scope, receive, send)

    return AsgiBearer(auth)(app)


def by_fastapi(auth: Auth):
    app = FastAPI()
    bearer = FastAPIBearer(auth)

    async def endpoint(request, ctx):
        assert ctx is auth_from(request)
        return ctx.subject

    endpoint.__annotations__ = {"request": Request, "ctx": Annotated[AuthContext, Depends(bearer)]}
    app.get("/me")(endpoint)
    return app


everywhere = pytest.mark.parametrize("build", [by_starlette, by_middleware, by_asgi, by_fastapi])


async def dispatch(app, request: Request, headers: Fields) -> Call:
    sub = dict(request.scope)
    sub.update(path="/me", raw_path=b"/me", root_path="", headers=headers)
    return await Call(app, sub).run()


@everywhere
async def test_a_batch_endpoint_acts_for_whom_each_part_names(auth: Auth, build):
    """No credential, another caller's, and garbage: none of them is the caller of the batch."""
    inner = build(auth)

    async def batch(request):
        _ = request.headers  # Starlette copies the list of fields here
        answers = []
        for headers in ([], bearing("bob"), [(b"authorization", b"Bearer garbage")], bearing("alice")):
            call = await dispatch(inner, request, headers)
            answers.append([call.status, json.loads(call.body) if call.status == 200 else None])
            assert auth_from(request).subject == current_auth.subject == "alice"
        return JSONResponse(answers)

    app = Starlette(routes=[Route("/batch", RequireBearer(auth)(batch))])
    call = await get(app, "/batch", ISSUER.token(sub="alice"))
    assert json.loads(call.body) == [[401, None], [200, "bob"], [401, None], [200, "alice"]]


@everywhere
async def test_a_part_with_a_credential_of_an_anonymous_batch(auth: Auth, build):
    """The mirror image: that nobody sent the batch does not hide who sends the part."""

    async def batch(request):
        call = await dispatch(build(auth), request, bearing("bob"))
        return JSONResponse([call.status, json.loads(call.body), auth_from(request).is_anonymous])

    app = Starlette(routes=[Route("/batch", RequireBearer(auth, optional=True)(batch))])
    assert json.loads((await get(app, "/batch")).body) == [200, "bob", True]


@everywhere
async def test_a_part_with_the_same_headers_keeps_its_caller_to_itself(auth: Auth, build):
    """Two credentials travel in one set of fields; which one counts inside is not what counts outside."""
    service = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-service"))

    async def batch(request):
        call = await dispatch(build(service), request, request.scope["headers"])
        return JSONResponse([json.loads(call.body), auth_from(request).subject, current_auth.subject])

    app = Starlette(routes=[Route("/batch", RequireBearer(auth)(batch))])
    headers = [("X-Service", ISSUER.token(sub="svc"))]
    call = await get(app, "/batch", ISSUER.token(sub="alice"), headers)
    assert json.loads(call.body) == ["svc", "alice", "alice"]


async def test_a_part_does_not_see_the_user_of_the_batch(auth: Auth):
    """A guard without a loader leaves no user of somebody else's beside its caller."""
    seen = []

    async def part(request):
        seen.append((auth_from(request).subject, request.scope.get("user")))
        return PlainTextResponse("")

    inner = Starlette(routes=[Route("/me", RequireBearer(auth)(part))])

    async def batch(request):
        await dispatch(inner, request, bearing("bob"))
        await dispatch(inner, request, list(request.scope["headers"]))
        return PlainTextResponse(request.user.name)

    app = Starlette(routes=[Route("/batch", RequireBearer(auth, user=lambda ctx: User(f"user {ctx.subject}"))(batch))])
    assert (await get(app, "/batch", ISSUER.token(sub="alice"))).body == b"user alice"
    assert seen == [("bob", None), ("alice", User("user alice"))]


async def test_a_refused_part_does_not_answer_for_the_batch(auth: Auth):
    """Which guard answers a refusal of the outer handler is not changed by a guard inside."""
    inner = FastAPI()
    theirs = FastAPIBearer(auth, render=lambda refusal, response: response.with_body("inner"))
    inner.get("/me", dependencies=[Depends(theirs)])(lambda: "reached")
    app = FastAPI()

    @app.get("/batch", dependencies=[Depends(FastAPIBearer(auth))])
    async def batch(request: Request):
        assert (await dispatch(inner, request, [])).body == b"inner"
        assert (await dispatch(inner, request, list(request.scope["headers"]))).status == 200
        raise PermissionDenied("no")

    batch.__annotations__ = {"request": Request}
    assert b"not allowed" in (await get(app, "/batch", ISSUER.token())).body


@pytest.mark.parametrize("cache", [0, 10])
async def test_a_field_that_a_middleware_adds_makes_nobody_a_stranger(cache: int):
    """Between two guards, in place or by another list: the caller and his user stay, and the handler finds both."""
    auth = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), token_cache=cache)

    def adds(app, in_place: bool):
        async def middleware(scope, receive, send):
            if in_place:
                MutableHeaders(scope=scope)["X-Request-ID"] = "1"
            else:
                scope = {**scope, "headers": [*scope["headers"], (b"x-request-id", b"1")]}
            await app(scope, receive, send)

        return middleware

    async def endpoint(request):
        return PlainTextResponse(f"{auth_from(request).subject} {request.user.name}")

    for in_place in (False, True):
        for guard in (RequireBearer(auth), lambda endpoint: endpoint):
            inner = adds(Starlette(routes=[Route("/", guard(endpoint))]), in_place)
            app = BearerMiddleware(inner, auth=auth, user=lambda ctx: User("Ada"))
            assert (await get(app, "/", ISSUER.token())).body == b"user Ada"


async def test_a_handshake_that_is_dispatched_anew_has_a_channel_of_its_own(auth: Auth):
    """That the outer conversation was accepted does not turn the refusal of another handshake into a close frame."""
    answers = []

    async def inner(scope, receive, send):
        raise AssertionError("reached")

    async def outer(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})

        async def note(message):
            answers.append(message["type"])

        await AsgiBearer(auth)(inner)({**scope, "headers": []}, receive, note)

    token = ISSUER.token()
    async with Socket(AsgiBearer(auth)(outer), websocket_scope("/", [("Authorization", f"Bearer {token}")])) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        await socket.silent()
    assert answers == ["websocket.http.response.start", "websocket.http.response.body"]


async def test_headers_may_be_any_iterable(auth: Auth, token: str):
    """As ASGI says; whoever reads them first leaves them to the next."""
    fields = [(b"authorization", f"Bearer {token}".encode())]
    for headers in (iter(fields), tuple(fields)):
        app = BearerMiddleware(by_starlette(auth), auth=auth)
        assert (await Call(app, {**http_scope("/me"), "headers": headers}).run()).status == 200


def test_the_memo_lasts_as_long_as_the_fields_are_the_same():
    """A copy of the list is no other request, a change of it is, also in place."""
    scope = http_scope("/", [("X-A", "1")])
    memo = request_of(scope).memo
    scope["headers"] = list(scope["headers"])
    assert request_of(scope).memo is memo
    assert request_of({**scope, "headers": []}).memo is not memo
    assert request_of(scope).memo is memo
    scope["headers"].append((b"x-b", b"2"))
    assert request_of(scope).memo is not memo
