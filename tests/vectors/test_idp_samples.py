"""Every token sample of the identity-provider collection, judged through `Issuer` as its file expects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from bearerkit import ANY, NO_ISSUER, PRESENT, Auth, Issuer, SharedSecret
from bearerkit.errors import TokenInvalid
from bearerkit.jose.base64url import encode
from bearerkit.testing import FrozenClock

ISSUED_AT = 1_790_000_000.0
SECRET = "a-secret-for-the-samples-of-64-bytes-which-is-enough-for-hs512!!"

RULES = {
    "malformed": {"malformed", "encrypted", "opaque"},
    "algorithm": {"algorithm_not_allowed"},
    "typ": {"typ_not_accepted"},
    "unverifiable": {"typ_not_accepted"},  # Okta's org server says it in the typ
    "issuer": {"issuer_mismatch"},
    "tenants": {"tenant_not_allowed"},
    "key issuer": {"key_issuer_mismatch"},
    "exp": {"expired", "exp_missing", "exp_invalid"},
    "lifetime": {"lifetime_too_long"},
    "audience": {"audience_mismatch"},
    "clients": {"client_not_allowed"},
    "require": {"claim_required"},
    "forbid": {"claim_forbidden"},
    "subject": {"sub_missing"},
    "signature": {"signature_invalid"},
}
"""The collection's rule names → our reasons."""

_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_EC = ec.generate_private_key(ec.SECP256R1())


def samples(folder: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        named = {"access_token": document["access_token"], **document.get("samples", {})}
        for name, sample in named.items():
            if "header" in sample and sample.get("expect") in ("accept", "refuse"):
                yield f"{path.stem}/{name}", document["verifier"], sample


def issuer_of(verifier: dict[str, Any], kids: set[str]) -> Issuer:
    """The `Issuer` that a file's `verifier` block describes, with test keys in place of fetched ones."""
    options = {
        name: verifier[name]
        for name in [
            "algorithms",
            "audience_from",
            "typ",
            "forbid",
            "clients",
            "client_claims",
            "subject",
            "lifetime_max",
            "leeway",
            "claims",
            "padding",
        ]
        if name in verifier
    }
    if "tfp" in verifier.get("require", {}):
        options["forbid"] = ()  # Azure AD B2C puts a nonce into access tokens; its file tells them apart by tfp
    if verifier.get("accept_id_tokens"):
        options["token_type"] = "id"
    if "require" in verifier:
        options["require"] = {path: PRESENT if value == "*" else value for path, value in verifier["require"].items()}
    names = [NO_ISSUER if name is None else name for name in verifier["issuer"]]
    if any("{" in str(name) for name in names):
        tenants = verifier.get("tenants", "ANY")
        options |= {
            "placeholders": verifier["issuer_formats"],
            "tenants": ANY if tenants == "ANY" else tenants,
        }
    return Issuer(
        names[0] if len(names) == 1 else names,
        audience=ANY if verifier["audience"] == "ANY" else verifier["audience"],
        keys=_keys(verifier, kids),
        **options,
    )


def _keys(verifier: dict[str, Any], kids: set[str]) -> Any:
    if verifier["algorithms"] == ["HS256"]:
        return SharedSecret(SECRET)
    if verifier.get("keys") == "PEM":
        return _RSA.public_key()
    key_issuers = verifier.get("key_issuers", {})
    keys = []
    for kid in kids:
        extra = {"kid": kid} | ({"issuer": key_issuers[kid]} if kid in key_issuers else {})
        keys.append({**json.loads(RSAAlgorithm.to_jwk(_RSA.public_key())), **extra})
        keys.append({**json.loads(ECAlgorithm.to_jwk(_EC.public_key())), **extra})
    for key in keys:
        key.pop("key_ops", None)
    return {"keys": keys}


def mint(header: dict[str, Any], claims: dict[str, Any], *, padding: bool, signature: str | None) -> str:
    parts = [encode(json.dumps(part).encode()) for part in (header, claims)]
    if padding:
        parts = [part + "=" * (-len(part) % 4) for part in parts]
    signing_input = ".".join(parts).encode()
    alg = header["alg"]
    if signature is not None:
        return f"{signing_input.decode()}.{signature}"
    if alg == "ES256":
        raw = ECAlgorithm(ECAlgorithm.SHA256).sign(signing_input, _EC)
    elif alg == "RS256":
        raw = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signing_input, _RSA)
    else:  # HS*, none: only ever refused before the signature matters, except HS256 with the shared secret
        import hmac

        raw = hmac.digest(SECRET.encode(), signing_input, f"sha{alg[2:]}" if alg.startswith("HS") else "sha256")
    tail = encode(raw)
    return f"{signing_input.decode()}.{tail + '=' * (-len(tail) % 4) if padding else tail}"


def test_every_sample_comes_out_as_its_file_expects(shared: Path) -> None:
    """156 samples of 34 providers: accepted, or refused by exactly the rule that the file names."""
    collected = list(samples(shared / "idps"))
    assert len(collected) >= 156
    wrong = [line for item in collected if (line := _verdict(*item)) is not None]
    assert not wrong, "\n".join(wrong)


def _verdict(name: str, verifier: dict[str, Any], sample: dict[str, Any]) -> str | None:
    header, claims = sample["header"], sample["claims"]
    kids = {header["kid"]} if "kid" in header else {"unused"}
    auth = Auth(issuer_of(verifier, kids), clock=FrozenClock(ISSUED_AT))
    padding = bool(verifier.get("padding"))
    token = mint(header, claims, padding=padding, signature=sample.get("signature_text"))
    try:
        auth.verify(token)
    except TokenInvalid as refusal:
        if sample["expect"] == "accept":
            return f"{name}: must be accepted, was refused: {refusal}"
        if refusal.reason not in RULES[sample["refused_by"]]:
            return f"{name}: must be refused by {sample['refused_by']!r}, was: {refusal}"
        return None
    return None if sample["expect"] == "accept" else f"{name}: must be refused by {sample['refused_by']!r}"


@pytest.mark.parametrize("provider", ["keycloak", "entra-v2", "zitadel"])
def test_a_token_of_one_provider_means_nothing_to_another(shared: Path, provider: str) -> None:
    """Signed by a good key, but its issuer was never configured: refused by issuer, whatever else fits."""
    document = json.loads((shared / "idps" / f"{provider}.json").read_text())
    other = Issuer("https://id.example.test", audience=ANY, keys=_RSA.public_key())
    sample = document["access_token"]
    token = mint(sample["header"], sample["claims"], padding=False, signature=None)
    with pytest.raises(TokenInvalid) as refusal:
        Auth(other, clock=FrozenClock(ISSUED_AT)).verify(token)
    assert refusal.value.reason == "issuer_mismatch"
