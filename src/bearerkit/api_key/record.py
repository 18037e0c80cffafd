"""The record of an API key: what is kept of it, whether it counts now, and the claims that it stands for.

The key itself is not in it, only a keyed hash, which no repr shows. A record changes in three places alone: when it
ends, when it was revoked, when it was last used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bearerkit.api_key.peppers import StoredHash
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, Expired, Revoked, TokenInvalid
from bearerkit.jose.mapping import Claim, ClaimMapping

__all__ = ["ApiKeyRecord", "ApiKeyUnknown", "checked_record", "context_of", "ended"]

_LONGEST: Final = 255
"""Bytes of UTF-8, as in policy stores."""
_MOST: Final = 8_192
"""Bytes of JSON."""
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+", re.ASCII)
_OURS: Final = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scopes", "scp", "roles", "role", "tenant_id", "cnf"}
)
"""Claims that the record itself stands for, or that would make a key something else than it is."""
_MAPPING: Final = ClaimMapping(
    tenant=(Claim("tenant_id"),), scopes=(Claim("scope"),), roles=(Claim("roles"),), token_id=(Claim("jti"),)
)
_SHOWN: Final = (
    "id", "subject", "created_at", "tenant_id", "scopes", "roles", "name", "expires_at", "revoked_at", "last_used_at",
    "claims",
)  # fmt: skip


class ApiKeyUnknown(BearerkitError):
    """There is no such API key, or none that still counts, among those that were asked for. For who manages keys."""

    status = 404
    public = "Not found."


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """What is kept of one API key. Times are epoch seconds; `expires_at` None: it does not end by itself."""

    id: str
    """The public part of the key, and the `token_id` of its callers."""
    hashed: StoredHash = field(repr=False)
    subject: str
    """Whom the key acts for."""
    created_at: float
    tenant_id: str | None = None
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    name: str = ""
    """For people, to tell their keys apart."""
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None
    """Written in batches, so some seconds late."""
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Further claims of the caller."""

    def as_json(self) -> dict[str, Any]:
        """What may be shown to who manages the key: everything but the hash."""
        told = {name: getattr(self, name) for name in _SHOWN}
        return {**told, "scopes": list(self.scopes), "roles": list(self.roles), "claims": dict(self.claims)}


def checked_record(
    key_id: str,
    hashed: StoredHash,
    *,
    subject: str,
    created_at: float,
    tenant_id: str | None,
    scopes: Iterable[str],
    roles: Iterable[str],
    name: str,
    expires_at: float | None,
    claims: Mapping[str, Any],
) -> ApiKeyRecord:
    """A new record. Raises ValueError listing everything that cannot be kept or would not mean what it says."""
    problems = [_text_problem("subject", subject)]
    problems += [] if tenant_id is None else [_text_problem("tenant_id", tenant_id)]
    problems += [] if name == "" else [_text_problem("name", name)]
    given: dict[str, tuple[str, ...]] = {}
    for what, values in (("scopes", scopes), ("roles", roles)):
        if isinstance(values, str) or not isinstance(values, Iterable):
            problems.append(f"{what} must be a list of names, not {type(values).__name__}")
            continue
        given[what] = tuple(dict.fromkeys(values))
        problems += [_text_problem(what, value) for value in given[what]]
    for value in given.get("scopes", ()):
        if _SCOPE.fullmatch(str(value)) is None:
            problems.append(f"the scope {value!r:.80} has characters that a scope cannot have (RFC 6749 section 3.3)")
    if expires_at is not None and expires_at <= created_at:
        problems.append("the key would have ended before it began")
    further = _plain(claims, problems)
    found = [problem for problem in problems if problem is not None]
    if found:
        raise ValueError("; ".join(found))
    return ApiKeyRecord(
        key_id,
        hashed,
        subject,
        created_at,
        tenant_id,
        given["scopes"],
        given["roles"],
        name,
        expires_at,
        claims=further,
    )


def ended(record: ApiKeyRecord, now: float) -> TokenInvalid | None:
    """Why the key does not count any more; None if it does. Only to be told to somebody who has the whole key."""
    if record.revoked_at is not None:
        return Revoked(f"the API key {record.id} was revoked")
    if record.expires_at is not None and now >= record.expires_at:
        return Expired(f"the API key {record.id} has ended")
    return None


def context_of(record: ApiKeyRecord) -> AuthContext:
    """Who calls with this key."""
    claims: dict[str, Any] = {
        **record.claims,
        "sub": record.subject,
        "jti": record.id,
        "iat": record.created_at,
        "scope": " ".join(record.scopes),
        "roles": list(record.roles),
    }
    if record.tenant_id is not None:
        claims["tenant_id"] = record.tenant_id
    if record.expires_at is not None:
        claims["exp"] = record.expires_at
    return AuthContext(claims, _MAPPING, credential_kind="api_key")


def _text_problem(what: str, value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return f"{what} must be text, not {value!r:.80}"
    try:
        fits = len(value.encode()) <= _LONGEST
    except UnicodeEncodeError:
        fits = False
    return None if fits and value.isprintable() else f"{what} must be 1 to {_LONGEST} bytes of printable text"


def _plain(claims: object, problems: list[str | None]) -> dict[str, Any]:
    """A copy, as it would come back from a database."""
    if not isinstance(claims, Mapping):
        problems.append(f"claims must be an object, not {type(claims).__name__}")
        return {}
    taken = sorted(name for name in claims if name in _OURS)
    if taken:
        problems.append(f"claims may not give {', '.join(taken)}: the key itself says so, or never does")
    try:
        text = json.dumps(dict(claims), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        problems.append(f"claims must be plain JSON: {type(error).__name__}")
        return {}
    if len(text) > _MOST or "\\u0000" in text:
        problems.append(f"claims must be at most {_MOST} bytes of JSON without NUL")
    copy: dict[str, Any] = json.loads(text)
    return copy
