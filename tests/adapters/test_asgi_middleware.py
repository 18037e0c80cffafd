"""The pure ASGI guards: the default requirement of a whole application, and single guarded apps."""

from __future__ import annotations

import pytest

from adapters.asgi_calls import Call, get, http_scope
from adapters.scenarios import AUDIENCE, ISSUER, User, load_user
from bearerkit import Auth, Issuer, scope, tenant
from bearerkit.asgi import BearerMiddleware, RequireBearer, auth_from, current_auth
from bearerkit.errors import Expired, PermissionDenied, TenantUnknown


async def who(scope, receive, send):
    """Says who is calling, by the scope and by the context variable."""
    text = f"{auth_from(scope).subject}={current_auth.subject}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})


async def nowhere(scope, receive, send):
    """An app that must not be reached."""
    raise AssertionError("reached")


@pytest.mark.anyio
async def test_the_middleware_guards_everything_by_default(auth: Auth, token: str):
    """No credential, no answer of the application."""
    assert (await get(BearerMiddleware(nowhere, auth), "/anything")).status == 401
    assert (await get(BearerMiddleware(who, auth), "/anything", token)).body == b"user=user"


@pytest.mark.anyio
async def test_the_middleware_takes_a_default_requirement(auth: Auth, token: str):
    """`need` applies to every path that is not exempt."""
    app = BearerMiddleware(who, auth, need=scope("orders:read"), exempt=["/health"])
    assert (await get(app, "/orders", token)).status == 403
    assert (await get(app, "/orders", ISSUER.token(scope="orders:read"))).status == 200
    assert (await get(app, "/health")).body == b"None=None"


@pytest.mark.anyio
async def test_an_issuer_is_enough(token: str):
    """`RequireBearer(Issuer(…))` and the middleware build the `Auth` themselves."""
    issuer = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)
    assert (await get(RequireBearer(issuer)(who), "/", token)).status == 200
    assert (await get(BearerMiddleware(who, issuer), "/", token)).status == 200


@pytest.mark.anyio
async def test_lifespan_and_unknown_scopes_go_through():
    """Only requests are judged."""
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    await BearerMiddleware(app, Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))(
        {"type": "lifespan"}, None, None
    )
    assert seen == ["lifespan"]


@pytest.mark.anyio
async def test_a_refusal_has_its_length(auth: Auth):
    """Servers need not fall back to chunks for our answers."""
    call = await get(RequireBearer(auth)(nowhere), "/")
    assert call.header("content-length") == str(len(call.body)) != "0"


@pytest.mark.anyio
async def test_a_refusal_of_the_handler_is_answered(auth: Auth, token: str):
    """An app may raise what the core raises."""

    async def app(scope, receive, send):
        raise PermissionDenied("not today")

    assert (await get(RequireBearer(auth)(app), "/", token)).status == 403


@pytest.mark.anyio
async def test_a_refusal_after_the_answer_began_is_passed_on(auth: Auth, token: str):
    """There is nothing left to answer, and it must not be lost."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Expired("too late")

    with pytest.raises(Expired):
        await get(RequireBearer(auth)(app), "/", token)


@pytest.mark.anyio
async def test_other_errors_of_the_handler_are_passed_on(auth: Auth, token: str):
    """They are the server's business."""

    async def app(scope, receive, send):
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        await get(RequireBearer(auth)(app), "/", token)


@pytest.mark.anyio
@pytest.mark.parametrize("is_async", [False, True])
async def test_the_user_is_in_the_scope(auth: Auth, token: str, is_async: bool):
    """Sync and async loaders; without a loader nothing is put there."""

    async def aload(ctx):
        return load_user(ctx)

    call = Call(
        RequireBearer(auth, user=aload if is_async else load_user)(who),
        http_scope("/", [("Authorization", f"Bearer {token}")]),
    )
    await call.run()
    assert call.scope["user"] == User("Ada")
    plain = await get(RequireBearer(auth)(who), "/", token)
    assert "user" not in plain.scope


@pytest.mark.anyio
@pytest.mark.parametrize("is_async", [False, True])
async def test_the_team_may_answer_for_a_foreign_tenant(auth: Auth, token: str, is_async: bool):
    """`not_found` gets the scope and returns the app that answers; other refusals stay ours."""
    seen = []

    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"nothing here"})

    async def anot_found(scope):
        seen.append(scope["path"])
        return page

    def not_found(scope):
        seen.append(scope["path"])
        return page

    bearer = RequireBearer(auth, not_found=anot_found if is_async else not_found)
    app = bearer.require(tenant(header="X-Tenant"))(nowhere)
    call = await get(app, "/orders", token, [("X-Tenant", "acme")])
    assert (call.status, call.body, seen) == (404, b"nothing here", ["/orders"])
    assert (await get(app, "/orders")).status == 401


@pytest.mark.anyio
async def test_a_refusal_of_the_handler_is_told_to_the_operator(auth: Auth, token: str, caplog):
    """Once each, also where the team answers with a page of its own."""

    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 404, "headers": []})

    def app(error):
        async def refuses(scope, receive, send):
            raise error

        return RequireBearer(auth, not_found=lambda scope: page)(RequireBearer(auth)(refuses))

    with caplog.at_level("INFO", "bearerkit.auth"):
        for error in (PermissionDenied("not today"), TenantUnknown("not here")):
            await get(app(error), "/", token)
        await get(RequireBearer(auth, not_found=lambda scope: page)(refusing_tenant), "/", token)
    assert [record.getMessage() for record in caplog.records] == [
        "refused: permission_denied: not today",
        "refused: tenant_unknown: not here",
        "refused: tenant_unknown: nor there",
    ]


async def refusing_tenant(scope, receive, send):
    """A handler that knows no such tenant."""
    raise TenantUnknown("nor there")


@pytest.mark.anyio
async def test_the_minimal_scope_is_enough(auth: Auth, token: str):
    """Servers may leave out everything that ASGI calls optional."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"authorization", f"Bearer {token}".encode())]}
    assert (await Call(RequireBearer(auth)(who), scope).run()).status == 200


def test_auth_from_says_what_is_missing():
    """Outside a guarded request there is no caller, and no guess at one."""
    with pytest.raises(RuntimeError, match="RequireBearer or BearerMiddleware"):
        auth_from({"type": "http"})
    with pytest.raises(RuntimeError, match="RequireBearer or BearerMiddleware"):
        _ = current_auth.subject
