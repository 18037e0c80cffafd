"""WebSockets: judged before they are accepted, refused in HTTP where the server can, ended with the token if wanted."""

import functools
import json
from typing import Annotated, Any

import anyio
import pytest
from fastapi import Depends, FastAPI, Security
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.exceptions import WebSocketException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from adapters.asgi_calls import Socket, websocket_scope
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, AuthContext, InternalSecret, Issuer, Places, Sessions, scope, tenant
from bearerkit.asgi import RequireBearer as AsgiBearer
from bearerkit.errors import Expired, PermissionDenied
from bearerkit.fastapi import RequireBearer as FastAPIBearer
from bearerkit.fastapi import auth_from, current_auth
from bearerkit.starlette import BearerMiddleware, RequireBearer
from bearerkit.testing import FrozenClock
from bearerkit.websocket import Channel

pytestmark = pytest.mark.anyio
READER = {"scope": "orders:read"}
CLOSED = {"type": "websocket.close", "code": 1008}


async def talk(websocket: WebSocket) -> None:
    """Says who is calling, then echoes."""
    await websocket.accept()
    await websocket.send_text(f"{auth_from(websocket).subject}={current_auth.subject}")
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as end:
        ends.append((end.code, end.reason))


ends: list[tuple[int, str]] = []


@pytest.fixture(autouse=True)
def _no_ends():
    ends.clear()


class Talk(WebSocketEndpoint):
    """The same as a class endpoint."""

    encoding = "text"

    async def on_connect(self, websocket):
        await websocket.accept()
        await websocket.send_text(f"{auth_from(websocket).subject}={current_auth.subject}")

    async def on_receive(self, websocket, data):
        await websocket.send_text(data)

    async def on_disconnect(self, websocket, close_code):
        ends.append((close_code, ""))


async def asgi_talk(scope, receive, send):
    """The same without a framework."""
    await talk(WebSocket(scope, receive, send))


def by_starlette(auth: Auth, need: Any = None, **options: Any) -> Any:
    bearer = RequireBearer(auth, **options)
    guard = bearer if need is None else bearer.require(need)
    return Starlette(routes=[WebSocketRoute("/ws/{tenant_id}", guard(talk))])


def by_class(auth: Auth, need: Any = None, **options: Any) -> Any:
    bearer = RequireBearer(auth, **options)
    guard = bearer if need is None else bearer.require(need)
    return Starlette(routes=[WebSocketRoute("/ws/{tenant_id}", guard(Talk))])


def by_middleware(auth: Auth, need: Any = None, **options: Any) -> Any:
    return Starlette(
        routes=[WebSocketRoute("/ws/{tenant_id}", talk)],
        middleware=[Middleware(BearerMiddleware, auth=auth, need=need, **options)],
    )


def by_asgi(auth: Auth, need: Any = None, **options: Any) -> Any:
    bearer = AsgiBearer(auth, **options)
    return bearer(asgi_talk) if need is None else bearer.require(need)(asgi_talk)


def by_fastapi(auth: Auth, need: Any = None, **options: Any) -> Any:
    bearer = FastAPIBearer(auth, **options)
    guard = bearer if need is None else bearer.require(need)
    app = FastAPI()

    @app.websocket("/ws/{tenant_id}")
    async def endpoint(websocket: WebSocket, ctx: Annotated[AuthContext, Depends(guard)]):
        await talk(websocket)

    return app


def by_mount(auth: Auth, need: Any = None, **options: Any) -> Any:
    return Starlette(routes=[Mount("/", app=by_fastapi(auth, need, **options))])


everywhere = pytest.mark.parametrize("build", [by_starlette, by_class, by_middleware, by_asgi, by_fastapi, by_mount])


def connect(app: Any, token: str | None = None, *, subprotocols: str | None = None, **more: Any) -> Socket:
    headers = [] if token is None else [("Authorization", f"Bearer {token}")]
    if subprotocols is not None:
        headers.append(("Sec-WebSocket-Protocol", subprotocols))
    return Socket(app, websocket_scope("/ws/acme", headers, **more))


