"""The checks behind the `Issuer` constructor: each looks at some of the settings and appends what is wrong.

They append sentences to one list instead of raising, so that a team sees every problem of its settings at once.
Nothing here is consulted while a token is verified.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final
from urllib.parse import urlsplit

from bearerkit.http import Network
from bearerkit.jose.algorithms import ALGORITHMS, canonical
from bearerkit.jose.claim_path import ClaimPath
from bearerkit.jose.claims import LEEWAY_MAX
from bearerkit.jose.key_set import KeySet
from bearerkit.verify.key_location import url_problem

__all__ = [
    "at_least_one",
    "check_algorithms",
    "check_bounds",
    "check_issuers",
    "check_key_places",
    "compile_paths",
    "epoch",
    "is_list_of",
    "listed",
    "strings",
    "wrong_types",
]

_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_NOBODYS_ISSUERS: Final = ("common", "organizations", "consumers")
_MICROSOFT_HOSTS: Final = ("login.microsoftonline.com", "login.microsoftonline.us", "sts.windows.net", "ciamlogin.com")


def wrong_types(values: Mapping[str, tuple[object, Any]], names: Mapping[str, object]) -> list[str]:
    """Settings of a type that no check can work with: `values` by their type, `names` as strings or lists of them."""
    problems = [
        f"{name} must be {_type_name(kind)}, not {type(value).__name__}"
        for name, (value, kind) in values.items()
        if not isinstance(value, kind)
    ]
    problems += [
        f"{name} must be a string or a list of strings, not {value!r}"
        for name, value in names.items()
        if value is not None and not isinstance(value, str) and not is_list_of(value, str | None)
    ]
    return problems


def _type_name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("collections.abc.", "")


def is_list_of(value: object, kind: Any) -> bool:
    """True for a list, tuple or set whose items are all of this kind."""
    return isinstance(value, list | tuple | set | frozenset) and all(isinstance(item, kind) for item in value)


def listed(value: Any) -> list[Any]:
    """A single value as a list of one; a sequence as a list."""
    if value is None or isinstance(value, str):
        return [value]
    return list(value)


def at_least_one(value: Any, name: str, problems: list[str]) -> list[Any]:
    """`listed`, and a problem if that is nothing."""
    items = listed(value)
    if not items:
        problems.append(f"{name} must name at least one claim")
    return items


def strings(value: object, name: str, problems: list[str]) -> tuple[str, ...]:
    """One or several non-empty strings without white space around them."""
    items = listed(value) if isinstance(value, str | list | tuple | set | frozenset) else [value]
    good = tuple(item for item in items if isinstance(item, str) and item and item == item.strip())
    if len(good) != len(items) or not good:
        hint = "; spell NO_ISSUER if the tokens have no iss" if name == "issuer" else ""
        hint = "; spell ANY to accept every audience" if name == "audience" else hint
        problems.append(
            f"{name} must be a non-empty string or a list of them, without spaces around, not {value!r}{hint}"
        )
    return good


def check_issuers(
    names: Sequence[str],
    without_issuer: bool,
    needs_discovery: bool,
    metadata_url: str | None,
    network: Network,
    problems: list[str],
) -> None:
    """Issuer names that no token ever carries, and discovery that cannot start."""
    for name in names:
        if "/.well-known/" in name:
            problems.append(
                f'"{name}" is the address of the metadata: the issuer is what stands before /.well-known/, '
                "or give this as metadata_url="
            )
        nobody = _issued_by_nobody(name)
        if nobody is not None:
            problems.append(
                f'no token is ever issued by "{nobody}": use a tenant id, or an issuer template with a list of tenants'
            )
    if not needs_discovery or metadata_url is not None:
        return
    if without_issuer:
        problems.append("tokens without an issuer need keys=, jwks_uri= or metadata_url=: there is no metadata to find")
    elif names and not any(name.startswith(("https://", "http://")) for name in names):
        problems.append("the issuer is no URL, so its metadata cannot be found: give metadata_url=, jwks_uri= or keys=")
    elif names and all("{" in name for name in names):
        problems.append("an issuer template has no metadata of its own: give metadata_url= or jwks_uri=")
    else:
        first = next((name for name in names if name.startswith(("https://", "http://")) and "{" not in name), None)
        if first is not None:
            _check_url(first, "issuer", network, problems)


def _issued_by_nobody(name: str) -> str | None:
    """The placeholder that Microsoft writes where a token has a tenant id, if `name` is such an issuer."""
    try:
        parts = urlsplit(name)
    except ValueError:
        return None
    segments = parts.path.split("/")
    if "{tenantid}" in segments:
        return "{tenantid}"
    if not (parts.hostname or "").endswith(_MICROSOFT_HOSTS):
        return None
    return next((segment for segment in segments if segment in _NOBODYS_ISSUERS), None)


def check_key_places(
    has_keys: bool,
    jwks_uri: str | None,
    metadata_url: str | None,
    key_format: str,
    network: Network,
    problems: list[str],
) -> None:
    """At most one source of keys, and fetched ones only over https."""
    places = {"keys": has_keys, "jwks_uri": jwks_uri, "metadata_url": metadata_url}
    given = [name for name, place in places.items() if place]
    if len(given) > 1:
        problems.append(f"{' and '.join(given)} exclude each other: keys come from one place")
    if jwks_uri is not None:
        _check_url(jwks_uri, "jwks_uri", network, problems)
    if metadata_url is not None:
        _check_url(metadata_url, "metadata_url", network, problems)
    if key_format not in ("jwks", "pem-per-kid"):
        problems.append(f'key_format={key_format!r} is unknown; there are "jwks" and "pem-per-kid"')
    elif key_format == "pem-per-kid" and (jwks_uri is None or "{kid}" not in jwks_uri):
        problems.append('key_format="pem-per-kid" needs a jwks_uri with {kid} in it')


def _check_url(url: str, name: str, network: Network, problems: list[str]) -> None:
    """The rule that every fetch applies, applied before the first; placeholders stand for a word."""
    if problem := url_problem(_PLACEHOLDER.sub("x", url), network):
        problems.append(f"{name} cannot be fetched: {problem}")


def check_bounds(leeway: object, lifetime_max: object, problems: list[str]) -> None:
    """Durations in seconds: numbers (never NaN or bool) within their bounds."""
    if not _is_number(leeway) or not 0 <= leeway <= LEEWAY_MAX:  # type: ignore[operator]
        problems.append(f"leeway must be 0 to {LEEWAY_MAX} seconds, not {leeway!r}")
    if lifetime_max is not None and (not _is_number(lifetime_max) or not 0 < lifetime_max < float("inf")):  # type: ignore[operator]
        problems.append(f"lifetime_max must be a positive number of seconds or None, not {lifetime_max!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_algorithms(
    wanted: list[Any] | None, static_keys: KeySet | None, default: Sequence[str], problems: list[str]
) -> frozenset[str]:
    """The closed list of algorithms, in canonical names; secrets and public keys never share an entry."""
    secrets = [key for key in static_keys.keys if key.family == "oct"] if static_keys is not None else []
    symmetric_only = bool(secrets) and static_keys is not None and len(secrets) == len(static_keys.keys)
    if wanted is None:
        wanted = ["HS256"] if symmetric_only else list(default)
    names: set[str] = set()
    for name in wanted:
        if not isinstance(name, str) or canonical(name) not in ALGORITHMS:
            close = get_close_matches(str(name), ALGORITHMS, 1, 0.5)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(ALGORITHMS)}"
            problems.append(f"algorithm {name!r} is unknown{hint}")
        else:
            names.add(canonical(name))
    if not wanted:
        problems.append("algorithms must not be empty")
    shared = {name for name in names if ALGORITHMS[name].family == "oct"}
    if shared and shared != names:
        problems.append("HS* and public-key algorithms never share an entry: make two Issuer entries")
    if shared and not secrets:
        problems.append(f"{', '.join(sorted(shared))} needs keys=SharedSecret(...): a fetched key is never a secret")
    if secrets and not symmetric_only:
        problems.append("a SharedSecret and public keys never share an entry: make two Issuer entries")
    if secrets and not shared:
        problems.append('a SharedSecret needs algorithms=["HS256"] (or HS384, HS512)')
    for name in sorted(shared):
        if any(not key.fits(name) for key in secrets):
            size = ALGORITHMS[name].hash_bytes
            problems.append(f"{name} needs a secret of at least {size} bytes (RFC 7518 section 3.2)")
    return frozenset(names)


def compile_paths(paths: Iterable[object], name: str, problems: list[str]) -> tuple[ClaimPath, ...]:
    """Claim paths, each checked."""
    built: list[ClaimPath] = []
    for path in paths:
        try:
            if not isinstance(path, str):
                raise ValueError(f"a claim path is a string, not {path!r}")
            built.append(ClaimPath(path))
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return tuple(built)


def epoch(moment: datetime | float | None, problems: list[str]) -> float | None:
    """A datetime with a zone, or epoch seconds, as epoch seconds."""
    if moment is None:
        return None
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            problems.append("until= needs a datetime with a time zone")
            return None
        return moment.timestamp()
    if not _is_number(moment) or not isfinite(moment):
        problems.append(f"until= must be a datetime with a zone or epoch seconds, not {moment!r}")
        return None
    return float(moment)
