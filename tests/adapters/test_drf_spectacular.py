"""drf-spectacular: the scheme, the scopes and our answers, in a document that is valid."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

import django_project
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, Issuer, role, scope

django_project.configure()

from django.urls import path  # noqa: E402 - needs the settings
from drf_spectacular.generators import SchemaGenerator  # noqa: E402
from drf_spectacular.settings import spectacular_settings  # noqa: E402
from drf_spectacular.utils import extend_schema  # noqa: E402
from rest_framework.permissions import AllowAny, IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from bearerkit.drf import RequireBearer  # noqa: E402
from bearerkit.drf_spectacular import add_answers  # noqa: E402

bearer = RequireBearer(Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)))


def view(*permissions: Any, **responses: Any) -> Any:
    class Endpoint(APIView):
        authentication_classes = (bearer.authentication,)
        permission_classes = permissions

        @extend_schema(responses={200: str, **{int(status[1:]): text for status, text in responses.items()}})
        def get(self, request: Any) -> Response:
            return Response("")

    return Endpoint.as_view()


ROUTES = [
    path("any", view(bearer)),
    path("scoped", view(bearer.require(scope("orders:read") & role("admin")), bearer.require(scope("orders:write")))),
    path("both", view(IsAuthenticated & bearer.require(scope("a")), _403={"type": "string"})),
    path("either", view(IsAuthenticated | bearer.require(scope("a")))),
    path("open", view(AllowAny)),
]


def document(version: str) -> dict[str, Any]:
    """What drf-spectacular makes of the routes, with our hook."""
    with spectacular_settings_patched(version):
        made = SchemaGenerator(patterns=ROUTES).get_schema(request=None, public=True)
    return json.loads(json.dumps(add_answers(made, None, None, public=True)))


class spectacular_settings_patched:
    def __init__(self, version: str) -> None:
        self._version = version

    def __enter__(self) -> None:
        spectacular_settings.apply_patches({"OAS_VERSION": self._version, "TITLE": "Orders", "VERSION": "1"})

    def __exit__(self, *_: object) -> None:
        spectacular_settings.clear_patches()


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_the_document_is_valid_and_tells_who_may_ask(version: str):
    """OpenAPI 3.0 forbids scopes beside an HTTP scheme, 3.1 allows them."""
    made = document(version)
    (OpenAPIV31SpecValidator if version == "3.1.0" else OpenAPIV30SpecValidator)(made).validate()
    assert made["components"]["securitySchemes"]["Bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }

    def security(route: str) -> Any:
        return made["paths"][route]["get"].get("security")

    scopes = ["orders:read", "orders:write"] if version == "3.1.0" else []
    assert security("/any") == [{"Bearer": []}]
    assert security("/scoped") == [{"Bearer": scopes}]
    assert security("/both") == [{"Bearer": ["a"] if version == "3.1.0" else []}]
    assert security("/either") == [{"Bearer": []}]


def test_our_answers_stand_beside_those_of_the_team():
    """Each with an example; what the team wrote stays."""
    made = document("3.0.3")
    responses = made["paths"]["/both"]["get"]["responses"]
    assert {"200", "400", "401", "403", "404", "503"} <= set(responses)
    assert "application/problem+json" not in responses["403"]["content"]
    example = responses["401"]["content"]["application/problem+json"]["example"]
    assert example["status"] == 401
