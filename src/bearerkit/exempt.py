"""Which requests pass without credentials: exempt paths, and CORS preflights.

Pure rules for the middlewares of every framework. A path is never cleaned up, folded or guessed at: it is exempt if
it is written exactly as the team wrote it, and a path that two parts of a system could read differently (`//`,
`%2f`, `;`, `..`) is not exempt at all. Whatever is not exempt is guarded; no framework type is named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final
from urllib.parse import quote

from bearerkit.errors import ConfigError
from bearerkit.http import Headers, Request

__all__ = ["ExemptPaths", "is_preflight"]

_TREE: Final = "/*"
_AMBIGUOUS: Final = re.compile(r"//|/\.\.?(?:/|$)|[;%\\?#*\x00-\x1f\x7f\ufffd]")
_PATH_CHARACTERS: Final = "/:@!$&'()*+,=~"
"""What may stand in a path as it is (RFC 3986 section 3.3), without `;`."""

_METHOD: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A token (RFC 9110 section 5.6.2)."""
_NOT_IN_PREFLIGHTS: Final = ("authorization", "cookie", "transfer-encoding")


@final
class ExemptPaths:
    """The paths that need no credentials.

    Each is the path below the mount point, exactly as it is routed: `"/health"`. A last segment `*` exempts
    everything below: `"/static/*"`. Raises ConfigError listing every entry that could be read in two ways.
    """

    __slots__ = ("_exact", "_trees")

    def __init__(self, paths: Iterable[str] = ()) -> None:
        listed = (paths,) if isinstance(paths, str) else tuple(paths)
        problems = [problem for path in listed if (problem := _problem(path))]
        if isinstance(paths, str):
            problems.append(f"exempt={paths!r} must be a list: exempt=[{paths!r}]")
        if problems:
            raise ConfigError(problems)
        self._exact = frozenset(path for path in listed if not path.endswith(_TREE))
        self._trees = tuple(path[:-1] for path in listed if path.endswith(_TREE))

    def __bool__(self) -> bool:
        return bool(self._exact or self._trees)

    def let_pass(self, request: Request, *, full_path: str, raw_path: bytes | None) -> bool:
        """True if a request needs no credentials: for its path, or as a CORS preflight. See `covers`."""
        return is_preflight(request.method, request.headers) or (
            bool(self) and self.covers(request.path, full_path=full_path, raw_path=raw_path)
        )

    def covers(self, path: str, *, full_path: str, raw_path: bytes | None) -> bool:
        """True if a request for `path` (decoded, below the mount point) needs no credentials.

        `full_path` is the same path with the mount point, and `raw_path` what the server received for it, None if it
        does not say: a path that was sent percent-encoded without need is not exempt. A proxy that names the mount
        point may have taken it off the path, so `raw_path` may lack it.
        """
        if path not in self._exact and not (
            self._trees and path.startswith(self._trees) and _AMBIGUOUS.search(path) is None
        ):
            return False
        if raw_path is None:
            return True
        sent = raw_path.decode("latin-1")
        return any(
            sent in (meant, quote(meant, safe=_PATH_CHARACTERS, errors="replace")) for meant in (full_path, path)
        )


def is_preflight(method: str, headers: Headers) -> bool:
    """True for a CORS preflight as browsers send it (Fetch standard, CORS-preflight request).

    It carries neither credentials nor a body, and names one method. An application may not look at the method of a
    request, so whatever only resembles a preflight is none.
    """
    if method != "OPTIONS" or "origin" not in headers:
        return False
    asked = headers.get_all("access-control-request-method")
    if len(asked) != 1 or _METHOD.fullmatch(asked[0]) is None:
        return False
    return set(headers.get_all("content-length")) <= {"0"} and not any(name in headers for name in _NOT_IN_PREFLIGHTS)


def _problem(path: object) -> str | None:
    if not isinstance(path, str):
        return f"exempt path {path!r} is not text"
    if not path.startswith("/"):
        return f"exempt path {path!r} does not start with a slash"
    if _AMBIGUOUS.search(path.removesuffix("*") if path.endswith(_TREE) else path):
        return f"exempt path {path!r} could be read in two ways: write it as it is routed, without //, .., ;, % or *"
    return None
