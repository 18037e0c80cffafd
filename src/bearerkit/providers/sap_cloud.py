"""Presets for SAP: XSUAA of the Business Technology Platform, and Cloud Identity Services (IAS).

XSUAA tokens carry a `jku` header, and old guides fetch keys from there. It is never read: the address of the keys is
built from the configured domain and the token's zone, which must be a UUID.
"""

from __future__ import annotations

from typing import Any, Unpack

from bearerkit.http import Network
from bearerkit.issuer import Issuer
from bearerkit.jose.claims import PRESENT
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset

__all__ = ["sap_ias", "sap_xsuaa"]


def sap_xsuaa(
    uaa_domain: str,
    *,
    xsappname: str,
    client_id: str,
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """SAP BTP XSUAA, access tokens of all subscribers. A subject is unique only together with its tenant.

    Args:
        uaa_domain: `uaadomain` of the service binding, as in `authentication.eu10.hana.ondemand.com`.
        xsappname: The application, as in `orders!t1234`. Its prefix is taken off the scopes, others are dropped.
        client_id: `clientid` of the binding, as in `sb-orders!t1234`.
        options: Settings of `Issuer` (see `IssuerOptions`). `tenants` is needed: the zone ids (`zid`) that are let in,
            a function that knows them, or `ANY` subscriber.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("sap_xsuaa", options)
    domain = preset.host(uaa_domain, "uaa_domain")
    return preset.issuer(
        f"https://{{ext_attr.zdn}}.{domain}/oauth/token",
        audience=[xsappname, client_id],
        placeholders={"ext_attr.zdn": "dns-label", "zid": "uuid"},
        jwks_uri=f"https://{domain}/token_keys?zid={{zid}}",
        algorithms="RS256",
        typ="JWT",
        require={"cid": PRESENT},
        claims={
            "subject": ["user_uuid", "sub"],
            "client": "cid",
            "tenant": "zid",
            "scopes": {"claim": "scope", "shape": "array", "strip_prefix": f"{xsappname}."},
        },
    )


def sap_ias(
    tenant_host: str,
    *,
    client_id: str,
    custom_domain: str | None = None,
    app_tid: str | None = None,
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """SAP Cloud Identity Services (IAS), whose ID tokens are the bearer inside BTP.

    Args:
        tenant_host: The IAS tenant, as in `acme.accounts.ondemand.com`.
        client_id: The application's client id: the audience.
        custom_domain: A custom domain. Where a token names the tenant in `ias_iss`, it must be this one.
        app_tid: The zone of the one subscriber that is let in. Its keys are asked for in its name. Without it,
            `tenants` says which zones are.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("sap_ias", options)
    if app_tid is None and options.get("tenants") is None:
        preset.problem("say whose tokens are taken: app_tid= for one subscriber, tenants= for several, or tenants=ANY")
    own = f"https://{preset.host(tenant_host, 'tenant_host')}"
    custom = [] if custom_domain is None else [f"https://{preset.host(custom_domain, 'custom_domain')}"]
    headers = {"x-client_id": client_id} | ({} if app_tid is None else {"x-app_tid": app_tid})
    require: dict[str, Any] = {"app_tid": PRESENT if app_tid is None else app_tid, "ias_iss": [None, own]}
    return preset.issuer(
        [own, *custom],
        audience=client_id,
        network=Network(headers=headers),
        algorithms="RS256",
        typ=(None, "JWT"),
        token_type="id",
        require=require,
        claims={
            "subject": ["scim_id", "sub"],
            "tenant": "app_tid",
            "client": "azp",
            "scopes": {"claim": "ias_apis", "shape": "array"},
            "machine": {"sap_id_type": "app"},
        },
    )
