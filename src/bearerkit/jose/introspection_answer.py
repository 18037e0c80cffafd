"""What the answer of an introspection endpoint says (RFC 7662 section 2.2): claims, a refusal, or that it says nothing.

The server is asked because it knows the token; it is not believed further than that. `active` must be the JSON value
true, and the claims are held against the same rules as those of a JWT. An answer that is no answer (another status,
another type, too large, not JSON, no boolean) is an outage and never an inactive token: nobody may be locked out or let
in by a server that is broken. What must never happen here: a fetch, a clock, or a second copy of a claim rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from bearerkit.errors import ClaimInvalid, IntrospectionUnavailable, IssuerMismatch, TokenInvalid, WrongTokenType
from bearerkit.http import Fetched
from bearerkit.jose.claim_path import ClaimPath
from bearerkit.jose.claims import ClaimRules, Sentinel, check, shown
from bearerkit.jose.strict_json import JsonInvalid, loads

__all__ = ["ANSWER_BYTES_MAX", "ANSWER_DEPTH_MAX", "AnswerRules", "ends_of", "read_answer"]

ANSWER_BYTES_MAX: Final = 512 * 1024
"""An answer may carry a policy, and no more than that."""
ANSWER_DEPTH_MAX: Final = 32
_RETRY_AFTER: Final = 5
_RETRY_AFTER_MAX: Final = 300
_QUOTED_LENGTH: Final = 60
_NO_HEADER: Final[Mapping[str, Any]] = {}
_ERROR_CODES: Final = frozenset(
    {
        *("invalid_request", "invalid_client", "invalid_token", "insufficient_scope", "unauthorized_client"),
        *("access_denied", "unsupported_token_type", "server_error", "temporarily_unavailable"),
    }
)
_HINTS: Final[Mapping[int, str]] = {
    400: "The endpoint did not understand the request: is it an introspection endpoint (RFC 7662)?",
    401: "The endpoint does not know this client: compare client_id, its secret or key, and the method.",
    403: "This client may not introspect tokens: allow it at the authorization server.",
    404: "There is no introspection endpoint at this URL.",
    405: "There is no introspection endpoint at this URL: it would take POST.",
}


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """What the answers of one endpoint must say.

    `issuer` is compared exactly; `issuer_optional` takes answers that name none. `audience` None takes every audience,
    and `audience_optional` answers that name none. `clients` are those whose tokens are taken. `token_types` names the
    accepted values of `token_type` in lower case and makes it a must; None takes whatever is not said to be another
    kind of token. With `exp_required` an answer without an end is refused. Times in seconds.
    """

    issuer: str | None = None
    issuer_optional: bool = False
    audience: frozenset[str] | None = None
    audience_optional: bool = False
    clients: frozenset[str] | None = None
    client_claims: tuple[str, ...] = ("client_id",)
    token_types: frozenset[str] | None = None
    exp_required: bool = False
    leeway: float = 0.0
    claims: ClaimRules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = ClaimRules(
            audience=self.audience,
            audience_from=(ClaimPath("aud"),),
            audience_optional=self.audience_optional,
            clients=self.clients,
            client_claims=tuple(map(ClaimPath, self.client_claims)),
            require=(),
            require_any=(),
            forbid=(),
            forbid_if_typed=False,
            subject_required=False,
            token_type="access",
            leeway=self.leeway,
            lifetime_max=None,
            exp_required=self.exp_required,
        )
        object.__setattr__(self, "claims", rules)

    @classmethod
    def of(
        cls, audience: str | Iterable[str] | Sentinel | None, clients: Iterable[str] | None = None, **more: Any
    ) -> AnswerRules:
        """The same from one audience or several, `ANY` or None for every one."""
        if audience is None or isinstance(audience, Sentinel):
            wanted = None
        else:
            wanted = frozenset([audience] if isinstance(audience, str) else audience)
        return cls(audience=wanted, clients=None if clients is None else frozenset(clients), **more)


def read_answer(fetched: Fetched, rules: AnswerRules, now: float) -> dict[str, Any]:
    """The claims of an active token, without `active`. `now` is in epoch seconds.

    Raises TokenInvalid (or a subclass of it) for a token that is not active or not for us, IntrospectionUnavailable for
    what is no answer. Who is meant is for the claim mapping to say: an answer without `sub` is taken here.
    """
    claims = _members(fetched)
    active = claims.pop("active", None)
    if active is False:
        raise TokenInvalid(
            "the introspection endpoint says that the token is not active",
            reason="token_inactive",
            hint="It expired, was revoked, or this server does not know it, or not for this client (RFC 7662 "
            "section 2.2).",
        )
    if active is not True:
        said = 'has no "active"' if active is None else f'says "active" is {shown(active)}, which is no boolean'
        raise IntrospectionUnavailable(
            f"the introspection answer {said}",
            hint="Only the JSON values true and false count (RFC 7662 section 2.2). Is this the right endpoint?",
        )
    _check_issuer(rules, claims)
    check(rules.claims, _NO_HEADER, claims, now, typed=False)
    _check_token_type(rules, claims)
    _check_scope(claims)
    return claims


def ends_of(claims: Mapping[str, Any]) -> float:
    """When claims from `read_answer` end by themselves, in epoch seconds; infinity if they do not say."""
    return float(claims.get("exp", float("inf")))


def _members(fetched: Fetched) -> dict[str, Any]:
    """The JSON object of an answer. Raises IntrospectionUnavailable."""
    if len(fetched.body) > ANSWER_BYTES_MAX:
        raise IntrospectionUnavailable(f"the introspection answer is larger than {ANSWER_BYTES_MAX} bytes")
    if fetched.status != 200:
        _refuse_status(fetched)
    kind = (fetched.headers.get("content-type") or "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.endswith("+json") and kind.startswith("application/")):
        raise IntrospectionUnavailable(
            f"the introspection answer is of type {kind[:_QUOTED_LENGTH]!r}, not application/json",
            hint="Is the URL that of a page or of another endpoint? Signed answers (RFC 9701) are not asked for.",
        )
    try:
        found = loads(fetched.body, depth=ANSWER_DEPTH_MAX)
    except JsonInvalid as error:
        raise IntrospectionUnavailable(f"the introspection answer cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise IntrospectionUnavailable("the introspection answer is not a JSON object")
    return found


def _refuse_status(fetched: Fetched) -> NoReturn:
    status = fetched.status
    note = " (redirects are not followed)" if 300 <= status < 400 else ""
    raise IntrospectionUnavailable(
        f"the introspection endpoint answered {status}{note}{_error_code(fetched.body)}",
        hint=_HINTS.get(status),
        retry_after=_retry_after(fetched),
    )


def _error_code(body: bytes) -> str:
    """The `error` of an OAuth error answer, if it is a registered one: other text might repeat the token."""
    try:
        found = loads(body, depth=ANSWER_DEPTH_MAX)
    except JsonInvalid:
        return ""
    code = found.get("error") if isinstance(found, dict) else None
    return f": {code}" if isinstance(code, str) and code in _ERROR_CODES else ""


def _retry_after(fetched: Fetched) -> int:
    text = (fetched.headers.get("retry-after") or "").strip()
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    return min(seconds, _RETRY_AFTER_MAX) if seconds else _RETRY_AFTER


def _check_issuer(rules: AnswerRules, claims: Mapping[str, Any]) -> None:
    found = claims.get("iss")
    if found is None:
        if rules.issuer is not None and not rules.issuer_optional:
            raise IssuerMismatch(
                f'the introspection answer has no "iss", wanted is {rules.issuer}',
                hint="Many servers leave it out: issuer_optional=True takes such answers.",
            )
        return
    if not isinstance(found, str) or (rules.issuer is not None and found != rules.issuer):
        raise IssuerMismatch(
            f'"iss" is {shown(found)}' + ("" if rules.issuer is None else f", wanted is {rules.issuer}"),
            hint="Compared character by character, trailing slash included (RFC 8414 section 3.3).",
        )


def _check_token_type(rules: AnswerRules, claims: Mapping[str, Any]) -> None:
    """What is said to be a refresh or ID token was refused with the other kinds; the rest is a matter of settings."""
    found = claims.get("token_type")
    if found is not None and not isinstance(found, str):
        raise WrongTokenType(f'"token_type" is {shown(found)}, which is no text')
    if rules.token_types is None or (found is not None and found.lower() in rules.token_types):
        return
    said = "absent" if found is None else shown(found)
    raise WrongTokenType(
        f'"token_type" is {said}, accepted is {" or ".join(sorted(rules.token_types))}',
        hint="Some servers introspect refresh tokens like access tokens, and name a type only for the latter.",
    )


def _check_scope(claims: Mapping[str, Any]) -> None:
    """RFC 7662 says text; lists of text are common. Anything else would be read as no scope at all."""
    found = claims.get("scope")
    if found is None or isinstance(found, str):
        return
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return
    raise ClaimInvalid(f'"scope" must be text or a list of text, it is {shown(found)}', reason="scope_invalid")
