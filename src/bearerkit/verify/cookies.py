"""One cookie of a request, read as browsers write it (RFC 6265 section 4.2). Nothing is decoded, nothing is trusted."""

from __future__ import annotations

from bearerkit.errors import InvalidRequest
from bearerkit.http import Request

__all__ = ["cookie_of"]


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
