"""The claim rules of one issuer: times, audience, calling client, required and forbidden claims, subject.

`ClaimRules` is the compiled form of what an `Issuer` was told; `check` applies it to a payload in a fixed order
(times, lifetime, audience, clients, require, forbid, kind, texts) and raises the first refusal. Pure:
`now` is a parameter, nothing is fetched, and no rule can be switched off except by a sentinel that must be spelled
(`ANY`, `NO_ISSUER`). RFC 7519 section 4.1, RFC 8725, RFC 9068 section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NoReturn

from bearerkit.errors import AudienceMismatch, ClaimInvalid, Expired, NotYetValid, WrongTokenType
from bearerkit.jose.claim_path import MISSING, ClaimPath
from bearerkit.jose.token_type import TokenType, check_kind

__all__ = [
    "ANY",
    "LEEWAY_MAX",
    "NO_ISSUER",
    "PRESENT",
    "TEXTS",
    "ClaimRules",
    "Sentinel",
    "check",
    "few",
    "lifetime",
    "refuse_long_expired",
    "refuse_no_subject",
    "shown",
]


class Sentinel(Enum):
    """Values that must be spelled out, so that nothing is switched off by leaving it away."""

    ANY = "ANY"
    NO_ISSUER = "NO_ISSUER"
    PRESENT = "PRESENT"

    def __repr__(self) -> str:
        return self.value


ANY: Final = Sentinel.ANY
"""No restriction at this place. As an audience: every token of the issuer is taken, whoever it was made for."""
NO_ISSUER: Final = Sentinel.NO_ISSUER
"""The tokens of this entry carry no `iss`; a token that has one is never judged by it."""
PRESENT: Final = Sentinel.PRESENT
"""In `require=`: the claim must be there and not null, whatever its value."""

LEEWAY_MAX: Final = 300
"""Seconds; the most clock difference that any issuer may be granted."""
_OTHER_AUDIENCE: Final = (
    "Ask for a token for this API (Auth0: audience=; Entra: scope=api://…/.default; dev-token: --audience). If the "
    "token is right, name its audience in audience=."
)
_ID_TOKEN_CLAIMS: Final = ("nonce", "at_hash", "c_hash")
_ID_TOKEN_HINT: Final = (
    "This looks like an ID token (it is meant for the client, not for this API). Send the access token. "
    'Providers whose bearer is an ID token need token_type="id".'
)
_CLIENT_FOR_AUDIENCE: Final = (
    ("client_id", "Cognito access tokens", "your app client ids"),
    ("azp", "Clerk session tokens", "the origins of your pages"),
)
TEXTS: Final = ("sub", "jti")
"""Claims that are strings wherever they occur (RFC 7519 section 4.1)."""
_FURTHEST: Final = 1e15
"""Seconds; far past any date, near enough that arithmetic on it stays exact."""


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the claims of one issuer's tokens must say. Times in seconds; None stands for "not restricted"."""

    audience: frozenset[str] | None
    audience_from: tuple[ClaimPath, ...]
    audience_optional: bool
    clients: frozenset[str] | None
    client_claims: tuple[ClaimPath, ...]
    require: tuple[tuple[ClaimPath, tuple[Any, ...]], ...]
    require_any: tuple[ClaimPath, ...]
    """At least one of these must be there; () for no such rule."""
    forbid: tuple[ClaimPath, ...]
    forbid_if_typed: bool
    """Whether `forbid` also applies to tokens whose typ already says at+jwt."""
    subject_required: bool
    """The caller judges this by the mapped subject, which may stand in another claim than `sub`."""
    token_type: TokenType
    leeway: float
    lifetime_max: float | None
    texts: tuple[str, ...] = TEXTS
    """Claims that must be strings where they occur."""
    exp_required: bool = True
    """False only for answers of a server that was asked about a token: it says itself whether the token is good."""


def shown(value: object) -> str:
    """A claim value for the operator's log: quoted, and never longer than a line."""
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def few(names: Sequence[str]) -> str:
    """Names for the operator's log: the first three and how many more."""
    listed = ", ".join(names[:3])
    return listed if len(names) <= 3 else f"{listed} and {len(names) - 3} more"


