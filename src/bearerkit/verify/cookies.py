"""One cookie of a request, read as browsers write it (RFC 6265 section 4.2). Nothing is decoded, nothing is trusted.

Browsers send cookies without being asked, so that a request was let in by one is noted in its memo: the framework's own
CSRF check is then not made up for by the credential.
"""

from __future__ import annotations

from typing import Final

from bearerkit.errors import InvalidRequest
from bearerkit.http import Request

__all__ = ["came_by_cookie", "cookie_of", "note_cookie"]

_NOTE: Final = "bearerkit.came_by_cookie"


def cookie_of(request: Request, name: str) -> str | None:
    """The value of a cookie; None if there is none.

    Raises InvalidRequest if it is there twice: a page of a sibling domain can set a second one, and whoever takes the
    first or the last takes what an attacker chose.
    """
    found = [
        value.strip().removeprefix('"').removesuffix('"')
        for field in request.headers.get_all("cookie")
        for key, separator, value in (part.partition("=") for part in field.split(";"))
        if separator and key.strip() == name
    ]
    if len(found) > 1:
        raise InvalidRequest(f"the cookie {name} is there {len(found)} times")
    return found[0] if found else None


def note_cookie(request: Request) -> None:
    """Note that a cookie is the credential of a request, whichever `Auth` took it."""
    request.memo[_NOTE] = True


def came_by_cookie(request: Request) -> bool:
    """True if a cookie was taken as the credential of this request."""
    return _NOTE in request.memo
