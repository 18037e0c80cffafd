"""PEM text: exactly one public block."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from bearerkit.jose.keys import KeyUnusable, from_pem, from_public_key


def spki(key) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_certificate_is_a_wrapper(rsa_private, rsa_certificate):
    """The key inside counts; an expired certificate is no obstacle, as its dates are not judged."""
    key = from_pem(rsa_certificate.public_bytes(serialization.Encoding.PEM), kid="c")
    assert key.fingerprint == from_public_key(rsa_private.public_key(), kid="c").fingerprint


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
def test_private_key_is_refused(rsa_private, form):
    """A private key has no business in a verifier's configuration."""
    pem = rsa_private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with pytest.raises(KeyUnusable, match="private key"):
        from_pem(pem)
    with pytest.raises(KeyUnusable, match="private key"):
        from_pem(spki(rsa_private.public_key()) + pem)


def test_number_and_kind_of_blocks(rsa_private, rsa_certificate):
    """None, several, and blocks of another kind are refused."""
    pem = spki(rsa_private.public_key())
    for text, reason in [
        ("", "0 blocks"),
        ("ssh-rsa AAAA", "0 blocks"),
        (pem + pem, "2 blocks"),
        (rsa_certificate.public_bytes(serialization.Encoding.PEM) * 2, "2 blocks"),
        (pem.replace(b"PUBLIC KEY", b"DH PARAMETERS"), "not PUBLIC KEY"),
        (pem.replace(b"MII", b"AAA"), "cannot be|can be read"),
        (pem.replace(b"PUBLIC KEY", b"CERTIFICATE"), "can be read"),
        (pem[: len(pem) // 2], "can be read"),
    ]:
        with pytest.raises(KeyUnusable, match=reason):
            from_pem(text)


def test_key_rules_hold_for_pem_too():
    """A PEM file is no way around the minimum size or the list of key types."""
    weak = rsa.generate_private_key(65537, 1024)
    with pytest.raises(KeyUnusable, match="1024 bits"):
        from_pem(spki(weak.public_key()))
    with pytest.raises(KeyUnusable, match="not an RSA, EC or Ed25519"):
        from_pem(spki(dsa.generate_private_key(1024).public_key()))


def test_error_holds_no_cause():
    """The library's exception may quote its input, so it is not chained."""
    with pytest.raises(KeyUnusable) as caught:
        from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
