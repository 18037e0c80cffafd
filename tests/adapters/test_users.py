"""`scope["user"]` beside several guards: it is the user of the caller that the handler sees, or nobody."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapters.asgi_calls import get
from adapters.scenarios import AUDIENCE, ISSUER, User
from bearerkit import Auth, Issuer, Places
from bearerkit.starlette import BearerMiddleware, auth_from

pytestmark = pytest.mark.anyio


def user_of(prefix: str):
    return lambda ctx: User(f"{prefix}:{ctx.subject}")


async def who(request):
    return JSONResponse([auth_from(request).subject, getattr(request.scope.get("user"), "name", None)])


app = Starlette(routes=[Route("/{path:path}", who)])


@pytest.fixture
def service() -> Auth:
    """Trusts the same issuer, and reads its credential elsewhere."""
    return Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-service"))


async def test_an_anonymous_caller_has_no_user_of_another_gate(auth: Auth, service: Auth):
    """The outer guard knows Alice; the inner one, which the handler asks, knows nobody."""
    inner = BearerMiddleware(app, auth=service, optional=True, user=user_of("B"))
    outer = BearerMiddleware(inner, auth=auth, user=user_of("A"))
    alice = ISSUER.token(sub="alice")
    assert (await get(outer, "/x", alice)).body == b"[null,null]"
    assert (await get(outer, "/x", alice, [("X-Service", ISSUER.token(sub="s"))])).body == b'["s","B:s"]'


async def test_an_exempt_path_has_no_user_of_an_outer_gate(auth: Auth):
    """The anonymous context, whatever the request carries, and no user beside it."""
    for user in (user_of("strict"), None):
        inner = BearerMiddleware(app, auth=auth, exempt=["/pub"], user=user)
        outer = BearerMiddleware(inner, auth=auth, user=user_of("A"))
        assert (await get(outer, "/pub", ISSUER.token(sub="alice"))).body == b"[null,null]"


async def test_a_gate_without_a_loader_leaves_no_user_of_another_caller(auth: Auth, service: Auth):
    """But the user of the very caller stays."""
    alice, s = ISSUER.token(sub="alice"), ISSUER.token(sub="s")
    outer = BearerMiddleware(BearerMiddleware(app, auth=service), auth=auth, user=user_of("A"))
    assert (await get(outer, "/x", alice, [("X-Service", s)])).body == b'["s",null]'
    same = BearerMiddleware(BearerMiddleware(app, auth=auth), auth=auth, user=user_of("A"))
    assert (await get(same, "/x", alice)).body == b'["alice","A:alice"]'


class Session(AuthenticationBackend):
    """The team's own sign-in, beside ours."""

    async def authenticate(self, conn):
        user = SimpleUser("session")
        user.name = "session"
        return AuthCredentials(), user


async def test_a_user_that_is_not_ours_stays(auth: Auth, service: Auth):
    """Set before our guards or between them."""
    alice, headers = ISSUER.token(sub="alice"), [("X-Service", ISSUER.token(sub="s"))]
    before = AuthenticationMiddleware(BearerMiddleware(app, auth=auth), backend=Session())
    assert (await get(before, "/x", alice)).body == b'["alice","session"]'
    between = AuthenticationMiddleware(BearerMiddleware(app, auth=service), backend=Session())
    outer = BearerMiddleware(between, auth=auth, user=user_of("A"))
    assert (await get(outer, "/x", alice, headers)).body == b'["s","session"]'
