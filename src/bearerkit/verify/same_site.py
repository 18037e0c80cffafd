"""Whether a page of another site may have made a browser send a request with its visitor's cookies.

Browsers add cookies to whatever a page makes them send, so a cookie proves who is visiting and not that he wants it.
This rule looks at what only browsers write: `Sec-Fetch-Site` (W3C Fetch Metadata), and `Origin` (RFC 6454 section 7)
where that is missing. It asks about methods that may change something, which are all but the four that RFC 9110
section 9.2.1 names by exact spelling, and about every WebSocket handshake, which is a GET that no CORS stands in front
of. A GET that changes something is not protected: that is the service's own mistake (docs/sessions.md).

The scheme of a request is not known behind a proxy, and its host is what the `Host` field says; `X-Forwarded-*` and
`Forwarded` are never read. So without `Sec-Fetch-Site` the own origin is `https://` and that host, or `http://` on
loopback; who serves plain HTTP, or stands behind a proxy that rewrites `Host`, lists its own origin.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from bearerkit.errors import PermissionDenied
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["check_same_site", "origin_of"]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_PAGES: Final = frozenset({"same-origin", "none"})
"""`none` is the user himself: the address bar, a bookmark."""
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?",
    re.ASCII | re.IGNORECASE,
)
_LOOPBACK: Final = re.compile(r"http://(?:(?:[a-z0-9._-]+\.)?localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?")
_PORTS: Final = {"https": "443", "http": "80"}


def origin_of(text: str) -> str | None:
    """An origin in its one spelling (lower case, no default port); None for what is none, `null` among them."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return None
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), found["port"]
    return f"{scheme}://{host}" if port is None or port == _PORTS.get(scheme) else f"{scheme}://{host}:{port}"


def check_same_site(request: Request, origins: Collection[str] = ()) -> None:
    """Raise PermissionDenied for a request that changes something and was not made by a page that may make it.

    `origins` are those of other pages that may, as `origin_of` spells them.
    """
    if request.method in _SAFE and not _is_handshake(request):
        return
    site, told = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in _OWN_PAGES:
        return
    origin = None if told is None else origin_of(told)
    if origin is not None and (origin in origins or (site is None and _is_own(origin, request))):
        return
    raise PermissionDenied(
        f"a {shown(request.method)} request with a cookie came with Origin {_said(told)} and Sec-Fetch-Site "
        f"{_said(site)}; Host is {_said(request.headers.get('host'))}",
        reason="cross_site",
        hint="If pages of that origin may act for whoever is signed in, list it in Sessions(origins=[...]); so does a "
        "service behind plain HTTP, or behind a proxy that rewrites Host, with its own origin. Clients that are no "
        "browsers send a bearer token, or an Origin.",
    )


def _is_handshake(request: Request) -> bool:
    """Servers that speak WebSocket beneath HTTP frameworks (WSGI ones do) show the handshake as a GET."""
    if request.kind == "websocket":
        return True
    upgrade = request.headers.get("upgrade")
    return upgrade is not None and "websocket" in upgrade.lower()


def _is_own(origin: str, request: Request) -> bool:
    host = request.headers.get("host")
    if host is None:
        return False
    if origin == origin_of(f"https://{host}"):
        return True
    return origin == origin_of(f"http://{host}") and _LOOPBACK.fullmatch(origin) is not None


def _said(value: str | None) -> str:
    return "not sent" if value is None else shown(value)
