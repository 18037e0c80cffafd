"""`Seals`: bytes that leave the process and come back, encrypted and authenticated, bound to the place they belong to.

Whoever can write where they lie can neither read them, nor make one, nor put one in the place of another. What he can
do is keep one and put it back later: when an entry ends must therefore stand inside. Randomness comes from the caller.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, Final, NoReturn, TypeAlias, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bearerkit.errors import ConfigError

__all__ = ["RANDOM_BYTES", "SECRET_BYTES_MIN", "NotSealed", "Seals", "Secret"]

Secret: TypeAlias = str | bytes | Iterable[str | bytes]
"""One secret, or several while they are rotated: the first seals, each of them opens."""

SECRET_BYTES_MIN: Final = 32
_VERSION: Final = b"\x01"
_SALT: Final = 16
_NONCE: Final = 12
RANDOM_BYTES: Final = _SALT + _NONCE
"""How many fresh random bytes `seal` takes."""


class NotSealed(ValueError):
    """Made with none of our secrets, for another place, or changed since."""


@final
class Seals:
    """Seals and opens with keys derived from secrets (HKDF-SHA256, AES-256-GCM).

    `purpose` separates keys: what was sealed for one purpose opens for no other. Raises ConfigError for a short secret.
    """

    __slots__ = ("_keys",)

    def __init__(self, secret: Secret, purpose: str) -> None:
        given: list[Any] = [secret] if isinstance(secret, str | bytes) else list(secret)
        secrets = [item.encode() if isinstance(item, str) else item for item in given]
        short = [item for item in secrets if not isinstance(item, bytes) or len(item) < SECRET_BYTES_MIN]
        if short or not secrets:
            raise ConfigError(
                f"secret must be {SECRET_BYTES_MIN} bytes or more, or a list of such secrets",
                hint='Make one with: python -c "import secrets; print(secrets.token_hex(32))"',
            )
        info = b"bearerkit " + purpose.encode()
        self._keys = tuple(HKDF(SHA256(), 32, salt=None, info=info).derive(item) for item in secrets)

    def seal(self, plain: bytes, place: bytes, random: bytes) -> bytes:
        """`plain`, to be opened for this `place` only. `random` is `RANDOM_BYTES` that were never used before."""
        if len(random) != RANDOM_BYTES:
            raise ValueError(f"a seal takes {RANDOM_BYTES} random bytes")
        salt, nonce = random[:_SALT], random[_SALT:]
        return _VERSION + random + _cipher(self._keys[0], salt).encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed for this place. Raises NotSealed."""
        if sealed[:1] != _VERSION:
            raise NotSealed("not of this version")
        salt, nonce, rest = sealed[1 : 1 + _SALT], sealed[1 + _SALT : 1 + RANDOM_BYTES], sealed[1 + RANDOM_BYTES :]
        for key in self._keys:
            try:
                return _cipher(key, salt).decrypt(nonce, rest, place)
            except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
                continue
        raise NotSealed("made with another secret, for another place, or changed")

    def __repr__(self) -> str:
        return f"Seals({len(self._keys)} secrets)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Seals hold keys and are not pickled")


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    # A key for each message: 96 random bits alone repeat too soon for a key that seals for years.
    return AESGCM(hmac.digest(key, salt, "sha256"))
