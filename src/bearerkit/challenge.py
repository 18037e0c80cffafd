"""The one place where a refusal becomes an HTTP answer.

Status, header fields and body of every answer that bearerkit gives on a protected route are made here, so that
they are the same in every framework (RFC 6750 challenges, RFC 9457 bodies, RFC 9470 step-up, RFC 9728 metadata
pointer). Never put a status code or a header text of a refusal anywhere else, and never let `detail` or `hint`
of an error into an answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from bearerkit.errors import (
    BearerkitError,
    CredentialsMissing,
    InsufficientScope,
    InvalidRequest,
    StepUpRequired,
    TokenInvalid,
    Unauthenticated,
    Unavailable,
)
from bearerkit.http import Response

__all__ = [
    "CHALLENGE_FIELD",
    "PROBLEM_JSON",
    "RETRY_FIELD",
    "WEBSOCKET_POLICY_VIOLATION",
    "Challenge",
    "answers",
    "render",
]

PROBLEM_JSON = "application/problem+json"
CHALLENGE_FIELD = "WWW-Authenticate"
"""The header field of the challenge (RFC 9110 section 11.6.1)."""
RETRY_FIELD = "Retry-After"
"""The header field of an outage: whole seconds (RFC 9110 section 10.2.3)."""
WEBSOCKET_POLICY_VIOLATION = 1008
"""Close code for a refused WebSocket where the server cannot send a denial response (RFC 6455 section 7.4.1)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a challenge says about this API: `realm`, and the URL of its RFC 9728 metadata if it has one."""

    realm: str = "api"
    resource_metadata: str | None = None


def render(refusal: BearerkitError, challenge: Challenge = Challenge()) -> Response:
    """The HTTP answer for a refusal. Pure: the same refusal gives the same bytes in every framework."""
    headers = [("Content-Type", PROBLEM_JSON), ("Cache-Control", "no-store")]
    parameters = _parameters(refusal, challenge)
    if parameters is not None:
        headers.append((CHALLENGE_FIELD, _serialise("Bearer", parameters)))
    if isinstance(refusal, Unavailable):
        headers.append((RETRY_FIELD, str(refusal.retry_after)))
    return Response(refusal.status, tuple(headers), _problem(refusal))


def answers() -> dict[int, str]:
    """Status → description of the answers a protected route may give, for OpenAPI documents."""
    return {
        400: "Malformed or more than one credential",
        401: "Missing, invalid or expired credentials",
        403: "Authenticated, but not allowed",
        404: "No such tenant, or the caller is no member of it",
        503: "Credentials cannot be checked at the moment",
    }


def _parameters(refusal: BearerkitError, challenge: Challenge) -> list[tuple[str, str]] | None:
    """The auth-params of the Bearer challenge in wire order, None where the answer has no challenge."""
    parameters = [("realm", challenge.realm)]
    match refusal:
        case CredentialsMissing():
            pass
        case InvalidRequest():
            parameters += [("error", "invalid_request"), ("error_description", refusal.public)]
        case StepUpRequired():
            parameters += [("error", "insufficient_user_authentication"), ("error_description", refusal.public)]
            if refusal.acr_values:
                parameters.append(("acr_values", " ".join(refusal.acr_values)))
            if refusal.max_age is not None:
                parameters.append(("max_age", str(refusal.max_age)))
        case TokenInvalid():
            parameters += [("error", "invalid_token"), ("error_description", refusal.public)]
        case InsufficientScope():
            parameters += [("error", "insufficient_scope"), ("error_description", refusal.public)]
            if refusal.required:
                parameters.append(("scope", " ".join(refusal.required)))
        case Unauthenticated():
            pass
        case _:
            return None
    if challenge.resource_metadata is not None:
        parameters.append(("resource_metadata", challenge.resource_metadata))
    return parameters


def _serialise(scheme: str, parameters: list[tuple[str, str]]) -> str:
    return scheme + " " + ", ".join(f'{name}="{_quotable(value)}"' for name, value in parameters)


def _quotable(value: str) -> str:
    """The inside of a quoted-string (RFC 9110 section 5.6.4): quotes and backslashes escaped, the rest printable ASCII.

    RFC 6750 section 3 allows neither `"` nor `\\` in scope and error texts at all, and CR or LF would split the
    header; whatever cannot stand there becomes `?`.
    """
    printable = "".join(char if " " <= char <= "~" else "?" for char in value)
    return printable.replace("\\", "\\\\").replace('"', '\\"')


def _problem(refusal: BearerkitError) -> bytes:
    """RFC 9457 problem details."""
    title = HTTPStatus(refusal.status).phrase
    return json.dumps(
        {"type": "about:blank", "title": title, "status": refusal.status, "detail": refusal.public},
        ensure_ascii=True,
    ).encode()
