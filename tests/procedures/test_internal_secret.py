"""A secret between the team's own services: who the caller is then, and that it is never shown."""

from __future__ import annotations

import logging
import pickle
import secrets
from typing import Any

import pytest

from auth_doubles import ISSUER, auth, token
from bearerkit import ConfigError, InternalSecret, Issuer, RedactTokens, Request, Sessions, principal, scope
from bearerkit.errors import CredentialsMissing, InsufficientScope, InvalidRequest, TokenInvalid
from bearerkit.http import Headers
from bearerkit.testing import SigningKey
from bearerkit.verify import internal_secret

NEW, OLD = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
KEY = SigningKey.generate("ES256", kid="k1")


def carrying(*values: str, name: str = "X-Internal-Secret", **fields: str) -> Request:
    return Request("POST", "/", Headers([*((name, value) for value in values), *fields.items()]))


def test_each_secret_is_the_same_service() -> None:
    """While one replaces another both are good."""
    whole = auth(InternalSecret([NEW, OLD], subject="billing", scopes=["orders:read"], roles="staff ops"))
    for secret in (NEW, OLD):
        context = whole.authorize(carrying(secret), scope("orders:read") & principal("service"))
        assert (context.subject, context.client_id, context.principal_type) == ("billing", "billing", "service")
        assert (context.credential_kind, context.roles) == ("internal_secret", ("staff", "ops"))
    with pytest.raises(InsufficientScope):
        whole.authorize(carrying(NEW), scope("orders:write"))
    assert auth(InternalSecret(NEW)).authorize(carrying(NEW)).scopes == ()


def test_the_wrong_secret_is_refused_without_a_word() -> None:
    """Empty, cut, longer, twice, of another case: one answer."""
    whole = auth(InternalSecret([NEW, OLD]))
    answers = set()
    wrong = [("",), (" ",), (NEW[:-1],), (f"{NEW}x",), (f" {NEW}",), (NEW, NEW), (NEW, OLD), (f"{NEW},{OLD}",)]
    for values in [*wrong, (NEW.swapcase(),), ("\xff" * 40,), ("x" * 5_000,)]:
        with pytest.raises(TokenInvalid) as refused:
            whole.authorize(carrying(*values), optional=True)
        answer = whole.answer(refused.value)
        answers.add((answer.status, answer.headers, answer.body, str(refused.value)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401


def test_it_goes_with_nothing_else() -> None:
    """400, also where the other credential, or the secret itself, is no good."""
    whole = auth(
        InternalSecret(NEW),
        Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]}),
        Sessions(lambda _: {"sub": "ann"}, cookie="sid"),
    )
    assert whole.authorize(carrying(Authorization=f"Bearer {token(KEY)}")).subject == "u1"
    for secret in (NEW, "wrong", ""):
        for other in ({"Authorization": f"Bearer {token(KEY)}"}, {"Authorization": "Bearer x"}, {"Cookie": "sid=x"}):
            with pytest.raises(InvalidRequest):
                whole.authorize(carrying(secret, **other), optional=True)
    assert whole.authorize(carrying(NEW, Cookie="theme=dark")).subject == "internal"
    with pytest.raises(CredentialsMissing):
        whole.authorize(carrying())


def test_every_secret_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """In constant time, whichever fits, and over digests, so that lengths tell nothing."""
    compared: list[tuple[int, int]] = []

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(internal_secret, "compare_digest", watched)
    whole = auth(InternalSecret([NEW, OLD, secrets.token_hex(16)]))
    for presented in (NEW, OLD, "x"):
        compared.clear()
        try:
            whole.authorize(carrying(presented))
        except TokenInvalid:
            assert presented == "x"
        assert compared == [(32, 32)] * 3


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        [],
        [None],
        [NEW, None],
        [NEW, ""],
        [NEW, NEW],
        "x" * 31,
        NEW[:31],
        "x" * 64,
        "changeme" * 8 + "x" * 0,
        f"{NEW}\n",
        f" {NEW}",
        f"{NEW},{OLD}",
        f"{NEW}\xe9",
        [5],
        [NEW.encode()],
    ],
)
def test_secrets_that_are_none(bad: Any) -> None:
    """Unset, empty, short, guessable, or with the line end of a file; the message does not repeat it."""
    with pytest.raises(ConfigError) as raised:
        InternalSecret(bad)
    assert NEW not in str(raised.value)
    assert NEW[:31] not in str(raised.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"header": "Authorization"},
        {"header": "cookie"},
        {"header": ""},
        {"header": "a b"},
        {"header": "x_secret"},
        {"header": None},
        {"subject": ""},
        {"subject": None},
        {"scopes": [1]},
        {"roles": [""]},
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any]) -> None:
    """A header that means something else, and names that are none."""
    with pytest.raises(ConfigError):
        InternalSecret(NEW, **settings)


def test_a_header_of_the_teams_own() -> None:
    """Its case does not matter."""
    whole = auth(InternalSecret(NEW, header="X-Backend-Key"))
    assert whole.authorize(carrying(NEW, name="x-backend-key")).subject == "internal"
    with pytest.raises(CredentialsMissing):
        whole.authorize(carrying(NEW))


def test_from_the_environment() -> None:
    """One variable with one secret or several; unset is an error that names it."""
    for text in (f"{NEW} {OLD}", f"{NEW},{OLD}", f"\n{NEW}, {OLD}\n"):
        whole = auth(InternalSecret.from_env("SECRETS", {"SECRETS": text}, subject="billing"))
        assert [whole.authorize(carrying(secret)).subject for secret in (NEW, OLD)] == ["billing", "billing"]
    for environ in ({}, {"SECRETS": ""}, {"SECRETS": " , "}):
        with pytest.raises(ConfigError, match="SECRETS"):
            InternalSecret.from_env("SECRETS", environ)
    with pytest.raises(ConfigError):
        InternalSecret.from_env("SECRETS", {"SECRETS": "short"})


def test_it_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """In no repr, description, log or pickle, and no object holds it."""
    caplog.set_level(0)
    settings = InternalSecret([NEW, OLD])
    whole = auth(settings)
    context = whole.authorize(carrying(NEW))
    with pytest.raises(TokenInvalid):
        whole.authorize(carrying(f"{NEW}x"))
    shown = [repr(settings), repr(whole), whole.describe(), repr(context), str(context.claims), str(vars(settings))]
    shown += [caplog.text, str(pickle.dumps(settings)), repr(vars(settings.enter(whole._world)))]
    assert not any(secret in text for text in shown for secret in (NEW, OLD))
    assert whole.describe() == "InternalSecret(hidden, header='x-internal-secret'): 2 in use"


@pytest.mark.parametrize(
    "form", ["X-Internal-Secret: {}", "{{'x-internal-secret': '{}'}}", "HTTP_X_INTERNAL_SECRET={}"]
)
def test_access_logs_do_not_show_it(form: str) -> None:
    """The filter for logs knows the field."""
    record = logging.makeLogRecord({"msg": form.format(NEW)})
    RedactTokens().filter(record)
    assert NEW not in record.getMessage()
