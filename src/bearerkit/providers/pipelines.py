"""Presets for the tokens that build pipelines get: GitHub Actions and GitLab CI.

One issuer signs for every repository of the world and the job chooses the audience, so neither says who calls: the
presets demand a `require` that does. Pin ids, not names: a name can be registered again by somebody else.
"""

from __future__ import annotations

from typing import Final, Unpack

from bearerkit.issuer import Issuer
from bearerkit.jose.claims import PRESENT
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings

__all__ = ["github_actions", "gitlab_ci"]

_GITHUB: Final = "token.actions.githubusercontent.com"
_GITHUB_WHO: Final = (
    *("repository_owner_id", "repository_id", "enterprise_id"),
    *("repository", "repository_owner", "enterprise", "sub"),
)
"""Not `job_workflow_ref`: any repository may call a public workflow."""
_GITLAB_WHO: Final = ("namespace_id", "project_id", "namespace_path", "project_path", "sub")
# What a repository makes of its own `sub` begins with what it chose.
_GITHUB_SUBJECTS: Final = {"sub": ("repo:", "repository_id:", "repository_owner_id:", "repository_owner:")}
_GITLAB_SUBJECTS: Final = {"sub": ("project_path:", "project_id:", "namespace_path:", "namespace_id:")}


def github_actions(
    *,
    audience: Strings,
    enterprise: str | None = None,
    server: str | None = None,
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """OIDC tokens of GitHub Actions jobs.

    Args:
        audience: What the workflow asks for.
        enterprise: The slug of an enterprise that has an issuer of its own.
        server: The host of a GitHub Enterprise Server.
        options: Settings of `Issuer` (see `IssuerOptions`); `require` must pin a repository or its owner. All values
            are strings, also the ids: `require={"repository_owner_id": "3000003"}`.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("github_actions", options)
    why = "every repository on GitHub can get a token with this audience."
    preset.must_say_who(_GITHUB_WHO, why, beginnings=_GITHUB_SUBJECTS)
    if server is not None:
        issuer = f"https://{preset.host(server, 'server')}/_services/token"
        if enterprise is not None:
            preset.problem("enterprise and server exclude each other")
    elif enterprise is not None:
        issuer = f"https://{_GITHUB}/{preset.word(enterprise, 'enterprise')}"
    else:
        issuer = f"https://{_GITHUB}"
    return preset.issuer(
        issuer,
        audience=audience,
        algorithms="RS256",
        typ="JWT",
        token_type="id",
        claims={"tenant": "repository_owner_id", "machine": {"iss": issuer}},
    )


def gitlab_ci(*, audience: Strings, server: str = "https://gitlab.com", **options: Unpack[IssuerOptions]) -> Issuer:
    """ID tokens of GitLab CI jobs (`id_tokens:`).

    People who sign in get tokens of the same issuer: only those that name a job are taken.

    Args:
        audience: What `.gitlab-ci.yml` writes as `aud`.
        server: The address of the instance. A private certificate authority goes into
            `network=Network(ca_file=…)`.
        options: Settings of `Issuer` (see `IssuerOptions`); `require` must pin a namespace or project. The ids are
            strings: `require={"namespace_id": "72"}`.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("gitlab_ci", options)
    why = "every project of this GitLab can get a token with this audience."
    preset.must_say_who(_GITLAB_WHO, why, beginnings=_GITLAB_SUBJECTS)
    issuer = preset.base_url(server, "server")
    return preset.issuer(
        issuer,
        audience=audience,
        algorithms="RS256",
        typ="JWT",
        token_type="id",
        require={"job_id": PRESENT},
        claims={"tenant": "namespace_id", "machine": {"iss": issuer}},
    )
