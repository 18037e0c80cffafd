"""Everything that bearerkit raises, as one tree.

    BearerkitError
    ├─ ConfigError                 the settings are wrong; lists every problem at once
    ├─ Refused                     the caller may not pass
    │  ├─ InvalidRequest      400  several credentials, malformed header
    │  ├─ Unauthenticated     401
    │  │  ├─ CredentialsMissing    nothing was presented
    │  │  ├─ StepUpRequired        signed in, but not recently or strongly enough (RFC 9470)
    │  │  └─ TokenInvalid          something was presented and it is no good (RFC 6750 invalid_token)
    │  │     ├─ Malformed          not a JWT of the accepted shape
    │  │     ├─ SignatureInvalid   wrong signature, or an algorithm this issuer does not use
    │  │     ├─ Expired            now is past exp
    │  │     ├─ NotYetValid        now is before nbf, or iat lies in the future
    │  │     ├─ IssuerMismatch     iss, tenant or the key's issuer is not one that was configured
    │  │     ├─ AudienceMismatch   meant for another API
    │  │     ├─ KeyNotFound        no key of the issuer carries this kid
    │  │     ├─ WrongTokenType     an ID, refresh, logout … token where an access token belongs
    │  │     ├─ ClaimInvalid       another required claim is missing, forbidden or of the wrong type
    │  │     ├─ Revoked            listed in Revocations
    │  │     ├─ ProofInvalid       DPoP or mTLS proof is missing or wrong
    │  │     └─ UserUnknown        the team's own user loader knows nobody by this subject
    │  ├─ Forbidden           403
    │  │  ├─ InsufficientScope     RFC 6750 insufficient_scope
    │  │  ├─ PermissionDenied      role, principal type, policy or custom rule says no
    │  │  ├─ EmailUnverified
    │  │  ├─ ServiceDisabled
    │  │  └─ AccessExpired
    │  └─ TenantUnknown       404  not a member, and no such tenant, look the same
    ├─ Unavailable            503  an outage on our side of the question; never the caller's fault
    │  ├─ KeysUnavailable
    │  ├─ IntrospectionUnavailable
    │  └─ StoreUnavailable
    ├─ PolicyError                 a policy document does not parse
    └─ OAuthError             4xx  RFC 6749 names, on the issuing side

Four texts that never mix: `reason` is a stable code for metrics and docs; `public` may reach the caller; `detail` is
for the operator's log; `hint` says what the operator should do. No text ever holds a token, a key or a secret. How an
error becomes an HTTP answer is the business of `challenge.py`, never of this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypedDict, Unpack

from bearerkit.policy_problem import PolicyProblem

# fmt: off
__all__ = [
    "AccessExpired", "AudienceMismatch", "BearerkitError", "ClaimInvalid", "ConfigError", "CredentialsMissing",
    "EmailUnverified", "Expired", "Forbidden", "InsufficientScope", "IntrospectionUnavailable", "InvalidRequest",
    "IssuerMismatch", "KeyNotFound", "KeysUnavailable", "Malformed", "NotYetValid", "OAuthError",
    "PermissionDenied", "PolicyError", "ProofInvalid", "Refused", "Revoked", "ServiceDisabled", "SignatureInvalid",
    "StepUpRequired", "StoreUnavailable", "TenantUnknown", "TokenInvalid", "Unauthenticated", "Unavailable",
    "UserUnknown", "WrongTokenType",
]
# fmt: on


class _Texts(TypedDict, total=False):
    # What any refusal may be given in place of its class's own.
    reason: str | None
    public: str | None
    hint: str | None


class BearerkitError(Exception):
    """The root of the tree: catch it to catch everything bearerkit raises on purpose."""

    status: ClassVar[int] = 500
    """HTTP status of the answer that `challenge.render` makes of it."""
    reason: str = "error"
    """Stable code for metrics, logs and docs."""
    public: str = "The request could not be processed."
    """Text that may reach the caller."""
    detail: str = ""
    """Text for the operator's log. Never sent."""
    hint: str | None = None
    """What the operator should do about it. Never sent."""
    noted: bool = False
    """Set once the operator's log has it, so that a refusal that passes several guards is told once."""

    def __init__(
        self,
        detail: str = "",
        *,
        reason: str | None = None,
        public: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        if reason is not None:
            self.reason = reason
        if public is not None:
            self.public = public
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        text = f"{self.reason}: {self.detail or self.public}"  # with lines of its own, if it explains
        return text + ("\n  " if "\n" in text else " ") + f"({self.hint})" if self.hint else text


class ConfigError(BearerkitError):
    """The settings cannot work. `problems` lists all of them, one sentence each."""

    reason = "config"

    def __init__(self, problems: str | Iterable[str], *, hint: str | None = None) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(self.problems), hint=hint)

    def __str__(self) -> str:
        advice = f" ({self.hint})" if self.hint else ""
        if len(self.problems) == 1:
            return self.problems[0] + advice
        lines = "".join(f"\n  {number}. {text}" for number, text in enumerate(self.problems, 1))
        return f"{len(self.problems)} problems{advice}:{lines}"


class Refused(BearerkitError):
    """The caller may not pass. Subclasses fix the status; see the tree above."""


class InvalidRequest(Refused):
    """Several credentials in one request, or an Authorization header that does not parse (RFC 6750 section 3.1)."""

    status = 400
    reason = "invalid_request"
    public = "The request carries a malformed or more than one credential."


class Unauthenticated(Refused):
    """Who is calling is not established."""

    status = 401
    reason = "unauthenticated"
    public = "Authentication is required."