@everywhere
async def test_a_header_lets_in(auth: Auth, token: str, build):
    """The handler runs as usual and knows the caller both ways; no subprotocol is invented."""
    async with connect(build(auth), token) as socket:
        accepted = await socket.hear()
        assert (accepted["type"], accepted.get("subprotocol")) == ("websocket.accept", None)
        assert (await socket.hear())["text"] == "user=user"
        await socket.say("hello")
        assert (await socket.hear())["text"] == "hello"
    assert ends == [(1000, "")]


@everywhere
async def test_a_subprotocol_lets_in_and_bearer_is_echoed(auth: Auth, token: str, build):
    """Browsers cannot set headers; the server must pick one of the offered subprotocols, and never the token."""
    async with connect(build(auth), subprotocols=f"bearer, {token}") as socket:
        accepted = await socket.hear()
        assert accepted["subprotocol"] == "bearer"
        assert token not in str(accepted)
        assert (await socket.hear())["text"] == "user=user"


async def test_a_subprotocol_that_the_handler_chose_stays(auth: Auth, token: str):
    """The application speaks its own protocol beside ours."""

    async def endpoint(websocket):
        await websocket.accept(subprotocol="chat")

    app = Starlette(routes=[WebSocketRoute("/ws/{x}", RequireBearer(auth)(endpoint))])
    async with connect(app, subprotocols=f"chat, bearer, {token}") as socket:
        assert (await socket.hear())["subprotocol"] == "chat"


@everywhere
async def test_a_refusal_is_an_http_answer_where_the_server_can(auth: Auth, build):
    """The same status, challenge and body as for HTTP."""
    async with connect(build(auth)) as socket:
        start, body = await socket.hear(), await socket.hear()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
        assert (b"www-authenticate", b'Bearer realm="api"') in start["headers"]
        assert body["type"] == "websocket.http.response.body"
        assert json.loads(body["body"])["detail"] == "Authentication is required."
        assert await socket.silent()


@everywhere
async def test_a_refusal_closes_where_the_server_cannot(auth: Auth, build):
    """Policy violation, before anything was accepted."""
    async with connect(build(auth), denial=False) as socket:
        message = await socket.hear()
        assert CLOSED.items() <= message.items()
        assert await socket.silent()


@everywhere
@pytest.mark.parametrize(
    ("claims", "need", "status"),
    [
        ({}, scope("orders:read"), 403),
        (READER, scope("orders:read"), None),
        ({"tenant_id": "evil"}, tenant(query="tenant"), 404),
    ],
)
async def test_needs_hold_for_websockets(auth: Auth, build, claims, need, status):
    """Scopes, tenants and everything else."""
    async with connect(build(auth, need), ISSUER.token(**claims), query="tenant=acme") as socket:
        first = await socket.hear()
        assert first.get("status") == status
        assert first["type"] == ("websocket.accept" if status is None else "websocket.http.response.start")


@everywhere
@pytest.mark.parametrize("subprotocols", ["bearer", "bearer, ", "bearer, a b", "bearer, x, bearer, y"])
async def test_malformed_subprotocols_are_a_bad_request(auth: Auth, build, subprotocols: str):
    """One credential or none."""
    async with connect(build(auth), subprotocols=subprotocols) as socket:
        assert (await socket.hear())["status"] == 400


async def test_header_and_subprotocol_together_are_a_bad_request(auth: Auth, token: str):
    """More than one credential (RFC 6750 section 3.1)."""
    async with connect(by_starlette(auth), token, subprotocols=f"bearer, {token}") as socket:
        assert (await socket.hear())["status"] == 400


async def test_scopes_of_security_hold_for_websockets(auth: Auth, token: str):
    """FastAPI's own spelling."""
    app = FastAPI()
    bearer = FastAPIBearer(auth)

    @app.websocket("/ws/{x}")
    async def endpoint(websocket: WebSocket, ctx: Annotated[AuthContext, Security(bearer, scopes=["orders:read"])]):
        await talk(websocket)

    async with connect(app, token) as socket:
        assert (await socket.hear())["status"] == 403
    async with connect(app, ISSUER.token(**READER)) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"


@everywhere
async def test_the_team_may_answer_for_a_foreign_tenant(auth: Auth, token: str, build):
    """`not_found` answers the handshake too; where it cannot, the socket is closed."""
    app = build(auth, tenant(query="tenant"), not_found=lambda request: PlainTextResponse("nothing", 404))
    async with connect(app, token, query="tenant=acme") as socket:
        assert (await socket.hear())["status"] == 404
        assert (await socket.hear())["body"] == b"nothing"
    async with connect(app, token, query="tenant=acme", denial=False) as socket:
        assert CLOSED.items() <= (await socket.hear()).items()


