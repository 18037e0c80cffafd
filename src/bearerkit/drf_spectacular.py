"""What OpenAPI documents made by drf-spectacular say about our classes: the security scheme, scopes, and our answers.

`bearerkit.django` among the installed apps loads this by itself. Nothing is fetched while a document is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bearerkit.guards import Requirement
from bearerkit.openapi import DEFAULT_SCHEME
from bearerkit.openapi import add_answers as _add_answers

try:
    from drf_spectacular.extensions import OpenApiAuthenticationExtension

    from bearerkit.drf import BearerAuthentication, BearerPermission
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.drf_spectacular needs drf-spectacular: pip install "bearerkit[spectacular]"', name=missing.name
    ) from None

__all__ = ["BearerScheme", "add_answers"]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`BearerAuthentication` and its subclasses as an HTTP bearer scheme, with the scopes that the view requires."""

    target_class = BearerAuthentication
    name = DEFAULT_SCHEME
    match_subclasses = True

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme (OpenAPI 3.0 section 4.7.27)."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """The scheme with the scopes of the permission classes."""
        names = (name for need in _needs_of(auto_schema.view) for name in need.scopes())
        return {DEFAULT_SCHEME: list(dict.fromkeys(names))}


def add_answers(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook that describes our answers on guarded operations; what the team wrote stays.

    `SPECTACULAR_SETTINGS = {"POSTPROCESSING_HOOKS": [..., "bearerkit.drf_spectacular.add_answers"]}`.
    """
    _add_answers(result, DEFAULT_SCHEME)
    return result


def _needs_of(view: Any) -> Iterator[Requirement]:
    for permission in view.get_permissions():
        if isinstance(permission, BearerPermission):
            yield permission.need
