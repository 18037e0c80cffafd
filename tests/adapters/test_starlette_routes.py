"""Starlette: functions, methods, class endpoints, mounts, routers, the middleware, and the team's own objects."""

from __future__ import annotations

import functools
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles

from adapters.asgi_calls import get, http_scope
from adapters.scenarios import ISSUER, User, load_user
from bearerkit import Auth, role, scope, tenant
from bearerkit.current_caller import CALLER
from bearerkit.errors import PermissionDenied
from bearerkit.known import KEY
from bearerkit.starlette import BearerMiddleware, RequireBearer, auth_from, current_auth

pytestmark = pytest.mark.anyio
READER = {"scope": "orders:read"}


async def me(request: Request) -> JSONResponse:
    return JSONResponse({"from": auth_from(request).subject, "current": current_auth.subject})


def sync_me(request: Request) -> JSONResponse:
    return JSONResponse({"from": auth_from(request).subject, "current": current_auth.subject})


@pytest.mark.parametrize("endpoint", [me, sync_me, functools.partial(me), functools.partial(sync_me)])
async def test_functions_sync_and_async(auth: Auth, endpoint):
    """The endpoint runs as Starlette would have run it, and both accessors know the caller."""
    app = Starlette(routes=[Route("/me", RequireBearer(auth)(endpoint))])
    assert (await get(app, "/me", ISSUER.token(sub="u9"))).body == b'{"from":"u9","current":"u9"}'
    assert (await get(app, "/me")).status == 401


async def test_a_guarded_function_is_still_a_get_route_of_its_name(auth: Auth):
    """Wrapping changes neither the methods nor the name that Starlette derives."""
    route = Route("/me", RequireBearer(auth).require(role("admin"))(me))
    assert route.methods == {"GET", "HEAD"}
    assert route.name == "me"
    assert (await get(Starlette(routes=[route]), "/me", method="POST")).status == 405


async def test_class_endpoints(auth: Auth, token: str):
    """A guarded `HTTPEndpoint` is checked before its methods are looked at, and keeps its 405."""

    class Orders(HTTPEndpoint):
        async def get(self, request):
            return PlainTextResponse(auth_from(request).subject)

        def post(self, request):
            return PlainTextResponse(current_auth.subject)

    route = Route("/orders", RequireBearer(auth)(Orders))
    app = Starlette(routes=[route])
    assert route.name == "Orders"
    assert (await get(app, "/orders", token)).body == b"user"
    assert (await get(app, "/orders", token, method="POST")).body == b"user"
    assert (await get(app, "/orders", token, method="DELETE")).status == 405
    assert (await get(app, "/orders", method="DELETE")).status == 401


async def test_methods_of_a_class_endpoint(auth: Auth, token: str):
    """Each method may need something else."""
    bearer = RequireBearer(auth)

    class Orders(HTTPEndpoint):
        @bearer
        async def get(self, request):
            return PlainTextResponse("read")

        @bearer.require(scope("orders:write"))
        def post(self, request):
            return PlainTextResponse("written")

    app = Starlette(routes=[Route("/orders", Orders)])
    assert (await get(app, "/orders", token)).body == b"read"
    assert (await get(app, "/orders", token, method="POST")).status == 403
    assert (await get(app, "/orders", ISSUER.token(scope="orders:write"), method="POST")).body == b"written"


async def test_mounted_apps_routers_and_files(auth: Auth, token: str, tmp_path):
    """Anything that is ASGI can be guarded and mounted, and path parameters of a mount are visible to needs."""
    (tmp_path / "report.txt").write_text("secret")
    bearer = RequireBearer(auth)
    inner = Router(routes=[Route("/me", me, name="me")])
    app = Starlette(
        routes=[
            Mount("/files", bearer(StaticFiles(directory=tmp_path))),
            Mount("/admin", bearer.require(role("admin"))(inner), name="admin"),
            Mount("/t/{tenant_id}", bearer.require(tenant(path="tenant_id"))(inner)),
        ]
    )
    assert (await get(app, "/files/report.txt")).status == 401
    assert (await get(app, "/files/report.txt", token)).body == b"secret"
    assert (await get(app, "/admin/me", token)).status == 403
    assert (await get(app, "/admin/me", ISSUER.token(roles=["admin"]))).status == 200
    assert (await get(app, "/t/acme/me", ISSUER.token(tenant_id="acme"))).status == 200
    assert (await get(app, "/t/evil/me", ISSUER.token(tenant_id="acme"))).status == 404
    assert app.url_path_for("admin:me") == "/admin/me"


