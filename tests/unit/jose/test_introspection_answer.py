"""Reading RFC 7662 answers: claims, a refusal of the token, or an outage; each with what the operator needs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bearerkit.errors import (
    AudienceMismatch,
    ClaimInvalid,
    Expired,
    IntrospectionUnavailable,
    IssuerMismatch,
    NotYetValid,
    TokenInvalid,
    WrongTokenType,
)
from bearerkit.http import Fetched, Headers
from bearerkit.jose.claims import ANY
from bearerkit.jose.introspection_answer import ANSWER_BYTES_MAX, AnswerRules, ends_of, read_answer

NOW = 1_790_000_000.0
ISSUER = "https://id.example"
RULES = AnswerRules.of("api", issuer=ISSUER)


def answer(body: Any = None, status: int = 200, kind: str | None = "application/json", **headers: str) -> Fetched:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if kind is not None:
        fields["Content-Type"] = kind
    return Fetched(status, Headers(fields.items()), data)


def good(**changes: Any) -> dict[str, Any]:
    """A good answer; a value of `...` leaves a member out."""
    members = {"active": True, "iss": ISSUER, "aud": "api", "sub": "u1", "exp": NOW + 60, "scope": "a b", **changes}
    return {name: value for name, value in members.items() if value is not ...}


def read(body: Any = None, rules: AnswerRules = RULES, **more: Any) -> dict[str, Any]:
    return read_answer(answer(good() if body is None else body, **more), rules, NOW)


def outage(body: Any = None, **more: Any) -> IntrospectionUnavailable:
    with pytest.raises(IntrospectionUnavailable) as caught:
        read(body, **more)
    assert caught.value.status == 503
    assert caught.value.detail
    return caught.value


def test_an_active_token():
    assert read() == {"iss": ISSUER, "aud": "api", "sub": "u1", "exp": NOW + 60, "scope": "a b"}


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/x.y+json", None]
)
def test_kinds_of_json(kind):
    assert read(kind=kind)["sub"] == "u1"


def test_an_inactive_token():
    """What else stands there does not matter, not even an exp that is no number."""
    for body in ({"active": False}, {"active": False, "exp": "x", "iss": 5}):
        with pytest.raises(TokenInvalid) as caught:
            read(body)
        assert type(caught.value) is TokenInvalid
        assert caught.value.reason == "token_inactive"
        assert caught.value.hint


@pytest.mark.parametrize("active", ["true", "True", 1, 1.0, "false", 0, [], [True], {}, {"x": True}, None, ...])
def test_only_a_boolean_says_something(active):
    error = outage(good(active=active))
    assert "active" in error.detail
    assert "true and false" in (error.hint or "")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"active": true, "active": true}', "occurs twice"),
        (b'{"active": false, "active": true}', "occurs twice"),
        (b'{"active": true} {"active": true}', "text after"),
        (b'{"active": true, "exp": NaN}', "NaN"),
        (b'{"active": true, "exp": 1e400}', "double"),
        (b'{"active": true, "exp": ' + b"9" * 5_000 + b"}", "digits"),
        (b'{"active": true, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeper"),
        (b'{"active": true, "x": "' + b"x" * ANSWER_BYTES_MAX + b'"}', "larger"),
        ([{"active": True}], "not a JSON object"),
        ("true", "not a JSON object"),
        (True, "not a JSON object"),
        (None, "has no"),
    ],
)
def test_what_is_no_answer_is_an_outage(body, why):
    assert why in outage({} if body is None else body).detail


def test_an_answer_at_the_limit():
    body = json.dumps(good()).encode()
    assert read(body + b" " * (ANSWER_BYTES_MAX - len(body)))["sub"] == "u1"
    assert "larger" in outage(body + b" " * (ANSWER_BYTES_MAX - len(body) + 1)).detail


@pytest.mark.parametrize(
    "kind",
    ["text/html", "text/plain", "application/token-introspection+jwt", "application/jwt", "json", "text/json"],
)
def test_other_types_are_an_outage(kind):
    assert kind in outage(kind=kind).detail


@pytest.mark.parametrize(
    "status", [100, 201, 204, 206, 302, 307, 400, 401, 403, 404, 405, 429, 500, 502, 503, 504, 599]
)
def test_other_statuses_are_an_outage(status):
    """Whatever the body says."""
    error = outage(status=status)
    assert str(status) in error.detail
    assert ("redirects" in error.detail) == (300 <= status < 400)
    assert bool(error.hint) == (status in (400, 401, 403, 404, 405))


def test_the_error_code_is_told_and_no_other_text():
    error = outage({"error": "invalid_client", "error_description": "geheim"}, status=401)
    assert error.detail.endswith("401: invalid_client")
    for body in ({"error": "geheim"}, {"error": ["invalid_client"]}, ["invalid_client"], b"geheim", b""):
        assert outage(body, status=400).detail.endswith("400")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("7", 7), (" 7 ", 7), ("999999", 300), ("0", 5), ("-1", 5), ("soon", 5), ("²", 5), ("9" * 5_000, 5), (None, 5)],
)
def test_when_to_ask_again(given, seconds):
    fields = {} if given is None else {"Retry_After": given}
    assert outage(status=503, **fields).retry_after == seconds


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"exp": NOW - 1}, Expired, "expired"),
        ({"exp": NOW}, Expired, "expired"),
        ({"exp": str(NOW + 60)}, ClaimInvalid, "exp_invalid"),
        ({"exp": True}, ClaimInvalid, "exp_invalid"),
        ({"exp": None}, ClaimInvalid, "exp_invalid"),
        ({"exp": 1e300}, ClaimInvalid, "exp_invalid"),
        ({"nbf": NOW + 1}, NotYetValid, "not_yet_valid"),
        ({"nbf": "x"}, ClaimInvalid, "nbf_invalid"),
        ({"iat": NOW + 1}, NotYetValid, "not_yet_valid"),
        ({"iat": []}, ClaimInvalid, "iat_invalid"),
        ({"iss": ISSUER + "/"}, IssuerMismatch, "issuer_mismatch"),
        ({"iss": [ISSUER]}, IssuerMismatch, "issuer_mismatch"),
        ({"iss": ...}, IssuerMismatch, "issuer_mismatch"),
        ({"iss": None}, IssuerMismatch, "issuer_mismatch"),
        ({"aud": "other"}, AudienceMismatch, "audience_mismatch"),
        ({"aud": ["other", "apis"]}, AudienceMismatch, "audience_mismatch"),
        ({"aud": ["api", 1]}, AudienceMismatch, "audience_mismatch"),
        ({"aud": {"api": 1}}, AudienceMismatch, "audience_mismatch"),
        ({"aud": ...}, AudienceMismatch, "audience_mismatch"),
        ({"token_type": "refresh_token"}, WrongTokenType, "wrong_token_type"),
        ({"token_type": "Refresh"}, WrongTokenType, "wrong_token_type"),
        ({"token_type": "id_token"}, WrongTokenType, "wrong_token_type"),
        ({"token_type": ["Bearer"]}, WrongTokenType, "wrong_token_type"),
        ({"token_use": "id"}, WrongTokenType, "wrong_token_type"),
        ({"typ": "Refresh"}, WrongTokenType, "wrong_token_type"),
        ({"token_introspection": {"active": True}}, WrongTokenType, "wrong_token_type"),
        ({"scope": {"admin": True}}, ClaimInvalid, "scope_invalid"),
        ({"scope": 5}, ClaimInvalid, "scope_invalid"),
        ({"scope": ["a", None]}, ClaimInvalid, "scope_invalid"),
        ({"sub": 5}, ClaimInvalid, "sub_invalid"),
        ({"sub": ["u1"]}, ClaimInvalid, "sub_invalid"),
    ],
)
def test_an_active_answer_is_held_against_the_rules(changes, error, reason):
    """401: the server answered, and by what it says the token is not for us, not now, or no access token."""
    with pytest.raises(error) as caught:
        read(good(**changes))
    assert type(caught.value) is error
    assert (caught.value.reason, caught.value.status) == (reason, 401)
    assert caught.value.detail


def test_the_scope_may_be_a_list():
    assert read(good(scope=["a", "b"]))["scope"] == ["a", "b"]
    assert "scope" not in read(good(scope=...))


def test_an_answer_without_an_end():
    """Allowed by RFC 7662, and refused where the settings say so."""
    claims = read(good(exp=...))
    assert ends_of(claims) == float("inf")
    assert ends_of(read()) == NOW + 60
    with pytest.raises(ClaimInvalid) as caught:
        read(good(exp=...), rules=AnswerRules.of("api", exp_required=True))
    assert caught.value.reason == "exp_missing"


def test_leeway():
    rules = AnswerRules.of("api", leeway=5)
    assert read(good(exp=NOW - 4, nbf=NOW + 4, iat=NOW + 4), rules=rules)
    for changes in ({"exp": NOW - 5}, {"nbf": NOW + 6}, {"iat": NOW + 6}):
        with pytest.raises(TokenInvalid):
            read(good(**changes), rules=rules)


def test_what_may_be_absent():
    loose = AnswerRules.of(["api", "x"], issuer=ISSUER, issuer_optional=True, audience_optional=True)
    assert read(good(iss=..., aud=...), rules=loose)["sub"] == "u1"
    assert read({"active": True}, rules=loose) == {}
    for changes, error in (({"iss": "x"}, IssuerMismatch), ({"aud": "y"}, AudienceMismatch)):
        with pytest.raises(error):
            read(good(**changes), rules=loose)
    assert read(good(aud="other"), rules=AnswerRules.of(ANY))["aud"] == "other"
    assert read(good(aud="other"), rules=AnswerRules.of(None))["aud"] == "other"
    with pytest.raises(IssuerMismatch):
        read(good(iss=5), rules=AnswerRules.of(None))


def test_clients():
    rules = AnswerRules.of("api", ["web", "app"])
    assert read(good(client_id="app"), rules=rules)
    for found in ("other", ..., ["app"], 5, None):
        with pytest.raises(ClaimInvalid) as caught:
            read(good(client_id=found), rules=rules)
        assert caught.value.reason == "client_not_allowed"


def test_token_types():
    """For servers that name a type for access tokens only, such as oidc-provider, the absent one is refused too."""
    rules = AnswerRules.of("api", token_types=frozenset({"bearer", "dpop"}))
    assert read(good(token_type="Bearer"), rules=rules)
    for found in (..., None, "N_A", "", "refresh_token"):
        with pytest.raises(WrongTokenType):
            read(good(token_type=found), rules=rules)
    assert read(good(token_type="N_A"))


def test_rules_are_values():
    first, second = AnswerRules.of("api", issuer=ISSUER), AnswerRules.of(["api"], issuer=ISSUER)
    assert first == second
    assert hash(first) == hash(second)
    assert first != AnswerRules.of("api")