def check(rules: ClaimRules, header: Mapping[str, Any], claims: Mapping[str, Any], now: float, *, typed: bool) -> None:
    """Raise the first refusal, or return. `typed` says that the header's typ is at+jwt."""
    _check_times(rules, claims, now)
    _check_audience(rules, header, claims)
    if rules.clients is not None:
        _check_clients(rules.clients, rules.client_claims, header, claims)
    for path, wanted in rules.require:
        _check_required(path, wanted, header, claims)
    if rules.require_any and all(path.read(claims, header) is MISSING for path in rules.require_any):
        named = " or ".join(f'"{path.path}"' for path in rules.require_any)
        raise ClaimInvalid(f"the token has no {named}", reason="claim_required")
    if rules.forbid and (rules.forbid_if_typed or not typed):
        _check_forbidden(rules.forbid, header, claims)
    check_kind(claims, rules.token_type)
    _check_texts(rules.texts, claims)


def lifetime(rules: ClaimRules, claims: Mapping[str, Any]) -> tuple[float, float]:
    """From when until when, in epoch seconds, `check` accepts the times of claims that it has accepted once."""
    return max(claims.get("nbf", 0), claims.get("iat", 0)) - rules.leeway, claims["exp"] + rules.leeway


def _check_times(rules: ClaimRules, claims: Mapping[str, Any], now: float) -> None:
    leeway = rules.leeway
    exp, nbf, iat = claims.get("exp", MISSING), claims.get("nbf", MISSING), claims.get("iat", MISSING)
    if exp is MISSING:
        exp = _no_end(rules)
    elif type(exp) is not int or not -_FURTHEST < exp < _FURTHEST:
        _check_number("exp", exp)
    if now >= exp + leeway:
        raise Expired(
            f"expired {now - exp:.0f} s ago",
            hint="If this was issued just now, the clocks differ: compare them; leeway= is for seconds, not minutes.",
        )
    if nbf is not MISSING:
        if type(nbf) is not int or not -_FURTHEST < nbf < _FURTHEST:
            _check_number("nbf", nbf)
        if now + leeway < nbf:
            raise NotYetValid(f'"nbf" lies {nbf - now:.0f} s in the future')
    if iat is not MISSING:
        if type(iat) is not int or not -_FURTHEST < iat < _FURTHEST:
            _check_number("iat", iat)
        if now + leeway < iat:
            raise NotYetValid(
                f'"iat" lies {iat - now:.0f} s in the future', hint="Compare the clocks of both machines."
            )
    if rules.lifetime_max is None:
        return
    if iat is MISSING:
        raise ClaimInvalid('lifetime_max needs "iat", which the token does not have', reason="iat_missing")
    if exp - iat > rules.lifetime_max:
        raise ClaimInvalid(
            f"the token lives longer than the {rules.lifetime_max:.0f} s that lifetime_max allows",
            reason="lifetime_too_long",
        )


def _no_end(rules: ClaimRules) -> float:
    """The end of a token that names none. Raises ClaimInvalid where it must."""
    if rules.exp_required:
        raise ClaimInvalid(
            'the token has no "exp"', reason="exp_missing", hint="Tokens without an expiry never verify. Set one."
        )
    return _FURTHEST


def _check_number(name: str, value: object) -> None:
    """A NumericDate (RFC 7519 section 2) is a finite JSON number, never a boolean or a string."""
    if (type(value) is int or type(value) is float) and -_FURTHEST < value < _FURTHEST:
        return
    raise ClaimInvalid(f'"{name}" must be a number of seconds, it is {shown(value)}', reason=f"{name}_invalid")


