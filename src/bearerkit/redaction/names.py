"""The names that credentials go by: headers, parameters, members of JSON.

Names are compared without case, hyphens and underscores, so accessToken, ACCESS_TOKEN and access-token are one. Tables
and comparisons only: no text is searched here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from bearerkit.errors import ConfigError
from bearerkit.redaction.escapes import DEPTH, unescaped

__all__ = [
    "AUTHORIZATION",
    "COOKIES",
    "CREDENTIAL_NAMES",
    "HEADERS",
    "PASSWORDS",
    "SPARINGLY",
    "SUBPROTOCOL",
    "WORDS",
    "credential_names",
    "folded",
    "known_name",
]


def _folded(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


AUTHORIZATION: Final = _folded("authorization proxyauthorization xforwardedauthorization")
"""Headers that hold a scheme and a credential."""
COOKIES: Final = _folded("cookie setcookie")
"""Headers that hold pairs."""
SUBPROTOCOL: Final = "secwebsocketprotocol"
"""The header of a WebSocket that may hold a token after the word `bearer`."""
_BARE_HEADERS: Final = _folded(
    "xapikey xapitoken xaccesstoken xauthtoken xforwardedaccesstoken xamzsecuritytoken dpop xinternalsecret",
    "xamznoidcdata xamznoidcaccesstoken xgoogiapjwtassertion cfaccessjwtassertion",
)
HEADERS: Final = AUTHORIZATION | COOKIES | {SUBPROTOCOL} | _BARE_HEADERS
"""Names that nothing but a header has."""
PASSWORDS: Final = _folded("password passwd passphrase secret")
"""Names whose value may be a word that people chose."""
WORDS: Final = PASSWORDS | _folded("token assertion cookie jwt dpop")
"""Names that prose puts before a colon: `invalid token: signature mismatch`."""
SPARINGLY: Final = _folded("code request")
"""Parameters of OAuth that have an ordinary word for a name, so that the place and the value decide."""
_PARAMETERS: Final = _folded(
    "accesstoken refreshtoken idtoken idtokenhint apitoken authtoken bearertoken oauthtoken oauthtokensecret",
    "sessiontoken subjecttoken actortoken logouttoken securitytoken registrationaccesstoken privatetoken apikey",
    "codeverifier devicecode usercode clientsecret clientassertion samlresponse",
    "sessionid sid phpsessid jsessionid xamzsignature xgoogsignature",
)
CREDENTIAL_NAMES: Final = HEADERS | WORDS | SPARINGLY | _PARAMETERS
"""All of them, folded."""

_LONGEST: Final = 400
_SEPARATORS: Final = re.compile(r"[^\w-]+", re.ASCII)
_NAME: Final = re.compile(r"(?=[\w-]*[A-Za-z])[\w-]+", re.ASCII)


def credential_names(more: Iterable[str] = ()) -> frozenset[str]:
    """`CREDENTIAL_NAMES` and `more`, folded. Raises ConfigError for what is no name of a header or parameter."""
    if isinstance(more, (str, bytes)):
        raise ConfigError(f"names={more!r} must be a list: names=[{more!r}]")
    listed: tuple[object, ...] = tuple(more)
    problems = [
        f"{name!r} is no name of a header or parameter"
        for name in listed
        if not isinstance(name, str) or _NAME.fullmatch(name) is None
    ]
    if problems:
        raise ConfigError(problems)
    return CREDENTIAL_NAMES | {folded(str(name)) for name in listed}


def folded(name: str) -> str:
    """`name` as names are compared."""
    return name.lower().replace("-", "").replace("_", "")


def known_name(written: str, names: Collection[str]) -> str | None:
    """Which of `names` is meant by what was written, None for another.

    It may be escaped, stand in brackets (`user[password]`) or behind dots, be numbered, or begin with `HTTP_`.
    """
    written = written[-_LONGEST:]
    for _ in range(DEPTH):
        parts = [part for part in _SEPARATORS.split(written) if part and not part.isdigit()]
        if parts:
            name = folded(parts[-1])
            if name in names or (name := name.removeprefix("http")) in names:
                return name
        written, before = unescaped(written), written
        if written == before:
            break
    return None
