"""The issuer's keys for JWT code that a team already has: PyJWT, joserfc, Authlib.

Those libraries verify; this gives them keys that are fetched once, refreshed ahead of time, kept through an outage
and never fetched per unknown key id. It imports none of them and decides nothing about a token. Whoever can should
verify with `Auth` instead: what the other library checks is then its own business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, final

from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from bearerkit._drive import run
from bearerkit.errors import KeyNotFound
from bearerkit.jose.algorithms import ALGORITHMS, canonical
from bearerkit.jose.compact import Header, parse, parse_claims
from bearerkit.jose.key_issuer import key_may_sign
from bearerkit.jose.keys import VerificationKey
from bearerkit.ports import Clock
from bearerkit.system import BlockingWaits
from bearerkit.verify.routing import Entry

__all__ = ["FoundKey", "IssuerKeys"]

_JWK_WRITERS: Mapping[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}


@final
class FoundKey:
    """What PyJWT's `PyJWKClient` hands out: `key` goes into `jwt.decode(token, signing_key.key, ...)`."""

    __slots__ = ("algorithm_name", "key", "key_id")

    def __init__(self, key: object, key_id: str | None, algorithm_name: str) -> None:
        self.key = key
        self.key_id = key_id
        self.algorithm_name = algorithm_name


@final
class IssuerKeys:
    """Finds the public key for a token; where several share a kid, the first.

    Every method may raise KeyNotFound or KeysUnavailable, and blocks to fetch.

    PyJWT takes `issuer.keys.get_signing_key_from_jwt(token).key`; joserfc and Authlib take a callable, and
    `issuer.keys.jwk(header)` is what it returns a key from. docs/keys.md shows all three.
    """

    __slots__ = ("_clock", "_entry")

    def __init__(self, entry: Entry, clock: Clock) -> None:
        self._entry = entry
        self._clock = clock

    def get_signing_key_from_jwt(self, token: str | bytes) -> FoundKey:
        """The key that the header of this token names. The token is not verified. Raises Malformed too."""
        text = token.decode("ascii", "replace") if isinstance(token, bytes) else token
        jws = parse(text, self._entry.settings.limits, padding=self._entry.settings.padding)
        key = self._find(jws.header, parse_claims(jws.payload, self._entry.settings.limits))
        return FoundKey(key.public_key(), key.kid, jws.header.alg)

    def jwk(self, header: Mapping[str, Any], claims: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The public JWK (RFC 7517) for a JOSE header; `claims` matters where keys depend on them.

        That is where the key URL is a template, and where the keys name the issuer that they sign for (Entra).
        """
        kid, alg = header.get("kid"), header.get("alg")
        checked = Header(alg if isinstance(alg, str) else "", kid if isinstance(kid, str) else None, None, header)
        key = self._find(checked, claims or {})
        jwk: dict[str, Any] = json.loads(_JWK_WRITERS[key.family].to_jwk(key.public_key()))
        return jwk if key.kid is None else {**jwk, "kid": key.kid}

    def _find(self, header: Header, claims: Mapping[str, Any]) -> VerificationKey:
        alg = canonical(header.alg)
        if alg not in self._entry.settings.algorithms:
            raise KeyNotFound(f"algorithm {alg[:40]!r} is not one that this issuer uses")
        if ALGORITHMS[alg].family == "oct":
            raise KeyNotFound("this issuer signs with a shared secret, which is not handed out")
        now = self._clock.monotonic()
        source = self._entry.source_for(header, claims, now)
        found = source.ready(header.kid, alg, now) or run(source.obtain(header.kid, alg, BlockingWaits()))
        keys = [key for key in found if key_may_sign(key.issuer, claims.get("iss"))]
        if not keys:
            raise KeyNotFound("the key belongs to another issuer of the same key set")
        return keys[0]
