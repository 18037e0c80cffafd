"""Which kind of token this is: by its `typ` header, and by the claims that give a kind away.

An API takes access tokens. ID, refresh, logout, DPoP, introspection and assertion tokens may be signed by the same
issuer with the same key and even name the same audience, so they are told apart here (RFC 8725 section 3.11,
RFC 9068 section 2.1). Always on: no setting lets a refresh or logout token through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from bearerkit.errors import WrongTokenType

__all__ = ["DEFAULT_FORBID", "DEFAULT_TYP", "TokenType", "check_kind", "check_typ", "normalise_typ"]

TokenType = Literal["access", "id"]

DEFAULT_TYP: Final[Mapping[TokenType, tuple[str | None, ...]]] = {
    "access": (None, "jwt", "at+jwt"),
    "id": (None, "jwt"),
}
"""Accepted `typ` values in their normal form, None for an absent header."""

DEFAULT_FORBID: Final[Mapping[TokenType, tuple[str, ...]]] = {"access": ("nonce", "at_hash", "c_hash"), "id": ()}
"""Claims that only an ID token carries (OpenID Connect Core section 2, 3.3.2.11). Not applied where typ is at+jwt."""

_NAMES: Final = {
    "at+jwt": "an access token",
    "okta-internal-at+jwt": "an Okta org server token, which only Okta may read",
    "logout+jwt": "a logout token",
    "dpop+jwt": "a DPoP proof",
    "token-introspection+jwt": "an introspection answer",
    "client-authentication+jwt": "a client assertion",
    "oauth-authz-req+jwt": "an authorization request object",
    "secevent+jwt": "a security event token",
    "refresh+jwt": "a refresh token",
    "rt+jwt": "a refresh token",
}


_MARKER_CLAIMS: Final = ("typ", "token_use", "token_type", "type")
_SUSPECT: Final = ("events", "token_introspection", "htm", *_MARKER_CLAIMS)
"""Most access tokens have none of these claims, and are done with by one look."""
_REFRESH_MARKERS: Final = frozenset({"refresh", "refresh_token", "offline", "logout"})
_ID_MARKERS: Final = frozenset({"id", "id_token"})


def normalise_typ(typ: str | None) -> str | None:
    """`application/at+JWT` → `at+jwt` (RFC 7515 section 4.1.9): case and the `application/` prefix do not matter."""
    return None if typ is None else typ.lower().removeprefix("application/")


def check_typ(typ: str | None, accepted: frozenset[str | None]) -> None:
    """Raise WrongTokenType unless `typ` (as it stands in the header) is accepted."""
    normal = normalise_typ(typ)
    if normal in accepted:
        return
    shown = "no typ" if typ is None else f"typ {typ[:60]!r}"
    named = _NAMES.get(normal or "")
    raise WrongTokenType(
        f"the token has {shown}" + (f": {named}" if named else ""),
        reason="typ_not_accepted",
        hint="Send the access token. If this provider really marks its access tokens so, list the type in typ=.",
    )


def check_kind(claims: Mapping[str, Any], token_type: TokenType) -> None:
    """Raise WrongTokenType if the claims betray a kind that never authenticates a request."""
    if claims.keys().isdisjoint(_SUSPECT):
        return
    events = claims.get("events")
    if isinstance(events, dict) and any(":" in name for name in events):
        raise WrongTokenType('the claim "events" says that this is a logout or security event token (RFC 8417)')
    if "token_introspection" in claims:
        raise WrongTokenType('the claim "token_introspection" says that this is an introspection answer (RFC 9701)')
    if "htm" in claims and "htu" in claims:
        raise WrongTokenType('the claims "htm" and "htu" say that this is a DPoP proof (RFC 9449)')
    refused = _REFRESH_MARKERS if token_type == "id" else _REFRESH_MARKERS | _ID_MARKERS
    for claim in _MARKER_CLAIMS:
        value = claims.get(claim)
        if isinstance(value, str) and value.lower() in refused:
            raise WrongTokenType(
                f'the claim "{claim}" is {value[:40]!r}: this is no access token',
                hint="Send the access token, not the ID or refresh token that was issued beside it.",
            )