# Refusals of the handler


@pytest.mark.parametrize("accepts", [False, True])
@pytest.mark.parametrize("framework", ["starlette", "fastapi", "asgi"])
async def test_a_refusal_of_the_handler_is_answered(auth: Auth, token: str, framework: str, accepts: bool):
    """In HTTP before the handshake is over, with a close frame after it."""

    async def endpoint(websocket: WebSocket) -> None:
        if accepts:
            await websocket.accept()
        raise PermissionDenied("no")

    if framework == "starlette":
        app: Any = Starlette(routes=[WebSocketRoute("/ws/{x}", RequireBearer(auth)(endpoint))])
    elif framework == "asgi":
        app = AsgiBearer(auth)(lambda scope, receive, send: endpoint(WebSocket(scope, receive, send)))
    else:
        app = FastAPI(dependencies=[Depends(FastAPIBearer(auth))])
        app.add_api_websocket_route("/ws/{x}", endpoint)
    async with connect(app, token) as socket:
        if accepts:
            assert (await socket.hear())["type"] == "websocket.accept"
            assert CLOSED.items() <= (await socket.hear()).items()
        else:
            assert (await socket.hear())["status"] == 403


@pytest.mark.parametrize("accepts", [False, True])
@pytest.mark.parametrize("framework", ["starlette", "fastapi", "asgi", "middleware"])
async def test_a_refusal_after_the_handler_closed_sends_nothing(auth: Auth, token: str, framework: str, accepts: bool):
    """The conversation is over; a second close frame, or an answer, would be an error of the server."""

    async def endpoint(websocket: WebSocket) -> None:
        if accepts:
            await websocket.accept()
        await websocket.close(4001)
        raise PermissionDenied("no")

    async def plain(scope, receive, send):
        await endpoint(WebSocket(scope, receive, send))

    if framework == "starlette":
        app: Any = Starlette(routes=[WebSocketRoute("/ws/{x}", RequireBearer(auth)(endpoint))])
    elif framework == "asgi":
        app = AsgiBearer(auth)(plain)
    elif framework == "middleware":
        app = BearerMiddleware(plain, auth=auth)
    else:
        app = FastAPI(dependencies=[Depends(FastAPIBearer(auth))])
        app.add_api_websocket_route("/ws/{x}", endpoint)
    async with connect(app, token) as socket:
        if accepts:
            assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["code"] == 4001
        assert await socket.silent()


@pytest.mark.parametrize("outer", [False, True])
async def test_a_guarded_method_closes_after_the_handshake(auth: Auth, token: str, outer: bool):
    """`on_receive` is judged per message; it can only close what `on_connect` has accepted, and only once."""
    bearer = RequireBearer(auth)

    class Endpoint(WebSocketEndpoint):
        encoding = "text"

        @bearer.require(scope("orders:read"))
        async def on_receive(self, websocket, data):
            await websocket.send_text(f"{current_auth.subject}: {data}")

    app: Any = Starlette(routes=[WebSocketRoute("/ws/{x}", Endpoint)])
    if outer:
        app = BearerMiddleware(app, auth=auth)
    async with connect(app, token) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        await socket.say("hello")
        assert CLOSED.items() <= (await socket.hear()).items()
        await socket.say("hello")
        assert await socket.silent()
    async with connect(app, ISSUER.token(**READER)) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        for text in ("one", "two"):
            await socket.say(text)
            assert (await socket.hear())["text"] == f"user: {text}"


@pytest.mark.parametrize("known", [False, True])
async def test_a_dependency_that_accepts_before_the_guard(auth: Auth, token: str, known: bool):
    """Whether the guard or the handler refuses then, it can only close."""

    async def accepts(websocket: WebSocket):
        await websocket.accept()

    app = FastAPI()

    @app.websocket("/ws/{x}", dependencies=[Depends(accepts), Depends(FastAPIBearer(auth))])
    async def endpoint(websocket: WebSocket):
        raise PermissionDenied("no")

    async with connect(app, token if known else None) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        assert CLOSED.items() <= (await socket.hear()).items()
        assert await socket.silent()


