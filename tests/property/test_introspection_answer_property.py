"""Whatever an introspection endpoint answers, only one shape of answer authenticates, and nothing else escapes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bearerkit.errors import IntrospectionUnavailable, TokenInvalid
from bearerkit.http import Fetched, Headers
from bearerkit.jose.introspection_answer import AnswerRules, ends_of, read_answer
from bearerkit.jose.strict_json import JsonInvalid, loads

NOW = 1_790_000_000.0
RULES = AnswerRules(issuer="https://id.example", issuer_optional=True, audience=frozenset({"api"}), exp_required=True)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**22), 10**22)
    | st.floats()
    | st.sampled_from(["api", "https://id.example", "true", "refresh_token", "Bearer", "", "x"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
TIMES = st.sampled_from([NOW - 1e6, NOW - 1, NOW, NOW + 1, NOW + 1e6]) | SCALARS
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "active": st.just(True) | VALUES,
        "exp": TIMES,
        "nbf": TIMES,
        "iat": TIMES,
        "iss": VALUES,
        "aud": st.just("api") | VALUES,
        "sub": VALUES,
        "scope": VALUES,
        "token_type": VALUES,
        "client_id": VALUES,
    },
)
GOOD = {"active": True, "exp": NOW + 1, "aud": "api"}


def answered(body: bytes, status: int = 200) -> Fetched:
    return Fetched(status, Headers([("Content-Type", "application/json")]), body)


def read_strictly(body: bytes) -> bool:
    """Whether it is JSON with one reading: NaN and numbers of more than 20 digits are none."""
    try:
        loads(body, depth=32)
    except JsonInvalid:
        return False
    return True


def number(value: Any) -> bool:
    return type(value) in (int, float)


@given(ANSWERS)
@example(GOOD)
@example({**GOOD, "active": 1})
@example({**GOOD, "exp": NOW})
def test_only_a_true_answer_within_its_time_and_for_us_authenticates(answer: dict[str, Any]):
    """An oracle of its own says what must hold of every answer that passes."""
    body = json.dumps(answer).encode()
    try:
        claims = read_answer(answered(body), RULES, NOW)
    except TokenInvalid:
        assert type(answer["active"]) is bool
        return
    except IntrospectionUnavailable:
        assert type(answer.get("active")) is not bool or not read_strictly(body)
        return
    assert answer["active"] is True
    assert claims == {name: value for name, value in answer.items() if name != "active"}
    assert number(answer["exp"])
    assert answer["exp"] > NOW
    assert ends_of(claims) == answer["exp"]
    for name in ("nbf", "iat"):
        assert name not in answer or (number(answer[name]) and answer[name] <= NOW)
    assert answer.get("iss") in (None, "https://id.example")
    audience = answer["aud"]
    assert audience == "api" or "api" in audience
    assert answer.get("token_type") in (None, "Bearer", "true", "api", "https://id.example", "", "x")
    assert isinstance(answer.get("scope", ""), str | list | None)


@given(st.binary(max_size=200), st.integers(100, 599))
@example(b'{"active": true}', 204)
@example(b"", 200)
def test_bytes_that_are_no_answer_are_an_outage(body: bytes, status: int):
    """Never a 500, never a context, never a refusal of the token for what a broken server says."""
    try:
        read_answer(answered(body, status), RULES, NOW)
    except IntrospectionUnavailable:
        return
    raise AssertionError("it was taken for an answer")
