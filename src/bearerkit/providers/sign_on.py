"""Presets for hosted identity services that companies sign on with: Auth0, Okta, PingOne, Salesforce, WorkOS."""

from __future__ import annotations

import re
from typing import Final, Literal, Unpack

from bearerkit.issuer import Issuer
from bearerkit.jose.claims import PRESENT, Sentinel
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings

__all__ = ["auth0", "okta", "pingone", "salesforce", "workos"]

_SCOPE: Final = {"claim": "scope", "shape": "space-separated"}
_PINGONE: Final = ("com", "eu", "ca", "asia", "sg", "com.au")
_PERMISSIONS: Final = {"claim": "permissions", "shape": "array"}


def auth0(domain: Strings, *, audience: Strings, rbac: bool = False, **options: Unpack[IssuerOptions]) -> Issuer:
    """Auth0, access tokens of either profile.

    Args:
        domain: The tenant's domain (`acme.eu.auth0.com`), its custom domain, or both: a token names the one at which it
            was asked for. Keys come from the first.
        audience: The identifier of the API. A client that asks without audience gets an opaque token.
        rbac: Of the scopes that the client was given only those count that role-based access control grants the user
            (`permissions`).
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("auth0", options, takes_secret=True)
    hosts = preset.hosts(domain, "domain") or ["invalid.invalid"]
    return preset.issuer(
        [f"https://{host}/" for host in hosts],
        audience=audience,
        metadata_url=f"https://{hosts[0]}/.well-known/openid-configuration",
        algorithms="RS256",
        typ=("JWT", "at+jwt"),
        claims={
            "client": ["azp", "client_id"],
            "tenant": "org_id",
            "scopes": {**_SCOPE, "beside": "permissions"} if rbac else _SCOPE,
            "machine": {"sub": re.compile(r".+@clients")},
        },
    )


def okta(domain: Strings, *, audience: Strings, server: str = "default", **options: Unpack[IssuerOptions]) -> Issuer:
    """Okta, access tokens of a custom authorization server.

    Those of the org authorization server (an issuer without `/oauth2/`) are for Okta alone and cannot be verified.

    Args:
        domain: The org's domain (`acme.okta.com`), its custom domain, or both. Keys come from the first.
        audience: The audience of the authorization server, which all its APIs share: limit the `clients` as well.
        server: The id of the authorization server.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("okta", options)
    hosts = preset.hosts(domain, "domain")
    if not server or server == "org":
        preset.problem(
            "only Okta may read access tokens of the org authorization server: let clients use a custom one "
            '("default" exists), or ask Okta about each token (introspection)'
        )
    path = preset.word(server or "org", "server")
    return preset.issuer(
        [f"https://{host}/oauth2/{path}" for host in hosts] or "https://invalid.invalid",
        audience=audience,
        algorithms="RS256",
        typ=(None, "JWT"),
        require={"cid": PRESENT},
        claims={
            "subject": ["uid", "sub"],
            "client": "cid",
            "scopes": {"claim": "scp", "shape": "array"},
            "groups": "groups",
        },
    )


def pingone(
    environment_id: str,
    *,
    audience: Strings,
    region: Literal["com", "eu", "ca", "asia", "sg", "com.au"] = "com",
    custom_domain: str | None = None,
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """PingOne, access tokens of a custom resource. Machines have no `sub`: their client id is the subject.

    Args:
        environment_id: The environment, a UUID.
        audience: The audience of the custom resource.
        region: The end of the host `auth.pingone.…`.
        custom_domain: A custom domain, whose tokens have an issuer without the environment.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("pingone", options)
    host = f"auth.pingone.{preset.one_of(region, 'region', _PINGONE)}"
    own = f"https://{host}/{preset.word(environment_id, 'environment_id', 'uuid')}/as"
    custom = [] if custom_domain is None else [f"https://{preset.host(custom_domain, 'custom_domain')}/as"]
    return preset.issuer(
        [*custom, own],
        audience=audience,
        algorithms="RS256",
        typ=(None, "JWT", "at+jwt"),
        require={"client_id": PRESENT},
        subject="optional",
        claims={"subject": ["sub", "client_id"], "client": "client_id", "scopes": _SCOPE, "tenant": ()},
    )


def salesforce(my_domain: str, **options: Unpack[IssuerOptions]) -> Issuer:
    """Salesforce, JWT-based access tokens.

    Their audience is the org itself and says nothing about your API: `clients` does.

    Args:
        my_domain: The org's My Domain, as in `acme.my.salesforce.com`.
        options: Settings of `Issuer` (see `IssuerOptions`). `clients` is needed: the consumer keys of the connected
            apps that may call.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("salesforce", options)
    if not options.get("clients"):
        preset.problem("clients= must name the consumer keys that may call: the audience is the org itself")
    org = f"https://{preset.host(my_domain, 'my_domain')}"
    return preset.issuer(
        org,
        audience=org,
        algorithms="RS256",
        typ="JWT",
        client_claims="client_id",
        require={"header.tty": "sfdc-core-token"},
        claims={
            "subject": {"claim": "sub", "strip_prefix": "uid:"},
            "client": "client_id",
            "tenant": "header.tnk",
            "scopes": {"claim": "scp", "shape": "space-separated"},
        },
    )


def workos(
    client_id: str,
    *,
    audience: Strings | Literal[Sentinel.ANY],
    auth_domain: str | None = None,
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """WorkOS AuthKit, access tokens.

    The key set is the client's own, so it does what an audience does elsewhere: `audience=ANY` is right unless a JWT
    template adds one.

    Args:
        client_id: The client id of the environment. A wrong one shows as a key that is not found.
        audience: `ANY`, or what a JWT template writes into `aud`.
        auth_domain: A custom authentication domain.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("workos", options)
    client = preset.word(client_id, "client_id")
    hosts = ["api.workos.com", *([] if auth_domain is None else [preset.host(auth_domain, "auth_domain")])]
    issuers = [f"https://{host}{path}" for host in hosts for path in (f"/user_management/{client}", "", "/")]
    return preset.issuer(
        issuers,
        audience=audience,
        jwks_uri=f"https://api.workos.com/sso/jwks/{client}",
        algorithms="RS256",
        typ=(None, "JWT"),
        require={"sid": PRESENT},
        claims={
            "tenant": "org_id",
            "roles": ["roles", "role"],
            "scopes": [_PERMISSIONS, _SCOPE],
            "session": "sid",
        },
    )
