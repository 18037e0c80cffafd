"""The names that credentials go by, and the words that only look like credentials.

Names are compared without case, hyphens and underscores, so accessToken, ACCESS_TOKEN and access-token are one. Pure
tables and comparisons for redaction.py; no text is searched here, and none is changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from bearerkit.errors import ConfigError
from bearerkit.escapes import DEPTH, unescaped

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
    "is_prose",
    "is_random",
    "known_name",
]

AUTHORIZATION: Final = frozenset({"authorization", "proxyauthorization", "xforwardedauthorization"})
"""Headers that hold a scheme and a credential."""
COOKIES: Final = frozenset({"cookie", "setcookie"})
"""Headers that hold pairs."""
SUBPROTOCOL: Final = "secwebsocketprotocol"
"""The header of a WebSocket that may hold a token after the word `bearer`."""
PASSWORDS: Final = frozenset({"password", "passwd", "passphrase", "secret"})
"""Names whose value may be a word that people chose."""
SPARINGLY: Final = frozenset({"code", "request"})
"""Parameters of OAuth that have an ordinary word for a name, so that the place and the value decide."""
WORDS: Final = PASSWORDS | {"token", "assertion", "cookie", "jwt", "dpop"}
"""Names that prose puts before a colon: `invalid token: signature mismatch`."""
HEADERS: Final = frozenset(
    [
        "xapikey",
        "xaccesstoken",
        "xauthtoken",
        "xforwardedaccesstoken",
        "xamzsecuritytoken",
        "dpop",
        "xamznoidcdata",
        "xamznoidcaccesstoken",
        "xgoogiapjwtassertion",
        "cfaccessjwtassertion",
    ]
) | {SUBPROTOCOL, *AUTHORIZATION, *COOKIES}
"""Names that nothing but a header has."""
CREDENTIAL_NAMES: Final = (
    frozenset(
        [
            "accesstoken",
            "refreshtoken",
            "idtoken",
            "idtokenhint",
            "authtoken",
            "bearertoken",
            "oauthtoken",
            "oauthtokensecret",
            "sessiontoken",
            "subjecttoken",
            "actortoken",
            "logouttoken",
            "securitytoken",
            "registrationaccesstoken",
            "privatetoken",
            "apikey",
            "codeverifier",
            "devicecode",
            "usercode",
            "clientsecret",
            "clientassertion",
            "samlresponse",
            "sessionid",
            "sid",
            "phpsessid",
            "jsessionid",
            "xamzsignature",
            "xgoogsignature",
        ]
    )
    | HEADERS
    | WORDS
    | SPARINGLY
)
"""The headers, parameters and members that hold credentials, folded."""

_LONGEST: Final = 400
_SEPARATORS: Final = re.compile(r"[^\w-]+", re.ASCII)
_PUNCTUATION: Final = "\"'`<>()[]{}.,:;!?*…-"
_PROSE: Final = frozenset(
    [
        "a",
        "access",
        "again",
        "an",
        "and",
        "any",
        "api",
        "are",
        "as",
        "at",
        "auth",
        "authentication",
        "authenticated",
        "authorization",
        "bad",
        "basic",
        "be",
        "bearer",
        "been",
        "before",
        "but",
        "by",
        "can",
        "cannot",
        "challenge",
        "challenges",
        "could",
        "credential",
        "credentials",
        "denied",
        "digest",
        "dpop",
        "empty",
        "error",
        "errors",
        "expected",
        "expired",
        "failed",
        "false",
        "first",
        "flow",
        "for",
        "found",
        "from",
        "given",
        "had",
        "has",
        "have",
        "header",
        "headers",
        "if",
        "in",
        "introspection",
        "invalid",
        "is",
        "it",
        "its",
        "jwt",
        "jwts",
        "key",
        "keys",
        "malformed",
        "may",
        "method",
        "methods",
        "missing",
        "must",
        "needed",
        "negotiate",
        "new",
        "nil",
        "no",
        "none",
        "nor",
        "not",
        "null",
        "of",
        "off",
        "ok",
        "old",
        "on",
        "only",
        "optional",
        "or",
        "prefix",
        "present",
        "realm",
        "refresh",
        "refused",
        "rejected",
        "required",
        "revoked",
        "scheme",
        "schemes",
        "security",
        "shall",
        "should",
        "some",
        "str",
        "string",
        "subprotocol",
        "support",
        "supported",
        "than",
        "that",
        "the",
        "then",
        "this",
        "to",
        "token",
        "tokens",
        "true",
        "type",
        "types",
        "undefined",
        "unexpected",
        "unknown",
        "unsupported",
        "usage",
        "value",
        "values",
        "verification",
        "was",
        "were",
        "when",
        "which",
        "who",
        "will",
        "with",
        "without",
        "would",
        "wrong",
        "you",
        "your",
    ]
)
_RANDOM: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])\S{8,}|\S{20,}", re.DOTALL)
_CONSTANT: Final = re.compile(r"[A-Za-z]+(?:[_\-./: ][A-Za-z]+)+|[A-Z0-9]+(?:_[A-Z0-9]+)+")
_LOOKED_AT: Final = 256


def credential_names(more: Iterable[str] = ()) -> frozenset[str]:
    """The names of `CREDENTIAL_NAMES` and `more`, folded. Raises ConfigError for what is no name."""
    if isinstance(more, (str, bytes)):
        raise ConfigError(f"names={more!r} must be a list: names=[{more!r}]")
    listed: tuple[object, ...] = tuple(more)
    if problems := [
        f"{name!r} is no name of a header or parameter"
        for name in listed
        if not isinstance(name, str) or not re.fullmatch(r"(?=.*[A-Za-z])[\w-]+", name, re.ASCII)
    ]:
        raise ConfigError(problems)
    return CREDENTIAL_NAMES | {folded(str(name)) for name in listed}


def folded(name: str) -> str:
    """`name` as names are compared."""
    return name.lower().replace("-", "").replace("_", "")


def known_name(written: str, names: Collection[str]) -> str | None:
    """Which of `names` is meant by what was written: escaped, in brackets, behind dots, as in CGI; None for another."""
    written = written[-_LONGEST:]
    for _ in range(DEPTH + 1):
        parts = [part for part in _SEPARATORS.split(written) if part and not part.isdigit()]
        if parts:
            name = folded(parts[-1])
            if name in names or (name := name.removeprefix("http")) in names:
                return name
        plain = unescaped(written)
        if plain == written:
            return None
        written = plain
    return None


def is_prose(word: str) -> bool:
    """True for a word of a sentence about credentials, and for what holds no letter or digit at all."""
    bare = word.strip(_PUNCTUATION).lower()
    return bare in _PROSE or not any(map(str.isalnum, bare))


def is_random(value: str) -> bool:
    """True for a value that nobody would write by hand, false for words, constants and small numbers."""
    start = value[:_LOOKED_AT]
    return _RANDOM.fullmatch(start) is not None and _CONSTANT.fullmatch(start) is None
