"""Where we accept what a peer refuses, and why that is right: the only exceptions from the rule that we never do.

A row holds for a case by what stands in it (token and keys), never by the words of the peer. The test fails for a
disagreement that no row covers and for a row that no case shows any more; docs/fuzzing.md shows this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bearerkit.jose.key_set import parse_jwks
from differential.draft import LEEWAY, NOW, Case, Recipe

__all__ = ["EXPLAINED", "Explained", "as_table"]


@dataclass(frozen=True)
class Explained:
    """One class of disagreement."""

    name: str
    peers: tuple[str, ...]
    """Each of these must be seen to refuse such a case."""
    holds: Callable[[Case], bool]
    what: str
    reason: str
    examples: tuple[Recipe, ...]
    """Cases that show it, so that the class never depends on chance."""


_STRINGS = ("jku", "x5u", "x5t", "x5t#S256")
_ALIASES = {"EdDSA", "Ed25519"}


def _usable(case: Case) -> list[Mapping[str, Any]]:
    """The keys that we take, each judged alone."""
    return [key for key in case.keys if parse_jwks({"keys": [key]}).keys]


def _meant(case: Case) -> list[Mapping[str, Any]]:
    """The keys that the kid of the token can mean for somebody."""
    kid = case.header.get("kid")
    keys = [key for key in case.keys if isinstance(key, dict)]
    return [key for key in keys if kid is None or key.get("kid", kid) == kid]


def _is_ill_typed(members: Mapping[str, Any]) -> bool:
    """Something that carries or points to a key is not of the type that RFC 7515 and RFC 7517 give it."""
    strings = [members[name] for name in _STRINGS if name in members]
    certificates = members.get("x5c", [])
    return (
        not all(isinstance(value, str) for value in strings)
        or not (isinstance(certificates, list) and all(isinstance(item, str) for item in certificates))
        or not isinstance(members.get("jwk", {}), dict)
    )


def _kids(case: Case) -> list[Any]:
    return [key.get("kid") for key in _usable(case)]


def _operations(key: Mapping[str, Any]) -> set[str]:
    found = key.get("key_ops")
    return {item for item in found if isinstance(item, str)} if isinstance(found, list) else set()


EXPLAINED = (
    Explained(
        "null-jti",
        ("PyJWT", "joserfc"),
        lambda case: case.claims.get("jti", 0) is None,
        "`jti` is null",
        "A null claim counts as absent here, and `jti` is not required unless `profile` or `require` says so.",
        (Recipe("ES256", (("claim.jti", 1),)),),
    ),
    Explained(
        "fraction-of-a-second",
        ("PyJWT",),
        lambda case: isinstance(case.claims["exp"], float) and int(case.claims["exp"]) <= NOW - LEEWAY,
        "`exp` has a fraction and lies less than a second ahead",
        "A NumericDate may have a fraction (RFC 7519 section 2); PyJWT cuts it off.",
        (Recipe("ES256", (("claim.exp", 17),)),),
    ),
    Explained(
        "key-without-kid",
        ("PyJWT", "joserfc", "jose"),
        lambda case: bool(case.header.get("kid")) and case.header["kid"] not in _kids(case) and None in _kids(case),
        "The token has a `kid`, no usable key has it, and there are keys without one",
        "Those keys are tried: many small issuers publish one nameless key. Algorithm and signature must fit.",
        (Recipe("ES256", (("jwk.kid", 0),)),),
    ),
    Explained(
        "name-of-ed25519",
        ("PyJWT",),
        lambda case: "Ed25519" in {case.header["alg"], *(key.get("alg") for key in case.keys if type(key) is dict)},
        "Token or key say `Ed25519`",
        "RFC 9864 gives EdDSA over Ed25519 this name; PyJWT does not know it yet.",
        (Recipe("Ed25519"),),
    ),
    Explained(
        "two-names-of-ed25519",
        ("joserfc", "jose"),
        lambda case: any({case.header["alg"], key.get("alg")} == _ALIASES for key in _meant(case)),
        "The token says `EdDSA` and the key `Ed25519`, or the other way round",
        "Both name the same algorithm here, for EdDSA never means another curve.",
        (Recipe("Ed25519", (("jwk.alg", 16),)),),
    ),
    Explained(
        "rsa-key-for-any-algorithm",
        ("PyJWT",),
        lambda case: case.header["alg"][:2] in ("RS", "PS") and any("alg" not in key for key in _meant(case)),
        "An RSA key without `alg`, and another algorithm than RS256",
        "A key that does not restrict itself fits every accepted algorithm of its type; PyJWT takes it for RS256 only.",
        (Recipe("PS256", (("jwk.alg", 0),)),),
    ),
    Explained(
        "key-instead-of-set",
        ("PyJWT", "joserfc", "jose"),
        lambda case: case.jwks is not None and "keys" not in case.jwks,
        "One JWK where a JWK Set is expected",
        "`Issuer(keys=…)` takes one key as well as a set. A fetched document must be a set.",
        (Recipe("ES256", (("jwks", 5),)),),
    ),
    Explained(
        "bad-neighbour",
        ("joserfc",),
        lambda case: len(_usable(case)) < len(case.keys),
        "Another key of the set cannot be used",
        "Such a key is left out, and the good ones beside it are used (RFC 7517 section 5).",
        (Recipe("ES256", (("jwks.siblings", 30),)),),
    ),
    Explained(
        "bad-choice",
        ("jose",),
        lambda case: len(_meant(case)) > 1 and any(key not in _usable(case) for key in _meant(case)),
        "The token does not say which key it means, and one of those in question cannot be used",
        "As above. jose ends at the first key that it cannot use.",
        (Recipe("RS512", (("jwks.siblings", 29), ("header.kid", 0))),),
    ),
    Explained(
        "no-object-in-the-set",
        ("jose",),
        lambda case: not all(isinstance(key, dict) for key in case.keys),
        "A member of `keys` is no object",
        "As above: what is no key is left out.",
        (Recipe("ES256", (("jwks.siblings", 32),)),),
    ),
    Explained(
        "first-of-its-kid",
        ("joserfc",),
        lambda case: [key.get("kid") for key in _meant(case)].count(case.header.get("kid")) > 1,
        "Several keys have the `kid` of the token",
        "Up to four keys that fit are tried; joserfc tries the first alone.",
        (Recipe("RS256", (("jwks.siblings", 3),)),),
    ),
    Explained(
        "pointers-to-keys",
        ("joserfc",),
        lambda case: _is_ill_typed(case.header) or any(_is_ill_typed(key) for key in case.keys if type(key) is dict),
        "`jku`, `jwk`, `x5u`, `x5c`, `x5t` of the wrong type, in the header or in a key",
        "They are never read, so it does not matter what they hold.",
        (Recipe("ES256", (("header.jku", 2),)), Recipe("ES256", (("jwk.x5c", 2),))),
    ),
    Explained(
        "ext-of-another-type",
        ("jose",),
        lambda case: not all(isinstance(key.get("ext", True), bool) for key in _meant(case)),
        "`ext` of a key is no boolean",
        "`ext` belongs to the Web Cryptography API and says nothing about verifying.",
        (Recipe("RS256", (("jwk.ext", 2),)),),
    ),
    Explained(
        "more-operations",
        ("joserfc", "jose"),
        lambda case: any(_operations(key) - {"verify"} for key in _meant(case)),
        "`key_ops` holds `sign` or an unknown operation beside `verify`",
        "RFC 7517 section 4.3 allows other values; a mix with encryption is refused.",
        (Recipe("RS256", (("jwk.key_ops", 9),)), Recipe("ES512", (("jwk.key_ops", 16),))),
    ),
)


def as_table() -> str:
    """The Markdown table of docs/fuzzing.md."""
    rows = [f"| {row.what} | {', '.join(row.peers)} | {row.reason} |" for row in EXPLAINED]
    return "\n".join(["| What | Refused by | Why we accept it |", "| --- | --- | --- |", *rows])
