"""Exempt paths: exactly what was written is exempt, however hard a client tries to make another path look like it."""

from __future__ import annotations

import string
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from adapters.asgi_calls import get, http_scope
from adapters.scenarios import ISSUER
from bearerkit import Auth, ConfigError
from bearerkit.asgi_kit import route_path
from bearerkit.exempt import ExemptPaths, is_preflight
from bearerkit.http import Headers
from bearerkit.starlette import BearerMiddleware, auth_from

EXEMPT = ("/health", "/static/*", "/café")


async def who(request: Request) -> PlainTextResponse:
    return PlainTextResponse(auth_from(request).subject or "nobody")


def guarded(auth: Auth, exempt: tuple[str, ...] = EXEMPT) -> Starlette:
    return Starlette(
        routes=[Route("/{path:path}", who, methods=["GET", "POST", "OPTIONS"])],
        middleware=[Middleware(BearerMiddleware, auth=auth, exempt=exempt)],
    )


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/health", "/static/app.js", "/static/a/b.css", "/caf%C3%A9", "/static/caf%C3%A9"])
async def test_an_exempt_path_needs_no_credential(auth: Auth, path: str):
    """It is served, and the handler sees the anonymous context."""
    call = await get(guarded(auth), path)
    assert (call.status, call.body) == (200, b"nobody")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/Health",
        "/health/",
        "/health//",
        "//health",
        "/health/x",
        "/healthz",
        "/%68ealth",
        "/health%2f",
        "/%2fhealth",
        "/health;",
        "/health;v=1",
        "/health%3B",
        "/health%00",
        "/health%20",
        "/x/../health",
        "/./health",
        "/x/..%2fhealth",
        "/static",
        "/static/",
        "/static//x",
        "/static/../me",
        "/static/%2e%2e/me",
        "/static/..%2fme",
        "/static/%2e%2e%2fme",
        "/static/..;/me",
        "/static/x%5c..%5cme",
        "/static/..",
        "/static/%61pp.js",
        "/static/x%0ay",
        "/staticx/app.js",
        "/café".encode().decode("latin-1"),
    ],
)
async def test_anything_else_is_guarded(auth: Auth, path: str):
    """Slashes, dots, parameters, case and needless encoding do not make a path exempt."""
    scope = http_scope(quote(path, safe="/%;.\\"))
    call = await get(guarded(auth), quote(path, safe="/%;.\\"))
    # "/static/" is the tree's own root and holds nothing ambiguous.
    expected = 200 if path == "/static/" else 401
    assert call.status == expected, scope["path"]


@pytest.mark.anyio
async def test_inside_a_mount_the_path_below_it_counts(auth: Auth):
    """The middleware of a mounted app compares what that app routes, and the outer path is not exempt by accident."""
    app = Starlette(routes=[Mount("/api", app=guarded(auth, ("/health",)))])
    assert (await get(app, "/api/health")).status == 200
    assert (await get(app, "/api/api/health")).status == 401
    assert (await get(app, "/api/me")).status == 401
    outer = Starlette(
        routes=[Mount("/api", routes=[Route("/health", who), Route("/me", who)])],
        middleware=[Middleware(BearerMiddleware, auth=auth, exempt=["/api/health"])],
    )
    assert (await get(outer, "/api/health")).status == 200
    assert (await get(outer, "/api/me")).status == 401


@pytest.mark.anyio
async def test_a_root_path_of_the_server_is_taken_off(auth: Auth):
    """Behind a proxy prefix, `/health` means the route, as the router sees it."""
    app = guarded(auth, ("/health",))
    assert (await get(app, "/prefix/health", root_path="/prefix")).status == 200
    assert (await get(app, "/prefixhealth", root_path="/prefix")).status == 401
    assert (await get(app, "/prefix/me", root_path="/prefix")).status == 401


@pytest.mark.anyio
async def test_without_raw_path_the_decoded_path_decides(auth: Auth):
    """`raw_path` is optional in ASGI; the router decides by `path` too."""
    app = guarded(auth, ("/health",))
    assert (await get(app, "/health", raw_path=None)).status == 200
    assert (await get(app, "/me", raw_path=None)).status == 401


@pytest.mark.anyio
async def test_a_raw_path_of_something_else_is_guarded(auth: Auth):
    """A server or middleware that rewrote only one of the two is not believed."""
    assert (await get(guarded(auth, ("/health",)), "/health", raw_path=b"/admin")).status == 401


@pytest.mark.anyio
async def test_a_preflight_passes_and_other_options_do_not(auth: Auth):
    """Browsers send preflights without credentials; an OPTIONS request that is none is guarded."""
    app = guarded(auth)
    preflight = [("Origin", "https://shop.example.test"), ("Access-Control-Request-Method", "GET")]
    assert (await get(app, "/me", headers=preflight, method="OPTIONS")).status == 200
    assert (await get(app, "/me", headers=preflight[:1], method="OPTIONS")).status == 401
    assert (await get(app, "/me", headers=preflight[1:], method="OPTIONS")).status == 401
    assert (await get(app, "/me", headers=preflight, method="POST")).status == 401
    assert (await get(app, "/me", ISSUER.token(), headers=preflight[:1], method="OPTIONS")).status == 200