async def test_a_need_behind_the_middleware(auth: Auth, token: str):
    """The middleware asks who is calling, the route what it needs."""
    bearer = RequireBearer(auth)
    app = Starlette(
        routes=[Route("/me", me), Route("/orders", bearer.require(scope("orders:read"))(me)), Route("/health", me)],
        middleware=[Middleware(BearerMiddleware, auth=auth, exempt=["/health"])],
    )
    assert (await get(app, "/me")).status == 401
    assert (await get(app, "/me", token)).status == 200
    assert (await get(app, "/orders", token)).status == 403
    assert (await get(app, "/orders", ISSUER.token(**READER))).status == 200
    assert (await get(app, "/health")).body == b'{"from":null,"current":null}'


async def test_a_required_route_behind_an_optional_middleware(auth: Auth):
    """That nobody had to say who he is at the door does not let him into the vault."""
    app = Starlette(
        routes=[Route("/me", RequireBearer(auth)(me)), Route("/public", me)],
        middleware=[Middleware(BearerMiddleware, auth=auth, optional=True)],
    )
    assert (await get(app, "/public")).status == 200
    assert (await get(app, "/me")).status == 401


async def test_a_required_route_on_an_exempt_path(auth: Auth):
    """An exemption of the middleware does not reach the route's own guard."""
    app = Starlette(
        routes=[Route("/me", RequireBearer(auth)(me))],
        middleware=[Middleware(BearerMiddleware, auth=auth, exempt=["/me"])],
    )
    assert (await get(app, "/me")).status == 401


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_user_is_request_user(auth: Auth, token: str, is_async: bool):
    """The team's own user, where Starlette has it; loaded once."""
    loaded = []

    def load(ctx):
        loaded.append(ctx.subject)
        return load_user(ctx)

    async def aload(ctx):
        return load(ctx)

    async def endpoint(request):
        assert request.user == User("Ada")
        return PlainTextResponse(request.user.name)

    bearer = RequireBearer(auth, user=aload if is_async else load)
    app = Starlette(routes=[Route("/", bearer(bearer.require(scope("orders:read"))(endpoint)))])
    assert (await get(app, "/", ISSUER.token(**READER))).body == b"Ada"
    assert loaded == ["user"]
    assert (await get(app, "/", ISSUER.token(sub="nobody", **READER))).status == 401


async def test_an_unknown_user_is_refused_before_his_scopes_are_looked_at(auth: Auth):
    """Who is calling comes first in the order of refusal."""
    bearer = RequireBearer(auth, user=load_user)
    app = Starlette(routes=[Route("/", bearer.require(scope("orders:read"))(me))])
    assert (await get(app, "/", ISSUER.token(sub="nobody"))).status == 401


async def test_is_active_may_be_missing(auth: Auth, token: str):
    """A user object without that attribute is an active one."""
    app = Starlette(routes=[Route("/", RequireBearer(auth, user=lambda ctx: SimpleNamespace(name="x"))(me))])
    assert (await get(app, "/", token)).status == 200


async def test_not_found_may_return_or_raise(auth: Auth, token: str):
    """The framework's own 404 for a foreign tenant, through the team's own handler of HTTPException if it has one."""

    def raises(request):
        assert isinstance(request, Request)
        raise HTTPException(404, "no such page")

    async def page(request):
        return PlainTextResponse(f"nothing at {request.url.path}", 404)

    need = tenant(header="X-Tenant")
    app = Starlette(
        routes=[
            Route("/raises", RequireBearer(auth, not_found=raises).require(need)(me)),
            Route("/page", RequireBearer(auth, not_found=page).require(need)(me)),
        ]
    )
    foreign = [("X-Tenant", "evil")]
    assert (await get(app, "/raises", token, foreign)).body == b"no such page"
    call = await get(app, "/page", token, foreign)
    assert (call.status, call.body) == (404, b"nothing at /page")
    assert "no-store" not in str(call.headers)


