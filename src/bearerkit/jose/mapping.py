"""The claim mapping: which claims of an issuer's tokens feed which field of `AuthContext`.

A mapping is data (`Claim` alternatives per field), checked and compiled to readers once, when an issuer is
configured. The first alternative that is present (not null) decides, even when its type makes it worth nothing:
falling through to the next claim would let a malformed token pick its own dialect. No rule about who may do what
belongs here, and no claim of a particular provider: those are presets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final, get_args

from bearerkit.errors import ConfigError
from bearerkit.jose.claim_path import MISSING, ClaimPath
from bearerkit.jose.claim_shape import (
    BESIDE_SHAPES,
    NAME_SHAPES,
    Shape,
    end,
    flag,
    flag_or_string,
    id_names,
    moment,
    stripped,
    text,
    words,
)
from bearerkit.spelling import nearest

__all__ = ["Claim", "ClaimMapping", "principal_type"]

Read = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
Convert = Callable[[Any], Any]

_NO_HEADER: Final[Mapping[str, Any]] = MappingProxyType({})
_SHAPES: Final[tuple[str, ...]] = get_args(Shape)
_MEMBERS: Final = ("claim", "shape", "strip_prefix", "beside", "unless")
_NAMES: Final = frozenset({"scopes", "roles", "groups", "permissions", "services", "amr", "memberships"})
_AUTO: Final[Mapping[str, Convert]] = {
    "scopes": words,
    "memberships": id_names,
    "email_verified": flag,
    "auth_time": moment,
    "access_expires_at": end,
}
_EMPTY: Final[Mapping[str, Any]] = {**dict.fromkeys(_NAMES, ()), "email_verified": False}
_PRINCIPALS: Final = {"machine": "service", "m2m": "service", "end_user": "user"}
_MACHINES: Final = (
    ("idtyp", "app"),
    ("gty", "client-credentials"),
    ("grant_type", "client_credentials"),
    ("type", ("m2m", "machine")),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim that may feed a field: its path (see `claim_path`), how it is written, and a prefix to take off.

    With `strip_prefix` only values that carry the prefix count. `beside` is the path of a second claim that the shape
    needs: with `object-keys` only those keys count whose value is an object with the member that this claim names.
    With `unless` it counts only in tokens that do not have that claim.
    """

    path: str
    shape: Shape = "auto"
    strip_prefix: str | None = None
    beside: str | None = None
    unless: str | None = None


def _claims(*paths: str) -> tuple[Claim, ...]:
    return tuple(Claim(path) for path in paths)