class CredentialsMissing(Unauthenticated):
    """Nothing was presented: the challenge then has no error code (RFC 6750 section 3.1)."""

    reason = "credentials_missing"


class StepUpRequired(Unauthenticated):
    """A fresher or stronger sign-in is needed (RFC 9470): `max_age` seconds, `acr_values` in order of preference."""

    reason = "step_up_required"
    public = "A more recent or stronger authentication is required."
    max_age: int | None
    acr_values: tuple[str, ...]

    def __init__(
        self,
        detail: str = "",
        *,
        max_age: int | None = None,
        acr_values: Iterable[str] = (),
        **texts: Unpack[_Texts],
    ) -> None:
        super().__init__(detail, **texts)
        self.max_age = max_age
        self.acr_values = tuple(acr_values)


class TokenInvalid(Unauthenticated):
    """A credential was presented and does not verify (RFC 6750 invalid_token)."""

    reason = "token_invalid"
    public = "The access token is invalid."


class Malformed(TokenInvalid):
    """Not a compact JWS holding one JSON object, within the size limits (RFC 7515, RFC 7519)."""

    reason = "malformed"
    public = "The access token is malformed."


class SignatureInvalid(TokenInvalid):
    """The signature does not verify, or its algorithm is not one that this issuer uses."""

    reason = "signature_invalid"


class Expired(TokenInvalid):
    """`exp` has passed, leeway included."""

    reason = "expired"
    public = "The access token has expired."


class NotYetValid(TokenInvalid):
    """`nbf` or `iat` lies in the future, leeway included."""

    reason = "not_yet_valid"
    public = "The access token is not valid yet."


class IssuerMismatch(TokenInvalid):
    """`iss`, the tenant in it, or the issuer of the key is not one that was configured."""

    reason = "issuer_mismatch"


class AudienceMismatch(TokenInvalid):
    """The token is meant for another API (RFC 7519 section 4.1.3)."""

    reason = "audience_mismatch"


class KeyNotFound(TokenInvalid):
    """The issuer publishes no key that fits this token."""

    reason = "key_not_found"


class WrongTokenType(TokenInvalid):
    """An ID, refresh, logout, DPoP … token was sent where an access token belongs (RFC 8725 section 3.11)."""

    reason = "wrong_token_type"


class ClaimInvalid(TokenInvalid):
    """A claim other than time, issuer and audience is missing, forbidden, or of the wrong type."""

    reason = "claim_invalid"


class Revoked(TokenInvalid):
    """The token, its session or its subject was revoked."""

    reason = "revoked"
    public = "The access token was revoked."


class ProofInvalid(TokenInvalid):
    """The proof of possession is missing or wrong (RFC 9449, RFC 8705)."""

    reason = "proof_invalid"


class UserUnknown(TokenInvalid):
    """The team's user loader knows nobody by this subject, or the user is disabled."""

    reason = "user_unknown"


class Forbidden(Refused):
    """Who is calling is known, and may not do this."""

    status = 403
    reason = "forbidden"
    public = "You are not allowed to do this."


class InsufficientScope(Forbidden):
    """The token lacks a scope (RFC 6750 section 3.1). `required` is what the challenge names."""

    reason = "insufficient_scope"
    public = "The access token does not carry the required scope."
    required: tuple[str, ...]

    def __init__(self, detail: str = "", *, required: Iterable[str] = (), **texts: Unpack[_Texts]) -> None:
        super().__init__(detail, **texts)
        self.required = tuple(required)


class PermissionDenied(Forbidden):
    """A role, principal, policy or custom rule said no."""

    reason = "permission_denied"


class EmailUnverified(Forbidden):
    """The caller's e-mail address is not verified."""

    reason = "email_unverified"


class ServiceDisabled(Forbidden):
    """The tenant has not switched this service on."""

    reason = "service_disabled"


class AccessExpired(Forbidden):
    """The account's access period has ended."""

    reason = "access_expired"


class TenantUnknown(Refused):
    """The caller is no member of the tenant, or there is no such tenant: on purpose the same answer."""

    status = 404
    reason = "tenant_unknown"
    public = "Not found."


class Unavailable(BearerkitError):
    """The question cannot be answered now. `retry_after` is whole seconds for the Retry-After header."""

    status = 503
    reason = "unavailable"
    public = "The service cannot check credentials at the moment."
    retry_after: int

    def __init__(self, detail: str = "", *, retry_after: int = 5, **texts: Unpack[_Texts]) -> None:
        super().__init__(detail, **texts)
        self.retry_after = retry_after


class KeysUnavailable(Unavailable):
    """The issuer's keys cannot be fetched, and none that may still be used are at hand."""

    reason = "keys_unavailable"


class IntrospectionUnavailable(Unavailable):
    """The introspection endpoint does not answer (RFC 7662)."""

    reason = "introspection_unavailable"


class StoreUnavailable(Unavailable):
    """A revocation or replay store does not answer; such stores fail closed."""

    reason = "store_unavailable"


class PolicyError(BearerkitError):
    """A policy document does not parse, so nothing of it is in force. `problems` lists everything that is wrong."""

    reason = "policy_invalid"

    def __init__(self, problems: str | Iterable[PolicyProblem] = (), **texts: Unpack[_Texts]) -> None:
        self.problems = tuple([PolicyProblem("bad_document", "", problems)] if isinstance(problems, str) else problems)
        super().__init__(problems if isinstance(problems, str) else "; ".join(map(str, self.problems)), **texts)


class OAuthError(BearerkitError):
    """An error of the issuing side, by its RFC 6749 name in `reason`."""

    status = 400
    reason = "invalid_request"