def no_such_page(request):
    """A `not_found` that raises."""
    raise HTTPException(404, "no such page", {"X-Page": "none"})


def guarded_app(auth: Auth, **options):
    """An app that is guarded as a whole, by the middleware from outside all exception handlers."""
    middleware = Middleware(BearerMiddleware, auth=auth, need=tenant(header="X-Tenant"), not_found=no_such_page)
    return Starlette(routes=[Route("/me", me)], middleware=[middleware], **options)


async def test_not_found_may_raise_under_the_middleware_too(auth: Auth, token: str):
    """It is answered as in a route, though the middleware stands outside the handlers of the app."""

    async def theirs(request, error):
        return PlainTextResponse(f"theirs: {error.detail}", error.status_code)

    foreign = [("X-Tenant", "evil")]
    call = await get(guarded_app(auth), "/me", token, foreign)
    assert (call.status, call.body, call.header("x-page")) == (404, b"no such page", "none")
    for key in (404, HTTPException):
        call = await get(guarded_app(auth, exception_handlers={key: theirs}), "/me", token, foreign)
        assert (call.status, call.body) == (404, b"theirs: no such page")
    outside = BearerMiddleware(me, auth=auth, need=tenant(header="X-Tenant"), not_found=no_such_page)
    assert (await get(outside, "/me", token, foreign)).body == b"no such page"


async def test_not_found_may_raise_in_a_guarded_class_or_mount(auth: Auth, token: str):
    """By the handler of the app that routes there."""

    async def theirs(request, error):
        return PlainTextResponse("theirs", error.status_code)

    class Endpoint(HTTPEndpoint):
        pass

    guard = RequireBearer(auth, not_found=no_such_page).require(tenant(header="X-Tenant"))
    app = Starlette(
        routes=[Route("/class", guard(Endpoint)), Mount("/mount", guard(Starlette()))],
        exception_handlers={HTTPException: theirs},
    )
    for path in ("/class", "/mount/x"):
        call = await get(app, path, token, [("X-Tenant", "evil")])
        assert (call.status, call.body) == (404, b"theirs")


async def test_the_middleware_hands_callbacks_a_starlette_request(auth: Auth, token: str):
    """`not_found` of the middleware too; it may build URLs but not eat the body."""

    async def page(request):
        with pytest.raises(RuntimeError):
            await request.body()
        return PlainTextResponse(request.url.path, 404)

    app = Starlette(
        routes=[Route("/me", me)],
        middleware=[Middleware(BearerMiddleware, auth=auth, need=tenant(header="X-Tenant"), not_found=page)],
    )
    assert (await get(app, "/me", token, [("X-Tenant", "evil")])).body == b"/me"


async def test_a_refusal_of_the_handler_is_answered(auth: Auth, token: str):
    """In functions and in class endpoints alike."""
    bearer = RequireBearer(auth)

    @bearer
    def function(request):
        raise PermissionDenied("no")

    @bearer
    class Endpoint(HTTPEndpoint):
        async def get(self, request):
            raise PermissionDenied("no")

    app = Starlette(routes=[Route("/function", function), Route("/class", Endpoint)])
    assert [(await get(app, path, token)).status for path in ("/function", "/class")] == [403, 403]


async def test_other_decorators_see_a_starlette_response(auth: Auth):
    """A decorator around ours may look at status and headers of a refusal."""
    seen = []

    def outer(endpoint):
        async def wrapped(request):
            response = await endpoint(request)
            response.headers["X-Frame-Options"] = "DENY"
            seen.append(response.status_code)
            return response

        return wrapped

    call = await get(Starlette(routes=[Route("/", outer(RequireBearer(auth)(me)))]), "/")
    assert (call.status, call.header("x-frame-options"), seen) == (401, "DENY", [401])
    assert call.header("www-authenticate") == 'Bearer realm="api"'


