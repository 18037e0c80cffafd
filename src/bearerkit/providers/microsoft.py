"""Presets for Microsoft Entra ID, in its versions and variants.

Entra serves all its tenants with one key set, so the tenant is checked three times: `iss` must be the one that the
configured tenant has, `tid` must be the same, and a key that names an issuer signs for that one only (always on, see
`jose.key_issuer`). The stable name of a user is `oid` with `tid`; `sub` differs from one API to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Unpack

from bearerkit.issuer import Issuer
from bearerkit.jose.claims import PRESENT
from bearerkit.jose.template import FORMATS
from bearerkit.jose.token_type import DEFAULT_FORBID
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings, one_or_more

__all__ = ["Cloud", "entra", "entra_b2c", "entra_external_id", "entra_multitenant", "entra_v1"]

Cloud = Literal["public", "us_government", "china"]
"""The national clouds of Microsoft, each with hosts of its own."""

_LOGIN: Final[Mapping[str, str]] = {
    "public": "login.microsoftonline.com",
    "us_government": "login.microsoftonline.us",
    "china": "login.partner.microsoftonline.cn",
}
_STS: Final[Mapping[str, str]] = {
    "public": "sts.windows.net",
    "us_government": "sts.windows.net",
    "china": "sts.chinacloudapi.cn",
}
_NOBODY: Final = ("common", "organizations", "consumers")
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_SCP: Final = MappingProxyType({"claim": "scp", "shape": "space-separated"})
_CLAIMS: Final[Mapping[str, Any]] = {
    # A tenant's administrator may write any address into its tokens.
    "email": (),
    # Delegated tokens always have scopes; `idtyp` is there only where the API asked for it.
    "machine": {"scp": None},
    "subject": "oid",
    "tenant": "tid",
    "client": "azp",
    "scopes": _SCP,
    "roles": "roles",
    "groups": "groups",
    "token_id": "uti",
}
_RULES: Final[Mapping[str, Any]] = {
    "algorithms": "RS256",
    "typ": "JWT",
    "forbid": (*DEFAULT_FORBID["access"], "header.nonce"),
    "require_any": ("scp", "roles"),
}


def entra(tenant_id: str, *, audience: Strings, cloud: Cloud = "public", **options: Unpack[IssuerOptions]) -> Issuer:
    """Entra ID, access tokens of version 2.0, one tenant.

    Args:
        tenant_id: The directory (tenant) id, a UUID.
        audience: The application (client) id of the API; version 2.0 never has the `api://` address there.
        cloud: The national cloud.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("entra", options)
    tenant = _tenant(preset, tenant_id)
    return preset.issuer(
        f"https://{_host(preset, _LOGIN, cloud)}/{tenant}/v2.0",
        audience=_application(preset, audience),
        require={"azp": PRESENT, "tid": tenant},
        claims=_CLAIMS,
        **_RULES,
    )


def entra_v1(tenant_id: str, *, audience: Strings, cloud: Cloud = "public", **options: Unpack[IssuerOptions]) -> Issuer:
    """Entra ID, access tokens of version 1.0: what an API gets whose `requestedAccessTokenVersion` is null or 1.

    Args:
        tenant_id: The directory (tenant) id, a UUID.
        audience: The App ID URI of the API as clients ask for it, its client id, or both.
        cloud: The national cloud.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("entra_v1", options)
    tenant = _tenant(preset, tenant_id)
    login = _host(preset, _LOGIN, cloud)
    return preset.issuer(
        f"https://{_host(preset, _STS, cloud)}/{tenant}/",
        audience=audience,
        metadata_url=f"https://{login}/{tenant}{_WELL_KNOWN}",
        hosts=(login,),
        require={"appid": PRESENT, "tid": tenant},
        claims={**_CLAIMS, "client": "appid"},
        **_RULES,
    )


def entra_multitenant(*, audience: Strings, cloud: Cloud = "public", **options: Unpack[IssuerOptions]) -> Issuer:
    """Entra ID, access tokens of version 2.0, an API for several tenants.

    Args:
        audience: The application (client) id of the API.
        cloud: The national cloud.
        options: Settings of `Issuer` (see `IssuerOptions`). `tenants` is needed: the tenant ids that are let in, a
            function that knows them, or `ANY`: every tenant of the world, and with it everybody who makes one.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("entra_multitenant", options)
    tenants = options.get("tenants")
    if isinstance(tenants, list | tuple | set | frozenset):
        options["tenants"] = [_tenant(preset, tenant, "tenants") for tenant in tenants]
    login = _host(preset, _LOGIN, cloud)
    return preset.issuer(
        f"https://{login}/{{tid}}/v2.0",
        audience=_application(preset, audience),
        placeholders={"tid": "uuid"},
        metadata_url=f"https://{login}/common/v2.0{_WELL_KNOWN}",
        metadata_issuer=f"https://{login}/{{tenantid}}/v2.0",
        require={"azp": PRESENT},
        claims=_CLAIMS,
        **_RULES,
    )


