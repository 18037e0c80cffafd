"""Presets for known identity providers: functions that return an `Issuer` with the provider's rules in it.

    from bearerkit import Auth
    from bearerkit.providers import auth0

    auth = Auth(auth0("acme.eu.auth0.com", audience="https://orders.example.com"))

A preset knows the issuer, where the audience stands, what tells an access token from the others, and where tenant,
roles and scopes are; nothing in it needs code that runs while a token is verified. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bearerkit.providers.amazon import aws_alb, cognito
    from bearerkit.providers.app_sign_in import apple, clerk, descope, supabase
    from bearerkit.providers.clusters import kubernetes
    from bearerkit.providers.google_services import cloud_run, firebase, google, google_iap
    from bearerkit.providers.microsoft import (
        entra,
        entra_b2c,
        entra_external_id,
        entra_multitenant,
        entra_v1,
    )
    from bearerkit.providers.options import IssuerOptions
    from bearerkit.providers.pipelines import github_actions, gitlab_ci
    from bearerkit.providers.sap_cloud import sap_ias, sap_xsuaa
    from bearerkit.providers.self_hosted import authentik, keycloak, ory, zitadel
    from bearerkit.providers.sign_on import auth0, okta, pingone, salesforce, workos

_HOME = {
    "IssuerOptions": "options",
    "apple": "app_sign_in",
    "auth0": "sign_on",
    "authentik": "self_hosted",
    "aws_alb": "amazon",
    "clerk": "app_sign_in",
    "cloud_run": "google_services",
    "cognito": "amazon",
    "descope": "app_sign_in",
    "entra": "microsoft",
    "entra_b2c": "microsoft",
    "entra_external_id": "microsoft",
    "entra_multitenant": "microsoft",
    "entra_v1": "microsoft",
    "firebase": "google_services",
    "github_actions": "pipelines",
    "gitlab_ci": "pipelines",
    "google": "google_services",
    "google_iap": "google_services",
    "keycloak": "self_hosted",
    "kubernetes": "clusters",
    "okta": "sign_on",
    "ory": "self_hosted",
    "pingone": "sign_on",
    "salesforce": "sign_on",
    "sap_ias": "sap_cloud",
    "sap_xsuaa": "sap_cloud",
    "supabase": "app_sign_in",
    "workos": "sign_on",
    "zitadel": "self_hosted",
}

__all__ = [
    "IssuerOptions",
    "apple",
    "auth0",
    "authentik",
    "aws_alb",
    "clerk",
    "cloud_run",
    "cognito",
    "descope",
    "entra",
    "entra_b2c",
    "entra_external_id",
    "entra_multitenant",
    "entra_v1",
    "firebase",
    "github_actions",
    "gitlab_ci",
    "google",
    "google_iap",
    "keycloak",
    "kubernetes",
    "okta",
    "ory",
    "pingone",
    "salesforce",
    "sap_ias",
    "sap_xsuaa",
    "supabase",
    "workos",
    "zitadel",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
