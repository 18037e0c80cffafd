"""Presets for identity servers that teams run themselves: Keycloak, Zitadel, authentik, Ory Hydra."""

from __future__ import annotations

import re
from typing import Any, Final, Unpack
from urllib.parse import urlsplit

from bearerkit.http import Network
from bearerkit.issuer import Issuer
from bearerkit.jose.claims import PRESENT
from bearerkit.jose.token_type import DEFAULT_FORBID
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings

__all__ = ["authentik", "keycloak", "ory", "zitadel"]

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_RESOURCE_OWNER: Final = "urn:zitadel:iam:user:resourceowner:id"


def keycloak(
    base_url: str,
    realm: str,
    *,
    audience: Strings,
    internal_url: str | None = None,
    client_roles: str | None = None,
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """Keycloak 17 and later, access tokens (also those of clients that use DPoP or the at+jwt header).

    Args:
        base_url: The address that callers use, without the realm, as in `https://sso.example.com`; with a relative
            path or before version 17 as in `https://sso.example.com/auth`.
        realm: The realm.
        audience: The client id of the API. A fresh realm needs an audience mapper for it.
        internal_url: The address at which this machine reaches Keycloak, as in `http://keycloak:8080`, if another.
        client_roles: The client whose roles count, in place of those of the realm.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("keycloak", options)
    base = preset.base_url(base_url, "base_url")
    name = preset.word(realm, "realm", "segment")
    if client_roles is not None and (not str(client_roles) or set("{}[]' ") & set(str(client_roles))):
        preset.problem(f"client_roles must be the id of one client, not {client_roles!r}")
        client_roles = None
    place: dict[str, Any] = {}
    if internal_url is not None:
        internal = preset.base_url(internal_url, "internal_url")
        place = {
            "metadata_url": f"{internal}/realms/{name}{_WELL_KNOWN}",
            "hosts": (urlsplit(internal).netloc, urlsplit(base).netloc),
            "network": Network(private=True, allow_http=internal.startswith("http://")),
        }
    roles = "realm_access.roles" if client_roles is None else f"/resource_access/{_pointer(str(client_roles))}/roles"
    return preset.issuer(
        f"{base}/realms/{name}",
        audience=audience,
        algorithms="RS256",
        typ=("JWT", "at+jwt"),
        require={"typ": ["Bearer", "DPoP"]},
        claims={
            "client": "azp",
            # Only the tokens of service accounts have it.
            "machine": {"client_id": re.compile(r".+")},
            "scopes": {"claim": "scope", "shape": "space-separated"},
            "roles": {"claim": roles, "shape": "array"},
            "memberships": {"claim": "organization", "shape": "array-or-keys"},
        },
        **place,
    )


def _pointer(name: str) -> str:
    """One step of a JSON pointer (RFC 6901 section 3): client ids may hold dots and slashes."""
    return name.replace("~", "~0").replace("/", "~1")


def zitadel(domain: str, *, project_id: str, **options: Unpack[IssuerOptions]) -> Issuer:
    """Zitadel, access tokens of applications that are set to JWT (the default is opaque).

    Roles are those that the user's own organization (the tenant) was granted; a role of another organization does not
    count. That needs the scopes `urn:zitadel:iam:org:project:id:<project>:aud`, `urn:zitadel:iam:org:projects:roles`
    and `urn:zitadel:iam:user:resourceowner`. There are no OAuth scopes in these tokens.

    Args:
        domain: The instance (`acme-x1y2z3.zitadel.cloud`) or its custom domain.
        project_id: The project: the audience.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("zitadel", options)
    project = preset.word(project_id, "project_id")
    return preset.issuer(
        f"https://{preset.host(domain, 'domain')}",
        audience=project,
        algorithms="RS256",
        typ=("JWT", "at+jwt"),
        require={"jti": PRESENT},
        forbid=(*DEFAULT_FORBID["access"], "auth_time"),
        claims={
            "client": ["client_id", "azp"],
            "tenant": _RESOURCE_OWNER,
            # Not `urn:zitadel:iam:org:project:roles`, which is about the project of the client that asked.
            "roles": {
                "claim": f"urn:zitadel:iam:org:project:{project}:roles",
                "shape": "object-keys",
                "beside": _RESOURCE_OWNER,
            },
        },
    )


def authentik(
    base_url: str, application: str | None, *, client_id: Strings, **options: Unpack[IssuerOptions]
) -> Issuer:
    """authentik, access tokens. ID tokens have the same audience; `uid` tells them apart.

    A provider without a signing key signs with its client secret: `keys=SharedSecret("…")`.

    Args:
        base_url: The address of authentik.
        application: The slug of the application; None where the provider's issuer mode is the global one.
        client_id: The client id of the provider: the audience.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("authentik", options, takes_secret=True)
    base = preset.base_url(base_url, "base_url")
    issuer, place = f"{base}/", dict[str, Any]()
    if application is not None:
        issuer = f"{base}/application/o/{preset.word(application, 'application')}/"
    elif not any(options.get(name) for name in ("metadata_url", "jwks_uri", "keys")):
        preset.problem("with the global issuer mode, say where an application's keys are: jwks_uri= or metadata_url=")
        place = {"keys": {"keys": []}}
    return preset.issuer(
        issuer,
        audience=client_id,
        algorithms="RS256",
        typ="JWT",
        require={"azp": PRESENT, "uid": PRESENT},
        claims={"client": "azp", "groups": "groups"},
        **place,
    )


def ory(base_url: str, *, audience: Strings, **options: Unpack[IssuerOptions]) -> Issuer:
    """Ory Hydra and Ory Network, access tokens with the strategy `jwt` (the default is opaque).

    Args:
        base_url: The issuer as the tokens have it: older versions end it in a slash.
        audience: What clients ask for; an empty `aud` means that the client did not.
        options: Settings of `Issuer` (see `IssuerOptions`). Claims of the consent app stand below `ext`:
            `claims={"tenant": "ext.tenant"}` is the default.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("ory", options)
    slash = "/" if str(base_url).endswith("/") else ""
    return preset.issuer(
        preset.base_url(base_url, "base_url") + slash,
        audience=audience,
        algorithms="RS256",
        typ="JWT",
        require={"client_id": PRESENT},
        claims={
            "client": "client_id",
            "tenant": ["ext.tenant", "ext.tenant_id"],
            "roles": ["ext.roles", "roles"],
            "scopes": [{"claim": "scp", "shape": "array"}, {"claim": "scope", "shape": "space-separated"}],
        },
    )
