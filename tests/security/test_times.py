"""Attacks on the times in a token: missing, of another type, in the future, without end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auth_doubles import ISSUER, NOW, auth, jwks, token
from bearerkit import ConfigError, Issuer
from bearerkit.errors import ClaimInvalid, Expired, Malformed, NotYetValid
from security.attack import Attack, attacks, attempt, case, each, rows
from security.forgery import EC, body, payload


def with_claim(name: str) -> Callable[[Any], str]:
    return lambda value: token(EC, **{name: value})


NO_TIMES = {
    "text": "9999999999", "true": True, "null": None, "a list": [NOW + 9], "an object": {}, "a word": "never",
}  # fmt: skip
TABLE = [
    Attack(73, "exp missing", lambda: token(EC, exp=...), ClaimInvalid, "exp_missing"),
    *each(74, "exp", NO_TIMES, with_claim("exp"), ClaimInvalid, "exp_invalid"),
    Attack(74, "exp 1e400", lambda: payload(body(exp=...)[:-1].encode() + b', "exp": 1e400}'), Malformed),
    *each(74, "exp", {"1e16": 1e16, "-1e16": -1e16, "of 20 digits": 10**19}, with_claim("exp"), ClaimInvalid,
          "exp_invalid"),
    *each(74, "exp", {"negative": -1, "zero": 0, "a float of long ago": 1.5, "at the boundary": NOW - 30,
                      "a float at the boundary": NOW - 30.5}, with_claim("exp"), Expired),
    Attack(74, "exp == now without leeway", lambda: token(EC, exp=int(NOW)), Expired, settings={"leeway": 0}),
    Attack(75, "nbf in the future", lambda: token(EC, nbf=NOW + 31), NotYetValid),
    Attack(75, "nbf far in the future", lambda: token(EC, nbf=9_999_999_999), NotYetValid),
    *each(75, "nbf", NO_TIMES, with_claim("nbf"), ClaimInvalid, "nbf_invalid"),
    Attack(76, "iat in the future", lambda: token(EC, iat=NOW + 31), NotYetValid),
    Attack(76, "iat missing with a longest lifetime", lambda: token(EC, iat=...), ClaimInvalid, "iat_missing",
           settings={"lifetime_max": 600}),
    *each(76, "iat", NO_TIMES, with_claim("iat"), ClaimInvalid, "iat_invalid"),
    Attack(77, "lifetime of a day where ten minutes are allowed", lambda: token(EC, exp=NOW + 86_400), ClaimInvalid,
           "lifetime_too_long", settings={"lifetime_max": 600}),
    Attack(77, "lifetime stretched by an iat of long ago", lambda: token(EC, iat=0), ClaimInvalid, "lifetime_too_long",
           settings={"lifetime_max": 600}),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_times(attack: Attack) -> None:
    """Refused before any fetch: no key is needed to see that a token has no end or is over."""
    attempt(attack)


@pytest.mark.parametrize(
    "leeway",
    [
        case(78, f"leeway {value}", value, answer="refused at configuration")
        for value in (float("nan"), float("inf"), -1, 301, 1e308, True, "30", None)
    ],
)
def test_leeway(leeway: Any) -> None:
    """Neither nothing nor everything can be configured."""
    with pytest.raises(ConfigError):
        Issuer(ISSUER, audience="api", leeway=leeway)


@attacks(74, "exp one second inside the boundary", answer="accepted")
def test_honest_times_pass() -> None:
    """A float is a NumericDate, and the leeway is exactly what it says."""
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)))
    for good in ({"exp": NOW - 29}, {"exp": NOW - 29.5}, {"exp": NOW + 0.5}, {"nbf": NOW + 30}, {"iat": NOW + 30}):
        assert where.verify(token(EC, **good)).subject == "u1"
    exact = auth(Issuer(ISSUER, audience="api", keys=jwks(EC), leeway=0, lifetime_max=300))
    assert exact.verify(token(EC, exp=NOW + 300))
