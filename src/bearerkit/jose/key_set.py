"""The keys of one issuer, as one immutable value (RFC 7517 section 5).

Bad keys are left out and named; they never spoil the good ones beside them. What must never happen here: a lookup
that tries keys without bound, a fetch, or a set that changes after it was built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, final

from bearerkit.jose.keys import KeyUnusable, VerificationKey, from_jwk

__all__ = ["JwksInvalid", "KeySet", "parse_jwks"]

_MAX_CANDIDATES: Final = 4


class JwksInvalid(ValueError):
    """The document is not a JWK Set. The message never quotes it."""


@final
class KeySet:
    """Keys in the order given, each once, with an index by key id. Immutable.

    `skipped` says why each bad key was left out. With `previous`, a key that equals one of that set is replaced by
    that very object, so what is remembered about it (cached verdicts) stays true after a refresh.
    """

    __slots__ = ("_by_kid", "_members", "_without_kid", "keys", "skipped")

    keys: tuple[VerificationKey, ...]
    skipped: tuple[str, ...]
    _by_kid: dict[str, tuple[VerificationKey, ...]]
    _members: frozenset[VerificationKey]
    _without_kid: tuple[VerificationKey, ...]

    def __init__(
        self, keys: Iterable[VerificationKey] = (), skipped: Iterable[str] = (), *, previous: KeySet | None = None
    ) -> None:
        old = {key.fingerprint: key for key in previous.keys} if previous is not None else {}
        unique: dict[bytes, VerificationKey] = {}
        by_kid: dict[str, tuple[VerificationKey, ...]] = {}
        for given in keys:
            if given.fingerprint in unique:
                continue
            key = old.get(given.fingerprint, given)
            unique[key.fingerprint] = key
            if key.kid is not None:
                by_kid[key.kid] = (*by_kid.get(key.kid, ()), key)
        fill = object.__setattr__
        fill(self, "keys", tuple(unique.values()))
        fill(self, "skipped", tuple(skipped))
        fill(self, "_by_kid", by_kid)
        fill(self, "_members", frozenset(self.keys))
        fill(self, "_without_kid", tuple(key for key in self.keys if key.kid is None))

    def candidates(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """The keys to try for a token with this `kid` and `alg`: at most four, and none when more would fit.

        With a `kid`: its keys, or, when no key has it, those without a kid. No `kid`: all keys. Only those that fit.
        """
        pool = self.keys if kid is None else self._by_kid.get(kid, self._without_kid)
        if len(pool) == 1:
            return pool if pool[0].fits(alg) else ()
        fitting = tuple([key for key in pool if key.fits(alg)])
        return fitting if len(fitting) <= _MAX_CANDIDATES else ()

    def has_kid(self, kid: str) -> bool:
        """Whether a key of the set carries this key id."""
        return kid in self._by_kid

    def __contains__(self, key: object) -> bool:
        return key in self._members

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"KeySet({len(self.keys)} keys, {len(self.skipped)} skipped)"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("KeySet is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("KeySet is immutable")


def parse_jwks(document: Any, *, previous: KeySet | None = None, max_keys: int = 100) -> KeySet:
    """The usable keys of a JWK Set that was read with `strict_json`.

    `{}` and `{"keys": []}` are valid and empty. Keys of unknown type, use or curve, weak and malformed ones are
    skipped with a reason (RFC 7517 section 5). Raises `JwksInvalid` when the document is no JWK Set or holds more
    than `max_keys` keys.
    """
    if not isinstance(document, Mapping):
        raise JwksInvalid("the key set is not a JSON object")
    if document and "keys" not in document:
        raise JwksInvalid('the key set has no "keys" member')
    entries = document.get("keys", [])
    if not isinstance(entries, (list, tuple)):
        raise JwksInvalid('"keys" is not an array')
    if len(entries) > max_keys:
        raise JwksInvalid(f"the key set holds {len(entries)} keys; the limit is {max_keys}")
    keys: list[VerificationKey] = []
    skipped: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            keys.append(from_jwk(entry))
        except KeyUnusable as error:
            skipped.append(f"{_name(entry, number)}: {error}")
    return KeySet(keys, skipped, previous=previous)


def _name(entry: Any, number: int) -> str:
    kid = entry.get("kid") if isinstance(entry, Mapping) else None
    return f"key {kid[:100]!r}" if isinstance(kid, str) else f"key number {number}"
