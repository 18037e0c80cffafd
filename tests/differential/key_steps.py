"""Mutations of the trusted keys: members of the JWK, spellings of its numbers, and the keys beside it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from bearerkit.testing import SigningKey
from differential.bases import ALGORITHMS, stranger
from differential.draft import ISSUER, Draft, Step, b64, unb64

__all__ = ["KEY_STEPS"]

_ODD: tuple[Any, ...] = (..., None, True, "", [], {}, 1)
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "use": (*_ODD, "sig", "enc", "SIG", "tls"),
    "key_ops": (
        *(*_ODD, ["verify"], ["sign"], ["sign", "verify"], ["verify", "verify"], ["verify", "encrypt"], ["encrypt"]),
        *(["verify", 1], "verify", ["Verify"], ["verify", "future"], {"verify": 1}, ["verify", "deriveKey"]),
    ),
    "alg": (*_ODD, *ALGORITHMS, "HS256", "none", "ES256K", "RSA-OAEP", "ECDH-ES", "rs256", "future"),
    "kid": (*_ODD, "k2", "K1", "k1 ", "\u00fc"),
    "kty": (*_ODD, "RSA", "EC", "OKP", "oct", "AKP", "rsa", "ec"),
    "crv": (*_ODD, "P-256", "P-384", "P-521", "Ed25519", "X25519", "Ed448", "secp256k1", "p-256", "P256"),
    "ext": (True, False, "true", None, 1),
    "x5c": ([], ["MIIB"], "MIIB"),
    "x5t": ("abc", 1),
    "x5u": ("https://evil.example/cert",),
    "issuer": (ISSUER, ISSUER + "/", "https://other.example", "https://{x}.example.test", 1, None),
    "exp": (1, 2_000_000_000),
    "revoked": ({"revoked_at": 1},),
    "d": ("AQAB", "", None, 1),
    "k": ("AQAB", None),
    "p": ("AQAB",),
    "oth": ([],),
    "priv": ("AQAB",),
    "n": _ODD,
    "e": (*_ODD, "AQ", "Aw", "Ag", "AA", "AAEAAQ", "AQAB", "AQAC", b64(b"\x01" + b"\0" * 8 + b"\x01")),
    "x": _ODD,
    "y": _ODD,
}


def _setter(name: str, values: tuple[Any, ...]) -> Step:
    def apply(draft: Draft, number: int) -> None:
        value = values[number]
        if value is ...:
            draft.jwk.pop(name, None)
        else:
            draft.jwk[name] = copy.deepcopy(value)

    return Step(f"jwk.{name}", len(values), apply)


def _spare_bits(text: str) -> str:
    """The same bytes under a spelling whose unused bits are not zero, where there is one."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1] if len(text) % 4 else text


_SPELLINGS: tuple[Callable[[str], Any], ...] = (
    lambda text: text + "=" * (-len(text) % 4),
    lambda text: text + "=",
    lambda text: b64(b"\0" + unb64(text)),
    lambda text: b64(b"\0\0\0\0" + unb64(text)),
    _spare_bits,
    lambda text: text.replace("-", "+").replace("_", "/"),
    lambda text: text[:4] + "\n" + text[4:],
    lambda text: " " + text,
    lambda text: text + "!",
    lambda text: text[:-2],
    lambda text: b64(unb64(text)[1:]),
    lambda text: b64(unb64(text)[:-1]),
    lambda text: b64(unb64(text) + b"\0"),
    lambda text: b64(bytes([unb64(text)[0] ^ 1]) + unb64(text)[1:]),
    lambda text: [text],
    lambda text: text.encode().hex(),
    lambda text: int.from_bytes(unb64(text), "big"),
    lambda text: text + "\u00e9",
)


