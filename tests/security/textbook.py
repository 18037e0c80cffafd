"""Signatures that decent libraries would not make: by RSA keys that are too small or broken, and by nobody at all.

Textbook arithmetic on Python numbers, for keys that must be refused. Nothing here is safe, and nothing has to be.
"""

from __future__ import annotations

import hashlib
import math
import random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from auth_doubles import token
from bearerkit.jose.base64url import encode
from security.forgery import RSA, resigned

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
PRIMES = [n for n in range(2, 168) if all(n % m for m in range(2, n))]
ED_FIELD = 2**255 - 19
ED_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = [
    (y | sign).to_bytes(32, "little")
    for y in (0, 1, ED_FIELD - 1, ED_ORDER_8, ED_FIELD - ED_ORDER_8)
    for sign in (0, 1 << 255)
]
"""Every spelling of the Ed25519 points whose order divides 8."""


class BrokenKey:
    """An RSA key of any numbers: `jwk` publishes it, `sign` signs with it where that can be done."""

    def __init__(self, n: int, e: int = 65537, d: int | None = None) -> None:
        self.n, self.e, self.d = n, e, d

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [{"kty": "RSA", "kid": "rsa-1", "n": encode(_octets(self.n)), "e": encode(_octets(self.e))}]}

    def token(self) -> str:
        """Good claims under a signature of this key; of zeros if nobody can sign with it."""
        text = token(RSA)
        size = len(_octets(self.n))
        digest = SHA256_PREFIX + hashlib.sha256(text.rpartition(".")[0].encode()).digest()
        padded = b"\0\1" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
        value = 0 if self.d is None else pow(int.from_bytes(padded, "big"), self.d, self.n)
        return resigned(text, value.to_bytes(size, "big"))


def rsa_of(bits: int, e: int = 65537, factor: int = 1) -> BrokenKey:
    """A working key of this size and exponent, one of whose primes is `factor`, if that is a small prime."""
    while True:
        p, q = _primes(bits - factor.bit_length() + 1)
        n, totient = p * q * factor, (p - 1) * (q - 1) * max(factor - 1, 1)
        if n.bit_length() == bits and math.gcd(e, totient) == 1:
            return BrokenKey(n, e, pow(e, -1, totient))


def roca() -> BrokenKey:
    """A modulus that has the mark of the broken generator: each residue is a power of 65537."""
    primorial = math.prod(PRIMES[1:])
    value = pow(65537, 12345, primorial) + primorial * (2**2047 // primorial + 1)
    return BrokenKey(value if value % 2 else value + primorial)


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _primes(bits: int) -> tuple[int, int]:
    if bits >= 1024:
        numbers = rsa.generate_private_key(65537, bits).private_numbers()
        return numbers.p, numbers.q
    return _prime(bits // 2), _prime(bits - bits // 2)


def _prime(bits: int) -> int:
    chance = random.SystemRandom()
    while True:
        number = chance.getrandbits(bits) | 1 | 3 << (bits - 2)
        if math.gcd(number, math.prod(PRIMES)) == 1 and pow(2, number - 1, number) == 1:
            return number
