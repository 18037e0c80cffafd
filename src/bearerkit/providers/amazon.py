"""Presets for Amazon Web Services: Cognito user pools and the Application Load Balancer."""

from __future__ import annotations

from typing import Unpack

from bearerkit.issuer import Issuer
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings, one_or_more

__all__ = ["aws_alb", "cognito"]


def cognito(
    user_pool_id: str, *, client_ids: Strings, audience: Strings | None = None, **options: Unpack[IssuerOptions]
) -> Issuer:
    """Amazon Cognito user pools, access tokens.

    They have no `aud`: `client_id` says for which app client they were issued. `token_type="id"` takes the ID tokens of
    these clients instead.

    Args:
        user_pool_id: The pool, as in `eu-west-1_ExAmPle01`. The region stands in it.
        client_ids: The app clients whose users may call.
        audience: With resource binding (RFC 8707), what `aud` must name; the client is checked as well.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("cognito", options)
    region, _, _ = preset.word(user_pool_id, "user_pool_id").partition("_")
    if "_" not in str(user_pool_id):
        preset.problem(f'user_pool_id must look like "eu-west-1_ExAmPle01", not {user_pool_id!r}')
    host = f"cognito-idp.{preset.word(region, 'the region of user_pool_id', 'dns-label')}.{_suffix(region)}"
    is_id = options.get("token_type") == "id"
    if is_id and audience is not None:
        preset.problem("ID tokens name the app client as their audience: leave audience= out")
    for name in ("clients", "client_claims"):
        if name in options:
            preset.problem(f"client_ids says which clients may call: leave {name}= out")
    if audience is None or is_id:
        rules = {"audience": client_ids, "audience_from": "aud" if is_id else "client_id"}
    else:
        rules = {"audience": audience, "clients": client_ids, "client_claims": "client_id"}
    return preset.issuer(
        f"https://{host}/{user_pool_id}",
        algorithms="RS256",
        typ=(None, "JWT"),
        require={"token_use": "id" if is_id else "access"},
        claims={
            "client": ["client_id", "aud"],
            "scopes": {"claim": "scope", "shape": "space-separated"},
            "groups": "cognito:groups",
            "roles": "cognito:groups",
        },
        **rules,
    )


def aws_alb(
    region: str, *, issuer: str, client_id: Strings, load_balancer: Strings, **options: Unpack[IssuerOptions]
) -> Issuer:
    """The header `x-amzn-oidc-data` of an AWS Application Load Balancer that signs users in.

    It is no access token but a signed answer about the user, and the host of its keys serves every load balancer of
    the region: without `load_balancer` each AWS customer could mint it. Take it from its header:
    `Auth(aws_alb(…), places=Places("x-amzn-oidc-data"))`.

    Args:
        region: The region of the load balancer, as in `eu-west-1`.
        issuer: The identity provider behind the load balancer.
        client_id: The client id of the load balancer there.
        load_balancer: The ARN of the load balancer, or several.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("aws_alb", options)
    arns = one_or_more(load_balancer)
    if not arns or not all(arn.startswith("arn:") and ":loadbalancer/" in arn for arn in arns):
        preset.problem('load_balancer must be an ARN such as "arn:aws:elasticloadbalancing:…:loadbalancer/app/…"')
    label = preset.word(region, "region", "dns-label")
    return preset.issuer(
        issuer,
        audience=client_id,
        audience_from="header.client",
        jwks_uri=f"https://public-keys.auth.elb.{label}.{_suffix(region)}/{{kid}}",
        key_format="pem-per-kid",
        placeholders={"kid": "uuid"},
        algorithms="ES256",
        typ="JWT",
        require={"header.signer": arns, "header.iss": issuer},
        padding=True,
        claims={"email_verified": {"claim": "email_verified", "shape": "bool-or-string"}},
    )


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
