"""Attacks on the way of a credential, in every framework: several of them, odd bytes, odd paths, odd methods."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from adapters.asgi_calls import Socket, websocket_scope
from adapters.built.django_app import hosted
from adapters.drivers import TARGETS, application
from adapters.scenarios import AUDIENCE, ISSUER, METADATA, PREFLIGHT
from adapters.wsgi_calls import WsgiCall, environ_of, wsgi_get
from bearerkit import Auth, Issuer, Places
from bearerkit.asgi import BearerMiddleware as AsgiMiddleware
from bearerkit.wsgi import BearerMiddleware as WsgiMiddleware
from security.attack import attacks, case
from security.wire import BEARER, Wire, check, send

TOKEN = "Bearer {token}"
SCHEMES: dict[str, tuple[int, str]] = {
    "bearer in small letters": (200, "bearer {token}"), "BEARER in capitals": (200, "BEARER {token}"),
    "two spaces": (400, "Bearer  {token}"), "a tab": (400, "Bearer\t{token}"), "no token": (400, "Bearer"),
    "a space and no token": (400, "Bearer "), "an empty field": (401, ""), "a space before": (401, " Bearer {token}"),
    "a space behind": (400, "Bearer {token} "), "quotes": (400, 'Bearer "{token}"'), "a parameter":
    (400, "Bearer token={token}"), "a colon": (400, "Bearer: {token}"), "a scheme like ours": (401, "Bearers {token}"),
}  # fmt: skip
BYTES: dict[str, tuple[int, str]] = {
    "latin-1 bytes in the token": (400, "Bearer t\xf6ken"), "latin-1 bytes before it": (401, "\xe9 {token}"),
    "a no-break space": (400, "Bearer\xa0{token}"), "bytes that are no UTF-8": (400, "Bearer \xff\xfe"),
    "NUL in the token": (400, "Bearer a\0b"), "all control characters": (400, "Bearer " + "".join(map(chr, range(32)))),
    "64 kB of token": (401, "Bearer " + "a" * 65_536), "64 kB of dots": (401, "Bearer " + "." * 65_536),
    "64 kB of commas": (400, "Bearer " + "," * 65_536), "64 kB of another scheme": (401, "X" * 65_536),
    "64 kB of spaces": (400, "Bearer" + " " * 65_536), "64 kB before a second scheme":
    (400, "Basic x," + " " * 65_536 + "Bearer {token}"),
}  # fmt: skip
PATHS = {
    "two slashes": "//health", "a slash behind": "/health/", "an encoded slash": "/health%2F",
    "an encoded slash before": "/%2Fhealth", "needless encoding": "/%68ealth", "encoded twice": "/%2568ealth",
    "a parameter": "/health;v=1",
    "an encoded NUL": "/health%00", "an encoded newline": "/health%0a", "out of a tree": "/static/../me",
    "out of a tree, encoded": "/static/..%2fme", "out of a tree, dots encoded": "/static/%2e%2e/me",
    "out of a tree, a backslash": "/static/..%5cme", "other letters": "/HEALTH", "full-width letters":
    "/%EF%BD%88ealth", "an encoded question mark": "/health%3F",
}  # fmt: skip
FORWARDED = (
    ("Host", "evil.example"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Prefix", "/evil"), ("Forwarded", "host=evil.example;proto=http"), ("X-Original-URL", "/health"),
    ("X-Rewrite-URL", "/health"), ("X-HTTP-Method-Override", "OPTIONS"),
)  # fmt: skip
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
TABLE = [
    Wire(89, "two Authorization headers", 400, BEARER * 2),
    Wire(89, "two with different tokens", 400, (*BEARER, ("authorization", "Bearer a.b.c"))),
    Wire(89, "Basic and Bearer", 400, (("Authorization", "Basic dTpw"), *BEARER)),
    Wire(89, "Bearer and Basic", 400, (*BEARER, ("Authorization", "Basic dTpw"))),
    Wire(89, "Bearer and an empty one", 400, (*BEARER, ("Authorization", ""))),
    Wire(90, "two tokens, comma-joined", 400, (("Authorization", "Bearer {token},Bearer {token}"),)),
    Wire(90, "a token and a comma", 400, (("Authorization", "Bearer {token},"),)),
    Wire(90, "Basic, comma, Bearer", 400, (("Authorization", "Basic dTpw, Bearer {token}"),)),
    *(Wire(91, title, status, (("Authorization", value),)) for title, (status, value) in SCHEMES.items()),
    Wire(92, "header and query: the header counts", 200, query="access_token=x.y.z"),
    Wire(92, "header and body: the header counts", 200, (*BEARER, *FORM), method="POST", sends="access_token=x.y.z"),
    Wire(92, "header, query and body: the header counts", 200, (*BEARER, *FORM), method="POST",
         query="access_token=x.y.z", sends="access_token=x.y.z"),
    Wire(93, "token in the query", 401, (), query="access_token={token}"),
    Wire(93, "token in the query, other names", 401, (), query="token={token}&authorization=Bearer%20{token}"),
    Wire(93, "token in the body", 401, FORM, method="POST", sends="access_token={token}"),
    *(Wire(94, title, status, (("Authorization", value),)) for title, (status, value) in BYTES.items()),
    Wire(94, "64 kB in another field", 200, (*BEARER, ("X-Other", "\xff" * 65_536))),
    Wire(96, "a cookie instead of the header", 401, (("Cookie", "access_token={token}; Authorization={token}"),)),
    Wire(96, "a cookie instead of the header, POST", 401, (("Cookie", "access_token={token}"),), method="POST"),
    Wire(97, "HEAD", 401, (), method="HEAD", closed=True),
    Wire(97, "OPTIONS", 401, (), method="OPTIONS", closed=True),
    Wire(97, "OPTIONS with Origin alone", 401, PREFLIGHT[:1], method="OPTIONS", closed=True),
    Wire(97, "a preflight with a bad token", 400, (*PREFLIGHT, ("Authorization", "Bearer x,y")), method="OPTIONS",
         closed=True),
    Wire(97, "a preflight with a cookie", 401, (*PREFLIGHT, ("Cookie", "a=b")), method="OPTIONS", closed=True),
    Wire(97, "a preflight for two methods", 401, (*PREFLIGHT, PREFLIGHT[1]), method="OPTIONS", closed=True),
    *(Wire(97, f"path with {title}", 401, (), path, closed=True) for title, path in PATHS.items()),
    Wire(97, "another URL in X-Original-URL", 401, FORWARDED[1:], closed=True),
    Wire(99, "bad token where a scope is needed", 401, (("Authorization", "Bearer a.b.c"),), "/orders"),
    Wire(99, "no token where a scope is needed", 401, (), "/orders"),
    Wire(99, "good token without the scope", 403, BEARER, "/orders"),
    Wire(99, "bad token at another tenant's path", 401, (("Authorization", "Bearer a.b.c"),), "/tenants/evil/orders"),
]  # fmt: skip


def answer_of(wire: Wire) -> str:
    names = {200: "accepted", 400: "400 invalid_request", 401: "401", 403: "403"}
    return "the header's caller" if wire.number == 92 else names[wire.status]


def param_of(wire: Wire) -> Any:
    """One row. Django itself logs the address of every refused request: that is what RedactTokens is for."""
    param = case(wire.number, wire.title, wire, answer=answer_of(wire))
    if "{token}" not in wire.query:
        return param
    marks = [*param.marks, pytest.mark.logs_tokens("django.request logs the query of a refused request")]
    return pytest.param(*param.values, id=param.id, marks=marks)


@pytest.mark.parametrize("wire", [param_of(row) for row in TABLE])
def test_transport(wire: Wire) -> None:
    """One status in nine frameworks, never a 500, and no refusal that repeats the token or may be stored."""
    for framework in TARGETS:
        text = ISSUER.token(**dict(wire.claims))
        raw = send(framework, wire, text)
        check(framework, raw, wire, text, text.rpartition(".")[2])
        if raw.status == 200:
            assert json.loads(raw.body)["subject"] == wire.subject, framework


@attacks(92, "WebSocket: header and subprotocol", answer="400 invalid_request")
def test_a_handshake_with_two_credentials() -> None:
    """The one request that has two places for a credential may use one of them."""
    fields = [("Authorization", f"Bearer {ISSUER.token()}"), ("Sec-WebSocket-Protocol", f"bearer, {ISSUER.token()}")]
    assert _handshake(fields) == 400
    assert _handshake([("Sec-WebSocket-Protocol", "bearer, x, bearer, y")]) == 400


@attacks(97, "WebSocket without a token", "WebSocket to a path that is not exempt", answer="401 before the handshake")
def test_a_websocket_is_guarded_as_http_is() -> None:
    """The handshake is refused before the application hears of it."""
    for fields in ((), (("Sec-WebSocket-Protocol", "chat"),), (("Cookie", "Authorization=x"),)):
        for path in ("/me", "//health", "/health%2F", "/nowhere"):
            assert _handshake(fields, path) == 401


def _handshake(fields: Any, path: str = "/me") -> int:
    """The status with which the closed ASGI application refuses a handshake."""

    async def run() -> int:
        async with Socket(application("asgi", True), websocket_scope(path, fields)) as socket:
            first = await socket.hear()
            assert first["type"] == "websocket.http.response.start", first
            return int(first["status"])

    return anyio.run(run)


@attacks(97, "a mounted app", answer="401")
def test_a_mount_point_opens_nothing() -> None:
    """Exempt paths are those below the mount: what only looks like one from outside, or from inside, is guarded."""
    reached: list[str] = []

    async def asgi_app(scope: Any, receive: Any, send_: Any) -> None:
        reached.append(scope["path"])

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        reached.append(environ["PATH_INFO"])
        return []

    auth = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
    wsgi = WsgiMiddleware(wsgi_app, auth, exempt=["/health"])
    asgi = AsgiMiddleware(asgi_app, auth, exempt=["/health"])
    from adapters.asgi_calls import Call, http_scope

    async def asgi_status(path: str, root: str) -> int:
        return (await Call(asgi, http_scope(path, root_path=root)).run()).status

    tries = [("/api/health/x", "/api"), ("/health/health", "/api"), ("/apihealth", "/api"), ("/api//health", "/api")]
    for path, root in [*tries, ("/api/health", ""), ("/api/../health", "/api"), ("/api/me", "/api/me/health")]:
        assert anyio.run(asgi_status, path, root) == 401, path
    for inside, root in (
        ("/x", "/health"),
        ("/health/x", "/api"),
        ("//health", "/api"),
        ("", "/health"),
        ("/", "/health"),
    ):
        environ = environ_of(inside, SCRIPT_NAME=root, RAW_URI=root + inside)
        assert WsgiCall(wsgi, environ).status == 401, inside
    assert reached == []
    WsgiCall(wsgi, environ_of("/health", SCRIPT_NAME="/api", RAW_URI="/api/health"))
    assert reached == ["/health"]


@attacks(95, "X-Forwarded-* and Host for resource_metadata", answer="the configured URL")
def test_forwarded_fields_do_not_reach_a_challenge() -> None:
    """A challenge that named the attacker's metadata would send clients to the attacker's issuer."""
    for framework in TARGETS:
        headers = FORWARDED if not framework.startswith(("django", "drf", "ninja")) else FORWARDED[1:]
        raw = send(framework, Wire(95, "", 401, headers, "/documented"))
        assert raw.status == 401, framework
        assert f'resource_metadata="{METADATA}"' in (raw.header("www-authenticate") or "")
        assert "evil" not in repr(raw.headers) + raw.body.decode()


@attacks(96, "the field of a gateway, filled for a cookie", answer="403 by Django's CSRF check")
def test_a_cookie_that_a_gateway_turns_into_a_token() -> None:
    """What a browser sends by itself is no proof of will, also where a gateway made a token of it."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.urls import path

    from bearerkit.django import RequireBearer

    entry = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)
    auth = Auth(entry, places=Places(header="x-amzn-oidc-data"))
    app = hosted(WSGIHandler, (path("x", RequireBearer(auth)(lambda request: HttpResponse("reached"))),))
    fields = [("x-amzn-oidc-data", ISSUER.token()), ("Cookie", "sessionid=v"), ("Origin", "https://evil.example")]
    assert wsgi_get(app, "/x", None, fields, method="POST").status == 403
    assert wsgi_get(app, "/x", None, fields[:1]).status == 200