def entra_external_id(
    tenant_name: str, tenant_id: str, *, audience: Strings, **options: Unpack[IssuerOptions]
) -> Issuer:
    """Entra External ID (`ciamlogin.com`), access tokens of version 2.0.

    Args:
        tenant_name: The name before `.ciamlogin.com`, or the custom URL domain, where the metadata is.
        tenant_id: The directory (tenant) id, a UUID. The issuer has it in its host name.
        audience: The application (client) id of the API.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("entra_external_id", options)
    tenant = _tenant(preset, tenant_id)
    host = preset.host(tenant_name if "." in str(tenant_name) else f"{tenant_name}.ciamlogin.com", "tenant_name")
    return preset.issuer(
        f"https://{tenant}.ciamlogin.com/{tenant}/v2.0",
        audience=_application(preset, audience),
        metadata_url=f"https://{host}/{tenant}/v2.0{_WELL_KNOWN}",
        hosts=(host, f"{tenant}.ciamlogin.com"),
        require={"azp": PRESENT, "tid": tenant},
        claims=_CLAIMS,
        **_RULES,
    )


def entra_b2c(
    tenant_name: str,
    tenant_id: str,
    *,
    policy: str,
    audience: Strings,
    domain: str | None = None,
    policy_claim: Literal["tfp", "acr"] = "tfp",
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """Azure AD B2C, access tokens of one user flow or custom policy.

    All policies share an issuer, so the token must name its policy. An access token may carry a `nonce` here: the
    required `scp` tells it from an ID token.

    Args:
        tenant_name: The name before `.onmicrosoft.com`.
        tenant_id: The directory (tenant) id, a UUID.
        policy: The user flow, as in `B2C_1_signupsignin1`. Make one entry for each.
        audience: The application (client) id of the API.
        domain: A custom domain, if tokens are asked for there.
        policy_claim: The claim with the policy; `acr` in old tenants.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("entra_b2c", options)
    tenant = _tenant(preset, tenant_id)
    name = preset.word(tenant_name, "tenant_name", "dns-label")
    flow = preset.word(policy, "policy")
    host = preset.host(domain or f"{name}.b2clogin.com", "domain")
    preset.one_of(policy_claim, "policy_claim", ("tfp", "acr"))
    return preset.issuer(
        f"https://{host}/{tenant}/v2.0/",
        audience=audience,
        metadata_url=f"https://{host}/{name}.onmicrosoft.com/{flow.lower()}/v2.0{_WELL_KNOWN}",
        algorithms="RS256",
        typ="JWT",
        forbid=(),
        require={policy_claim: _spellings(flow), "scp": PRESENT},
        claims={"client": "azp", "scopes": _SCP, "email": "emails.0"},
    )


def _tenant(preset: Preset, tenant_id: str, argument: str = "tenant_id") -> str:
    if tenant_id in _NOBODY:
        preset.problem(
            f'no token is ever issued by "{tenant_id}": give a tenant id, or use entra_multitenant and list tenants'
        )
        return "invalid"
    return preset.word(tenant_id, argument, "uuid").lower()


def _application(preset: Preset, audience: Strings) -> Any:
    """An application id as tokens of version 2.0 have it: in lower case, never as an `api://` address."""
    if not isinstance(audience, str | list | tuple):
        return audience
    names = one_or_more(audience)
    for name in names:
        if str(name).startswith("api://"):
            preset.problem(
                f"tokens of version 2.0 name an API by its application id, not by {name!r}: give that, or use entra_v1"
            )
    return [name.lower() if FORMATS["uuid"].fullmatch(str(name)) else name for name in names]


def _host(preset: Preset, hosts: Mapping[str, str], cloud: str) -> str:
    return hosts[preset.one_of(cloud, "cloud", (*hosts,))]


def _spellings(policy: str) -> list[str]:
    """A policy name as it was typed, in lower case, and with the prefix as the portal writes it."""
    lower = policy.lower()
    prefix = next((kept for kept in ("B2C_1A_", "B2C_1_") if lower.startswith(kept.lower())), "")
    return list(dict.fromkeys((policy, prefix + policy[len(prefix) :], lower)))
