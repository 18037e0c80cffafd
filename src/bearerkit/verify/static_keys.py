"""Keys that a team hands over instead of having them fetched: a JWKS, PEM text, key objects, shared secrets.

Everything becomes typed `VerificationKey`s here, once, when the settings are read. A key that cannot be used is a
configuration problem and is named; a mapping with no keys at all is valid and refuses every token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from bearerkit.errors import ConfigError
from bearerkit.jose.key_set import JwksInvalid, KeySet, parse_jwks
from bearerkit.jose.keys import KeyUnusable, SharedSecret, VerificationKey, from_pem, from_public_key, from_secret

__all__ = ["KeyMaterial", "static_key_set"]

KeyMaterial: TypeAlias = Mapping[str, Any] | str | bytes | SharedSecret | VerificationKey | Sequence[Any] | object
"""A JWKS mapping, PEM text, a `SharedSecret`, a public key of `cryptography`, or a list of these."""


def static_key_set(material: KeyMaterial, problems: list[str]) -> KeySet:
    """The key set for `keys=`, appending to `problems` what cannot be used."""
    keys: list[VerificationKey] = []
    pieces = material if isinstance(material, Sequence) and not isinstance(material, str | bytes) else [material]
    for piece in pieces:
        try:
            keys.extend(_keys_of(piece))
        except (KeyUnusable, JwksInvalid, ConfigError) as error:
            problems.append(f"keys: {error}")
    return KeySet(tuple(keys))


def _keys_of(piece: object) -> tuple[VerificationKey, ...]:
    if isinstance(piece, VerificationKey):
        return (piece,)
    if isinstance(piece, SharedSecret):
        return (from_secret(piece),)
    if isinstance(piece, str | bytes):
        return (from_pem(piece),)
    if isinstance(piece, Mapping):
        parsed = parse_jwks(piece if "keys" in piece or not piece else {"keys": [piece]})
        if parsed.skipped and not parsed.keys:
            raise JwksInvalid(f"no key of this set can be used: {'; '.join(parsed.skipped)}")
        return parsed.keys
    return (from_public_key(piece),)
