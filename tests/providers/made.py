"""Each preset as a team would call it, with the invented ids of the collection's file of the same provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bearerkit import ANY, Issuer, providers

TENANT = "11111111-2222-4333-8444-555555555555"
SECOND_TENANT = "66666666-7777-4888-8999-aaaaaaaaaaaa"
API = "aaaaaaaa-1111-4bbb-8ccc-dddddddddddd"
ORDERS = "https://orders.example.com"
CALLER = "caller@acme-prod.iam.gserviceaccount.com"
ALB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/orders-alb/0123456789abcdef"
POOL = "eu-west-1_ExAmPle01"
CLIENTS = ["1example23456789exampleclient", "2example3456789examplemachine"]
IAS = "55555555-aaaa-4bbb-8ccc-00000000000a"

Make = Callable[..., Issuer]

MADE: Mapping[str, Make] = {
    "apple": lambda **o: providers.apple(client_ids=["com.example.orders", "com.example.orders.web"], **o),
    "auth0": lambda **o: providers.auth0(["acme.eu.auth0.com", "login.example.com"], audience=ORDERS, **o),
    "authentik": lambda **o: providers.authentik(
        "https://auth.example.com", "orders", client_id="ExampleClientId0000000000000000000000001", **o
    ),
    "aws-alb": lambda **o: providers.aws_alb(
        "eu-west-1",
        issuer=f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}",
        client_id=CLIENTS[0],
        load_balancer=ALB,
        **o,
    ),
    "clerk": lambda **o: providers.clerk("clerk.example.com", authorized_parties="https://app.example.com", **o),
    "cloud-run": lambda **o: providers.cloud_run(audience="https://orders-abc123-ew.a.run.app", callers=CALLER, **o),
    "cognito": lambda **o: providers.cognito(POOL, client_ids=CLIENTS, **o),
    "descope": lambda **o: providers.descope("P2exampleprojectid000000000", **o),
    "entra-b2c": lambda **o: providers.entra_b2c("contoso", TENANT, policy="B2C_1_signupsignin1", audience=API, **o),
    "entra-external-id": lambda **o: providers.entra_external_id("contoso", TENANT, audience=API, **o),
    "entra-multitenant": lambda **o: providers.entra_multitenant(
        audience=API, **{"tenants": [TENANT, SECOND_TENANT], **o}
    ),
    "entra-v1": lambda **o: providers.entra_v1(TENANT, audience=["api://orders.example.com", API], **o),
    "entra-v2": lambda **o: providers.entra(TENANT, audience=API, **o),
    "firebase": lambda **o: providers.firebase("acme-prod", **o),
    "github-actions": lambda **o: providers.github_actions(
        audience=ORDERS, **{"require": {"repository_owner_id": "3000003"}, **o}
    ),
    "gitlab-ci": lambda **o: providers.gitlab_ci(audience=ORDERS, **{"require": {"namespace_id": "72"}, **o}),
    "google": lambda **o: providers.google(audience=ORDERS, **{"require": {"email": CALLER}, **o}),
    "google-iap": lambda **o: providers.google_iap(
        audience="/projects/1234567890/global/backendServices/9876543210", **o
    ),
    "hydra": lambda **o: providers.ory("https://oauth.example.com", audience=ORDERS, **o),
    "keycloak": lambda **o: providers.keycloak(
        "https://sso.example.com", "acme", audience="orders-api", internal_url="http://keycloak:8080", **o
    ),
    "kubernetes": lambda **o: providers.kubernetes(audience="orders-api", **o),
    "okta-custom": lambda **o: providers.okta("acme.okta.com", audience="api://default", **o),
    "pingone": lambda **o: providers.pingone(
        "11111111-9999-4888-8777-000000000001", audience="orders-api", region="eu", **o
    ),
    "salesforce": lambda **o: providers.salesforce(
        "acme.my.salesforce.com", **{"clients": ["3MVG9exampleConsumerKey"], **o}
    ),
    "sap-ias": lambda **o: providers.sap_ias(
        "acme.accounts.ondemand.com", client_id=IAS, custom_domain="login.example.com", **{"tenants": ANY, **o}
    ),
    "sap-xsuaa": lambda **o: providers.sap_xsuaa(
        "authentication.eu10.hana.ondemand.com",
        xsappname="orders!t1234",
        client_id="sb-orders!t1234",
        **{"tenants": ANY, **o},
    ),
    "supabase": lambda **o: providers.supabase("abcdefghijklmnopqrst", **o),
    "workos": lambda **o: providers.workos("client_01EXAMPLE0000000000000000A", audience=ANY, **o),
    "zitadel": lambda **o: providers.zitadel("acme-x1y2z3.zitadel.cloud", project_id="240000000000000001", **o),
}
"""The stem of the collection's file → the preset. Keyword arguments are passed on as options."""

NOT_YET = {"heimdall", "kb-labs", "platform-auth", "rudderjs-passport"}
"""Reference systems whose presets come with their other parts; until then `Issuer` itself takes their tokens."""

NO_PRESET = {"okta-org": "okta-custom"}
"""Providers whose access tokens nobody else may verify → the preset that a team has instead."""


def made(file: str, **options: Any) -> Issuer:
    """The preset of this file."""
    return MADE[NO_PRESET.get(file, file)](**options)
