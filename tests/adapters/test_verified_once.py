"""A token is verified once per request, however many guards it passes, and never for another `Auth`."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from adapters.asgi_calls import get
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, AuthContext, Issuer, authenticated, scope
from bearerkit.fastapi import RequireBearer as FastAPIBearer
from bearerkit.starlette import BearerMiddleware, RequireBearer, auth_from
from bearerkit.testing import FakeIssuer

pytestmark = pytest.mark.anyio


class Counter:
    """Revocations that count how often they are asked: once per verification, whatever is cached."""

    def __init__(self) -> None:
        self.asked = 0

    async def is_revoked(self, **_: object) -> bool:
        self.asked += 1
        return False


def counting() -> tuple[Auth, Counter]:
    counter = Counter()
    return Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), revocations=counter), counter


async def test_stacked_guards_of_starlette():
    """Middleware, mount, route and method: four guards, one verification."""
    auth, counter = counting()
    bearer = RequireBearer(auth)

    async def endpoint(request):
        return PlainTextResponse(auth_from(request).subject)

    guarded = bearer.require(scope("a"))(bearer(endpoint))
    app = Starlette(
        routes=[Mount("/v1", bearer.require(authenticated())(Starlette(routes=[Route("/me", guarded)])))],
        middleware=[Middleware(BearerMiddleware, auth=auth)],
    )
    assert (await get(app, "/v1/me", ISSUER.token(scope="a"))).status == 200
    assert counter.asked == 1


async def test_stacked_dependencies_of_fastapi():
    """App, router, route and parameters with different scopes: FastAPI's own cache would not do."""
    auth, counter = counting()
    bearer = FastAPIBearer(auth)
    router = APIRouter(dependencies=[Security(bearer, scopes=["a"])])

    @router.get("/me", dependencies=[Depends(bearer.require(scope("b")))])
    async def me(
        one: Annotated[AuthContext, Depends(bearer)],
        two: Annotated[AuthContext, Security(bearer, scopes=["a", "b"])],
        three: Annotated[AuthContext, Depends(bearer.require(scope("c")))],
    ):
        return one is two is three

    app = FastAPI(dependencies=[Depends(bearer)])
    app.include_router(router)
    app.add_middleware(BearerMiddleware, auth=auth)
    assert (await get(app, "/me", ISSUER.token(scope="a b c"))).body == b"true"
    assert counter.asked == 1
    assert (await get(app, "/me", ISSUER.token(scope="a b c"))).status == 200
    assert counter.asked == 2


async def test_another_auth_verifies_for_itself():
    """What one `Auth` accepted says nothing to another one, on the same request."""
    lenient, strict = Auth(Issuer(ISSUER.issuer, audience="other", keys=ISSUER.jwks)), counting()[0]

    async def endpoint(request):
        return PlainTextResponse(auth_from(request).subject)

    app = Starlette(
        routes=[Route("/", RequireBearer(strict)(endpoint))], middleware=[Middleware(BearerMiddleware, auth=lenient)]
    )
    assert (await get(app, "/", ISSUER.token(aud="other"))).status == 401
    assert (await get(app, "/", ISSUER.token(aud=["other", AUDIENCE]))).status == 200


async def test_a_refused_token_is_refused_again():
    """A failure is not remembered as a caller."""
    auth, counter = counting()
    stranger = FakeIssuer(ISSUER.issuer, alg="ES256", audience=AUDIENCE)
    bearer = FastAPIBearer(auth)
    app = FastAPI()

    @app.get("/me")
    async def me(ctx: Annotated[AuthContext, Depends(bearer)]):
        return "reached"

    assert (await get(app, "/me", stranger.token())).status == 401
    assert counter.asked == 0


async def test_an_anonymous_pass_does_not_satisfy_a_later_guard():
    """`optional=True` at the door, a credential wanted inside: in both orders of asking."""
    auth, _ = counting()
    optional, required = FastAPIBearer(auth, optional=True), FastAPIBearer(auth)
    app = FastAPI(dependencies=[Depends(optional)])

    @app.get("/inside")
    async def inside(ctx: Annotated[AuthContext, Depends(required)]):
        return "reached"

    @app.get("/need")
    async def need(ctx: Annotated[AuthContext, Depends(optional.require(authenticated()))]):
        return "reached"

    assert (await get(app, "/inside")).status == 401
    assert (await get(app, "/need")).status == 401
