"""What a policy store keeps, as values: policies with versions, bindings, and which texts may name them. Data only."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeGuard

__all__ = [
    "TENANT_WIDE", "Binding", "BoundRow", "BoundTo", "Kind", "LinkKind", "LinkRow", "PolicyRow", "StoredPolicy",
    "checked_name", "checked_text", "id_of", "is_storable", "number_of", "stored",
]  # fmt: skip

Kind = Literal["role", "group", "user", "key", "tenant"]
LinkKind = Literal["role", "group"]


class BoundTo(NamedTuple):
    """Whom a policy is bound to."""

    kind: Kind
    to: str


TENANT_WIDE: Final = BoundTo("tenant", "")
"""Everybody in the tenant."""

_LONGEST: Final = 255
"""Bytes of UTF-8. Three of them fit into one index entry of PostgreSQL, and a `sub` has at most 255 characters."""
_ID: Final = re.compile(r"p-([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """One version of a named policy. `id` never changes and is never used again in its tenant.

    `version` counts from 1; `created_at` is when this version was written, in epoch seconds.
    """

    id: str
    name: str
    version: int
    document: Any
    created_at: float


class Binding(NamedTuple):
    """A policy, by id and name, and whom it is bound to; `to` is empty for the whole tenant."""

    policy_id: str
    policy: str
    kind: Kind
    to: str


class PolicyRow(NamedTuple):
    """One version of a policy as it is kept. `resolved` is JSON: what names in it meant when it was written."""

    number: int
    name: str
    version: int
    written: str
    resolved: str | None
    statements: int
    created_at: float


class BoundRow(NamedTuple):
    """One binding as it is kept."""

    kind: Kind
    to: str
    number: int


class LinkRow(NamedTuple):
    """A role and one of its parents, or a group and one of its roles."""

    kind: LinkKind
    child: str
    role: str


def id_of(number: int) -> str:
    """The id of a policy, from its number."""
    return f"p-{number}"


def number_of(policy: str) -> int | None:
    """The number in an id; None for what is no id, and so may be a name."""
    found = _ID.fullmatch(policy)
    return int(found[1]) if found else None


def stored(row: PolicyRow) -> StoredPolicy:
    """The public form of a row."""
    return StoredPolicy(id_of(row.number), row.name, row.version, json.loads(row.written), row.created_at)


def is_storable(text: object) -> TypeGuard[str]:
    """True for text that every store can keep and compare exactly. What is not was never bound to anything."""
    if not isinstance(text, str) or not text or "\x00" in text:
        return False
    try:
        return len(text.encode()) <= _LONGEST
    except UnicodeEncodeError:
        return False


def checked_text(what: str, text: object) -> str:
    """The text of a tenant, role, group, user or key. Raises ValueError for what cannot be kept."""
    if not is_storable(text):
        raise ValueError(f"{what} must be 1 to {_LONGEST} bytes of text without NUL, not {text!r:.80}")
    return text


def checked_name(name: object) -> str:
    """The name of a policy. Raises ValueError for what cannot be told from an id or from another name by eye."""
    text = checked_text("the name of a policy", name)
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"the name of a policy is printable and has no spaces around it, unlike {text!r:.80}")
    if number_of(text) is not None:
        raise ValueError(f"{text!r} looks like the id of a policy; choose another name")
    return text
