"""WSGI tells paths and header fields in its own way: what is exempt, and what a field says, is the same as in ASGI."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import assume, example, given
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from adapters import test_exempt_paths as in_asgi
from adapters.scenarios import ISSUER
from adapters.wsgi_calls import WsgiCall, environ_of, wsgi_get
from bearerkit import Auth, flask
from bearerkit.exempt import is_preflight
from bearerkit.http import Headers
from bearerkit.wsgi import BearerMiddleware, RequireBearer, auth_from
from bearerkit.wsgi_kit import EnvironHeaders, full_path, raw_path, request_of, route_path


def table_of(test: Any) -> list[str]:
    """The paths of a parametrized test."""
    return [path for mark in test.pytestmark if mark.name == "parametrize" for path in mark.args[1]]


EXEMPT = in_asgi.EXEMPT
OPEN = table_of(in_asgi.test_an_exempt_path_needs_no_credential)
TREE_ROOT = "/static/"
GUARDED = [quote(path, safe="/%;.\\") for path in table_of(in_asgi.test_anything_else_is_guarded) if path != TREE_ROOT]
NEEDLESSLY_ENCODED = ["/%68ealth", "/static/%61pp.js"]
"""What is exempt once it is decoded."""


def who(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(auth_from(environ).subject).encode()]


def by_wsgi(auth: Auth, exempt: tuple[str, ...] = EXEMPT) -> Any:
    return BearerMiddleware(who, auth, exempt=exempt)


def by_flask(auth: Auth, exempt: tuple[str, ...] = EXEMPT) -> Any:
    app = Flask("paths", static_folder=None)
    flask.BearerMiddleware(app, auth, exempt=exempt)

    @app.route("/")
    @app.route("/<path:path>")
    def who(path: str = "") -> str:
        return str(flask.current_auth.subject)

    return app


everywhere = pytest.mark.parametrize("guarded", [by_wsgi, by_flask])
Build = Callable[..., Any]


@everywhere
@pytest.mark.parametrize("path", [*OPEN, TREE_ROOT])
@pytest.mark.parametrize("says", ["RAW_URI", "REQUEST_URI", None])
def test_an_exempt_path_needs_no_credential(auth: Auth, guarded: Build, path: str, says: str | None):
    """Whether the server says what was on the wire or not, and whatever query came with it."""
    environ = environ_of(path, query="a=/me")
    wire = environ.pop("RAW_URI")
    call = WsgiCall(guarded(auth), environ | ({} if says is None else {says: wire}))
    assert (call.status, call.body) == (200, b"None")


@everywhere
@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("says", ["RAW_URI", "REQUEST_URI"])
def test_anything_else_is_guarded(auth: Auth, guarded: Build, path: str, says: str):
    """The same table as for ASGI."""
    environ = environ_of(path)
    environ[says] = environ.pop("RAW_URI")
    assert WsgiCall(guarded(auth), environ).status == 401


@everywhere
def test_where_the_server_does_not_say_what_was_sent_the_decoded_path_decides(auth: Auth, guarded: Build):
    """Then `/%68ealth` cannot be told from `/health`, by nobody: the router compares the same decoded path."""
    passed = []
    for path in GUARDED:
        environ = environ_of(path)
        del environ["RAW_URI"]
        if WsgiCall(guarded(auth), environ).status == 200:
            passed.append(path)
    assert passed == NEEDLESSLY_ENCODED


@everywhere
def test_a_wire_that_says_something_else_is_not_believed(auth: Auth, guarded: Build):
    """A server, or a middleware, that rewrote only one of the two; or a request line with a whole URL."""
    for wire in ("/admin", "http://api.example.test/health", "/healt", "*", "/health#x", "?/health"):
        assert wsgi_get(guarded(auth), "/health", RAW_URI=wire).status == 401


def test_flask_folds_slashes_and_is_not_followed(auth: Auth):
    """Werkzeug serves `/health` for `//health`, whereas what is exempt is `/health` alone."""

    def health() -> Flask:
        app = Flask("folds")
        app.add_url_rule("/health", "health", lambda: "ok")
        return app

    assert wsgi_get(health(), "//health").status == 200
    app = health()
    flask.BearerMiddleware(app, auth, exempt=["/health"])
    for says in ({}, {"RAW_URI": ""}):
        assert wsgi_get(app, "//health", **says).status == wsgi_get(app, "///health", **says).status == 401
        assert wsgi_get(app, "/health", **says).status == 200


@everywhere
def test_inside_a_mount_the_path_below_it_counts(auth: Auth, guarded: Build):
    """The guard of a mounted app compares what that app routes, and one around the mount the whole path."""
    app: Any = DispatcherMiddleware(who, {"/api": guarded(auth, ("/health",))})
    assert wsgi_get(app, "/api/health").status == 200
    for path in ("/api/api/health", "/api/me", "/api", "/api/", "/api//health", "/api/health/"):
        assert wsgi_get(app, path).status == 401, path
    outer = by_wsgi(auth, ("/api/health",))
    outer.app = DispatcherMiddleware(who, {"/api": who})
    assert wsgi_get(outer, "/api/health").status == 200
    assert wsgi_get(outer, "/api/me").status == wsgi_get(outer, "/health").status == 401


@everywhere
def test_a_prefix_that_a_proxy_took_off(auth: Auth, guarded: Build):
    """`X-Forwarded-Prefix` names the mount; the wire behind the proxy may have it or not."""
    app = ProxyFix(guarded(auth, ("/health",)), x_prefix=1)
    prefix = [("X-Forwarded-Prefix", "/prefix")]
    assert wsgi_get(app, "/health", headers=prefix).status == 200
    assert wsgi_get(app, "/health", headers=prefix, RAW_URI="/prefix/health").status == 200
    assert wsgi_get(app, "/health", headers=prefix, RAW_URI="/prefix/%68ealth").status == 401
    assert wsgi_get(app, "/me", headers=prefix).status == 401
    assert wsgi_get(app, "/", headers=[("X-Forwarded-Prefix", "/health")]).status == 401
    server = guarded(auth, ("/health",))
    assert wsgi_get(server, "/health", SCRIPT_NAME="/prefix", RAW_URI="/prefix/health").status == 200
    assert wsgi_get(server, "/me", SCRIPT_NAME="/health", RAW_URI="/health/me").status == 401


@everywhere
def test_a_preflight_passes_and_what_resembles_one_does_not(auth: Auth, guarded: Build):
    """By the rule that ASGI has too, on the fields of an environ."""
    app = guarded(auth)
    assert wsgi_get(app, "/me", headers=in_asgi.PREFLIGHT, method="OPTIONS").status == 200
    # Flask answers other OPTIONS requests itself, so it must be the guard that refuses them.
    for fields in (in_asgi.PREFLIGHT[:1], in_asgi.PREFLIGHT[1:], (*in_asgi.PREFLIGHT, ("Cookie", ""))):
        assert wsgi_get(app, "/me", headers=fields, method="OPTIONS").status == 401
    assert wsgi_get(app, "/me", headers=in_asgi.PREFLIGHT, method="POST").status == 401
    assert wsgi_get(app, "/me", headers=in_asgi.PREFLIGHT, method="OPTIONS", sends=b"x").status == 401


text = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=8)
names = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=6)
usual = st.sampled_from(["Content-Type", "content-length", "Authorization", "X-Tenant", "Cookie", "HTTP-HOST"])
fields_of_any_request = st.lists(st.tuples(usual | names, text), max_size=6)


@given(fields_of_any_request)
@example([("Authorization", "Bearer a"), ("authorization", "Bearer b")])
@example([("X-A", ""), ("content-type", "text/plain")])
def test_an_environ_says_what_the_fields_said(fields: list[tuple[str, str]]):
    """Every way to ask gives what the header fields of the same ASGI request give, repeated ones joined."""
    sent, told = Headers(fields), EnvironHeaders(environ_of("/", fields))
    # A server sets an empty CONTENT_TYPE where there is none, so emptiness and absence are one there.
    assume(all(sent.get(name) != "" for name in ("content-type", "content-length")))
    present = {name.lower() for name, _ in fields}
    assert sorted(told) == sorted((name, sent.get(name)) for name in present)
    assert len(told) == len(present)
    for name in present | {"absent", "Absent-Too", "http-accept"}:
        assert told.get(name) == told.get(name.upper()) == sent.get(name)
        assert (name in told) == (name in sent)
        assert told.get_all(name) == [",".join(sent.get_all(name))][: name in sent]


@given(
    st.lists(
        st.tuples(st.sampled_from(["Origin", "Access-Control-Request-Method", "Cookie", "Transfer-Encoding"]), text)
        | st.tuples(st.just("Access-Control-Request-Method"), st.sampled_from(["PUT", "", "P T", "PUT,GET"])),
        max_size=4,
    ),
    st.sampled_from([None, "0", "1", "00", "x"]),
)
def test_a_preflight_is_one_however_it_is_told(fields: list[tuple[str, str]], length: str | None):
    """The rule gives the same verdict on an environ and on the fields themselves."""
    fields = [*fields, ("Origin", "https://a.test"), *([] if length is None else [("Content-Length", length)])]
    assert is_preflight("OPTIONS", Headers(fields)) == is_preflight("OPTIONS", EnvironHeaders(environ_of("/", fields)))


def test_servers_that_say_the_type_of_the_body_twice_are_heard_once():
    """The name without HTTP_ is the one that counts; an empty one is none."""
    headers = EnvironHeaders({"CONTENT_TYPE": "a/b", "HTTP_CONTENT_TYPE": "c/d", "CONTENT_LENGTH": "", "OTHER": "x"})
    assert list(headers) == [("content-type", "a/b")]
    assert "content-length" not in headers
    assert 1 not in headers  # type: ignore[operator]
    assert headers == Headers([("Content-Type", "a/b")])


@given(path=st.text(st.characters(codec="utf-8"), max_size=6), script=st.sampled_from(["", "/api", "/caf\xe9"]))
def test_paths_are_decoded_as_routers_decode_them(path: str, script: str):
    """The bytes of an environ are Latin-1 text (PEP 3333), and the paths are UTF-8."""

    def told(text: str) -> str:
        return text.encode().decode("latin-1")

    environ = {"PATH_INFO": told("/" + path), "SCRIPT_NAME": told(script)}
    assert route_path(environ) == "/" + path
    assert full_path(environ) == f"{script}/{path}"
    assert raw_path({"RAW_URI": "/a?b?c", "REQUEST_URI": "/d"}) == b"/a"
    assert raw_path({"REQUEST_URI": "/d\u20ac"}) == b"/d?"
    assert raw_path(environ) is None
    assert route_path({"PATH_INFO": "/\u20ac\xff"}) == "/?\ufffd"  # what no server should say is no error of ours


def test_the_minimal_environ_is_enough(auth: Auth, token: str):
    """Servers may leave out what PEP 3333 lets be empty or absent."""
    environ = {"REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": f"Bearer {token}"}
    assert WsgiCall(RequireBearer(auth)(who), environ).body == b"user"
    request = request_of({"REQUEST_METHOD": "GET"})
    assert (request.path, request.query, request.client, request.path_params) == ("", "", None, {})


def test_path_parameters_are_those_of_the_router():
    """Of a framework, or of `wsgiorg.routing_args`."""
    environ = {"REQUEST_METHOD": "GET", "wsgiorg.routing_args": (("x",), {"tenant_id": "acme"})}
    assert request_of(environ).path_params == {"tenant_id": "acme"}
    assert request_of(environ, path_params={"a": 1}).path_params == {"a": 1}


def test_the_path_on_the_wire_is_never_taken_from_a_header_field(auth: Auth):
    """A caller cannot say what the server should have said."""
    fields = [("RAW-URI", "/health"), ("PATH-INFO", "/health"), ("REQUEST-URI", "/health")]
    assert wsgi_get(by_wsgi(auth), "/%68ealth", headers=fields).status == 401
    assert json.loads(wsgi_get(by_wsgi(auth), "/me", headers=fields).body)["status"] == 401
    assert wsgi_get(by_wsgi(auth), "/me", ISSUER.token(), fields).body == b"user"
