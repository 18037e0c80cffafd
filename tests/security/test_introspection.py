"""Attacks by, or by way of, an introspection endpoint: what it answers is held against rules, or is an outage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bearerkit.errors import BearerkitError, IntrospectionUnavailable, TokenInvalid
from bearerkit.http import Fetched, Headers
from bearerkit.jose.introspection_answer import AnswerRules, read_answer
from security.attack import case

NOW = 1_790_000_000.0
RULES = AnswerRules.of("api", ["web"], issuer="https://id.example")
GOOD: dict[str, Any] = {
    "active": True, "iss": "https://id.example", "aud": "api", "client_id": "web", "sub": "u1", "exp": NOW + 60,
}  # fmt: skip
JSON = "application/json"
OUTAGE = "503 introspection_unavailable"
GARBAGE: dict[str, bytes] = {
    "active twice, false first": b'{"active": false, ' + json.dumps(GOOD).encode()[1:],
    "active twice, true first": json.dumps(GOOD).encode()[:-1] + b', "active": false}',
    "10 MB around a good answer": json.dumps(GOOD).encode() + b" " * 10_000_000,
    "10 MB in one member": json.dumps(GOOD | {"x": "x" * 10_000_000}).encode(),
    "100,000 levels deep": json.dumps(GOOD).encode()[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an exp of a million digits": json.dumps(GOOD).encode()[:-1] + b', "nbf": -' + b"9" * 400_000 + b"}",
    "an exp beyond a double": json.dumps(GOOD | {"exp": 0}).replace(": 0}", ": 1e999}").encode(),
    "an array of answers": json.dumps([GOOD]).encode(),
    "two answers in a row": json.dumps(GOOD).encode() * 2,
    "a good answer cut short": json.dumps(GOOD).encode()[:-1],
    "HTML": b"<html>active: true</html>",
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "nothing": b"",
}


def answered(body: Any, status: int = 200, kind: str = JSON) -> Fetched:
    return Fetched(
        status, Headers([("Content-Type", kind)]), body if type(body) is bytes else json.dumps(body).encode()
    )


def refused(fetched: Fetched) -> BearerkitError:
    with pytest.raises((TokenInvalid, IntrospectionUnavailable)) as caught:
        read_answer(fetched, RULES, NOW)
    return caught.value


def without(name: str) -> dict[str, Any]:
    return {member: value for member, value in GOOD.items() if member != name}


def test_the_answer_that_every_attack_starts_from_is_good() -> None:
    assert read_answer(answered(GOOD), RULES, NOW)["sub"] == "u1"


@pytest.mark.parametrize(
    "answer",
    [
        case(117, title, answer, answer=OUTAGE)
        for title, answer in {
            'introspection: active "true"': GOOD | {"active": "true"},
            "introspection: active 1": GOOD | {"active": 1},
            "introspection: active [true]": GOOD | {"active": [True]},
            "introspection: active null": GOOD | {"active": None},
            "introspection: active missing": without("active"),
            "introspection: Active with a capital": without("active") | {"Active": True},
            "introspection: active one level down": {"token": GOOD},
        }.items()
    ],
)
def test_only_the_value_true_is_active(answer: dict[str, Any]) -> None:
    """And no other value is inactive either: a broken server must not be remembered as a refusal."""
    assert isinstance(refused(answered(answer)), IntrospectionUnavailable)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        case(117, f"introspection: active with {title}", GOOD | changes, reason, answer=f"401 {reason}")
        for title, changes, reason in [
            ("past exp", {"exp": NOW - 1}, "expired"),
            ("exp that is now", {"exp": NOW}, "expired"),
            ("exp as text", {"exp": "9999999999"}, "exp_invalid"),
            ("exp null", {"exp": None}, "exp_invalid"),
            ("nbf in the future", {"nbf": NOW + 60}, "not_yet_valid"),
            ("iat in the future", {"iat": NOW + 60}, "not_yet_valid"),
            ("aud of another API", {"aud": ["other"]}, "audience_mismatch"),
            ("iss of another server", {"iss": "https://id.example.evil.test"}, "issuer_mismatch"),
            ("a client that is not listed", {"client_id": "webhook"}, "client_not_allowed"),
            ("token_type refresh_token", {"token_type": "refresh_token"}, "wrong_token_type"),
            ("token_type id_token", {"token_type": "id_token"}, "wrong_token_type"),
            ("a signed answer inside", {"token_introspection": GOOD}, "wrong_token_type"),
            ("a scope that is an object", {"scope": {"admin": True}}, "scope_invalid"),
            ("a sub that is a list", {"sub": ["admin"]}, "sub_invalid"),
        ]
    ],
)
def test_an_active_answer_is_not_believed_further(answer: dict[str, Any], reason: str) -> None:
    assert refused(answered(answer)).reason == reason


@pytest.mark.parametrize(
    "fetched",
    [
        *(
            case(118, f"introspection: a good answer under {status}", answered(GOOD, status), answer=OUTAGE)
            for status in (201, 204, 302, 400, 401, 403, 404, 429, 500, 503)
        ),
        *(case(118, f"introspection: {title}", answered(body), answer=OUTAGE) for title, body in GARBAGE.items()),
        *(
            case(118, f"introspection: a good answer as {kind}", answered(GOOD, kind=kind), answer=OUTAGE)
            for kind in ("text/html", "application/token-introspection+jwt")
        ),
    ],
)
def test_an_answer_that_is_none_is_an_outage(fetched: Fetched) -> None:
    """503 and never 401: nobody is locked out, remembered as inactive, or let in by a server that is broken."""
    error = refused(fetched)
    assert isinstance(error, IntrospectionUnavailable)
    assert len(error.detail) < 200