def _check_audience(rules: ClaimRules, header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    found: Any = MISSING
    for path in rules.audience_from:
        found = path.read(claims, header)
        if found is not MISSING:
            break
    audience = rules.audience
    if isinstance(found, str):
        if audience is None or found in audience:
            return
    elif isinstance(found, list) and all(isinstance(item, str) for item in found):
        if audience is None or not audience.isdisjoint(found):
            return
    elif found is MISSING:
        if audience is None or rules.audience_optional:
            return
    else:
        raise AudienceMismatch(f"the audience must be a string or a list of strings, it is {shown(found)}")
    name = rules.audience_from[0].path
    wanted = few(sorted(audience or ()))
    if found is MISSING:
        raise AudienceMismatch(f'the token has no "{name}", wanted is {wanted}', hint=_no_audience_hint(claims))
    raise AudienceMismatch(
        f'"{name}" is {shown(found)}, wanted is {wanted}', hint=_audience_hint(found, claims, wanted)
    )


def _no_audience_hint(claims: Mapping[str, Any]) -> str:
    for name, like, whose in _CLIENT_FOR_AUDIENCE:
        if isinstance(claims.get(name), str):
            return (
                f'The token has no "aud" but {name}={shown(claims[name])}. {like} are like that: '
                f'audience_from=("{name}",) with {whose}. Do not switch the audience check off.'
            )
    return _OTHER_AUDIENCE


def _audience_hint(found: object, claims: Mapping[str, Any], wanted: str) -> str:
    if "nonce" in claims or "at_hash" in claims:
        return _ID_TOKEN_HINT
    if found in ("account", ["account"]):
        return (
            f'Keycloak put no API into "aud". Add an audience mapper (client scope) for {wanted}, then get a new token.'
        )
    if found == []:
        return "The client did not request an audience (Ory Hydra): ask for it in the token request."
    return _OTHER_AUDIENCE


def _check_clients(
    clients: frozenset[str], places: tuple[ClaimPath, ...], header: Mapping[str, Any], claims: Mapping[str, Any]
) -> None:
    for path in places:
        found = path.read(claims, header)
        if found is not MISSING and found is not None:
            if isinstance(found, str) and found in clients:
                return
            raise ClaimInvalid(f'client "{path.path}" is {shown(found)}', reason="client_not_allowed")
    raise ClaimInvalid("the token does not name its client", reason="client_not_allowed")


def _check_required(
    path: ClaimPath, wanted: tuple[Any, ...], header: Mapping[str, Any], claims: Mapping[str, Any]
) -> None:
    found = path.read(claims, header)
    if found is MISSING:
        found = None
    for value in wanted:
        if (value is PRESENT and found is not None) or (type(value) is type(found) and value == found):
            return
    said = "is absent" if found is None else f"is {shown(found)}"
    options = " or ".join("absent" if value is None else shown(value) for value in wanted)
    raise ClaimInvalid(f'"{path.path}" {said}, required is {options}', reason="claim_required")


def _check_forbidden(paths: tuple[ClaimPath, ...], header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    for path in paths:
        if path.read(claims, header) is not MISSING:
            raise WrongTokenType(
                f'the token carries "{path.path}", which an access token of this issuer never does',
                reason="claim_forbidden",
                hint=_ID_TOKEN_HINT if path.path in _ID_TOKEN_CLAIMS else None,
            )


def _check_texts(names: tuple[str, ...], claims: Mapping[str, Any]) -> None:
    """Each is a string where it occurs; null counts as absent."""
    for name in names:
        value = claims.get(name)
        if value is not None and type(value) is not str:
            raise ClaimInvalid(f'"{name}" must be a string, it is {shown(value)}', reason=f"{name}_invalid")


def refuse_long_expired(claims: Mapping[str, Any], now: float) -> None:
    """Raise Expired for what no leeway could save, before it is known whose rules apply."""
    exp = claims.get("exp", MISSING)
    if type(exp) in (int, float) and now >= exp + LEEWAY_MAX:
        raise Expired("expired before its issuer was looked up")


def refuse_no_subject(path: str) -> NoReturn:
    """Raise the refusal of a token that names nobody."""
    raise ClaimInvalid(
        f'the token has no subject ("{path}")',
        reason="sub_missing",
        hint='Tokens of machines may have none: subject="optional" takes them.',
    )
