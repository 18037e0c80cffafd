"""Where a request carries its credential, and how one is taken out of it: exactly one, or a refusal.

The rules are RFC 6750 section 2.1 and 3.1: the scheme ignores case, one space, b64token; more than one credential
in a request is refused, never guessed at. Repeated Authorization fields arrive here joined by a comma
(`Headers.get`), so that every framework is judged by this one rule. Tokens in the query string or the body are
not read (RFC 9700 section 4.3.2, OAuth 2.1). Nothing here looks inside a token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, CredentialsMissing, InvalidRequest, ProofInvalid
from bearerkit.http import Headers, Request

__all__ = ["SUBPROTOCOL", "SUBPROTOCOL_HEADER", "Places", "check_presentation", "take_token"]

SUBPROTOCOL = "bearer"
"""WebSocket subprotocol that announces a token in the next element of the list; echoed on accept."""
SUBPROTOCOL_HEADER = "sec-websocket-protocol"

_SCHEME = "bearer"
_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_B64TOKEN = b"-._~+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What a b64token is made of, before its padding (RFC 6750 section 2.1)."""
_BEARER_AMISS = re.compile(r"bearer(?![!#$%&'*+\-.^_`|~0-9A-Za-z])", re.IGNORECASE)
"""The Bearer scheme followed by something else than a space."""
_SECOND_BEARER = re.compile(r",\s*bearer(?:\s|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Places:
    """Where this API takes its credential from.

    `header` is the field that carries it. `Authorization` is read as RFC 6750 says; any other field
    (`x-amzn-oidc-data`, `x-goog-iap-jwt-assertion`) holds the bare token and nothing else. `subprotocol` says whether
    a WebSocket may carry it in `Sec-WebSocket-Protocol`; None: only where `header` is Authorization, since a gateway
    that fills another field does not look there.
    """

    header: str = "authorization"
    subprotocol: bool | None = None

    @property
    def is_sent_on_purpose(self) -> bool:
        """True if only code that holds the credential can send it.

        No browser adds `Authorization: Bearer` by itself. A gateway that fills a field of its own does so for whoever
        has a session cookie, which a browser does add, also to what a page of another site makes it send.
        """
        return self.is_authorization

    @property
    def is_authorization(self) -> bool:
        """True if the field is `Authorization`, which names a scheme before the token."""
        return self.header.lower() == "authorization"

    def __post_init__(self) -> None:
        if _FIELD_NAME.fullmatch(str(self.header)) is None:
            raise ConfigError(f"Places(header={self.header!r}) is no name of a header field")


def take_token(request: Request, places: Places = Places()) -> str:
    """The one bearer token of a request.

    Raises CredentialsMissing if there is none, InvalidRequest if there are several or if it is malformed.
    """
    field = request.headers.get(places.header)
    bare = not places.is_authorization
    token = None if field is None else _from_field(field, bare=bare)
    if request.kind == "websocket" and (not bare if places.subprotocol is None else places.subprotocol):
        offered = _from_subprotocols(request.headers)
        if offered is not None and token is not None:
            raise InvalidRequest("the WebSocket handshake carries a token in a header and in its subprotocols")
        token = offered if token is None else token
    if token is None:
        raise CredentialsMissing("the request carries no bearer credential")
    return token


def check_presentation(context: AuthContext) -> None:
    """Raise ProofInvalid for a token that is bound to a key and came without proof of that key.

    Such a token is worth nothing to a thief; taking it as a bearer token would undo that (RFC 9449 section 7.1,
    RFC 8705 section 3).
    """
    if context.is_bound:
        raise ProofInvalid(
            'the token is bound to a key ("cnf") and came as a plain bearer token',
            reason="proof_required",
            hint="Proofs of possession (DPoP, mTLS) are not checked yet, so a request with such a token is refused. "
            "Have the client ask for an unbound token.",
        )


def _from_field(field: str, *, bare: bool) -> str | None:
    token = field
    if not bare:
        scheme, space, token = field.partition(" ")
        if scheme.lower() != _SCHEME:
            if _BEARER_AMISS.match(field) or _SECOND_BEARER.search(field):
                raise InvalidRequest("the Authorization header carries more than one credential, or a malformed one")
            return None
        if not space:
            raise InvalidRequest("the Authorization header names the Bearer scheme but carries no token")
    # In a field of its own: AWS pads each part of its tokens. Whether padding is accepted is the issuer's rule.
    if not (_is_made_of(token, _B64TOKEN + b"=") if bare else _is_b64token(token)):
        raise InvalidRequest(
            "the credential is not one b64token (RFC 6750 section 2.1)",
            hint="Send exactly: Authorization: Bearer <token>. One space, no quotes, no second credential.",
        )
    return token


def _is_b64token(text: str) -> bool:
    return _is_made_of(text.rstrip("="), _B64TOKEN)


def _is_made_of(text: str, alphabet: bytes) -> bool:
    # A regular expression would take three times as long, on every request.
    return bool(text) and text.isascii() and not text.encode("ascii").translate(None, alphabet)


def _from_subprotocols(headers: Headers) -> str | None:
    """`Sec-WebSocket-Protocol: bearer, <token>`, for browsers, which cannot set headers on a WebSocket."""
    offered = [item.strip() for value in headers.get_all(SUBPROTOCOL_HEADER) for item in value.split(",")]
    places = [index for index, item in enumerate(offered) if item == SUBPROTOCOL]
    if not places:
        return None
    if len(places) > 1:
        raise InvalidRequest("the WebSocket handshake offers the bearer subprotocol more than once")
    following = offered[places[0] + 1 : places[0] + 2]
    if not following or not _is_b64token(following[0]):
        raise InvalidRequest("the bearer subprotocol is not followed by a token")
    return following[0]
