"""The fingerprint of RSA moduli made by a broken Infineon library (CVE-2017-15361, "ROCA").

Such a modulus, taken modulo any small prime, is a power of 65537; its factors can be found from the public key
alone. A sound modulus passes the test for all these primes with a chance below one in a hundred million. This
module holds that test and nothing else.
"""

from __future__ import annotations

from typing import Final

__all__ = ["has_roca_fingerprint"]


def _powers(prime: int) -> frozenset[int]:
    seen: list[int] = []
    value = 1
    while value not in seen:
        seen.append(value)
        value = value * 65537 % prime
    return frozenset(seen)


_PRIMES: Final = tuple(number for number in range(3, 168) if all(number % small for small in range(2, number)))
# Largest gap first, so that a sound key is cleared after a few divisions.
_TABLE: Final = tuple(
    sorted(
        ((prime, powers) for prime in _PRIMES if len(powers := _powers(prime)) < prime - 1),
        key=lambda row: len(row[1]) / row[0],
    )
)


def has_roca_fingerprint(modulus: int) -> bool:
    """True when `modulus` looks like a product of the broken generator."""
    return all(modulus % prime in powers for prime, powers in _TABLE)
