"""Project Wycheproof, json_web_signature and json_web_key: every departure is listed with its reason.

The verifier here is the one the procedures build: parse, the keys of the set that fit, their verdict. A key that
declares an `alg` allows that one, any other key what an issuer allows by default plus HS*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bearerkit.errors import ConfigError, Malformed
from bearerkit.jose.compact import parse
from bearerkit.jose.key_set import KeySet, parse_jwks
from bearerkit.jose.keys import KeyUnusable, SharedSecret, VerificationKey, from_jwk, from_secret

SIGNATURES: Mapping[int, tuple[str, str]] = {
    # tcId: (what we say, why); see the errata in the folder's README
    347: ("invalid", 'the key says alg "ES521", which does not exist'),
    351: ("invalid", 'the key says alg "ES521", which does not exist'),
    346: ("invalid", "the key says alg PS256, the header PS384"),
    350: ("invalid", "the key says alg PS256, the header PS384"),
    367: ("valid", "byte for byte the same token and key as 357, which is valid"),
    370: ("valid", "byte for byte the same token and key as 357, which is valid"),
    372: ("invalid", 'a segment holds "?" (RFC 7515 section 2)'),
    373: ("invalid", 'a segment holds "?" (RFC 7515 section 2)'),
}
KEY_SETS: Mapping[int, tuple[str, str]] = {
    4: ("valid", "a duplicate kid is a bounded try among keys the issuer published; no other key gets a say"),
}
ONE_SECRET_PER_ISSUER = (
    # tcId 1: secrets and public keys in one set. A JWK with "k" is never loaded from a set (parse_jwks skips it).
    1,
)


def load_key(jwk: Mapping[str, Any]) -> VerificationKey | None:
    """What an operator could configure: a public JWK as it is, a symmetric one as SharedSecret."""
    try:
        if jwk.get("kty") != "oct":
            return from_jwk(jwk)
        key = from_secret(SharedSecret(jwk["k"], encoding="base64url", kid=jwk.get("kid")))
        return key if jwk.get("alg") is None or key.fits(jwk["alg"]) else None
    except (KeyUnusable, ConfigError):
        return None


def verdict(token: Any, keys: KeySet) -> str:
    if not isinstance(token, str):
        return "invalid"
    try:
        jws = parse(token)
    except Malformed:
        return "invalid"
    tried = keys.candidates(jws.header.kid, jws.header.alg)
    return "valid" if any(k.verify(jws.header.alg, jws.signing_input, jws.signature) for k in tried) else "invalid"


def cases(document: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for group in document["testGroups"]:
        for case in group["tests"]:
            yield group, case


def judge(document: Any, departures: Mapping[int, tuple[str, str]]) -> tuple[list[str], list[str]]:
    wrong, seen = [], []
    for group, case in cases(document):
        material = group.get("public", group["private"])
        if case["tcId"] in ONE_SECRET_PER_ISSUER and "keys" in material:
            keys = parse_jwks(material)
        else:
            loaded = [load_key(jwk) for jwk in material.get("keys", [material])]
            keys = KeySet([key for key in loaded if key is not None])
        wanted = departures.get(case["tcId"], (case["result"], ""))[0]
        got = verdict(case["jws"], keys)
        seen.append(got)
        if got != wanted:
            wrong.append(f"tcId {case['tcId']} ({group['comment']}, {case['comment']}): {got} instead of {wanted}")
    return wrong, seen


@pytest.mark.parametrize(
    ("name", "departures", "least"),
    [("json_web_signature", SIGNATURES, 250), ("json_web_key", KEY_SETS, 15)],
)
def test_verdicts(load_vectors, name: str, departures: Mapping[int, tuple[str, str]], least: int):
    """We agree with every vector except those listed above."""
    wrong, seen = judge(load_vectors(f"wycheproof/{name}_test.json"), departures)
    assert wrong == []
    assert len(seen) >= least
    assert seen.count("valid") > 2
