"""Which requests with a cookie a page of another site may have caused."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from bearerkit import Request
from bearerkit.errors import PermissionDenied
from bearerkit.http import Headers
from bearerkit.verify.same_site import check_same_site, origin_of

HOST = "api.example.test"
OURS = f"https://{HOST}"
APP = "https://app.example.test"


def passes(
    *fields: tuple[str, str],
    method: str = "POST",
    host: str | None = HOST,
    origins: Any = frozenset(),
    kind: Literal["http", "websocket"] = "http",
) -> bool:
    named = [] if host is None else [("Host", host)]
    try:
        check_same_site(Request(method, "/", Headers([*named, *fields]), kind=kind), origins)
    except PermissionDenied:
        return False
    return True


def test_operators_learn_what_came_and_what_to_do() -> None:
    """The caller learns nothing but 403."""
    fields = Headers([("Host", HOST), ("Origin", "https://evil.test")])
    with pytest.raises(PermissionDenied) as refused:
        check_same_site(Request("POST", "/", fields))
    assert refused.value.reason == "cross_site"
    assert "'https://evil.test'" in refused.value.detail
    assert HOST in refused.value.detail
    assert "origins=" in (refused.value.hint or "")
    assert refused.value.public == PermissionDenied.public


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_what_changes_nothing_may_come_from_anywhere(method: str) -> None:
    """A link of another site is a GET."""
    assert passes(("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.test"), method=method)
    assert passes(method=method)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY", "CONNECT", "get", "Get", "", "POST "])
def test_everything_else_must_say_where_it_comes_from(method: str) -> None:
    """Methods are compared exactly: what a framework makes of `get` is unknown."""
    assert not passes(method=method)
    assert not passes(("Sec-Fetch-Site", "cross-site"), method=method)
    assert passes(("Sec-Fetch-Site", "same-origin"), method=method)


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("origin", [None, OURS, "null", ""])
def test_the_browser_says_that_it_is_our_page(site: str, origin: str | None) -> None:
    """Then `Origin` may be `null`: pages with Referrer-Policy: no-referrer send that."""
    assert passes(("Sec-Fetch-Site", site), *([] if origin is None else [("Origin", origin)]), host=None)


@pytest.mark.parametrize(
    "site", ["same-site", "cross-site", "", "Same-Origin", "same-origin,same-origin", "same-origin ", "none,none", "x"]
)
def test_the_browser_says_that_it_is_not(site: str) -> None:
    """Only a page that was allowed by name passes then, and an Origin that looks like ours does not help."""
    fields = ("Sec-Fetch-Site", site)
    assert not passes(fields)
    assert not passes(fields, ("Origin", OURS))
    assert not passes(fields, ("Origin", "https://evil.test"), origins={APP})
    assert passes(fields, ("Origin", APP), origins={APP})


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (OURS, HOST, True),
        (f"{OURS}:443", HOST, True),
        (OURS, f"{HOST}:443", True),
        (OURS.upper(), HOST, True),
        (OURS, HOST.upper(), True),
        (f"{OURS}:8443", f"{HOST}:8443", True),
        (f"{OURS}:8443", HOST, False),
        (OURS, f"{HOST}:8443", False),
        (f"http://{HOST}", HOST, False),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://app.localhost:8000", "app.localhost:8000", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost", "localhost:80", True),
        ("http://localhost:3000", "localhost:8000", False),
        ("http://localhost.evil.test", "localhost.evil.test", False),
        ("http://127.0.0.1.evil.test", "127.0.0.1.evil.test", False),
        ("http://notlocalhost", "notlocalhost", False),
        (OURS, None, False),
        (OURS, f"{HOST},{HOST}", False),
        (OURS, "", False),
        ("https://xn--bcher-kva.test", "xn--bcher-kva.test", True),
        (f"https://{HOST}.", HOST, False),
    ],
)
def test_without_fetch_metadata_the_origin_is_compared(origin: str, host: str | None, allowed: bool) -> None:
    """With https and the Host field, since the scheme of a request is not known; http counts on loopback only."""
    assert passes(("Origin", origin), host=host) is allowed


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (("Origin", ""),),
        (("Origin", "null"),),
        (("Origin", "NULL"),),
        (("Origin", OURS), ("Origin", OURS)),
        (("Origin", OURS), ("Origin", "https://evil.test")),
        (("Origin", f"{OURS} {OURS}"),),
        (("Origin", f"{OURS}.evil.test"),),
        (("Origin", f"https://evil.test/{HOST}"),),
        (("Origin", f"https://{HOST}@evil.test"),),
        (("Origin", f"{OURS}/"),),
        (("Origin", f"{OURS}#"),),
        (("Origin", f" {OURS}"),),
        (("Origin", f"{OURS}\n"),),
        (("Origin", f"//{HOST}"),),
        (("Origin", HOST),),
        (("Origin", f"https://evil-{HOST}"),),
        (("Origin", f"{OURS}:0443"),),
        (("Origin", f"{OURS}:"),),
        (("Origin", "https://b\xfccher.test"),),
        (("Referer", f"{OURS}/page"),),
        (("X-Forwarded-Host", "evil.test"), ("Origin", "https://evil.test")),
        (("Forwarded", "host=evil.test"), ("Origin", "https://evil.test")),
    ],
)
def test_what_is_no_page_of_ours(fields: tuple[tuple[str, str], ...]) -> None:
    """Refused, whatever it resembles; proxies' fields are not read."""
    assert not passes(*fields)
    assert not passes(*fields, origins={APP})


def test_pages_that_were_allowed() -> None:
    """Exactly these, with their ports."""
    origins = {APP, "http://intra.test:8080", "capacitor://localhost"}
    for origin in (APP, f"{APP}:443", APP.upper(), "http://intra.test:8080", "capacitor://localhost"):
        assert passes(("Origin", origin), origins=origins)
    for origin in ("http://app.example.test", f"{APP}:8443", "http://intra.test", "https://x.app.example.test", "null"):
        assert not passes(("Origin", origin), origins=origins)


def test_every_websocket_handshake_is_asked() -> None:
    """It is a GET, no CORS stands in front of it, and WSGI servers show it as one."""
    assert not passes(method="GET", kind="websocket")
    assert not passes(("Origin", "https://evil.test"), method="GET", kind="websocket")
    assert passes(("Origin", OURS), method="GET", kind="websocket")
    for field in ("websocket", "WebSocket", "h2c, websocket"):
        assert not passes(("Upgrade", field), ("Origin", "https://evil.test"), method="GET")
    assert passes(("Upgrade", "h2c"), ("Origin", "https://evil.test"), method="GET")


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("https://A.test:443", "https://a.test"),
        ("http://a.test:80", "http://a.test"),
        ("http://a.test:443", "http://a.test:443"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("app://a", "app://a"),
        ("null", None),
        ("*", None),
        ("https://*.a.test", None),
        ("https://a.test/", None),
        ("https://", None),
        ("https://\u212aelvin.test", None),
        ("https://a.test:99999", "https://a.test:99999"),
        ("https://a.test:100000", None),
    ],
)
def test_an_origin_has_one_spelling(text: str, spelled: str | None) -> None:
    """Lower case, no default port; nothing that only folds to ASCII."""
    assert origin_of(text) == spelled
