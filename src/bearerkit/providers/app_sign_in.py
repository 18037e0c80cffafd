"""Presets for services that sign the users of an app in: Apple, Clerk, Descope, Supabase."""

from __future__ import annotations

import re
from typing import Final, Unpack
from urllib.parse import urlsplit

from bearerkit.issuer import Issuer
from bearerkit.jose.claims import ANY, PRESENT
from bearerkit.jose.token_type import DEFAULT_FORBID
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings, one_or_more

__all__ = ["apple", "clerk", "descope", "supabase"]

_FLAG: Final = {"claim": "email_verified", "shape": "bool-or-string"}


def apple(*, client_ids: Strings, **options: Unpack[IssuerOptions]) -> Issuer:
    """Sign in with Apple: identity tokens, for instance to exchange for a session of your own.

    Compare `context.claims["nonce"]` with the one you sent (some clients send its SHA-256).

    Args:
        client_ids: The bundle id (native app) and the Services ID (web): list both where you have both.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    return Preset("apple", options).issuer(
        "https://appleid.apple.com",
        audience=client_ids,
        algorithms="RS256",
        typ=(None, "JWT"),
        token_type="id",
        # Notifications to a server have the same issuer and audience.
        forbid=("events",),
        claims={"email_verified": _FLAG},
    )


def clerk(frontend_api: Strings, *, authorized_parties: Strings, **options: Unpack[IssuerOptions]) -> Issuer:
    """Clerk, session tokens of version 1 and 2.

    They have no `aud`: `azp` is the origin of the page that asked. Their 60 seconds of life make clocks matter.

    Args:
        frontend_api: The Frontend API's host (`clerk.example.com`, `happy-example-1.clerk.accounts.dev`).
        authorized_parties: The origins of your pages, as in `https://app.example.com`.
        options: Settings of `Issuer` (see `IssuerOptions`). `keys=` takes the instance's PEM key.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("clerk", options)
    for origin in one_or_more(authorized_parties):
        if "://" not in str(origin) or origin.endswith("/"):
            preset.problem(f'authorized_parties are origins such as "https://app.example.com", not {origin!r}')
    hosts = preset.hosts(frontend_api, "frontend_api") or ["invalid.invalid"]
    return preset.issuer(
        [f"https://{host}" for host in hosts],
        audience=authorized_parties,
        audience_from="azp",
        jwks_uri=f"https://{hosts[0]}/.well-known/jwks.json",
        algorithms="RS256",
        typ="JWT",
        require={"sid": PRESENT, "sts": [None, "active"]},
        claims={
            "client": (),
            "tenant": ["o.id", "org_id"],
            "roles": ["o.rol", {"claim": "org_role", "strip_prefix": "org:"}],
            "scopes": [
                {"claim": "o", "shape": "permission-bits", "beside": "fea"},
                {"claim": "org_permissions", "shape": "array"},
            ],
            "session": "sid",
        },
    )


def descope(
    project_id: str,
    *,
    audience: Strings | None = None,
    base_url: str = "https://api.descope.com",
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """Descope, session tokens and exchanged access keys. Refresh tokens are JWTs of the same key: `drn` decides.

    Args:
        project_id: The project.
        audience: What `aud` must name: the project unless you say otherwise.
        base_url: The address of the API, in another region or behind a custom domain.
        options: Settings of `Issuer` (see `IssuerOptions`). `tenants` limits the project's tenants.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("descope", options)
    project = preset.word(project_id, "project_id")
    base = preset.base_url(base_url, "base_url")
    tenants = {} if "tenants" in options else {"tenants": ANY}
    return preset.issuer(
        [f"{base}/v1/apps/{project}", f"{base}/v1/apps/{project}/{{dct}}"],
        audience=project if audience is None else audience,
        placeholders={"dct": "word"},
        jwks_uri=f"{base}/{project}/.well-known/jwks.json",
        algorithms="RS256",
        typ="JWT",
        require={"drn": "DS"},
        claims={
            "tenant": "dct",
            # Roles are those of the current tenant, so no other one may be named by a request.
            "memberships": (),
            "machine": {"sub": re.compile(r"K2.+")},
            "roles": ["tenants.{dct}.roles", {"claim": "roles", "unless": "dct"}],
            "scopes": [
                {"claim": "tenants.{dct}.permissions", "shape": "array"},
                {"claim": "permissions", "shape": "array", "unless": "dct"},
            ],
        },
        **tenants,
    )


def supabase(project: str, *, audience: Strings = "authenticated", **options: Unpack[IssuerOptions]) -> Issuer:
    """Supabase Auth, access tokens of signed-in users. The API keys of a project (anon, service_role) are refused.

    A project that still signs with the legacy secret is `supabase(…, keys=SharedSecret("…"))`; during the move to
    signing keys both entries stand side by side. `user_metadata` can be written by the user: never decide by it.

    Args:
        project: The project's reference (`abcdefghijklmnopqrst`), or the address of a self-hosted Auth server.
        audience: The literal `authenticated`: the issuer is what protects.
        options: Settings of `Issuer` (see `IssuerOptions`). Tokens of OAuth clients are refused unless `clients` lists
            them; `require={"is_anonymous": [None, False]}` refuses anonymous users.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("supabase", options, takes_secret=True)
    if "://" in str(project):
        issuer = preset.base_url(project, "project")
        if urlsplit(issuer).hostname != "localhost" and not urlsplit(issuer).path:
            issuer += "/auth/v1"
    else:
        issuer = f"https://{preset.word(project, 'project', 'dns-label')}.supabase.co/auth/v1"
    return preset.issuer(
        issuer,
        audience=audience,
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        algorithms=("ES256", "RS256"),
        typ="JWT",
        require={"role": "authenticated", "session_id": PRESENT},
        # An app that a user once signed in to has a full session of his, but for this claim.
        forbid=DEFAULT_FORBID["access"] if options.get("clients") else (*DEFAULT_FORBID["access"], "client_id"),
        claims={
            "client": "client_id",
            "tenant": ["app_metadata.tenant_id", "app_metadata.org_id"],
            "roles": "app_metadata.roles",
            "session": "session_id",
        },
    )
