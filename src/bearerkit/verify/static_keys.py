"""Keys that a team hands over instead of having them fetched: a JWKS, PEM text, key objects, shared secrets.

Everything becomes typed `VerificationKey`s here, once, when the settings are read. A key that cannot be used is a
configuration problem and is named; a mapping with no keys at all is valid and refuses every token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from bearerkit.errors import ConfigError
from bearerkit.jose.algorithms import ALGORITHMS
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
    found = KeySet(tuple(keys))
    problems.extend(_ambiguous_kids(found))
    return found


def _ambiguous_kids(keys: KeySet) -> Iterator[str]:
    """A kid that names two keys for one algorithm. In a fetched set that is the issuer's to mend: all are tried."""
    uses = Counter((key.kid, alg) for key in keys.keys if key.kid is not None for alg in ALGORITHMS if key.fits(alg))
    for kid in sorted({kid for (kid, _), count in uses.items() if count > 1}):
        yield f"keys: the kid {kid[:100]!r} names several keys; give each its own (or none)"


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