@pytest.mark.parametrize("closes", [False, True])
async def test_a_guard_that_is_entered_after_the_handshake(auth: Auth, token: str, closes: bool):
    """Guards of plain ASGI know from the outer one how far the conversation is, and each speaks for its own part."""

    async def inner(scope, receive, send):
        if not closes:
            raise PermissionDenied("no")

    async def outer(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await AsgiBearer(auth)(inner)(scope, receive, send)
        if closes:
            await send({"type": "websocket.close", "code": 4001})
            raise PermissionDenied("no")

    async with connect(AsgiBearer(auth)(outer), token) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["code"] == (4001 if closes else 1008)
        assert await socket.silent()


async def test_a_guarded_method_leaves_the_socket_as_it_was(auth: Auth, token: str):
    """A long conversation must not wrap it anew with every message."""
    seen = set()

    class Endpoint(WebSocketEndpoint):
        encoding = "text"

        async def on_receive(self, websocket, data):
            await self.guarded(websocket)
            seen.add(websocket.send)
            await websocket.send_text(data)

        @RequireBearer(auth)
        async def guarded(self, websocket):
            pass

    async with connect(Starlette(routes=[WebSocketRoute("/ws/{x}", Endpoint)]), token) as socket:
        await socket.hear()
        for text in ("one", "two"):
            await socket.say(text)
            assert (await socket.hear())["text"] == text
    assert len(seen) == 1


async def test_a_long_reason_is_cut_to_what_a_close_frame_holds(auth: Auth, token: str):
    """123 bytes, not characters, and no half character (RFC 6455 section 5.5)."""

    async def endpoint(websocket):
        await websocket.accept()
        raise PermissionDenied("no", public="\xe9" * 120)

    app = Starlette(routes=[WebSocketRoute("/ws/{x}", RequireBearer(auth)(endpoint))])
    async with connect(app, token) as socket:
        await socket.hear()
        assert (await socket.hear())["reason"] == "\xe9" * 61


async def test_a_handlers_own_exceptions_stay_its_own(auth: Auth):
    """A task group watches the time; what the handler raises must not come out wrapped."""

    async def endpoint(websocket):
        await websocket.accept()
        raise WebSocketException(4000, "mine")

    app = Starlette(routes=[WebSocketRoute("/ws/{x}", RequireBearer(auth, close_on_expiry=True)(endpoint))])
    async with connect(app, ISSUER.token()) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["code"] == 4000


# The end of the token


NOW = FrozenClock()


@pytest.fixture
def frozen(auth: Auth):
    """Judging takes no time, however slow the machine is; the conversation runs in real time."""
    with auth.replaced(clock=NOW):
        yield auth


def brief(seconds: float = 0.5) -> str:
    """A token that is good for a moment longer."""
    return ISSUER.token(iat=None, exp=NOW.now() + seconds)


@everywhere
async def test_the_socket_closes_when_the_token_expires(frozen: Auth, build):
    """A handler that receives is told that the peer has gone; the peer gets a close frame."""
    async with connect(build(frozen, close_on_expiry=True), brief()) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["text"] == "user=user"
        message = await socket.hear()
        assert CLOSED.items() <= message.items()
        assert message["reason"] == Expired.public
        await anyio.wait_all_tasks_blocked()
        assert [code for code, _ in ends] == [1008]


@everywhere
async def test_without_the_option_it_stays_open(frozen: Auth, build):
    """The default: a token is judged when the conversation begins."""
    async with connect(build(frozen), brief(-5)) as socket:  # within the leeway
        assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["text"] == "user=user"
        await socket.say("still here")
        assert (await socket.hear())["text"] == "still here"


@pytest.mark.parametrize("build", [by_starlette, by_middleware, by_asgi, by_fastapi])
async def test_an_idle_handler_does_not_keep_it_open(frozen: Auth, build, monkeypatch):
    """A handler that neither sends nor receives is no reason to go on."""

    async def idle(websocket):
        await websocket.accept()
        await anyio.Event().wait()

    monkeypatch.setitem(talk.__globals__, "talk", idle)
    app = build(frozen, close_on_expiry=True)
    async with connect(app, brief()) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        assert CLOSED.items() <= (await socket.hear()).items()
        socket.leave()


async def test_a_token_that_is_over_at_the_handshake_is_not_accepted(frozen: Auth):
    """Within the leeway it verifies, but there is no time left to talk."""
    app = by_starlette(frozen, close_on_expiry=True)
    async with connect(app, brief(-5)) as socket:
        assert (await socket.hear())["status"] == 401


async def test_a_guard_that_ends_beside_one_that_does_not(frozen: Auth):
    """Two guards of one `Auth` and one caller: the one that asks for an end gets it, whichever comes first."""
    app = FastAPI(dependencies=[Depends(FastAPIBearer(frozen))])

    @app.websocket("/ws/{x}", dependencies=[Depends(FastAPIBearer(frozen, close_on_expiry=True))])
    async def endpoint(websocket: WebSocket):
        await talk(websocket)

    async with connect(app, brief()) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        await socket.hear()
        assert CLOSED.items() <= (await socket.hear()).items()


async def test_a_socket_that_was_accepted_before_the_guard_ends_too(frozen: Auth):
    """Its first message is no handshake, so waiting for it ends with the token."""

    async def accepts(websocket: WebSocket):
        await websocket.accept()

    app = FastAPI()
    bearer = FastAPIBearer(frozen, close_on_expiry=True)

    @app.websocket("/ws/{x}", dependencies=[Depends(accepts), Depends(bearer)])
    async def endpoint(websocket: WebSocket):
        with pytest.raises(WebSocketDisconnect) as end:
            await websocket.receive_text()
        ends.append((end.value.code, end.value.reason))

    async with connect(app, brief()) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        assert CLOSED.items() <= (await socket.hear()).items()
        await anyio.wait_all_tasks_blocked()
        assert [code for code, _ in ends] == [1008]


def two_fastapi(gateway: Auth, auth: Auth, *, optional: bool, flipped: bool) -> Any:
    """The app's own guard, and the route's."""
    dependencies = [
        FastAPIBearer(gateway, close_on_expiry=True, optional=optional),
        FastAPIBearer(auth, close_on_expiry=True),
    ]
    first, second = reversed(dependencies) if flipped else dependencies
    app = FastAPI(dependencies=[Depends(first)])

    @app.websocket("/ws/{x}", dependencies=[Depends(second)])
    async def endpoint(websocket: WebSocket):
        await talk(websocket)

    return app


def two_starlette(gateway: Auth, auth: Auth, *, optional: bool, flipped: bool) -> Any:
    """One decorator around the other."""
    guards = [
        RequireBearer(gateway, close_on_expiry=True, optional=optional),
        RequireBearer(auth, close_on_expiry=True),
    ]
    first, second = reversed(guards) if flipped else guards
    return Starlette(routes=[WebSocketRoute("/ws/{x}", first(second(talk)))])


@pytest.mark.parametrize("build", [two_fastapi, two_starlette])
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("service", [None, 9_999.0])
async def test_of_two_credentials_the_earliest_end_counts(frozen: Auth, build, flipped: bool, service: float | None):
    """A gateway's token that lasts, or an anonymous gateway, does not keep the caller's conversation open."""
    gateway = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-gateway"))
    headers = [("Authorization", f"Bearer {brief()}")]
    if service is not None:
        headers.append(("X-Gateway", brief(service)))
    with gateway.replaced(clock=NOW):
        app = build(gateway, frozen, optional=service is None, flipped=flipped)
        async with Socket(app, websocket_scope("/ws/acme", headers)) as socket:
            assert (await socket.hear())["type"] == "websocket.accept"
            await socket.hear()
            with anyio.fail_after(5):
                assert CLOSED.items() <= (await socket.hear()).items()
            await anyio.wait_all_tasks_blocked()
            assert [code for code, _ in ends] == [1008]
            assert await socket.silent()


class Line:
    """An ASGI receive and send that hold nothing and note everything."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def receive(self) -> Any:
        return {"type": "websocket.receive", "text": "x"}

    async def never(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("answered")

    async def send(self, message: Any) -> None:
        self.sent.append(message["type"])
        if message["type"] == "websocket.close":
            raise OSError("the peer has left")


async def test_after_the_end_nothing_passes():
    """No message in either direction, one close frame, and closing again is no error."""
    line = Line()
    channel = Channel({}, line.receive, line.send, seconds=0, gone=functools.partial(LookupError, "gone"))
    assert (await channel.receive())["text"] == "x"
    with pytest.raises(LookupError, match="gone"):
        await channel.send({"type": "websocket.send", "text": "late"})
    assert (await channel.receive())["type"] == "websocket.disconnect"
    await channel.send({"type": "websocket.close"})
    await channel.send({"type": "websocket.http.response.start"})
    await channel.refuse(line.never, "no")
    assert line.sent == ["websocket.close"]


async def test_a_socket_that_the_handler_closed_is_not_closed_again():
    """The watch is over with the conversation."""
    line = Line()
    line.send = lambda message: anyio.sleep(0)  # type: ignore[method-assign, assignment]
    channel = Channel({}, line.receive, line.send, seconds=0.01)
    async with channel.open():
        await channel.send({"type": "websocket.close"})
        await anyio.sleep(0.03)
    assert line.sent == []


SESSION = "of-ada-0123456789"
SECRET = "of-our-services-0123456789-abcdefghi"
OWN_SITE = "https://api.example.test"


def with_sessions(*more: Any, **claims: Any) -> Auth:
    async def resolve(session_id):
        await anyio.sleep(0)
        return {"sub": "ada", **claims} if session_id == SESSION else None

    sessions = Sessions(resolve, cookie="sid", origins=["https://app.example.test"])
    return Auth(sessions, InternalSecret(SECRET), *more)


def handshake(app: Any, *headers: tuple[str, str]) -> Socket:
    return Socket(app, websocket_scope("/ws/acme", (("Host", "api.example.test"), *headers)))


@everywhere
@pytest.mark.parametrize(
    "where",
    [
        [("Origin", OWN_SITE)],
        [("Origin", "https://app.example.test")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", OWN_SITE)],
    ],
)
async def test_a_session_cookie_lets_in_from_a_page_that_may(build, where):
    """Of this very origin, or of one that was allowed."""
    async with handshake(build(with_sessions()), ("Cookie", f"sid={SESSION}"), *where) as socket:
        assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["text"] == "ada=ada"


@everywhere
@pytest.mark.parametrize(
    "where",
    [
        [],
        [("Origin", "null")],
        [("Origin", "https://evil.example.test")],
        [("Origin", f"{OWN_SITE}.evil.test")],
        [("Origin", "http://api.example.test")],
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example.test")],
        [("Sec-Fetch-Site", "same-site"), ("Origin", OWN_SITE)],
    ],
)
async def test_no_page_of_another_site_opens_a_websocket_with_a_cookie(build, where):
    """Cross-site WebSocket hijacking: the browser sends the cookie, and no CORS stands in between."""
    async with handshake(build(with_sessions()), ("Cookie", f"sid={SESSION}"), *where) as socket:
        start = await socket.hear()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)


@everywhere
async def test_other_credentials_of_websockets_do_not_ask_for_an_origin(build, token: str):
    """A token in a header or a subprotocol goes before the cookie, and a secret is sent by no browser."""
    app = build(with_sessions(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)))
    evil, cookie = ("Origin", "https://evil.example.test"), ("Cookie", f"sid={SESSION}")
    for credential, text in (
        ((cookie, ("Authorization", f"Bearer {token}")), "user=user"),
        ((cookie, ("Sec-WebSocket-Protocol", f"bearer, {token}")), "user=user"),
        ((("X-Internal-Secret", SECRET),), "internal=internal"),
    ):
        async with handshake(app, evil, *credential) as socket:
            assert (await socket.hear())["type"] == "websocket.accept"
            assert (await socket.hear())["text"] == text
    async with handshake(app, ("X-Internal-Secret", SECRET), ("Authorization", f"Bearer {token}")) as socket:
        assert (await socket.hear())["status"] == 400


async def test_a_conversation_may_end_with_its_session():
    """By the `exp` among its claims."""
    clock = FrozenClock()
    auth = with_sessions(exp=clock.now() + 0.2)
    app = by_starlette(auth, close_on_expiry=True)
    with auth.replaced(clock=clock):
        async with handshake(app, ("Cookie", f"sid={SESSION}"), ("Origin", OWN_SITE)) as socket:
            assert [(await socket.hear())["type"] for _ in range(2)] == ["websocket.accept", "websocket.send"]
            assert CLOSED.items() <= (await socket.hear()).items()
