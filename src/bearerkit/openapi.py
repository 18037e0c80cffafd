"""What guarded routes add to an OpenAPI document: sign-in schemes, and the answers that bearerkit may give.

Functions over the document as plain data, so that generating it never fetches anything. Which statuses there are
comes from `challenge.answers`. No framework is named here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from bearerkit.challenge import PROBLEM_JSON, answers, render
from bearerkit.errors import (
    BearerkitError,
    ConfigError,
    CredentialsMissing,
    InvalidRequest,
    PermissionDenied,
    TenantUnknown,
    Unavailable,
)
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.key_location import metadata_candidates

__all__ = ["DEFAULT_SCHEME", "HTTP_SCHEME", "add_answers", "add_sign_in", "sign_in_schemes"]

DEFAULT_SCHEME: Final = "Bearer"
"""The name of the security scheme, unless a team names it otherwise."""
HTTP_SCHEME: Final[Mapping[str, str]] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
"""A token in the Authorization header (OpenAPI 3.1 section 4.8.27)."""
PROBLEM_SCHEMA: Final = "BearerProblem"
_TYPICAL: Final[tuple[type[BearerkitError], ...]] = (
    InvalidRequest,
    CredentialsMissing,
    PermissionDenied,
    TenantUnknown,
    Unavailable,
)
_EXAMPLES: Final = {error.status: json.loads(render(error()).body) for error in _TYPICAL}
_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"})
_PROBLEM: Final[Mapping[str, Any]] = {
    "title": PROBLEM_SCHEMA,
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}


def sign_in_schemes(issuers: tuple[IssuerSettings, ...], name: str) -> dict[str, dict[str, str]]:
    """One openIdConnect scheme for each issuer that publishes metadata, by scheme name.

    Raises ConfigError if none of them does.
    """
    urls = [urls[0] for issuer in issuers if (urls := metadata_candidates(issuer.location))]
    if not urls:
        raise ConfigError("signing in from the docs page needs an issuer with metadata, and none is configured")
    names = [f"{name}SignIn"] if len(urls) == 1 else [f"{name}SignIn{number}" for number in range(1, len(urls) + 1)]
    return {scheme: {"type": "openIdConnect", "openIdConnectUrl": url} for scheme, url in zip(names, urls, strict=True)}


def add_sign_in(document: dict[str, Any], name: str, schemes: Mapping[str, Mapping[str, str]]) -> None:
    """Offer `schemes` beside the scheme `name`, wherever that is required. Doing it twice changes nothing."""
    known = document.get("components", {}).get("securitySchemes", {})
    if name not in known:
        return
    for scheme, definition in schemes.items():
        known.setdefault(scheme, dict(definition))
    for operation in _operations(document):
        needed: list[dict[str, list[str]]] = operation.get("security", [])
        for requirement in [entry for entry in needed if name in entry]:
            for scheme in schemes:
                alternative = {scheme if key == name else key: scopes for key, scopes in requirement.items()}
                if alternative not in needed:
                    needed.insert(needed.index(requirement), alternative)


def add_answers(document: dict[str, Any], name: str) -> None:
    """Describe our answers on every operation that the scheme `name` protects; what the team wrote stays."""
    guarded = [
        operation
        for operation in _operations(document)
        if any(name in requirement for requirement in operation.get("security", ()))
    ]
    if not guarded:
        return
    document.setdefault("components", {}).setdefault("schemas", {}).setdefault(PROBLEM_SCHEMA, dict(_PROBLEM))
    for operation in guarded:
        responses = operation.setdefault("responses", {})
        for status, description in answers().items():
            body = {"schema": {"$ref": f"#/components/schemas/{PROBLEM_SCHEMA}"}, "example": _EXAMPLES[status]}
            responses.setdefault(
                str(status),
                {"description": f"{HTTPStatus(status).phrase}: {description}", "content": {PROBLEM_JSON: body}},
            )


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document.get("paths", {}).values():
        for method, operation in path.items():
            if method in _METHODS:
                yield operation
