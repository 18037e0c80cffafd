"""The verifier that vectors about signatures are given to: keys as an operator configures them, and no claims.

Most of these vectors sign a text that is no JWT, so `Auth` refuses them before it looks at a signature. Here the keys
go through `Issuer(keys=...)`, and the token through the steps of `verify/jwt.py` up to the signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bearerkit import ANY, ConfigError, Issuer, SharedSecret
from bearerkit.errors import Malformed
from bearerkit.jose.algorithms import ALGORITHMS
from bearerkit.jose.compact import parse
from vectors.tally import ACCEPT, REJECT

__all__ = [
    "KEY_POLICIES",
    "PUBLIC_KEY_ALGORITHMS",
    "configured",
    "key_set_verdict",
    "key_verdict",
    "public_half",
    "refused_key",
    "signature_verdict",
    "verdict",
]

Jwk = Mapping[str, Any]

PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
KEY_POLICIES = {
    f"{REJECT}: private key": "a private key: verifying needs the public half only, and that one is accepted",
    f"{REJECT}: secret in a key set": "a symmetric key in a JWK Set: a secret is configured as SharedSecret, by itself",
    f"{REJECT}: short secret": "the secret is shorter than the hash (RFC 7518 section 3.2)",
    f"{REJECT}: RSA key size": "the RSA key is not of 2048 to 8192 bits (RFC 7518 section 3.3)",
}
"""Policies (see `Source`) about keys that may be sound but are not for us."""
PUBLIC_KEY_ALGORITHMS = tuple(name for name, row in ALGORITHMS.items() if row.family != "oct")


def public_half(jwk: Jwk) -> dict[str, Any]:
    """The key as an issuer publishes it; a symmetric one has no such half and stays as it is."""
    return {name: value for name, value in jwk.items() if name not in PRIVATE}


def configured(jwks: Sequence[Jwk], algorithms: Sequence[str] | None = None) -> Issuer:
    """An entry with these keys; raises ConfigError where `Issuer` does.

    Where the keys declare their algorithms, those are configured. A symmetric key becomes a SharedSecret, and one
    that declares another use is nothing that anybody would configure.
    """
    secrets: list[Any] = []
    for jwk in jwks:
        if jwk.get("kty") == "oct":
            if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
                raise ConfigError("this symmetric key is not for signatures")
            secrets.append(SharedSecret(jwk["k"], encoding="base64url", kid=jwk.get("kid")))
    public = [jwk for jwk in jwks if jwk.get("kty") != "oct"]
    if algorithms is None:
        declared = [str(jwk["alg"]) for jwk in jwks if "alg" in jwk]
        algorithms = declared if len(declared) == len(jwks) else ["HS256"] if not public else PUBLIC_KEY_ALGORITHMS
    # One set of all public keys, as an issuer publishes it: a bad key in it does not spoil the others.
    keys = [*secrets, {"keys": public}] if public else secrets
    return Issuer("https://id.example.test", audience=ANY, keys=keys, algorithms=algorithms)


def refused_key(error: ConfigError) -> str:
    """How keys are refused, told apart as far as the reasons of deviations need it."""
    text = str(error)
    if re.search('private member "(?!k")', text):
        return f"{REJECT}: private key"
    if 'private member "k"' in text:
        return f"{REJECT}: secret in a key set"
    if "SharedSecret has" in text or "needs a secret of at least" in text:
        return f"{REJECT}: short secret"
    if "the RSA key has" in text:
        return f"{REJECT}: RSA key size"
    return f"{REJECT}: key"


def key_verdict(jwks: Sequence[Jwk]) -> str:
    """Whether an entry can be made of these keys."""
    try:
        configured(jwks)
    except ConfigError as error:
        return refused_key(error)
    return ACCEPT


def key_set_verdict(jwks: Sequence[Jwk]) -> str:
    """Whether a JWK Set of these keys, as it stands, gives an entry something to verify with."""
    try:
        Issuer("https://id.example.test", audience=ANY, keys={"keys": jwks})
    except ConfigError as error:
        return refused_key(error)
    return ACCEPT


def signature_verdict(token: str, issuer: Issuer, payload: bytes | None = None) -> str:
    """Whether a key of this entry signed the token; with `payload`, whether it signed that."""
    try:
        jws = parse(token)
    except Malformed as refusal:
        return f"{REJECT}: {refusal.reason}"
    if jws.header.algorithm not in issuer.algorithms:
        return f"{REJECT}: algorithm"
    assert issuer.static_keys is not None
    keys = issuer.static_keys.candidates(jws.header.kid, jws.header.algorithm)
    if not keys:
        return f"{REJECT}: no key"
    if not any(key.verify(jws.header.algorithm, jws.signing_input, jws.signature) for key in keys):
        return f"{REJECT}: signature"
    return ACCEPT if payload in (None, jws.payload) else f"{REJECT}: payload"


def verdict(token: str, jwks: Sequence[Jwk], algorithms: Sequence[str] | None = None) -> str:
    """`signature_verdict` under these keys, `reject: key` where they cannot be configured."""
    try:
        issuer = configured(jwks, algorithms)
    except ConfigError as error:
        return refused_key(error)
    return signature_verdict(token, issuer)
