"""What verifying one token costs: bearerkit beside the bare signature, PyJWT and joserfc.

All candidates run interleaved in one process, in shuffled order, in short chunks; CPU time is measured. Absolute
microseconds move with the machine, so what counts are the ratios: each is the median of the per-round ratios.

    uv run python benchmarks/verify.py [--rounds 60] [--json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from interleaved import Candidate, ratio, samples
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from bearerkit import Auth, Issuer
from bearerkit.jose import base64url

ISSUER, AUDIENCE = "https://id.example.com", "orders-api"
CLAIMS_EXTRA = {
    "azp": "web-client-0001",
    "client_id": "web-client-0001",
    "scope": "openid profile orders:read orders:write",
    "tenant_id": "11111111-2222-4333-8444-555555555555",
    "roles": ["member", "billing"],
    "email": "ada@example.com",
}
AIMS: Mapping[str, float] = {"RS256": 1.7, "ES256": 1.35, "EdDSA": 1.25}
REPEAT_AIM = 30


@dataclass(frozen=True)
class Case:
    """One algorithm: a token, and the candidates that verify it."""

    alg: str
    token: str
    candidates: Mapping[str, Callable[[], object]]


def main() -> int:
    """Run and print. With --check, return 1 if an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--check", action="store_true", help="exit with 1 if an aim was missed")
    arguments = parser.parse_args()
    results = {case.alg: measure(case, arguments.rounds) for case in cases()}
    met = {alg: _aims(alg, medians) for alg, medians in results.items()}
    if arguments.json:
        json.dump({"results": results, "met": met}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print(results, met)
    missed = not all(all(checks.values()) for checks in met.values())
    return 1 if arguments.check and missed else 0


def cases() -> list[Case]:
    """RS256, ES256 and EdDSA over the same claims."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "iat": now, "exp": now + 3600, **CLAIMS_EXTRA}
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    ed_key = ed25519.Ed25519PrivateKey.generate()
    built = []
    for alg, private in (("RS256", rsa_key), ("ES256", ec_key), ("EdDSA", ed_key)):
        tokens = [
            jwt.encode({**claims, "jti": f"token-{number}"}, private, alg, headers={"kid": "key-1", "typ": "at+jwt"})
            for number in range(2)
        ]
        token = tokens[0]
        public = private.public_key()
        built.append(
            Case(
                alg,
                token,
                {
                    "signature alone": _signature_alone(alg, public, token),
                    # A cache of one, and two tokens in turn: each is verified, remembered, and pushes the other out.
                    "bearerkit, first seen": _bearerkit(public, alg, tokens, cache=1),
                    "bearerkit, repeat": _bearerkit(public, alg, tokens, cache=100),
                    "PyJWT": lambda token=token, public=public, alg=alg: jwt.decode(
                        token, public, [alg], audience=AUDIENCE, issuer=ISSUER
                    ),
                    "joserfc": _joserfc(public, alg, token),
                },
            )
        )
    return built


def _signature_alone(alg: str, public: object, token: str) -> Callable[[], object]:
    head, _, tail = token.rpartition(".")
    message, signature = head.encode(), base64url.decode(tail.encode())
    if isinstance(public, rsa.RSAPublicKey):
        scheme, digest = padding.PKCS1v15(), hashes.SHA256()
        return lambda: public.verify(signature, message, scheme, digest)
    if isinstance(public, ec.EllipticCurvePublicKey):
        half = len(signature) // 2
        r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        der = utils.encode_dss_signature(r, s)
        algorithm = ec.ECDSA(hashes.SHA256())
        return lambda: public.verify(der, message, algorithm)
    assert isinstance(public, ed25519.Ed25519PublicKey)
    return lambda: public.verify(signature, message)


def _bearerkit(public: object, alg: str, tokens: list[str], *, cache: int) -> Callable[[], object]:
    auth = Auth(Issuer(ISSUER, audience=AUDIENCE, keys=public, algorithms=[alg]), token_cache=cache)
    in_turn = itertools.cycle(tokens)

    def verify() -> object:
        return auth.verify(next(in_turn)).subject

    return verify


def _joserfc(public: object, alg: str, token: str) -> Callable[[], object]:
    kinds = {"RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}
    key = kinds[alg].import_key(_pem(public), {"kid": "key-1", "use": "sig"})
    keys = KeySet([key])
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True}
    )

    def verify() -> object:
        decoded = joserfc_jwt.decode(token, keys, algorithms=[alg])
        registry.validate(decoded.claims)
        return decoded.claims["sub"]

    return verify


def _pem(public: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def measure(case: Case, rounds: int) -> dict[str, dict[str, float]]:
    """Candidate → median microseconds, and the median per-round ratios to the signature and to PyJWT."""
    taken = samples({name: _repeated(run) for name, run in case.candidates.items()}, rounds)
    return {
        name: {
            "us": statistics.median(times) * 1e6,
            "of signature": ratio(times, taken["signature alone"]),
            "of PyJWT": ratio(times, taken["PyJWT"]),
        }
        for name, times in taken.items()
    }


def _repeated(run: Callable[[], object]) -> Candidate:
    def repeat(times: int) -> None:
        for _ in range(times):
            run()

    return repeat


def _aims(alg: str, medians: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    return {
        f"first seen <= {AIMS[alg]}x the signature": medians["bearerkit, first seen"]["of signature"] <= AIMS[alg],
        f"repeat <= 1/{REPEAT_AIM} of PyJWT": medians["bearerkit, repeat"]["of PyJWT"] <= 1 / REPEAT_AIM,
    }


def _print(results: Mapping[str, Mapping[str, Mapping[str, float]]], met: Mapping[str, Mapping[str, bool]]) -> None:
    for alg, medians in results.items():
        print(f"\n{alg:<24}{'us':>8}{'x signature':>14}{'of PyJWT':>12}")
        for name, numbers in medians.items():
            part = numbers["of PyJWT"]
            share = f"1/{1 / part:.0f}" if part < 0.5 else f"{part:.2f}"
            print(f"  {name:<22}{numbers['us']:>8.1f}{numbers['of signature']:>14.2f}{share:>12}")
        for aim, reached in met[alg].items():
            print(f"  {'met   ' if reached else 'MISSED'}  {aim}")


if __name__ == "__main__":
    sys.exit(main())
