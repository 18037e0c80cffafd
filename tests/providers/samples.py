"""The token samples of the identity-provider collection: read, signed by test keys, and judged.

Nothing here knows how an `Issuer` is made for a provider: that is what the tests of this folder differ in.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from bearerkit import Auth, AuthContext, SharedSecret
from bearerkit.errors import TokenInvalid
from bearerkit.jose.base64url import encode
from bearerkit.testing import FrozenClock

ISSUED_AT = 1_790_000_000.0
SECRET = "a-secret-for-the-samples-of-64-bytes-which-is-enough-for-hs512!!"

RULES: Mapping[str, frozenset[str]] = {
    "malformed": frozenset({"malformed", "encrypted", "opaque"}),
    "algorithm": frozenset({"algorithm_not_allowed"}),
    "typ": frozenset({"typ_not_accepted"}),
    "unverifiable": frozenset({"typ_not_accepted"}),  # Okta's org server says it in the typ
    "issuer": frozenset({"issuer_mismatch"}),
    "tenants": frozenset({"tenant_not_allowed"}),
    "key issuer": frozenset({"key_issuer_mismatch"}),
    "exp": frozenset({"expired", "exp_missing", "exp_invalid"}),
    "lifetime": frozenset({"lifetime_too_long"}),
    "audience": frozenset({"audience_mismatch"}),
    "clients": frozenset({"client_not_allowed"}),
    "require": frozenset({"claim_required"}),
    "forbid": frozenset({"claim_forbidden"}),
    "subject": frozenset({"sub_missing"}),
    "signature": frozenset({"signature_invalid"}),
}
"""The collection's rule names → our reasons."""

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
EC_PEM = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class Sample:
    """One token of one provider's file; `document` is that file."""

    file: str
    name: str
    document: Mapping[str, Any]
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    expect: str
    refused_by: str | None
    signature_text: str | None

    @property
    def id(self) -> str:
        return f"{self.file}/{self.name}"

    @property
    def verifier(self) -> Mapping[str, Any]:
        return self.document["verifier"]

    @property
    def token(self) -> str:
        return mint(self.header, self.claims, padding=bool(self.verifier.get("padding")), signature=self.signature_text)

    @property
    def key_set(self) -> dict[str, Any]:
        """Our public keys under the kid of this token, and with the key issuers that the file names."""
        kid = self.header.get("kid", "unused")
        owner = self.verifier.get("key_issuers", {}).get(kid)
        extra = {"kid": kid} | ({} if owner is None else {"issuer": owner})
        rsa_key = json.loads(RSAAlgorithm.to_jwk(RSA.public_key()))
        ec_key = json.loads(ECAlgorithm.to_jwk(EC.public_key()))
        return {"keys": [{**without(key, "key_ops"), **extra} for key in (rsa_key, ec_key)]}


def without(members: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


def read(folder: Path) -> list[Sample]:
    """Every sample that is a JWT with a verdict, in the order of files and samples."""
    return [sample for path in sorted(folder.glob("*.json")) for sample in _of_file(path)]


def _of_file(path: Path) -> Iterator[Sample]:
    document = json.loads(path.read_text(encoding="utf-8"))
    named = {"access_token": document["access_token"], **document.get("samples", {})}
    for name, sample in named.items():
        if "header" in sample and sample.get("expect") in ("accept", "refuse"):
            yield Sample(
                path.stem,
                name,
                document,
                sample["header"],
                sample["claims"],
                sample["expect"],
                sample.get("refused_by"),
                sample.get("signature_text"),
            )


def mint(
    header: Mapping[str, Any], claims: Mapping[str, Any], *, padding: bool = False, signature: str | None = None
) -> str:
    """A token of exactly this header and these claims, signed by our keys as its alg says."""
    parts = [encode(json.dumps(part).encode()) for part in (header, claims)]
    if padding:
        parts = [part + "=" * (-len(part) % 4) for part in parts]
    signing_input = ".".join(parts).encode()
    alg = header["alg"]
    if signature is not None:
        return f"{signing_input.decode()}.{signature}"
    if alg == "ES256":
        raw = ECAlgorithm(ECAlgorithm.SHA256).sign(signing_input, EC)
    elif alg == "RS256":
        raw = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signing_input, RSA)
    else:  # HS*, none: only ever refused before the signature matters, except HS256 with the shared secret
        raw = hmac.digest(SECRET.encode(), signing_input, f"sha{alg[2:]}" if alg.startswith("HS") else "sha256")
    tail = encode(raw)
    return f"{signing_input.decode()}.{tail + '=' * (-len(tail) % 4) if padding else tail}"


def keys_for(sample: Sample) -> Any:
    """What a team would give as `keys=` so that this token's signature can be checked without a fetch."""
    if sample.verifier["algorithms"] == ["HS256"]:
        return SharedSecret(SECRET)
    return RSA.public_key() if sample.verifier.get("keys") == "PEM" else sample.key_set


def verify(issuer: Any, token: str, **settings: Any) -> AuthContext:
    """The token's context, at the moment at which the samples were issued."""
    return Auth(issuer, clock=FrozenClock(ISSUED_AT), **settings).verify(token)


def departure(sample: Sample, issuer: Any, *, rule: str | None = None) -> str | None:
    """How the verdict differs from what the file says, None if it does not. `rule` replaces the file's refused_by."""
    wanted = rule or sample.refused_by
    try:
        verify(issuer, sample.token)
    except TokenInvalid as refusal:
        if sample.expect == "accept":
            return f"{sample.id}: must be accepted, was refused: {refusal}"
        assert wanted is not None
        if refusal.reason not in RULES[wanted]:
            return f"{sample.id}: must be refused by {wanted!r}, was: {refusal}"
        return None
    return None if sample.expect == "accept" else f"{sample.id}: must be refused by {wanted!r}, was accepted"
