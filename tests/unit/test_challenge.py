"""Refusals as HTTP answers: status, challenge, body, and what never gets into them."""

from __future__ import annotations

import json

import pytest

from bearerkit import errors
from bearerkit.challenge import PROBLEM_JSON, WEBSOCKET_POLICY_VIOLATION, Challenge, answers, render
from bearerkit.errors import (
    BearerkitError,
    ConfigError,
    CredentialsMissing,
    Expired,
    InsufficientScope,
    InvalidRequest,
    KeysUnavailable,
    PermissionDenied,
    StepUpRequired,
    TenantUnknown,
    TokenInvalid,
    Unauthenticated,
)
from bearerkit.http import Response


def challenge_of(refusal: BearerkitError, challenge: Challenge = Challenge()) -> str | None:
    return render(refusal, challenge).header("WWW-Authenticate")


@pytest.mark.parametrize(
    ("refusal", "status", "challenge"),
    [
        (CredentialsMissing(), 401, 'Bearer realm="api"'),
        (Unauthenticated(), 401, 'Bearer realm="api"'),
        (
            InvalidRequest(),
            400,
            'Bearer realm="api", error="invalid_request", '
            'error_description="The request carries a malformed or more than one credential."',
        ),
        (
            Expired(),
            401,
            'Bearer realm="api", error="invalid_token", error_description="The access token has expired."',
        ),
        (
            StepUpRequired(max_age=300, acr_values=("mfa", "hw")),
            401,
            'Bearer realm="api", error="insufficient_user_authentication", error_description="A more recent or '
            'stronger authentication is required.", acr_values="mfa hw", max_age="300"',
        ),
        (
            StepUpRequired(max_age=0),
            401,
            'Bearer realm="api", error="insufficient_user_authentication", error_description="A more recent or '
            'stronger authentication is required.", max_age="0"',
        ),
        (
            StepUpRequired(),
            401,
            'Bearer realm="api", error="insufficient_user_authentication", error_description="A more recent or '
            'stronger authentication is required."',
        ),
        (
            InsufficientScope(required=("a", "b")),
            403,
            'Bearer realm="api", error="insufficient_scope", error_description="The access token does not carry the '
            'required scope.", scope="a b"',
        ),
        (
            InsufficientScope(),
            403,
            'Bearer realm="api", error="insufficient_scope", error_description="The access token does not carry the '
            'required scope."',
        ),
        (PermissionDenied(), 403, None),
        (TenantUnknown(), 404, None),
        (KeysUnavailable(), 503, None),
        (ConfigError("x"), 500, None),
        (BearerkitError(), 500, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BearerkitError) else "",
)
def test_status_and_challenge(refusal, status, challenge):
    """RFC 6750 section 3: no error code without a credential, and none for refusals that are not of the token."""
    answer = render(refusal)
    assert (answer.status, answer.header("www-authenticate")) == (status, challenge)


def concrete() -> list[type[BearerkitError]]:
    return [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", concrete(), ids=lambda kind: kind.__name__)
def test_every_answer_is_a_problem_that_nobody_stores(kind):
    """RFC 9457 body, `no-store`, one value per header; 401 always has a challenge; `detail` and `hint` never show."""
    answer = render(kind("OPERATOR-DETAIL") if kind is ConfigError else kind("OPERATOR-DETAIL", hint="OPERATOR-HINT"))
    names = [name.lower() for name, _ in answer.headers]
    assert len(set(names)) == len(names)
    assert answer.header("content-type") == PROBLEM_JSON
    assert answer.header("cache-control") == "no-store"
    assert ("www-authenticate" in names) == (
        (answer.status in (400, 401) and kind is not errors.OAuthError) or kind is InsufficientScope
    )
    assert ("retry-after" in names) == (answer.status == 503)
    body = json.loads(answer.body)
    assert list(body) == ["type", "title", "status", "detail"]
    assert (body["type"], body["status"], body["detail"]) == ("about:blank", kind.status, kind.public)
    assert b"OPERATOR" not in answer.body
    assert not any("OPERATOR" in value for _, value in answer.headers)


def test_invalid_token_is_one_answer_whatever_is_wrong():
    """All kinds of bad tokens have the same status and error code; the caller learns nothing to probe with."""
    kinds = [kind for kind in concrete() if issubclass(kind, TokenInvalid)]
    assert len(kinds) >= 13
    for kind in kinds:
        answer = render(kind())
        assert answer.status == 401
        assert ', error="invalid_token", ' in (answer.header("www-authenticate") or "")


def test_resource_metadata_is_in_every_challenge():
    """RFC 9728 section 5.1, also in the bare one; answers without a challenge do not get one for it."""
    here = Challenge("orders", "https://api.example.com/.well-known/oauth-protected-resource")
    assert challenge_of(CredentialsMissing(), here) == (
        'Bearer realm="orders", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"'
    )
    for refusal in (InvalidRequest(), Expired(), StepUpRequired(), InsufficientScope()):
        assert (challenge_of(refusal, here) or "").endswith('oauth-protected-resource"')
    assert challenge_of(TenantUnknown(), here) is None


@pytest.mark.parametrize(
    ("realm", "written"),
    [
        ('a"b', r'a\"b'), ("a\\b", r"a\\b"), ('\\"', r"\\\""), ("a\r\nSet-Cookie: x", "a??Set-Cookie: x"), ("café",
        "caf?"),
        ("", ""), ("\x7f\x00", "??"), ("a, b=c", "a, b=c"),
    ],
)  # fmt: skip
def test_quoting(realm, written):
    """Attack 98: nothing in a setting or a text can split the header or end the quoted string."""
    assert challenge_of(CredentialsMissing(), Challenge(realm)) == f'Bearer realm="{written}"'


def test_retry_after():
    """Whole seconds, as the outage says."""
    assert render(KeysUnavailable(retry_after=17)).header("retry-after") == "17"
    assert render(KeysUnavailable()).header("retry-after") == "5"


def test_public_text_is_json_escaped():
    """The body stays ASCII and one JSON document whatever a team's public text holds."""
    body = render(PermissionDenied(public='"é\u2028\r\n')).body
    assert body.isascii()
    assert json.loads(body)["detail"] == '"é\u2028\r\n'


def test_rendering_is_pure():
    """The same refusal gives the same value, and is not changed by it."""
    refusal = InsufficientScope("d", required=("a",))
    before = dict(vars(refusal))
    assert render(refusal) == render(refusal)
    assert isinstance(render(refusal), Response)
    assert vars(refusal) == before


def test_answers_lists_every_status_of_a_refusal():
    """What OpenAPI documents is what `render` can give on a route."""
    statuses = {
        kind.status
        for kind in concrete()
        if issubclass(kind, errors.Refused | errors.Unavailable) and kind is not errors.Refused
    }
    assert set(answers()) == statuses
    assert all(answers().values())


def test_the_close_code_of_a_refused_websocket():
    """RFC 6455 section 7.4.1: policy violation."""
    assert WEBSOCKET_POLICY_VIOLATION == 1008
