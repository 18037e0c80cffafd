"""What OpenAPI documents made by drf-spectacular say about our classes: the security scheme, scopes, and our answers.

`bearerkit.django` among the installed apps loads this by itself. Nothing is fetched while a document is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bearerkit.guards import Requirement
from bearerkit.openapi import DEFAULT_SCHEME, HTTP_SCHEME
from bearerkit.openapi import add_answers as _add_answers

try:
    from drf_spectacular.extensions import OpenApiAuthenticationExtension
    from drf_spectacular.settings import spectacular_settings
    from rest_framework.permissions import AND

    from bearerkit.drf import BearerAuthentication, BearerPermission
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.drf_spectacular needs drf-spectacular: pip install "bearerkit[spectacular]"', name=missing.name
    ) from None

__all__ = ["BearerScheme", "add_answers"]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`BearerAuthentication` and its subclasses as an HTTP bearer scheme, with the scopes that the view requires.

    OpenAPI 3.0 forbids scopes beside such a scheme (section 4.7.30) and 3.1 allows them, so they show where
    `OAS_VERSION` is 3.1.
    """

    target_class = BearerAuthentication
    name = DEFAULT_SCHEME
    match_subclasses = True

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme (OpenAPI 3.0 section 4.7.27)."""
        return dict(HTTP_SCHEME)

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """The scheme with the scopes of the permission classes; and nothing, where a request without it passes too."""
        permissions = auto_schema.view.get_permissions()
        scopes = (name for need in _needs_of(permissions) for name in need.scopes())
        named = [] if spectacular_settings.OAS_VERSION.startswith("3.0") else list(dict.fromkeys(scopes))
        required: dict[str, list[str]] = {DEFAULT_SCHEME: named}
        return [required, {}] if all(map(_is_optional, permissions)) else [required]


def add_answers(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook that describes our answers on guarded operations; what the team wrote stays.

    `SPECTACULAR_SETTINGS = {"POSTPROCESSING_HOOKS": [..., "bearerkit.drf_spectacular.add_answers"]}`.
    """
    _add_answers(result, DEFAULT_SCHEME)
    return result


def _needs_of(permissions: Iterable[Any]) -> Iterator[Requirement]:
    """What must all be met; where there is a choice (`|`), nothing must."""
    for permission in permissions:
        if isinstance(permission, AND):
            both: Any = permission
            yield from _needs_of((both.op1, both.op2))
        elif isinstance(permission, BearerPermission) and permission.need is not None:
            yield permission.need


def _is_optional(permission: Any) -> bool:
    """Whether our permission lets nobody pass. For AllowAny drf-spectacular says it by itself."""
    return isinstance(permission, BearerPermission) and permission.need is None and permission.bearer.gate.optional
