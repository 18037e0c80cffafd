"""Which kind a credential is of: by the place that it came from, its prefix, or its shape.

Exactly one kind is asked, and none after it: a key of ours is never sent to somebody's introspection endpoint, a JWT of
an unknown issuer is sent nowhere. Nothing here resolves a credential.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from bearerkit.errors import InvalidRequest, TokenInvalid
from bearerkit.http import Request
from bearerkit.jose.compact import Limits, parse, parse_claims
from bearerkit.verify.cookies import cookie_of, note_cookie
from bearerkit.verify.kind import Kind, KindSettings

__all__ = ["Kinds", "Presented", "kind_problems"]

_USUAL: Final = "eyJ"
"""`{"`, encoded: how nearly all JWTs begin."""
_HEADER_MAX: Final = 4_096
_ONE_ALPHABET: Final = str.maketrans("+/", "-_")


@final
@dataclass(frozen=True, slots=True)
class Presented:
    """A credential that came by a way of its own: a cookie, a header field of its own."""

    kind: Kind
    value: str = field(repr=False)


@final
class Kinds:
    """The kinds of one `Auth`."""

    def __init__(self, wired: Sequence[tuple[KindSettings, Kind]], issuers: Iterable[str]) -> None:
        self.all = tuple(kind for _, kind in wired)
        prefixes = [(prefix, kind) for settings, kind in wired for prefix in settings.prefixes]
        self._prefixes = tuple(sorted(prefixes, key=lambda item: -len(item[0])))
        self._unprefixed = next((kind for settings, kind in wired if settings.unprefixed), None)
        self._headers = {settings.header: kind for settings, kind in wired if settings.header is not None}
        self._cookies = {settings.cookie: kind for settings, kind in wired if settings.cookie is not None}
        self._knowing = {settings.issuer: kind for settings, kind in wired if settings.issuer is not None}
        verified = frozenset(issuers)
        self._issuers = {issuer: kind for issuer, kind in self._knowing.items() if issuer not in verified}
        self.elsewhere = bool(self._headers or self._cookies)
        """True if a request may carry a credential that is no bearer token."""

    def of_token(self, token: str) -> Kind | None:
        """The kind of a bearer token; None for a JWT of the configured issuers, and for what is nothing at all."""
        for prefix, kind in self._prefixes:
            if token.startswith(prefix):
                return kind
        if _looks_like_jwt(token):
            return self._of_issuer(token) if self._issuers else None
        return self._unprefixed

    def knowing(self, issuer: str | None) -> Kind | None:
        """The kind to ask about a JWT of this issuer that was verified already; None if there is none."""
        return None if issuer is None else self._knowing.get(issuer)

    def take(self, request: Request, bearer: str | None) -> str | Presented | None:
        """The one credential of a request that may also carry one beside the bearer token.

        A header field that means "an internal call" goes with nothing else (InvalidRequest). A cookie is sent by
        browsers without being asked, so whoever sends a bearer token too means the token.
        """
        for header, kind in self._headers.items():
            value = request.headers.get(header)
            if value is not None:
                if bearer is not None or any(cookie_of(request, name) is not None for name in self._cookies):
                    raise InvalidRequest(f"the request carries {header} and another credential")
                return Presented(kind, value)
        if bearer is not None:
            return bearer
        for name, kind in self._cookies.items():
            value = cookie_of(request, name)
            if value is not None:
                kind.check(request)
                note_cookie(request)
                return Presented(kind, value)
        return None

    def _of_issuer(self, token: str) -> Kind | None:
        """The kind for the JWTs of one issuer. What is no JWT after all is of none, and will be refused."""
        try:
            issuer = parse_claims(parse(token, Limits()).payload, Limits()).get("iss")
        except TokenInvalid:
            return None
        return self._issuers.get(issuer) if isinstance(issuer, str) else None


def _looks_like_jwt(token: str) -> bool:
    """Whether it is a JWS or JWE, or means to be one: parts with dots, of which the first is an encoded JSON object.

    Wider than what is accepted: a header with white space in it, or in the other base64 alphabet, is refused later on,
    and must not be sent to somebody as a token of his before.
    """
    first, dot, rest = token.partition(".")
    if not dot or "." not in rest:
        return False
    if first.startswith(_USUAL):
        return True
    try:
        text = first[:_HEADER_MAX].rstrip("=").translate(_ONE_ALPHABET)
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).lstrip().startswith(b"{")
    except ValueError:
        return False


def kind_problems(kinds: Iterable[KindSettings]) -> list[str]:
    """One sentence for each way in which kinds cannot stand beside each other."""
    listed = list(kinds)
    takers: dict[str, list[str]] = {}
    for settings in listed:
        places = {"header field": settings.header, "cookie": settings.cookie, "issuer": settings.issuer}
        taken = [f"the {what} {value!r}" for what, value in places.items() if value is not None]
        for what in [*taken, *(f"the prefix {prefix!r}" for prefix in settings.prefixes)]:
            takers.setdefault(what, []).append(type(settings).__name__)
    problems = [f"{' and '.join(names)} both take {what}" for what, names in takers.items() if len(names) > 1]
    problems += [
        f"{type(settings).__name__} would take JWTs, which begin with {_USUAL}, by its prefix {prefix!r}"
        for settings in listed
        for prefix in settings.prefixes
        if _USUAL.startswith(prefix[: len(_USUAL)])
    ]
    without = [type(settings).__name__ for settings in listed if settings.unprefixed]
    if len(without) > 1:
        problems.append(
            f"{' and '.join(without)} both take tokens without a prefix: a credential is asked about once, so give all "
            "but one a prefix"
        )
    return problems