@dataclass(frozen=True)
class ClaimMapping:
    """For each field of `AuthContext` the claims that may feed it, first present wins; () switches a field off.

    Raises ConfigError listing every problem. Immutable and hashable; make one per issuer and share it.
    """

    subject: tuple[Claim, ...] = _claims("sub")
    client: tuple[Claim, ...] = _claims("client_id", "azp", "appid", "cid")
    tenant: tuple[Claim, ...] = _claims("tenant_id", "tid", "org_id", "tenantId", "namespaceId", "workspace_id")
    memberships: tuple[Claim, ...] = _claims("memberships")
    identity: tuple[Claim, ...] = _claims("identity_id", "identityId")
    scopes: tuple[Claim, ...] = _claims("scope", "scopes", "scp")
    roles: tuple[Claim, ...] = _claims("roles", "role", "realm_access.roles")
    groups: tuple[Claim, ...] = _claims("groups")
    permissions: tuple[Claim, ...] = _claims("permissions")
    services: tuple[Claim, ...] = _claims("services")
    tier: tuple[Claim, ...] = _claims("tier")
    email: tuple[Claim, ...] = _claims("email")
    email_verified: tuple[Claim, ...] = _claims("email_verified")
    access_expires_at: tuple[Claim, ...] = _claims("access_expires_at")
    session: tuple[Claim, ...] = _claims("sid", "session_id")
    token_id: tuple[Claim, ...] = _claims("jti", "uti")
    acr: tuple[Claim, ...] = _claims("acr")
    amr: tuple[Claim, ...] = _claims("amr")
    auth_time: tuple[Claim, ...] = _claims("auth_time")
    actor: tuple[Claim, ...] = _claims("act.sub")
    principal_type: tuple[Claim, ...] = ()
    machine: tuple[tuple[str, Any], ...] = ()
    """Pairs of claim path and value (or tuple of values): one match marks a machine, besides the usual marks.

    None stands for an absent claim, a compiled regular expression for every string that it matches as a whole.
    """
    _readers: Mapping[str, Read] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems: list[str] = []
        readers = {name: _reader(name, getattr(self, name), problems) for name in _FIELDS}
        if self.subject == ():
            problems.append("claims.subject needs at least one claim")
        marks = _marks(self.machine, problems)
        if problems:
            raise ConfigError(problems)
        readers["principal_type"] = _principal_reader(readers, self.subject, marks)
        object.__setattr__(self, "_readers", readers)

    @classmethod
    def parse(cls, value: ClaimMapping | Mapping[str, Any] | None) -> ClaimMapping:
        """The mapping in its short spelling: field → path, list of alternatives, or an object.

        The object has the members of `Claim`, its path as `claim`; `machine` is an object of claim values.
        Fields that are not given keep their default. Raises ConfigError listing every problem at once.
        """
        if isinstance(value, ClaimMapping):
            return value
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            raise ConfigError(f"claims must be an object of fields, not {type(value).__name__}")
        problems: list[str] = []
        given: dict[str, Any] = {}
        for name, spelling in value.items():
            if name == "machine":
                given[name] = _parse_machine(spelling, problems)
            elif name in _FIELDS:
                items = spelling if isinstance(spelling, list | tuple) else [spelling]
                parsed = [_parse_claim(name, item, problems) for item in items]
                given[name] = tuple(claim for claim in parsed if claim is not None)
            else:
                problems.append(f"claims: unknown field {name!r}{nearest(name, (*_FIELDS, 'machine'))}")
        try:
            mapping = cls(**given)
        except ConfigError as error:
            raise ConfigError((*problems, *error.problems)) from None
        if problems:
            raise ConfigError(problems)
        return mapping

    def read(self, name: str, claims: Mapping[str, Any], header: Mapping[str, Any] = _NO_HEADER) -> Any:
        """The value of one field: str or None, a tuple of str, a bool, or seconds, by the kind of the field.

        `name` is one of the fields of this class except `machine`. Raises nothing for JSON input.
        """
        return self._readers[name](claims, header)

    def reads(self, field: str, name: str) -> bool:
        """True if `field` looks at the claim of this name, or into it."""
        paths = (claim.path.lstrip("/") for claim in getattr(self, field))
        return any(path == name or path.startswith((f"{name}.", f"{name}/")) for path in paths)

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], ClaimMapping], tuple[dict[str, Any]]]:
        return _rebuilt, ({name: getattr(self, name) for name in (*_FIELDS, "machine")},)


_FIELDS: Final = tuple(item.name for item in fields(ClaimMapping) if item.init and item.name != "machine")


def principal_type(value: str) -> str:
    """One spelling for each kind of principal: `machine` and `m2m` are `service`, `end_user` is `user`."""
    return _PRINCIPALS.get(value, value)


def _rebuilt(given: dict[str, Any]) -> ClaimMapping:
    return ClaimMapping(**given)


def _parse_claim(name: str, item: Any, problems: list[str]) -> Claim | None:
    if isinstance(item, Claim):
        return item
    if isinstance(item, str):
        return Claim(item)
    if not isinstance(item, Mapping):
        problems.append(f"claims.{name}: a path, or an object with 'claim', is needed, not {type(item).__name__}")
        return None
    for member in item:
        if member not in _MEMBERS:
            problems.append(f"claims.{name}: unknown member {member!r}{nearest(member, _MEMBERS)}")
    if "claim" not in item:
        problems.append(f"claims.{name}: the member 'claim' is missing")
        return None
    further = (item.get(name) for name in _MEMBERS[2:])
    return Claim(item["claim"], item.get("shape", "auto"), *further)


def _parse_machine(spelling: Any, problems: list[str]) -> tuple[tuple[str, Any], ...]:
    if not isinstance(spelling, Mapping):
        problems.append(f"claims.machine must be an object of claim values, not {type(spelling).__name__}")
        return ()
    return tuple((path, tuple(value) if isinstance(value, list) else value) for path, value in spelling.items())


