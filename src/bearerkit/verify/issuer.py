"""`IssuerSettings`: what a team says about one party whose JWTs it accepts.

The constructor checks everything that can be checked without a network, reports all problems in one ConfigError,
and compiles the settings into the pure rules that verification applies (`ClaimRules`, issuer templates, the place
of the keys). An Issuer is immutable and holds no keys, clock or connection, so one value can serve several `Auth`
objects. The class that users type, `bearerkit.Issuer`, adds only the conveniences that need the network.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final, Literal, NoReturn

from bearerkit.errors import ConfigError
from bearerkit.http import Network
from bearerkit.jose.algorithms import DEFAULT_ALGORITHMS
from bearerkit.jose.claims import ANY, NO_ISSUER, PRESENT, TEXTS, ClaimRules, Sentinel
from bearerkit.jose.compact import Limits
from bearerkit.jose.key_cache import KeyCache
from bearerkit.jose.mapping import Claim, ClaimMapping
from bearerkit.jose.template import Template, has_placeholders
from bearerkit.jose.token_type import DEFAULT_FORBID, DEFAULT_TYP, TokenType, normalise_typ
from bearerkit.verify.issuer_checks import (
    at_least_one,
    check_algorithms,
    check_bounds,
    check_issuers,
    check_key_places,
    compile_paths,
    epoch,
    is_list_of,
    listed,
    strings,
    wrong_types,
)
from bearerkit.verify.key_location import KeyLocation
from bearerkit.verify.static_keys import KeyMaterial, static_key_set

__all__ = ["IssuerSettings", "changed_fields"]

_log = logging.getLogger("bearerkit.auth")

CLIENT_CLAIMS: Final = ("azp", "client_id", "appid", "cid")
_RFC9068_CLAIMS: Final = ("client_id", "iat", "jti")


class _Unset:
    def __repr__(self) -> str:
        return "…"


_UNSET: Final = _Unset()


class IssuerSettings:
    """The settings of one issuer, checked and compiled. `bearerkit.Issuer` documents the arguments.

    Raises ConfigError listing every problem.
    """

    __slots__ = (
        "_accepts_tenant",
        "_sealed",
        "algorithms",
        "audience",
        "exact",
        "key_cache",
        "key_template",
        "limits",
        "location",
        "mapping",
        "name",
        "padding",
        "rules",
        "static_keys",
        "templates",
        "tenant_checked",
        "tenants_asked",
        "tenants_spelled",
        "typ",
        "until",
        "wildcard_scopes",
        "without_issuer",
    )

    def __init__(
        self,
        issuer: str | Sequence[str] | Literal[Sentinel.NO_ISSUER],
        *,
        audience: str | Sequence[str] | Literal[Sentinel.ANY],
        audience_from: str | Sequence[str] = ("aud",),
        audience_optional: bool = False,
        until: datetime | float | None = None,
        clients: str | Sequence[str] | None = None,
        client_claims: str | Sequence[str] = CLIENT_CLAIMS,
        tenants: Sequence[str] | Callable[[str], bool] | Literal[Sentinel.ANY] | None = None,
        placeholders: Mapping[str, str] | None = None,
        token_type: TokenType = "access",
        profile: Literal["rfc9068"] | None = None,
        typ: str | Sequence[str | None] | _Unset | None = _UNSET,
        require: Mapping[str, Any] | None = None,
        require_any: Sequence[str] = (),
        forbid: Sequence[str] | _Unset = _UNSET,
        algorithms: str | Sequence[str] | None = None,
        metadata_url: str | None = None,
        metadata_issuer: str | None = None,
        jwks_uri: str | None = None,
        keys: KeyMaterial | None = None,
        key_format: Literal["jwks", "pem-per-kid"] = "jwks",
        hosts: Sequence[str] = (),
        network: Network = Network(),
        subject: Literal["required", "optional"] = "required",
        leeway: float = 30,
        lifetime_max: float | None = None,
        claims: ClaimMapping | Mapping[str, Any] | None = None,
        wildcard_scopes: bool = False,
        padding: bool = False,
        limits: Limits = Limits(),
        key_cache: KeyCache = KeyCache(),
    ) -> None:
        problems = wrong_types(
            {
                "placeholders": (placeholders, Mapping | None),
                "require": (require, Mapping | None),
                "metadata_url": (metadata_url, str | None),
                "metadata_issuer": (metadata_issuer, str | None),
                "jwks_uri": (jwks_uri, str | None),
                "audience_optional": (audience_optional, bool),
                "wildcard_scopes": (wildcard_scopes, bool),
                "padding": (padding, bool),
                "network": (network, Network),
                "limits": (limits, Limits),
                "key_cache": (key_cache, KeyCache),
                "token_type": (token_type, str),
            },
            {
                "audience_from": audience_from,
                "client_claims": client_claims,
                "hosts": hosts,
                "require_any": require_any,
                "typ": () if isinstance(typ, _Unset) else typ,
                "forbid": () if isinstance(forbid, _Unset) else forbid,
                "algorithms": algorithms,
            },
        )
        if problems:
            raise ConfigError([f"Issuer({issuer!r}): {problem}" for problem in problems])
        formats = dict(placeholders or {})

        names = () if issuer is NO_ISSUER else strings(issuer, "issuer", problems)
        self.without_issuer = issuer is NO_ISSUER
        self.name = names[0] if names else repr(issuer)
        self.exact = tuple(name for name in names if not has_placeholders(name))
        self.templates = _templates([name for name in names if has_placeholders(name)], formats, problems)
        self.key_template = (
            _templates([jwks_uri], formats, problems)[0:1] if jwks_uri and has_placeholders(jwks_uri) else ()
        )
        needs_discovery = keys is None and jwks_uri is None
        check_issuers(names, self.without_issuer, needs_discovery, metadata_url, network, problems)
        check_key_places(keys is not None, jwks_uri, metadata_url, key_format, network, problems)
        check_bounds(leeway, lifetime_max, problems)

        if self.templates and tenants is None:
            problems.append("an issuer template needs tenants=: a list, a predicate, or ANY")
        self.tenants_spelled = tenants is not None
        self.tenant_checked = tenants is not None and tenants is not ANY
        self.tenants_asked = callable(tenants)
        self._accepts_tenant = _tenant_rule(tenants, problems)

        self.audience = None if audience is ANY else frozenset(strings(audience, "audience", problems))
        self.until = epoch(until, problems)
        if audience_optional and self.until is None:
            problems.append("audience_optional=True needs until=: a date on which these tokens stop being accepted")

        self.static_keys = None if keys is None else static_key_set(keys, problems)
        self.algorithms = check_algorithms(
            listed(algorithms) if algorithms is not None else None, self.static_keys, DEFAULT_ALGORITHMS, problems
        )
        self.mapping = _mapping(claims, self.templates, self.tenants_spelled, problems)
        required = dict(require or {})
        if profile == "rfc9068":
            required = {**dict.fromkeys(_RFC9068_CLAIMS, PRESENT), **required}
            typ = "at+jwt" if isinstance(typ, _Unset) else typ
        elif profile is not None:
            problems.append(f'profile={profile!r} is unknown; there is "rfc9068"')
        if token_type not in DEFAULT_TYP:
            problems.append(f'token_type={token_type!r} is unknown; there are "access" and "id"')
            token_type = "access"
        if subject not in ("required", "optional"):
            problems.append(f'subject={subject!r} is unknown; there are "required" and "optional"')
        self.typ = frozenset(DEFAULT_TYP[token_type] if isinstance(typ, _Unset) else map(normalise_typ, listed(typ)))
        self.rules = ClaimRules(
            audience=self.audience,
            audience_from=compile_paths(
                at_least_one(audience_from, "audience_from", problems), "audience_from", problems
            ),
            audience_optional=audience_optional,
            clients=None if clients is None else frozenset(strings(clients, "clients", problems)),
            client_claims=compile_paths(
                at_least_one(client_claims, "client_claims", problems), "client_claims", problems
            ),
            require=tuple(
                (path, _alternatives(value))
                for name, value in required.items()
                for path in compile_paths([name], "require", problems)
            ),
            require_any=compile_paths(listed(require_any), "require_any", problems),
            forbid=compile_paths(
                DEFAULT_FORBID[token_type] if isinstance(forbid, _Unset) else listed(forbid), "forbid", problems
            ),
            forbid_if_typed=not isinstance(forbid, _Unset),
            subject_required=subject == "required",
            token_type=token_type,
            leeway=leeway,
            lifetime_max=lifetime_max,
            texts=(*TEXTS, "client_id") if profile == "rfc9068" else TEXTS,
        )
        self.location = KeyLocation(
            issuers=self.exact,
            metadata_url=metadata_url,
            metadata_issuer=metadata_issuer,
            jwks_uri=jwks_uri,
            hosts=tuple(listed(hosts)),
            network=network,
            key_format=key_format,
        )
        self.wildcard_scopes = wildcard_scopes
        self.padding = padding
        self.limits = limits
        self.key_cache = key_cache
        if problems:
            raise ConfigError([f"Issuer({self.name!r}): {problem}" for problem in problems])
        self._sealed = True

    def __setattr__(self, name: str, value: object) -> None:
        if getattr(self, "_sealed", False):
            raise AttributeError("an Issuer is immutable; make another one")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("an Issuer is immutable; make another one")

    def same_keys_as(self, other: IssuerSettings) -> bool:
        """True if both find their keys in the same place and keep them in the same way."""
        return self._key_facts() == other._key_facts()

    def _key_facts(self) -> tuple[object, ...]:
        at_hand = None if self.static_keys is None else [key.fingerprint for key in self.static_keys.keys]
        return at_hand, self.location, self.key_cache

    @property
    def accepts_tenant_of(self) -> Callable[[str], bool]:
        """The rule behind `accepts_tenant`."""
        return self._accepts_tenant

    def accepts_tenant(self, tenant: str) -> bool:
        """True if tokens of this tenant are accepted. A predicate that raises refuses."""
        return self._accepts_tenant(tenant)

    def __repr__(self) -> str:
        return f"Issuer({self.name!r})"


# What Python says of a misspelt argument names this, and a team knows the class as Issuer.
IssuerSettings.__init__.__qualname__ = "Issuer"


def _templates(texts: Iterable[str], formats: Mapping[str, str], problems: list[str]) -> tuple[Template, ...]:
    built: list[Template] = []
    for text in texts:
        try:
            built.append(Template(text, formats))
        except ValueError as error:
            problems.append(str(error))
    return tuple(built)


def _mapping(
    claims: ClaimMapping | Mapping[str, Any] | None,
    templates: Sequence[Template],
    tenants_spelled: bool,
    problems: list[str],
) -> ClaimMapping:
    """The claim mapping, without the claims by which one tenant could pass for another.

    With an issuer template the tenant is what stands in the issuer, unless `claims` says otherwise: only that claim
    was compared with `iss`. Where tenants are judged, memberships are read only if `claims` says so.
    """
    try:
        mapping = ClaimMapping.parse(claims)
    except ConfigError as error:
        problems.extend(error.problems)
        return ClaimMapping()
    spelled = claims if isinstance(claims, Mapping) else changed_fields(mapping)
    if tenants_spelled and "memberships" not in spelled:
        mapping = replace(mapping, memberships=())
    if templates and "tenant" not in spelled:
        names = list(dict.fromkeys(name for template in templates for name in template.names))
        if len(names) > 1:
            problems.append(
                'an issuer template with several placeholders needs claims={"tenant": …}: which one is the tenant?'
            )
        return replace(mapping, tenant=(Claim(names[0]),))
    return mapping


def changed_fields(mapping: ClaimMapping) -> set[str]:
    """The fields in which a mapping that was made as such differs from the default."""
    default = ClaimMapping()
    return {
        item.name
        for item in fields(mapping)
        if item.compare and getattr(mapping, item.name) != getattr(default, item.name)
    }


def _fail_closed(accepts: Callable[[str], bool]) -> Callable[[str], bool]:
    def decide(tenant: str) -> bool:
        try:
            return accepts(tenant) is True
        except Exception:
            _log.exception("the tenants= predicate failed; the token is refused")
            return False

    return decide


def _alternatives(value: Any) -> tuple[Any, ...]:
    """`require` values: a list holds alternatives, everything else is the one value."""
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def _tenant_rule(
    tenants: Sequence[str] | Callable[[str], bool] | Literal[Sentinel.ANY] | None, problems: list[str]
) -> Callable[[str], bool]:
    if tenants is None or tenants is ANY:
        return lambda tenant: True
    if callable(tenants):
        return _fail_closed(tenants)
    if isinstance(tenants, str) or not is_list_of(tenants, str):
        problems.append("tenants must be a list of strings, a predicate, or ANY")
        return lambda tenant: False
    return frozenset(tenants).__contains__
