"""The signature algorithms bearerkit knows (RFC 7518 section 3, RFC 8037, RFC 9864). The table is closed.

The maths comes from PyJWT's algorithm objects; which one may be used with which key is decided here and in
`keys.py`. What must never happen here: an algorithm chosen by a token, an entry for `none`, or a way to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from jwt.algorithms import Algorithm as Maths
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm

__all__ = ["ALGORITHMS", "DEFAULT_ALGORITHMS", "Algorithm", "canonical"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One row of the table: what kind of key `name` needs, and the maths that checks it."""

    name: str
    family: Literal["RSA", "EC", "OKP", "oct"]
    """The `kty` of the key."""
    curve: str | None
    """The `crv` of the key; None for RSA and oct."""
    hash_bytes: int
    """Length of the hash. A shared secret must not be shorter (RFC 7518 section 3.2)."""
    maths: Maths = field(repr=False, compare=False)
    """PyJWT's object: `maths.verify(signing_input, prepared_key, signature)`."""


# PS*: PyJWT verifies with a salt as long as the hash, as RFC 7518 section 3.5 demands.
_TABLE: Final = (
    Algorithm("RS256", "RSA", None, 32, RSAAlgorithm(RSAAlgorithm.SHA256)),
    Algorithm("RS384", "RSA", None, 48, RSAAlgorithm(RSAAlgorithm.SHA384)),
    Algorithm("RS512", "RSA", None, 64, RSAAlgorithm(RSAAlgorithm.SHA512)),
    Algorithm("PS256", "RSA", None, 32, RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256)),
    Algorithm("PS384", "RSA", None, 48, RSAPSSAlgorithm(RSAPSSAlgorithm.SHA384)),
    Algorithm("PS512", "RSA", None, 64, RSAPSSAlgorithm(RSAPSSAlgorithm.SHA512)),
    Algorithm("ES256", "EC", "P-256", 32, ECAlgorithm(ECAlgorithm.SHA256)),
    Algorithm("ES384", "EC", "P-384", 48, ECAlgorithm(ECAlgorithm.SHA384)),
    Algorithm("ES512", "EC", "P-521", 64, ECAlgorithm(ECAlgorithm.SHA512)),
    Algorithm("EdDSA", "OKP", "Ed25519", 64, OKPAlgorithm()),
    Algorithm("Ed25519", "OKP", "Ed25519", 64, OKPAlgorithm()),
    Algorithm("HS256", "oct", None, 32, HMACAlgorithm(HMACAlgorithm.SHA256)),
    Algorithm("HS384", "oct", None, 48, HMACAlgorithm(HMACAlgorithm.SHA384)),
    Algorithm("HS512", "oct", None, 64, HMACAlgorithm(HMACAlgorithm.SHA512)),
)

ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType({row.name: row for row in _TABLE})
"""Every algorithm there is, by the name in the `alg` header. Read-only."""

DEFAULT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""What an issuer may use unless its entry says otherwise."""


def canonical(name: str) -> str:
    """One name per algorithm: `Ed25519` (RFC 9864) becomes `EdDSA`, which here never means another curve.

    Every other name, known or not, comes back unchanged; there is no case folding.
    """
    return "EdDSA" if name == "Ed25519" else name