PREFLIGHT = (("Origin", "https://a.test"), ("Access-Control-Request-Method", "PUT"))


def test_a_preflight_is_recognised_by_all_three_marks():
    """Method, Origin and Access-Control-Request-Method; browsers may say that there is no body."""
    assert is_preflight("OPTIONS", Headers(PREFLIGHT))
    assert is_preflight("OPTIONS", Headers([*PREFLIGHT, ("Content-Length", "0")]))
    assert not is_preflight("GET", Headers(PREFLIGHT))
    assert not is_preflight("OPTIONS", Headers(PREFLIGHT[:1]))
    assert not is_preflight("OPTIONS", Headers(PREFLIGHT[1:]))


@pytest.mark.parametrize(
    "field",
    [
        ("Authorization", "Bearer garbage"),
        ("Authorization", "Basic dTpw"),
        ("Cookie", "session=1"),
        ("Content-Length", "5"),
        ("Content-Length", "00"),
        ("Content-Length", ""),
        ("Transfer-Encoding", "chunked"),
        ("Access-Control-Request-Method", "PUT"),
    ],
)
def test_what_no_browser_sends_makes_it_no_preflight(field: tuple[str, str]):
    """Credentials, a body, a second method."""
    assert not is_preflight("OPTIONS", Headers([*PREFLIGHT, field]))


@pytest.mark.parametrize("method", ["", " ", "PUT, DELETE", "PUT DELETE", "P/T", "PUT\xe9"])
def test_a_preflight_names_one_method(method: str):
    """One token of RFC 9110."""
    assert not is_preflight("OPTIONS", Headers([PREFLIGHT[0], ("Access-Control-Request-Method", method)]))


@pytest.mark.anyio
async def test_what_resembles_a_preflight_does_not_reach_an_app_that_ignores_the_method(auth: Auth):
    """A bad bearer and a cookie are judged, also where OPTIONS does what DELETE would do."""

    async def deletes(scope, receive, send):
        raise AssertionError("reached")

    app = BearerMiddleware(deletes, auth=auth)
    for field in [("Authorization", "Bearer garbage"), ("Cookie", "session=1"), ("Content-Length", "5")]:
        assert (await get(app, "/orders", headers=[*PREFLIGHT, field], method="OPTIONS")).status == 401


@pytest.mark.parametrize(
    "exempt",
    ["/health", ["health"], [""], ["/a//b"], ["/a/../b"], ["/a;b"], ["/a%2fb"], ["/*/b"], ["/a*"], ["/a?b"], [b"/a"]],
)
def test_an_entry_that_could_be_read_in_two_ways_is_a_config_error(exempt: object):
    """A text instead of a list too: it would exempt its letters."""
    with pytest.raises(ConfigError, match="exempt"):
        ExemptPaths(exempt)  # type: ignore[arg-type]


def test_all_bad_entries_are_reported_at_once():
    """One start-up, one list of problems."""
    with pytest.raises(ConfigError) as caught:
        ExemptPaths(["/ok", "health", "/a;b"])
    assert len(caught.value.problems) == 2


segments = st.text(alphabet=string.ascii_letters + string.digits + "/.;%\\ é?#-*", max_size=12)


@given(segments)
def test_only_the_very_path_is_exempt(text: str):
    """For any path and any encoding of it, `/health` alone is covered by `/health`."""
    paths = ExemptPaths(["/health"])
    raw = "/" + text
    decoded = unquote(raw)
    covered = paths.covers(decoded, full_path=decoded, raw_path=raw.encode())
    assert covered == (raw == "/health")


@given(segments)
def test_a_tree_holds_nothing_that_leads_out_of_it(text: str):
    """What a tree covers stays below it under every normalisation we know of."""
    paths = ExemptPaths(["/static/*"])
    raw = "/static/" + text
    decoded = unquote(raw)
    if paths.covers(decoded, full_path=decoded, raw_path=quote(decoded, safe="/").encode()):
        assert not {"", ".", ".."} & set(decoded.split("/")[2:-1])
        assert decoded.split("/")[-1] not in (".", "..")
        assert not set(decoded) & set(";%\\")


@given(
    root=st.sampled_from(["", "/", "/a", "/api", "/a/b", "a"]),
    path=st.text(alphabet="/ab.pi%2f;", max_size=10),
    slash=st.booleans(),
)
def test_paths_below_mounts_are_read_as_starlette_reads_them(root: str, path: str, slash: bool):
    """Guard and router must see the same path, or one of them can be fooled."""
    scope = {"path": ("/" if slash else root) + path, "root_path": root}
    assert route_path(scope) == get_route_path(scope)
