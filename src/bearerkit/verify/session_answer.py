"""What the team's resolver said about a session id, as an `AuthContext`, or why it cannot be one.

Whatever is wrong with an answer is an outage of the store (503) and not the caller's fault: a session that cannot be
read must not look like one that has ended. Pure; nothing here asks a resolver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from bearerkit.context import AuthContext
from bearerkit.errors import Expired, Malformed, StoreUnavailable, TokenInvalid
from bearerkit.jose.json_view import plain
from bearerkit.jose.mapping import ClaimMapping

__all__ = ["ID_LENGTHS", "check_session_id", "session_from"]

ID_LENGTHS: Final = (16, 1_024)
"""Fewest and most characters of a session id. Fewer than 16 can be guessed."""
_ID: Final = re.compile(r"[!#-+\--:<-\[\]-~]+", re.ASCII)
"""cookie-octet (RFC 6265 section 4.1.1): visible ASCII without quotes, comma, semicolon and backslash."""
_ENDED: Final = "The session is unknown or has ended."
_KIND: Final = "session"


def check_session_id(credential: str) -> None:
    """Raise Malformed for what no session id can be, so that no resolver is asked about it."""
    least, most = ID_LENGTHS
    if not least <= len(credential) <= most:
        raise Malformed(
            f"a session id of {len(credential)} characters",
            public=_ENDED,
            hint=f"Session ids have {least} to {most} characters: shorter ones can be guessed.",
        )
    if _ID.fullmatch(credential) is None:
        raise Malformed("a session id with characters that no cookie has (RFC 6265 section 4.1.1)", public=_ENDED)


def session_from(answer: object, credential: str, mapping: ClaimMapping, now: float) -> AuthContext:
    """The context of a session. Raises TokenInvalid if there is none, StoreUnavailable for an answer that is none."""
    if answer is None:
        raise TokenInvalid("the resolver knows no such session", public=_ENDED)
    context = _context_of(answer, mapping)
    if credential in (context.session_id, context.token_id, context.subject):
        _wrong(
            "names the session id itself in its claims",
            "It is a credential, and contexts are logged: give a public handle in sid, or leave it out.",
        )
    if context.subject is None:
        _wrong(
            "names no subject",
            "Return the user's id as text in the claim sub, or say claims=ClaimMapping(subject=...).",
        )
    ends = context.expires_at
    if ends is None and context.claims.get("exp") is not None:
        _wrong("has an exp that is no time", "exp is a number: seconds since the epoch.")
    if ends is not None and now >= ends:
        raise Expired(f"the session ended at {ends:.0f}, now is {now:.0f}", public=_ENDED)
    return context


def _context_of(answer: object, mapping: ClaimMapping) -> AuthContext:
    """A context of kind "session" that shares nothing with what the team may go on changing."""
    if isinstance(answer, AuthContext) and answer.is_authenticated:
        _, (claims, theirs, header, _, wildcards) = answer.__reduce__()
        return AuthContext(claims, theirs, header=header, credential_kind=_KIND, wildcard_scopes=wildcards)
    if isinstance(answer, Mapping) and all(isinstance(name, str) for name in answer):
        claims_: dict[str, Any] = plain(answer)
        return AuthContext(claims_, mapping, credential_kind=_KIND)
    _wrong(f"is {_type_of(answer)}", "A resolver returns the claims of the session, an AuthContext, or None.")


def _type_of(answer: object) -> str:
    if isinstance(answer, AuthContext):
        return "the anonymous context"
    return "a mapping whose names are no text" if isinstance(answer, Mapping) else f"of type {type(answer).__name__}"


def _wrong(what: str, hint: str) -> NoReturn:
    raise StoreUnavailable(f"the answer of the session resolver {what}", hint=hint)
