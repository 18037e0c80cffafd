"""What is said on the channels: our sealed messages, and `pak:revoked` of Platform-Auth. Pure; nothing is sent here.

What cannot be understood but is ours, or is about a key that it does not name, means everything: to forget too much
costs a question, to forget too little lets somebody in. A message that is sealed with no secret of ours means nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bearerkit.jose.sealing import Seals

__all__ = ["EVERYTHING", "FIELDS", "PAK_CHANNEL", "of_platform_auth", "opened", "sealed"]

EVERYTHING: Final[Mapping[str, str]] = {}
FIELDS: Final = frozenset({"credential", "token_id", "session_id", "subject", "identity_id", "tenant_id", "issuer"})
PAK_CHANNEL: Final = "pak:revoked"
_VERSION: Final = 1
_BYTES_MAX: Final = 64_000
_ID_MAX: Final = 200
_KEY_IDS: Final = ("api_key_id", "pak_id", "key_id", "id", "token_id")


def sealed(message: Mapping[str, str], seals: Seals, channel: str, random: bytes) -> bytes:
    """A message for `channel`. Raises ValueError for a field that no process would understand."""
    if unknown := set(message) - FIELDS:
        raise ValueError(f"nothing can be forgotten by {', '.join(sorted(unknown))}")
    return seals.seal(json.dumps({"v": _VERSION, "forget": dict(message)}).encode(), channel.encode(), random)


def opened(data: bytes, seals: Seals, channel: str) -> Mapping[str, str]:
    """What a message of ours says. Raises NotSealed."""
    said: Any = json.loads(seals.open(data, channel.encode()))
    fields = said.get("forget") if isinstance(said, dict) and said.get("v") == _VERSION else None
    if not isinstance(fields, dict) or not set(fields) <= FIELDS:
        return EVERYTHING
    return fields if all(isinstance(value, str) for value in fields.values()) else EVERYTHING


def of_platform_auth(data: bytes) -> Mapping[str, str]:
    """Which key was revoked: a bare id, or JSON with one. Its message is unsigned, so that it can only cause misses."""
    found = _key_id(data)
    return EVERYTHING if found is None else {"token_id": found}


def _key_id(data: bytes) -> str | None:
    try:
        text = data[:_BYTES_MAX].decode().strip()
    except UnicodeDecodeError:
        return None
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        said = text if text.isprintable() and not set(text) & set("{}[]\"' ") else None
    if isinstance(said, dict):
        said = next((said[name] for name in _KEY_IDS if name in said), None)
    return said if isinstance(said, str) and 0 < len(said) <= _ID_MAX else None
