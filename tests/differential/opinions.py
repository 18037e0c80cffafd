"""What four implementations say about a case: ours, PyJWT, joserfc, and jose in a Node process that stays up.

Each is used as its documentation shows, with the same algorithms, issuer, audience, leeway and time. What must never
happen here: a repair of what a peer does, or a reading of the token before a peer has read it, save for the key id by
which PyJWT's documentation has the caller choose.
"""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from unittest import mock

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import jwt

from bearerkit import Auth, Issuer, SharedSecret
from bearerkit.errors import BearerkitError, ConfigError
from bearerkit.testing import FrozenClock
from differential.bases import ALGORITHMS, SECRET_ALGORITHMS
from differential.draft import AUDIENCE, ISSUER, LEEWAY, NOW, Case, b64

__all__ = ["PEERS", "Jose", "Opinion", "joserfc_says", "ours_says", "pyjwt_says"]

PEERS = ("PyJWT", "joserfc", "jose")
_AT_ONCE = 40
"""Cases on their way to Node: so few that neither pipe fills while nobody reads it."""


@dataclass(frozen=True)
class Opinion:
    """One implementation's verdict; `why` is its own word for a refusal."""

    accepted: bool
    why: str = ""
    claims: Mapping[str, Any] | None = None


def _names(case: Case) -> list[str]:
    return list(ALGORITHMS if case.secret is None else SECRET_ALGORITHMS)


def ours_says(case: Case) -> Opinion:
    """By a fresh `Auth`. Any exception but a refusal, or settings that are refused, is a finding and comes out."""
    keys: Any = case.jwks if case.secret is None else None
    try:
        if case.secret is not None:
            keys = SharedSecret(case.secret)
        issuer = Issuer(ISSUER, audience=AUDIENCE, keys=keys, algorithms=_names(case), leeway=LEEWAY)
        auth = Auth(issuer, clock=FrozenClock(float(NOW)))
    except ConfigError as error:
        return Opinion(False, "settings: " + error.problems[0].rpartition(": ")[2][:60])
    try:
        context = auth.verify(case.token)
    except BearerkitError as refusal:
        if refusal.status != 401:
            raise
        return Opinion(False, refusal.reason)
    if auth.verify(case.token).claims != context.claims:
        raise AssertionError("the cached verdict differs from the first one")
    return Opinion(True, claims=context.claims)


class _Standing(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(NOW, tz)


@contextmanager
def _quiet() -> Iterator[None]:
    """Peers warn of weak keys and old names; here that is no failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first(attempts: Iterable[Callable[[], Mapping[str, Any]]]) -> Opinion:
    why = "no key"
    for attempt in attempts:
        try:
            return Opinion(True, claims=attempt())
        except Exception as error:
            why = f"{type(error).__name__}: {error}"[:120]
    return Opinion(False, why)


def pyjwt_says(case: Case) -> Opinion:
    """`jwt.decode` with the keys of a `PyJWKSet`: the one of the token's kid, each where it has no kid."""

    def decode(key: Any) -> Mapping[str, Any]:
        return jwt.decode(
            case.token,
            key,
            algorithms=_names(case),
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY,
            options={"require": ["exp", "sub"]},
        )

    def attempts() -> Iterator[Callable[[], Mapping[str, Any]]]:
        if case.secret is not None:
            yield lambda: decode(case.secret)
            return
        keys = jwt.PyJWKSet.from_dict(case.jwks).keys  # type: ignore[arg-type]
        kid = jwt.get_unverified_header(case.token).get("kid")
        yield from ((lambda key=key: decode(key)) for key in keys if kid is None or key.key_id == kid)

    with _quiet(), mock.patch("jwt.api_jwt.datetime", _Standing):
        try:
            return _first(attempts())
        except Exception as error:
            return Opinion(False, f"{type(error).__name__}: {error}"[:120])


def joserfc_says(case: Case) -> Opinion:
    """`joserfc.jwt.decode` with a `KeySet`; without a kid each key, because it would pick one at random."""
    registry = joserfc.jws.JWSRegistry(algorithms=_names(case), strict_check_header=False)
    registry.max_header_length = 4_096
    rules = joserfc.jwt.JWTClaimsRegistry(
        now=NOW,
        leeway=LEEWAY,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        sub={"essential": True},
    )

    def decode(key: Any) -> Mapping[str, Any]:
        token = joserfc.jwt.decode(case.token, key, registry=registry)
        rules.validate(token.claims)
        return token.claims

    def attempts() -> Iterator[Callable[[], Mapping[str, Any]]]:
        if case.secret is not None:
            yield lambda: decode(joserfc.jwk.OctKey.import_key(case.secret))
            return
        keys = joserfc.jwk.KeySet.import_key_set(case.jwks)  # type: ignore[arg-type]
        yield lambda: decode(keys)
        if len(keys.keys) > 1 and "kid" not in joserfc.jws.extract_compact(case.token.encode()).headers():
            yield from ((lambda key=key: decode(key)) for key in keys.keys)

    with _quiet():
        try:
            return _first(attempts())
        except Exception as error:
            return Opinion(False, f"{type(error).__name__}: {error}"[:120])


class Jose:
    """A Node process that verifies with jose, asked over its standard input."""

    def __init__(self, node: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [node, str(folder / "jose_peer.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def says(self, cases: Sequence[Case]) -> list[Opinion]:
        """The opinions on these cases, in their order."""
        opinions: list[Opinion] = []
        for start in range(0, len(cases), _AT_ONCE):
            opinions += self._ask(cases[start : start + _AT_ONCE])
        return opinions

    def _ask(self, cases: Sequence[Case]) -> Iterator[Opinion]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("".join(json.dumps(_question(case)) + "\n" for case in cases))
        self._process.stdin.flush()
        for case in cases:
            line = self._process.stdout.readline()
            assert line, f"node has ended, at {case.recipe}"
            answer = json.loads(line)
            yield Opinion(answer["accepted"], answer.get("why", ""), answer.get("claims"))

    def close(self) -> None:
        """End the process, which ends by itself when nobody writes to it any more."""
        assert self._process.stdout is not None
        self._process.communicate(timeout=20)


def _question(case: Case) -> dict[str, Any]:
    return {
        "token": case.token,
        "jwks": case.jwks,
        "secret": None if case.secret is None else b64(case.secret),
        "now": NOW,
        "algorithms": _names(case),
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "clockTolerance": LEEWAY,
        "requiredClaims": ["exp", "sub"],
    }
