"""From PEM text to a public key (RFC 7468): SubjectPublicKeyInfo, PKCS#1 RSA, or the key inside a certificate.

A certificate serves as a wrapper only: neither its dates nor its chain are judged, because trust comes from where
the operator got it. What must never happen here: loading a private key, or choosing among several blocks.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bearerkit.jose.key_rules import KeyUnusable

__all__ = ["read_pem"]

_BEGIN: Final = re.compile(rb"-----BEGIN ([^-\r\n]{1,60})-----")


def read_pem(pem: str | bytes) -> object:
    """The public key object in `pem`, not yet judged. Raises `KeyUnusable`."""
    data = pem.encode("utf-8") if isinstance(pem, str) else bytes(pem)
    labels = _BEGIN.findall(data)
    if any(b"PRIVATE" in label for label in labels):
        raise KeyUnusable("this is a private key; verifying needs the public one only")
    if len(labels) != 1:
        raise KeyUnusable(f"the PEM text holds {len(labels)} blocks instead of one")
    try:
        match labels[0]:
            case b"PUBLIC KEY" | b"RSA PUBLIC KEY":
                return load_pem_public_key(data)
            case b"CERTIFICATE":
                return x509.load_pem_x509_certificate(data).public_key()
            case _:
                raise KeyUnusable("the PEM block is not PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE")
    except KeyUnusable:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable("the PEM block does not hold a public key that can be read") from None
