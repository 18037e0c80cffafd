"""What a fake must look like so that an `Issuer` takes its tokens: names, addresses, header members and claims.

Read from the settings, with made-up values where any would do. It knows no provider, and judges nothing.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from bearerkit.jose.claim_path import ClaimPath
from bearerkit.jose.claims import PRESENT
from bearerkit.jose.template import Template
from bearerkit.verify.issuer import IssuerSettings

__all__ = ["shape_of"]

_MADE_UP: Final = "fake"
_ID: Final = "00000000-0000-4000-8000-000000000000"
_ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA", "ES384", "RS384", "RS512", "PS384", "PS512", "ES512")


def shape_of(issuer: IssuerSettings) -> dict[str, Any]:
    """The arguments of `FakeIssuer` for this issuer. Raises ValueError where a fake cannot publish its keys."""
    if issuer.static_keys is not None:
        raise ValueError(f"{issuer!r} has its keys at hand: a fake publishes keys, so leave keys= out")
    if issuer.location.key_format != "jwks":
        raise ValueError(f"{issuer!r} fetches each key by its id, which a fake does not publish")
    claims: dict[str, Any] = {}
    header: dict[str, Any] = {"typ": _typ(issuer)}
    _claims_of(issuer, claims, header)
    name, jwks_uri = _names_of(issuer, claims, header)
    metadata_url = issuer.location.metadata_url
    if metadata_url is not None and jwks_uri is None:
        parts = urlsplit(metadata_url)
        jwks_uri = f"{parts.scheme}://{parts.netloc}/fake/jwks.json"
    return {
        "issuer": name,
        "alg": next(alg for alg in _ALGORITHMS if alg in issuer.algorithms),
        "headers": header,
        "claims": claims,
        "jwks_uri": jwks_uri,
        "metadata_url": metadata_url,
        "metadata_issuer": issuer.location.metadata_issuer,
    }


def _typ(issuer: IssuerSettings) -> str | None:
    known = next((typ for typ in ("at+jwt", "JWT") if typ.lower() in issuer.typ), None)
    return known or next(iter(issuer.typ - {None}), None)


def _claims_of(issuer: IssuerSettings, claims: dict[str, Any], header: dict[str, Any]) -> None:
    rules = issuer.rules
    subject = issuer.mapping.subject
    if all(claim.path != "sub" for claim in subject):
        _put(subject[0].path, "user", claims, header)
    elif (prefix := next(claim.strip_prefix for claim in subject if claim.path == "sub")) is not None:
        claims["sub"] = f"{prefix}user"
    if rules.audience is not None:
        _put(rules.audience_from[0].path, min(rules.audience), claims, header)
    if rules.clients:
        _put(rules.client_claims[0].path, min(rules.clients), claims, header)
    if rules.require_any:
        _put(rules.require_any[0].path, _MADE_UP, claims, header)
    for path, values in rules.require:
        if None not in values:
            value = values[0]
            _put(path.path, _MADE_UP if value is PRESENT else value, claims, header)
    accepted = getattr(issuer.accepts_tenant_of, "__self__", None)
    if isinstance(accepted, frozenset) and issuer.mapping.tenant:
        _put(issuer.mapping.tenant[0].path, min(accepted), claims, header)


def _names_of(issuer: IssuerSettings, claims: dict[str, Any], header: dict[str, Any]) -> tuple[str, str | None]:
    """The issuer's name and the address of its keys; templates filled from claims, which are made up where needed."""
    templates = [*issuer.key_template, *([] if issuer.exact else issuer.templates[:1])]
    for template in templates:
        for name in template.names:
            if ClaimPath(name).read(claims, header) in (_MADE_UP, None) or not _has(name, claims, header):
                _put(name, _value_for(template, name, claims, header), claims, header)
    name = issuer.exact[0] if issuer.exact else str(issuer.templates[0].fill(claims, header))
    jwks_uri = issuer.key_template[0].fill(claims, header) if issuer.key_template else issuer.location.jwks_uri
    return name, jwks_uri


def _has(name: str, claims: dict[str, Any], header: dict[str, Any]) -> bool:
    return isinstance(ClaimPath(name).read(claims, header), str)


def _value_for(template: Template, name: str, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """A value of the format that the template wants for this placeholder."""
    trial = {**claims, **dict.fromkeys(template.names, _ID)}
    for value in (_MADE_UP, _ID):
        trial[name] = value
        if template.fill(trial, header) is not None:
            return value
    return _ID


def _put(path: str, value: Any, claims: dict[str, Any], header: dict[str, Any]) -> None:
    """Put a value where this path finds it: a dotted path finds a literal name first."""
    if path.startswith("header."):
        header[path.removeprefix("header.")] = value
        return
    node, names = claims, path.split("/")[1:] if path.startswith("/") else [path]
    for step in names[:-1]:
        node = node.setdefault(step.replace("~1", "/").replace("~0", "~"), {})
    node[names[-1].replace("~1", "/").replace("~0", "~")] = value
