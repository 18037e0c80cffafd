"""Key pairs for the JOSE tests, made once per run because RSA keys take long to make."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


@pytest.fixture(scope="session")
def rsa_private() -> rsa.RSAPrivateKey:
    """One 2048-bit RSA key."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def ec_private() -> ec.EllipticCurvePrivateKey:
    """One P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def ed_private() -> ed25519.Ed25519PrivateKey:
    """One Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def rsa_certificate(rsa_private) -> x509.Certificate:
    """A self-signed certificate over the RSA key, expired long ago."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "keys.test")])
    start = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
    end = start + datetime.timedelta(days=1)
    return x509.CertificateBuilder(name, name, rsa_private.public_key(), 1, start, end).sign(
        rsa_private, hashes.SHA256()
    )