def _reader(name: str, claims: Any, problems: list[str]) -> Read:
    """The compiled reader of one field. Problems are collected; the reader then is of no use."""
    if not isinstance(claims, tuple) or not all(isinstance(claim, Claim) for claim in claims):
        problems.append(f"claims.{name} must be a tuple of Claim; ClaimMapping.parse takes the short spelling")
        claims = ()
    empty = _EMPTY.get(name)
    alternatives: list[tuple[Callable[..., Any], Convert]] = []
    for claim in claims:
        try:
            value_at = _value_at(claim)
        except ValueError as error:
            problems.append(f"claims.{name}: {error}")
            continue
        alternatives.append((value_at, _converter(name, claim, problems)))

    def read(claims: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
        for value_at, convert in alternatives:
            value = value_at(claims, header)
            if value is not MISSING:
                return convert(value)
        return empty

    return read


def _value_at(claim: Claim) -> Callable[..., Any]:
    """Reads the claim, or the pair of it and the claim beside it. Raises ValueError for a malformed path."""
    path = ClaimPath(claim.path)
    if claim.beside is None and claim.unless is None:
        return path.read
    beside = None if claim.beside is None else ClaimPath(claim.beside)
    unless = None if claim.unless is None else ClaimPath(claim.unless)

    def read(claims: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
        value = path.read(claims, header)
        if value is MISSING or (unless is not None and unless.read(claims, header) is not MISSING):
            return MISSING
        return value if beside is None else (value, beside.read(claims, header))

    return read


def _converter(name: str, claim: Claim, problems: list[str]) -> Convert:
    """What turns the claim's value into the field's, by the kind of the field and the shape that was asked for."""
    known = _known_shapes(name, claim.beside)
    if claim.shape not in _SHAPES:
        problems.append(f"claims.{name}: unknown shape {claim.shape!r}{nearest(claim.shape, _SHAPES)}")
    elif claim.shape not in known:
        how = "" if claim.beside is None else " with beside"
        takes = ", ".join(known) or "none"
        problems.append(f"claims.{name}: shape {claim.shape!r} does not fit{how}; this field takes {takes}")
    prefix = claim.strip_prefix
    if prefix is not None:
        _check_prefix(name, prefix, problems)
    convert: Convert
    if claim.beside is not None:
        convert = BESIDE_SHAPES.get(claim.shape, text)
    elif claim.shape == "auto" or claim.shape not in known:
        convert = _AUTO.get(name, NAME_SHAPES["auto"] if name in _NAMES else text)
    else:
        convert = NAME_SHAPES.get(claim.shape, flag_or_string)
    return convert if prefix is None else _stripping(convert, prefix, names=name in _NAMES)


def _known_shapes(name: str, beside: str | None) -> tuple[str, ...]:
    """The shapes that fit a field: only some look at a second claim, and one of them cannot do without."""
    if name in _NAMES:
        return (*(NAME_SHAPES if beside is None else BESIDE_SHAPES),)
    if beside is not None:
        return ()
    return ("auto", "bool-or-string") if name == "email_verified" else ("auto",)


def _check_prefix(name: str, prefix: object, problems: list[str]) -> None:
    if not isinstance(prefix, str) or not prefix:
        problems.append(f"claims.{name}: strip_prefix must be a non-empty string")
    elif name in ("email_verified", "auth_time", "access_expires_at"):
        problems.append(f"claims.{name}: strip_prefix does not fit this field")


def _stripping(convert: Convert, prefix: str, *, names: bool) -> Convert:
    if names:
        return lambda value: stripped(convert(value), prefix)

    def strip(value: Any) -> str | None:
        whole = convert(value)
        return next(iter(stripped(() if whole is None else (whole,), prefix)), None)

    return strip


def _marks(machine: Any, problems: list[str]) -> list[tuple[ClaimPath, tuple[Any, ...]]]:
    """The marks of a machine, ours and the configured ones, as path and accepted values."""
    marks = []
    for pair in (*_MACHINES, *(machine if isinstance(machine, tuple) else (machine,))):
        if not isinstance(pair, tuple) or len(pair) != 2:
            problems.append("claims.machine must be pairs of claim path and value")
            continue
        path, value = pair
        accepted = value if isinstance(value, tuple) else (value,)
        if not accepted or not all(
            item is None or isinstance(item, str | int | float | re.Pattern) for item in accepted
        ):
            problems.append(f"claims.machine: the value of {path!r} must be a string, number or boolean, or a list")
        try:
            marks.append((ClaimPath(path), accepted))
        except ValueError as error:
            problems.append(f"claims.machine: {error}")
    return marks


def _is_mark(value: Any, mark: Any) -> bool:
    if mark is None:
        return value is MISSING
    if isinstance(mark, re.Pattern):
        return isinstance(value, str) and mark.fullmatch(value) is not None
    # The type is compared too: Python calls true and 1 equal.
    return type(value) is type(mark) and bool(value == mark)


def _principal_reader(
    readers: Mapping[str, Read], subject: tuple[Claim, ...], marks: list[tuple[ClaimPath, tuple[Any, ...]]]
) -> Read:
    explicit, subject_of, client_of = readers["principal_type"], readers["subject"], readers["client"]
    subject_paths = [ClaimPath(claim.path) for claim in subject]

    def read(claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        stated = explicit(claims, header)
        if stated is not None:
            return principal_type(stated)
        for path, accepted in marks:
            value = path.read(claims, header)
            if any(_is_mark(value, item) for item in accepted):
                return "service"
        if all(path.read(claims, header) is MISSING for path in subject_paths):
            return "service"
        name = subject_of(claims, header)
        return "service" if name is not None and name == client_of(claims, header) else "user"

    return read
