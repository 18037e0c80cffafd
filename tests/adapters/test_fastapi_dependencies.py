"""FastAPI: the three spellings, stacking, overrides, the team's own handlers, mounts and routers.

No `from __future__ import annotations` here: FastAPI could not see the local names in the annotations.
"""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request, Security
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import SecurityScopes
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount

from adapters.asgi_calls import get, http_scope
from adapters.scenarios import AUDIENCE, ISSUER, User, load_user
from bearerkit import Auth, AuthContext, ConfigError, Issuer, any_scope, role, scope, tenant
from bearerkit.current_caller import CALLER
from bearerkit.errors import BearerkitError, PermissionDenied, Refused
from bearerkit.fastapi import BearerMiddleware, RequireBearer, auth_from, current_auth

pytestmark = pytest.mark.anyio
READER = {"scope": "orders:read"}


def app_with(dependency: Any, **options: Any) -> FastAPI:
    app = FastAPI(**options)

    async def orders(ctx=Depends(dependency)):
        return ctx.subject

    app.get("/orders")(orders)
    return app


async def test_the_three_spellings(auth: Auth, token: str):
    """`Depends(bearer)`, `Depends(bearer.require(need))` and FastAPI's own `Security(bearer, scopes=[…])`."""
    bearer = RequireBearer(auth)
    app = FastAPI()

    @app.get("/me")
    async def me(ctx: Annotated[AuthContext, Depends(bearer)]):
        return ctx.subject

    @app.get("/orders")
    def orders(ctx: Annotated[AuthContext, Depends(bearer.require(scope("orders:read")))]):
        return ctx.subject

    @app.get("/posts")
    async def posts(ctx: Annotated[AuthContext, Security(bearer, scopes=["posts:read", "posts:list"])]):
        return ctx.subject

    assert (await get(app, "/me", token)).body == b'"user"'
    assert (await get(app, "/me")).status == 401
    assert (await get(app, "/orders", token)).status == 403
    assert (await get(app, "/orders", ISSUER.token(**READER))).status == 200
    refused = await get(app, "/posts", ISSUER.token(scope="posts:read"))
    assert refused.status == 403
    assert 'scope="posts:read posts:list"' in str(refused.header("www-authenticate"))
    assert (await get(app, "/posts", ISSUER.token(scope="posts:list posts:read"))).status == 200