async def test_streams_and_background_tasks_know_the_caller(auth: Auth, token: str):
    """Code of the handler that runs after it returned asks the same question; after that the answer is gone."""
    seen = []

    async def stream(request):
        async def parts():
            yield str(current_auth.subject)

        return StreamingResponse(parts())

    async def background(request):
        return PlainTextResponse("ok", background=BackgroundTask(lambda: seen.append(current_auth.subject)))

    bearer = RequireBearer(auth)
    app = Starlette(routes=[Route("/stream", bearer(stream)), Route("/background", bearer(background))])
    assert (await get(app, "/stream", token)).body == b"user"
    await get(app, "/background", token)
    assert seen == ["user"]


async def test_a_stream_does_not_leave_its_caller_behind(auth: Auth, token: str):
    """Not after the response either, whoever calls the app in his own task; and the stream is closed as before."""
    closed = []

    async def stream(request):
        async def parts():
            try:
                yield str(current_auth.subject)
                yield "more"
            finally:
                closed.append(True)

        return StreamingResponse(parts(), background=BackgroundTask(lambda: current_auth.subject))

    endpoint = RequireBearer(auth)(stream)
    await get(Starlette(routes=[Route("/", endpoint)]), "/", token)
    assert (CALLER.get(), closed) == (None, [True])
    response = await endpoint(Request(http_scope("/", [("Authorization", f"Bearer {token}")])))
    assert CALLER.get() is None
    assert await anext(response.body_iterator) == "user"
    assert CALLER.get() is None
    await response.body_iterator.aclose()
    assert closed == [True, True]


async def test_more_background_tasks_may_be_added(auth: Auth, token: str):
    """By a decorator around the guard, which sees tasks that can be added to."""
    done = []

    async def endpoint(request):
        return PlainTextResponse("ok", background=BackgroundTask(lambda: done.append(current_auth.subject)))

    async def outer(request):
        response = await RequireBearer(auth)(endpoint)(request)
        response.background.add_task(lambda: done.append("more"))
        return response

    await get(Starlette(routes=[Route("/", outer)]), "/", token)
    assert done == ["user", "more"]


async def test_the_caller_is_forgotten_after_an_ordinary_request(auth: Auth, token: str):
    """Also where a test client runs the app in its own task."""
    await get(Starlette(routes=[Route("/", RequireBearer(auth)(me))]), "/", token)
    assert CALLER.get() is None


async def test_the_caller_is_forgotten_behind_the_middleware_too(auth: Auth, token: str):
    """And after an app or a class endpoint that was guarded as a whole."""
    app = Starlette(routes=[Route("/", me)], middleware=[Middleware(BearerMiddleware, auth=auth)])
    assert (await get(app, "/", token)).status == 200
    assert CALLER.get() is None


async def test_the_innermost_guard_says_who_is_calling(auth: Auth, token: str):
    """An exempt path made nobody the caller; the optional guard of the route then found somebody."""
    app = Starlette(
        routes=[Route("/", RequireBearer(auth, optional=True)(me))],
        middleware=[Middleware(BearerMiddleware, auth=auth, exempt=["/"])],
    )
    assert (await get(app, "/", token)).body == b'{"from":"user","current":"user"}'
    assert (await get(app, "/")).body == b'{"from":null,"current":null}'


async def test_an_endpoint_without_a_request_is_a_type_error(auth: Auth):
    """Rather than an unguarded endpoint."""

    async def endpoint():
        return PlainTextResponse("reached")

    with pytest.raises(TypeError, match="Request or WebSocket"):
        await RequireBearer(auth)(endpoint)()


async def test_nothing_of_ours_is_visible_outside_our_key(auth: Auth, token: str):
    """One key of the scope is ours; `request.auth` and `request.user` stay the team's unless they ask."""
    call = await get(Starlette(routes=[Route("/", RequireBearer(auth)(me))]), "/", token)
    assert KEY in call.scope
    assert not {"user", "auth"} & set(call.scope)
