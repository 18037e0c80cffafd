"""The preset for tokens of workloads in a Kubernetes cluster."""

from __future__ import annotations

from typing import Any, Final, Unpack

from bearerkit.http import Network
from bearerkit.issuer import Issuer
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings, one_or_more

__all__ = ["kubernetes"]

_SERVER: Final = "https://kubernetes.default.svc"
_MOUNTED: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


def kubernetes(
    *,
    audience: Strings,
    issuer: Strings = "https://kubernetes.default.svc.cluster.local",
    api_server: str | None = _SERVER,
    **options: Unpack[IssuerOptions],
) -> Issuer:
    """Projected service-account tokens of a Kubernetes cluster.

    Every pod can ask for a token with any audience, so check the namespace (`context.tenant_id`) or require a `sub`
    (`system:serviceaccount:<namespace>:<name>`). A deleted pod's token stays good until it expires: keep them short.

    Args:
        audience: The audience of the projected volume.
        issuer: The `iss` of the cluster's tokens, as in the pod's own token; several during a migration.
        api_server: Where this pod reaches the API server, which serves the keys; they are asked for with the mounted
            token and certificate authority. None finds them through the issuer's public metadata (EKS, GKE, AKS).
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("kubernetes", options)
    place: dict[str, Any] = {}
    if api_server is not None:
        place["jwks_uri"] = f"{preset.base_url(api_server, 'api_server')}/openid/v1/jwks"
        place["network"] = Network(private=True, ca_file=f"{_MOUNTED}/ca.crt", token_file=f"{_MOUNTED}/token")
    return preset.issuer(
        issuer,
        audience=audience,
        algorithms=("RS256", "ES256"),
        typ=(None, "JWT"),
        claims={
            "tenant": "/kubernetes.io/namespace",
            "machine": {"iss": one_or_more(issuer)},
        },
        **place,
    )