async def test_depends_on_an_issuer(token: str):
    """`auth = RequireBearer(Issuer(…))` makes it `Depends(auth)`."""
    auth = RequireBearer(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
    assert (await get(app_with(auth), "/orders", token)).status == 200


async def test_scopes_of_stacked_security_add_up(auth: Auth):
    """A router's scopes, a route's scopes and a requirement all hold."""
    bearer = RequireBearer(auth)
    router = APIRouter(prefix="/a", dependencies=[Security(bearer, scopes=["a"])])

    @router.get("/b", dependencies=[Security(bearer, scopes=["b"])])
    async def b(ctx: Annotated[AuthContext, Depends(bearer.require(scope("c") & role("admin")))]):
        return "ok"

    app = FastAPI()
    app.include_router(router)
    for missing in ("a", "b", "c"):
        scopes = " ".join({"a", "b", "c"} - {missing})
        refused = await get(app, "/a/b", ISSUER.token(scope=scopes, roles=["admin"]))
        assert refused.status == 403
        assert f'scope="{missing}"' in str(refused.header("www-authenticate"))
    assert (await get(app, "/a/b", ISSUER.token(scope="a b c"))).status == 403
    assert (await get(app, "/a/b", ISSUER.token(scope="a b c", roles=["admin"]))).status == 200


async def test_a_whole_application_can_be_guarded(auth: Auth, token: str):
    """By a dependency of the app, or by the middleware with its exempt paths."""
    by_dependency = FastAPI(dependencies=[Depends(RequireBearer(auth))])
    by_middleware = FastAPI()
    by_middleware.add_middleware(BearerMiddleware, auth=auth, exempt=["/openapi.json"])
    for app in (by_dependency, by_middleware):

        @app.get("/me")
        async def me(request: Request):
            return [auth_from(request).subject, current_auth.subject]

        assert (await get(app, "/me")).status == 401
        assert (await get(app, "/me", token)).body == b'["user","user"]'
    assert (await get(by_middleware, "/openapi.json")).status == 200
    assert (await get(by_middleware, "/docs")).status == 401


async def test_the_tenant_is_refused_before_the_scope(auth: Auth):
    """Although FastAPI solves the scopes of `Security` first: 404 must not depend on who asks."""
    app = FastAPI()
    bearer = RequireBearer(auth)

    @app.get("/t/{tenant_id}")
    async def orders(ctx: Annotated[AuthContext, Depends(bearer.require(scope("x") & tenant(path="tenant_id")))]):
        return "ok"

    assert (await get(app, "/t/evil", ISSUER.token(tenant_id="acme"))).status == 404
    assert (await get(app, "/t/acme", ISSUER.token(tenant_id="acme"))).status == 403


async def test_a_scope_that_is_shown_does_not_weaken_one_that_is_asked(auth: Auth, token: str):
    """`require(scope(x))` and `Security(bearer, scopes=[x])` hold side by side, in both orders, and one after another.

    They carry the same text through the same FastAPI cache; the first one is enforced by the requirement alone.
    """
    bearer = RequireBearer(auth)
    required, asked = Depends(bearer.require(scope("same:text"))), Security(bearer, scopes=["same:text"])
    app = FastAPI()
    for number, dependencies in enumerate([[required], [asked], [required, asked], [asked, required]]):
        app.get(f"/{number}", dependencies=dependencies)(lambda: "reached")
    assert [(await get(app, f"/{number}", token)).status for number in (0, 1, 2, 3, 0, 1)] == [403] * 6
    good = ISSUER.token(scope="same:text")
    assert [(await get(app, f"/{number}", good)).status for number in range(4)] == [200] * 4


# Overrides


async def test_an_override_of_bearer_reaches_require_and_the_need_still_holds(auth: Auth):
    """A fake identity is held against the real requirement."""
    bearer = RequireBearer(auth)
    app = app_with(bearer.require(scope("orders:read")))
    app.dependency_overrides[bearer] = lambda: AuthContext.of(subject="fake", scopes=["orders:read"])
    assert (await get(app, "/orders")).body == b'"fake"'
    app.dependency_overrides[bearer] = lambda: AuthContext.of(subject="fake")
    refused = await get(app, "/orders")
    assert refused.status == 403
    assert 'scope="orders:read"' in str(refused.header("www-authenticate"))
    app.dependency_overrides[bearer] = AuthContext.anonymous
    assert (await get(app, "/orders")).status == 401
    app.dependency_overrides.clear()
    assert (await get(app, "/orders")).status == 401


async def test_an_override_of_one_requirement(auth: Auth):
    """`require(need)` is equal to any other made of the same two, so it can be named in overrides."""
    bearer = RequireBearer(auth)
    app = app_with(bearer.require(scope("orders:read")))
    app.dependency_overrides[bearer.require(scope("orders:read"))] = lambda: AuthContext.of(subject="fake")
    assert (await get(app, "/orders")).body == b'"fake"'


def test_requirements_of_one_bearer_are_equal_when_the_need_is(auth: Auth):
    """Equality and hash are those of (bearer, need)."""
    bearer, other = RequireBearer(auth), RequireBearer(auth)
    assert bearer.require(scope("a")) == bearer.require(scope("a"))
    assert hash(bearer.require(scope("a"))) == hash(bearer.require(scope("a")))
    assert bearer.require(scope("a")) != bearer.require(scope("b"))
    assert bearer.require(scope("a")) != other.require(scope("a"))
    assert repr(bearer.require(scope("a"))) == '<require scope "a">'


async def test_an_overriding_identity_is_the_current_one(auth: Auth):
    """`current_auth` and `auth_from` agree with the parameter."""
    bearer = RequireBearer(auth)
    app = FastAPI()

    @app.get("/")
    async def who(request: Request, ctx: Annotated[AuthContext, Depends(bearer.require(scope("a")))]):
        return [ctx.subject, auth_from(request).subject, current_auth.subject]

    app.dependency_overrides[bearer] = lambda: AuthContext.of(subject="fake", scopes=["a"])
    assert (await get(app, "/")).body == b'["fake","fake","fake"]'


# Refusals


async def test_our_answer_comes_despite_the_teams_other_handlers(auth: Auth):
    """Handlers for HTTPException and for Exception are not asked."""
    app = app_with(RequireBearer(auth))
    called = []

    @app.exception_handler(HTTPException)
    @app.exception_handler(Exception)
    async def handler(request, error):
        called.append(error)
        return PlainTextResponse("theirs", 500)

    call = await get(app, "/orders")
    assert (call.status, call.header("content-type"), called) == (401, "application/problem+json", [])


@pytest.mark.parametrize("kind", [BearerkitError, Refused])
async def test_a_handler_of_the_team_for_our_errors_goes_first(auth: Auth, kind: type[BearerkitError]):
    """Whoever registers one wants it."""
    app = app_with(RequireBearer(auth))

    @app.exception_handler(kind)
    async def handler(request, error):
        return JSONResponse({"reason": error.reason}, error.status)

    call = await get(app, "/orders")
    assert (call.status, call.body) == (401, b'{"reason":"credentials_missing"}')


async def test_mounted_apps_answer_too(auth: Auth, token: str):
    """Each mounted app has exception handlers of its own."""
    inner = app_with(RequireBearer(auth))
    app = FastAPI()
    app.mount("/v1", inner)
    app.router.routes.append(Mount("/v2", app=app_with(RequireBearer(auth, render=lambda e, r: r.with_body("v2")))))
    assert (await get(app, "/v1/orders")).header("content-type") == "application/problem+json"
    assert (await get(app, "/v2/orders")).body == b"v2"
    assert (await get(app, "/v1/orders", token)).status == 200


async def test_each_bearer_answers_in_its_own_way(auth: Auth):
    """Two guards of one app render differently."""
    app = FastAPI()
    for name in ("one", "two"):
        bearer = RequireBearer(auth, render=lambda error, response, name=name: response.with_body(name))
        app.add_api_route(f"/{name}", _endpoint(bearer))
    assert [(await get(app, f"/{name}")).body for name in ("one", "two")] == [b"one", b"two"]


async def test_the_guard_that_refuses_is_the_one_that_answers(auth: Auth, token: str):
    """Also where another guard of the same request was content."""
    strict = RequireBearer(auth, render=lambda error, response: response.with_body("strict"))
    app = FastAPI(dependencies=[Depends(RequireBearer(auth))])
    app.get("/", dependencies=[Depends(strict.require(scope("a")))])(lambda: "reached")
    assert (await get(app, "/", token)).body == b"strict"
    assert b"Authentication is required" in (await get(app, "/")).body


def _endpoint(bearer: RequireBearer) -> Any:
    async def endpoint(ctx=Depends(bearer)):
        return ctx.subject

    return endpoint


async def test_a_refusal_of_the_handler_is_answered(auth: Auth, token: str):
    """Behind a guard; elsewhere it is an error as any other."""
    app = app_with(RequireBearer(auth))

    @app.get("/refusing", dependencies=[Depends(RequireBearer(auth))])
    async def refusing():
        raise PermissionDenied("no")

    @app.get("/unguarded")
    async def unguarded():
        raise PermissionDenied("no")

    assert (await get(app, "/refusing", token)).status == 403
    with pytest.raises(PermissionDenied):
        await get(app, "/unguarded", token)


@pytest.mark.parametrize("raises", [False, True])
async def test_not_found_may_return_or_raise(auth: Auth, token: str, raises: bool):
    """The team's own 404 for a foreign tenant, through its own handler of HTTPException."""

    async def not_found(request):
        if raises:
            raise HTTPException(404, "no such page")
        return PlainTextResponse(request.url.path, 404)

    app = app_with(RequireBearer(auth, not_found=not_found).require(tenant(header="X-Tenant")))
    call = await get(app, "/orders", token, [("X-Tenant", "evil")])
    assert (call.status, call.body) == (404, b'{"detail":"no such page"}' if raises else b"/orders")


async def test_the_user_is_request_user(auth: Auth, token: str):
    """The team's own user, and 401 for nobody."""
    bearer = RequireBearer(auth, user=load_user)
    app = FastAPI()

    @app.get("/")
    async def who(request: Request, ctx: Annotated[AuthContext, Depends(bearer)]):
        assert request.user == User("Ada")
        return request.user.name

    assert (await get(app, "/", token)).body == b'"Ada"'
    assert (await get(app, "/", ISSUER.token(sub="gone"))).status == 401


# The undocumented keys we rely on


async def test_starlette_still_keeps_its_exception_handlers_in_the_scope(auth: Auth, token: str):
    """`scope["starlette.exception_handlers"]` is a pair whose first item maps classes to handlers."""
    call = await get(app_with(RequireBearer(auth)), "/orders", token)
    handlers, by_status = call.scope["starlette.exception_handlers"]
    assert BearerkitError in handlers
    assert isinstance(by_status, dict)


async def test_fastapi_still_keeps_its_exit_stack_in_the_scope(auth: Auth, token: str):
    """`scope["fastapi_inner_astack"]` ends after the answer and its background tasks: then the caller is forgotten."""
    seen = []
    app = FastAPI()

    @app.get("/")
    async def who(tasks: BackgroundTasks, ctx: Annotated[AuthContext, Depends(RequireBearer(auth))]):
        tasks.add_task(lambda: seen.append(current_auth.subject))

    call = await get(app, "/", token)
    assert "fastapi_inner_astack" in call.scope
    assert seen == ["user"]
    assert CALLER.get() is None


async def test_without_the_exit_stack_nobody_gets_in(auth: Auth, token: str):
    """The caller could not be forgotten and the end of a token not be watched: that must not go unnoticed."""
    request = Request(http_scope("/", [("Authorization", f"Bearer {token}")]))
    with pytest.raises(RuntimeError, match="fastapi_inner_astack"):
        await RequireBearer(auth)(request, SecurityScopes())
    assert CALLER.get() is None


async def test_a_scope_that_no_token_can_carry_names_its_route(auth: Auth, token: str):
    """FastAPI tells `Security` no sooner what it is asked for; the text says where to look."""
    app = FastAPI()
    bearer = RequireBearer(auth)

    @app.get("/orders/{number}")
    async def orders(number: int, ctx: Annotated[AuthContext, Security(bearer, scopes=["orders read"])]):
        return "reached"

    with pytest.raises(ConfigError, match=r"the route /orders/\{number\} asks for Security.*orders read"):
        await get(app, "/orders/1", token)


async def test_an_override_loads_no_user(auth: Auth):
    """It stands in the place of the whole guard, so a test that needs a user says so with `as_user`."""
    bearer = RequireBearer(auth, user=load_user)
    app = FastAPI()

    @app.get("/")
    async def who(request: Request, ctx: Annotated[AuthContext, Depends(bearer.require(scope("a")))]):
        return request.user

    app.dependency_overrides[bearer] = lambda: AuthContext.of(subject="user", scopes=["a"])
    assert (await get(app, "/")).body == b"null"


async def test_a_refusal_is_answered_after_a_header_was_changed(auth: Auth, token: str):
    """The handler raises through the guard that let it in, whatever became of the header fields."""
    app = FastAPI()

    @app.get("/", dependencies=[Depends(RequireBearer(auth))])
    async def refusing(request: Request):
        MutableHeaders(scope=request.scope)["X-Request-ID"] = "1"
        raise PermissionDenied("no")

    assert (await get(app, "/", token)).status == 403


def test_any_scope_is_not_told_to_security(auth: Auth):
    """FastAPI would demand all of them."""
    bearer = RequireBearer(auth)

    def shown(need: Any) -> list[str]:
        parameter = bearer.require(need).__signature__.parameters["context"]  # type: ignore[attr-defined]
        return list(parameter.annotation.__metadata__[0].scopes)

    assert shown(any_scope("a", "b")) == []
    assert shown(scope("a", "b") & role("r")) == ["a", "b"]