@pytest.mark.parametrize(
    "text",
    [
        case(98, f"{title} in a token", make, answer="401, nothing of it in the answer")
        for title, make in {
            "CRLF as kid": lambda: ISSUER.token(headers={"kid": "k\r\nSet-Cookie: evil=1"}),
            "CRLF as alg": lambda: ISSUER.token(headers={"alg": "x\r\nSet-Cookie: evil=1"}),
            "CRLF as typ": lambda: ISSUER.token(headers={"typ": "x\r\nSet-Cookie: evil=1"}),
            "CRLF as crit": lambda: ISSUER.token(headers={"crit": ["x\r\nSet-Cookie: evil=1"]}),
            "CRLF as iss": lambda: ISSUER.token(iss="https://x\r\nSet-Cookie: evil=1"),
            "CRLF as aud": lambda: ISSUER.token(aud="x\r\nSet-Cookie: evil=1"),
            "quotes as iss": lambda: ISSUER.token(iss='", error="evil=1'),
            "markup as iss": lambda: ISSUER.token(iss="<script>evil=1</script>"),
            "CRLF as tid": lambda: ISSUER.token(sub=["x\r\nSet-Cookie: evil=1"]),
        }.items()
    ],
)  # fmt: skip
def test_nothing_of_a_token_is_in_an_answer(text: Any) -> None:
    """Header, body and challenge are the same for every bad token of a kind."""
    made = text()
    for framework in TARGETS:
        wire = Wire(98, "", 401)
        raw = send(framework, wire, made)
        check(framework, raw, wire, "evil", "Set-Cookie", made, made.rpartition(".")[2], "traceback")


@attacks(98, "CRLF in the path", answer="401, nothing of it in the answer")
def test_nothing_of_a_path_is_in_an_answer() -> None:
    """Also where the path names a tenant."""
    for framework in TARGETS:
        wire = Wire(98, "", 404, path="/tenants/x%0d%0aSet-Cookie:%20evil=1/orders", claims=(("scope", "orders:read"),))
        check(framework, send(framework, wire), wire, "evil", "Set-Cookie")


@attacks(99, "cached 401, 403, 404 and 503", answer="Cache-Control: no-store")
def test_no_refusal_may_be_stored() -> None:
    """A proxy that kept a refusal would hand it to callers with good tokens, and a 200 is never kept by us."""
    rows = [
        Wire(99, "", 400, (("Authorization", "Bearer"),)), Wire(99, "", 401, ()), Wire(99, "", 403, path="/orders"),
        Wire(99, "", 404, path="/tenants/evil/orders", claims=(("scope", "orders:read"),)),
        Wire(99, "", 503, path="/down"),
    ]  # fmt: skip
    for framework in TARGETS:
        for wire in rows:
            check(framework, send(framework, wire), wire)
