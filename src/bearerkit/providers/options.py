"""The options of a preset, and how they are joined with the preset's own rules: they may add and narrow, never loosen.

`require` may narrow what the preset requires, `forbid` and `hosts` add, `claims` are joined field by field, and
`network` keeps what the preset needs. Whoever wants less than a preset makes an `Issuer` of his own. Nothing of one
provider belongs here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final, Literal, TypedDict

from bearerkit.http import Network
from bearerkit.jose.claims import PRESENT, Sentinel
from bearerkit.jose.compact import Limits
from bearerkit.jose.key_cache import KeyCache
from bearerkit.jose.keys import SharedSecret
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.jose.token_type import DEFAULT_FORBID, TokenType
from bearerkit.verify.issuer import changed_fields
from bearerkit.verify.static_keys import KeyMaterial

__all__ = ["IssuerOptions", "holds_secret", "joined", "loosened"]


class IssuerOptions(TypedDict, total=False):
    """Every setting of `Issuer` but its name and audience. Each preset takes them all.

    `require` and `claims` are joined with those of the preset, entry by entry; what the preset requires can only be
    narrowed. `forbid`, `require_any` and `hosts` add to them. `keys`, `jwks_uri` and `metadata_url` replace the place
    of keys; everything else replaces the preset's setting.
    """

    audience_from: str | Sequence[str]
    audience_optional: bool
    until: datetime | float | None
    clients: str | Sequence[str] | None
    client_claims: str | Sequence[str]
    tenants: Sequence[str] | Callable[[str], bool] | Literal[Sentinel.ANY] | None
    placeholders: Mapping[str, str] | None
    token_type: TokenType
    profile: Literal["rfc9068"] | None
    typ: str | Sequence[str | None] | None
    require: Mapping[str, Any] | None
    require_any: Sequence[str]
    forbid: Sequence[str]
    algorithms: str | Sequence[str] | None
    metadata_url: str | None
    metadata_issuer: str | None
    jwks_uri: str | None
    keys: KeyMaterial | None
    key_format: Literal["jwks", "pem-per-kid"]
    hosts: Sequence[str]
    network: Network
    subject: Literal["required", "optional"]
    leeway: float
    lifetime_max: float | None
    claims: ClaimMapping | Mapping[str, Any] | None
    wildcard_scopes: bool
    padding: bool
    limits: Limits
    key_cache: KeyCache


_PLACES: Final = ("keys", "jwks_uri", "metadata_url")
_PLAIN: Final = Network()


def joined(rules: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the Issuer: the preset's rules, and what the team adds."""
    whole = {**rules, **given}
    moved = any(given.get(place) is not None for place in _PLACES)
    if moved:
        for place in _PLACES:
            whole[place] = given.get(place)
        if given.get("keys") is not None and "key_format" not in given:
            whole.pop("key_format", None)
    if holds_secret(given.get("keys")) and "algorithms" not in given:
        whole.pop("algorithms", None)
    if given.get("profile") is not None and "typ" not in given:
        whole.pop("typ", None)
    whole["require"] = {**rules.get("require", {}), **_mapping(given.get("require"))}
    whole["claims"] = _claims(rules.get("claims", {}), given)
    kind = whole.get("token_type", "access")
    defaults = {"forbid": DEFAULT_FORBID.get(kind, ()), "hosts": (), "require_any": ()}
    for name, default in defaults.items():
        if name in rules or name in given:
            added = given.get(name, ())
            whole[name] = (*rules.get(name, default), *((added,) if isinstance(added, str) else added))
    whole["network"] = _network(_PLAIN if moved else rules.get("network", _PLAIN), given.get("network", _PLAIN))
    return whole


def loosened(rules: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """The claims for which a team requires something else than the preset does, and not less of it."""
    own = rules.get("require", {})
    return [
        path
        for path, value in _mapping(given.get("require")).items()
        if path in own and not _within(_alternatives(value), _alternatives(own[path]))
    ]


def holds_secret(keys: object) -> bool:
    """True if a shared secret is among these keys."""
    items = keys if isinstance(keys, list | tuple) else (keys,)
    return any(isinstance(item, SharedSecret) for item in items)


def _mapping(value: object) -> Mapping[str, Any]:
    """Of another type it is no option; `Issuer` says so."""
    return value if isinstance(value, Mapping) else {}


def _alternatives(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def _within(narrow: tuple[Any, ...], wide: tuple[Any, ...]) -> bool:
    """True if whatever meets `narrow` meets `wide`."""
    anything = PRESENT in wide
    return all(item in wide or (anything and item is not None) for item in narrow)


def _claims(own: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """The claim mapping field by field. Where a team judges tenants, memberships count only if it names them itself."""
    theirs = given.get("claims")
    if isinstance(theirs, ClaimMapping):
        theirs = {name: getattr(theirs, name) for name in changed_fields(theirs)}
        if "machine" in theirs:
            theirs["machine"] = dict(theirs["machine"])
    if theirs is not None and not isinstance(theirs, Mapping):
        return theirs
    whole = {**own, **(theirs or {})}
    if given.get("tenants") is not None and "memberships" not in (theirs or {}):
        whole.pop("memberships", None)
    return whole


def _network(own: Network, given: Network) -> Any:
    """What a team sets, and what the preset needs where it sets nothing."""
    if not isinstance(given, Network):
        return given
    unset = {item.name for item in fields(Network) if getattr(given, item.name) == getattr(_PLAIN, item.name)}
    whole = replace(given, **{name: getattr(own, name) for name in unset})
    return replace(whole, headers={**own.headers, **given.headers}) if own.headers else whole
