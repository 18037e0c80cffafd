"""The rules that hold for a key object, wherever it came from."""

from __future__ import annotations

import math
from unittest.mock import Mock

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from bearerkit.jose.keys import KeyUnusable, from_public_key
from bearerkit.jose.roca import has_roca_fingerprint

# A product of two primes is not needed: any number whose residues are all powers of 65537 shows the mark.
PRIMES = [n for n in range(2, 168) if all(n % m for m in range(2, n))]


def test_refuses_other_key_types():
    """Private keys of every kind, other curves, key exchange keys, and things that are no keys."""
    for key, reason in [
        (ec.generate_private_key(ec.SECP256R1()), "private key"),
        (ec.generate_private_key(ec.SECP256K1()).public_key(), "secp256k1 is not one of"),
        (ed448.Ed448PrivateKey.generate().public_key(), "not an RSA, EC or Ed25519"),
        (x25519.X25519PrivateKey.generate().public_key(), "not an RSA, EC or Ed25519"),
        ("-----BEGIN PUBLIC KEY-----", "str is not"),
        (None, "NoneType is not"),
    ]:
        with pytest.raises(KeyUnusable, match=reason):
            from_public_key(key)


@pytest.mark.parametrize(
    ("bits", "e", "n", "reason"),
    [
        (2047, 65537, 2**2046 + 1, "2047 bits"),
        (8193, 65537, 2**8192 + 1, "8193 bits"),
        (2048, 1, 2**2047 + 1, "exponent"),
        (2048, 4, 2**2047 + 1, "exponent"),
        (2048, 2**32 + 1, 2**2047 + 1, "exponent"),
        (2048, 65537, 2**2047, "even"),
        (2048, 65537, 751 * (2**2047 // 751 | 1), "small factor"),
    ],
)
def test_rsa_numbers_are_judged_by_us(bits: int, e: int, n: int, reason: str):
    """The library refuses some of these today; the rule must not depend on it."""
    key = Mock(spec=rsa.RSAPublicKey, key_size=bits)
    key.public_numbers.return_value = Mock(e=e, n=n)
    with pytest.raises(KeyUnusable, match=reason):
        from_public_key(key)


def roca_like(primes: list[int] = PRIMES) -> int:
    primorial = math.prod(primes)
    base = pow(65537, 12345, primorial)
    return base + primorial * (2**2047 // primorial + 1)


def test_roca():
    """A modulus with the mark is found and refused, its neighbours and ordinary moduli are not."""
    modulus = roca_like()
    assert has_roca_fingerprint(modulus)
    assert not has_roca_fingerprint(modulus + 2)
    assert not has_roca_fingerprint(roca_like(PRIMES[:20]))
    key = Mock(spec=rsa.RSAPublicKey, key_size=2048)
    key.public_numbers.return_value = Mock(e=65537, n=modulus | 1)
    with pytest.raises(KeyUnusable, match="ROCA"):
        from_public_key(key)


def test_roca_clears_sound_keys(rsa_private):
    """An ordinary key has no such mark."""
    assert not has_roca_fingerprint(rsa_private.public_key().public_numbers().n)


FIELD = 2**255 - 19
ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SIGN = 1 << 255


@pytest.mark.parametrize("sign", [0, SIGN], ids=["even", "odd"])
@pytest.mark.parametrize("y", [0, 1, FIELD - 1, ORDER_8, FIELD - ORDER_8])
def test_ed25519_points_of_small_order(y: int, sign: int):
    """All of them are refused: the library takes each for a key, and verifies what nobody signed."""
    raw = (y | sign).to_bytes(32, "little")
    with pytest.raises(KeyUnusable, match="small order"):
        from_public_key(ed25519.Ed25519PublicKey.from_public_bytes(raw))


@pytest.mark.parametrize("y", [FIELD, FIELD + 1, FIELD + 18])
def test_ed25519_points_in_another_spelling(y: int):
    """A number beyond the field spells a point that has a spelling of its own."""
    key = Mock(spec=ed25519.Ed25519PublicKey)
    key.public_bytes_raw.return_value = y.to_bytes(32, "little")
    with pytest.raises(KeyUnusable, match="not canonical"):
        from_public_key(key)


def test_ordinary_ed25519_keys():
    """Keys that were generated are no such points."""
    for _ in range(20):
        from_public_key(ed25519.Ed25519PrivateKey.generate().public_key())