def _spelling(draft: Draft, number: int) -> None:
    """One number of the key, spelled otherwise."""
    names = [name for name in ("n", "e", "x", "y") if isinstance(draft.jwk.get(name), str) and len(draft.jwk[name]) > 3]
    if names:
        name = names[number % len(names)]
        draft.jwk[name] = _SPELLINGS[number // 2](draft.jwk[name])


def _private(draft: Draft, number: int) -> None:
    """The issuer published its private key."""
    key = draft.signer.private
    if isinstance(key, bytes):
        return
    makers: tuple[Any, ...] = (RSAAlgorithm, ECAlgorithm, OKPAlgorithm)
    maker = makers[0 if isinstance(key, rsa.RSAPrivateKey) else 1 if draft.signer.alg.startswith("ES") else 2]
    draft.jwk.update({name: value for name, value in maker.to_jwk(key, as_dict=True).items() if name != "key_ops"})


@cache
def _weak(bits: int) -> SigningKey:
    return SigningKey("RS256", rsa.generate_private_key(65537, bits), kid="k1")


def _size(draft: Draft, number: int) -> None:
    """An RSA key of another size."""
    if draft.signer.alg[:2] in ("RS", "PS"):
        weak = _weak((1024, 2047, 3072)[number])
        draft.jwk.update(n=weak.jwk["n"], e=weak.jwk["e"])
        draft.signer = SigningKey(draft.signer.alg, weak.private, kid="k1")


def _swapped(draft: Draft, number: int) -> None:
    """x and y change places."""
    jwk = draft.jwk
    if "x" in jwk and "y" in jwk:
        jwk["x"], jwk["y"] = jwk["y"], jwk["x"]


def _without(jwk: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in (*names, "own")}


_SIBLINGS: tuple[Callable[[Draft], list[Any]], ...] = (
    lambda draft: [{**stranger(draft.signer.alg).jwk, "kid": "k2"}],
    lambda draft: [stranger(draft.signer.alg).jwk],
    lambda draft: [_without(stranger(draft.signer.alg).jwk, "kid")],
    lambda draft: [_without(draft.jwk)],
    lambda draft: [_without(draft.jwk, "kid")],
    lambda draft: [{**_without(draft.jwk), "use": "enc"}],
    lambda draft: [{**stranger("RS256").jwk, "kid": "k2"}, {**stranger("ES384").jwk, "kid": "k3"}],
    lambda draft: [stranger("RS256").jwk, stranger("ES384").jwk, stranger("EdDSA").jwk],
    lambda draft: [{**stranger("RS256").jwk, "kid": "k2", "use": "enc", "alg": "RSA-OAEP"}],
    lambda draft: [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "k2"}],
    lambda draft: [{"kty": "oct", "k": b64(b"s" * 32), "kid": "k2"}],
    lambda draft: [{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k2"}],
    lambda draft: [{"kty": "EC", "crv": "P-256", "x": b64(b"\1" * 32), "y": b64(b"\1" * 32), "kid": "k2"}],
    lambda draft: [{"kty": "OKP", "crv": "X25519", "x": b64(b"\1" * 32), "kid": "k2"}],
    lambda draft: [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "k2"}],
    lambda draft: [{"kid": "k2"}],
    lambda draft: [None],
    lambda draft: ["x"],
    lambda draft: [{**_without(draft.jwk), "kid": 1}],
    lambda draft: [{**_without(stranger(draft.signer.alg).jwk, "kid"), "note": str(number)} for number in range(5)],
    lambda draft: [{**_without(draft.jwk), "kid": f"s{number}"} for number in range(5)],
    lambda draft: [{**_without(draft.jwk), "kid": f"s{number}"} for number in range(100)],
)


def _sibling(draft: Draft, number: int) -> None:
    """Other keys before or after the signer's."""
    if isinstance(draft.jwks, dict) and isinstance(draft.jwks.get("keys"), list) and draft.jwk:
        found = _SIBLINGS[number // 2](draft)
        draft.jwks["keys"] = [*found, *draft.jwks["keys"]] if number % 2 else [*draft.jwks["keys"], *found]


def _document(draft: Draft, number: int) -> None:
    """The key set itself has another form."""
    if draft.jwks is not None:
        own = draft.jwk
        documents: tuple[Any, ...] = ({}, {"keys": []}, {"keys": None}, {"keys": own}, {"keys": [own], "x": 1}, own)
        draft.jwks = documents[number]


def _secret_length(draft: Draft, number: int) -> None:
    """A shared secret that is too short for the algorithm, or for any."""
    if draft.secret is not None:
        secret = draft.secret[: (0, 1, 31, 32, 47, 48, 63)[number]] or b"x"
        draft.secret = secret
        draft.signer = SigningKey(draft.signer.alg, secret, kid="k1")


KEY_STEPS = (
    *(_setter(name, values) for name, values in _VALUES.items()),
    Step("jwk.spelling", 2 * len(_SPELLINGS), _spelling),
    Step("jwk.private", 1, _private),
    Step("jwk.rsa-size", 3, _size),
    Step("jwk.swapped", 1, _swapped),
    Step("jwks.siblings", 2 * len(_SIBLINGS), _sibling),
    Step("jwks", 6, _document),
    Step("secret.length", 7, _secret_length),
)
