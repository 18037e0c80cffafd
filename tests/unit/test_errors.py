"""The tree of errors: statuses, stable reasons, and four texts that never mix."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from bearerkit import errors
from bearerkit.errors import (
    BearerkitError,
    ConfigError,
    CredentialsMissing,
    Forbidden,
    InsufficientScope,
    InvalidRequest,
    KeysUnavailable,
    OAuthError,
    Refused,
    StepUpRequired,
    TenantUnknown,
    TokenInvalid,
    Unauthenticated,
    Unavailable,
)

ALL: list[type[BearerkitError]] = [getattr(errors, name) for name in errors.__all__]


def test_everything_is_listed():
    """Every class of the module is public, under one root."""
    defined = {
        name
        for name, item in vars(errors).items()
        if inspect.isclass(item) and item.__module__ == errors.__name__ and not name.startswith("_")
    }
    assert defined == set(errors.__all__)
    assert all(issubclass(kind, BearerkitError) for kind in ALL)


def test_the_drawing_in_the_docstring_is_the_tree():
    """Name, depth and status of every class, in order, as drawn."""
    drawn: dict[str, str] = {}
    ancestors: list[str] = ["BearerkitError"]
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"\s{4}([│ ├└─]*)─ (\w+)", line)
        if match:
            depth = (len(match[1]) + 1) // 3 + 1
            ancestors = [*ancestors[:depth], match[2]]
            drawn[match[2]] = ancestors[depth - 1]
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in ALL if kind is not BearerkitError}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (BearerkitError, 500), (ConfigError, 500), (InvalidRequest, 400), (Unauthenticated, 401), (Forbidden, 403),
        (TenantUnknown, 404), (Unavailable, 503), (OAuthError, 400),
    ],
)  # fmt: skip
def test_statuses_are_fixed_by_family(kind, status):
    """A subclass never has another status than its family."""
    for member in ALL:
        if issubclass(member, kind) and kind not in (BearerkitError,):
            assert member.status == status
    assert kind.status == status


def test_only_outages_are_5xx_on_a_route():
    """What a caller does can never make a 5xx."""
    for kind in ALL:
        if issubclass(kind, Refused) and kind is not Refused:
            assert 400 <= kind.status < 500


def test_reasons_are_stable_codes_and_unique():
    """Metrics and docs key on them."""
    reasons = [kind.reason for kind in ALL if kind is not OAuthError and kind is not Refused]
    assert all(re.fullmatch(r"[a-z_]+", reason) for reason in reasons)
    assert len(set(reasons)) == len(reasons)


def test_public_texts_are_fixed_sentences():
    """They may reach the caller: printable ASCII without quotes or backslashes, so they fit a challenge as they are."""
    for kind in ALL:
        assert re.fullmatch(r"[A-Z][ -~]*\.", kind.public), kind
        assert '"' not in kind.public
        assert "\\" not in kind.public


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind is not ConfigError], ids=lambda kind: kind.__name__)
def test_the_four_texts_do_not_mix(kind):
    """Each argument sets its own text, on this object only."""
    error = kind("for the log", reason="other", public="For the caller.", hint="do this")
    assert (error.detail, error.reason, error.public, error.hint) == (
        "for the log",
        "other",
        "For the caller.",
        "do this",
    )
    assert error.args == ("for the log",)
    assert str(error) == "other: for the log (do this)"
    plain = kind()
    assert (plain.detail, plain.hint) == ("", None)
    assert str(plain) == f"{kind.reason}: {kind.public}"
    assert kind.reason != "other"


def test_noted_belongs_to_the_object():
    """A refusal that was told once is not told again; the next one is."""
    first, second = TokenInvalid(), TokenInvalid()
    first.noted = True
    assert (second.noted, TokenInvalid.noted) == (False, False)


def test_config_problems():
    """One is the message; several are a numbered list."""
    assert str(ConfigError("one")) == "one"
    both = ConfigError(["one", "two"], hint="read the docs")
    assert both.problems == ("one", "two")
    assert str(both) == "2 problems (read the docs):\n  1. one\n  2. two"
    assert str(ConfigError("one", hint="do that")) == "one (do that)"
    assert (both.detail, both.hint) == ("one; two", "read the docs")


def test_extra_fields():
    """What challenges and Retry-After are made of."""
    step_up = StepUpRequired("d", max_age=60, acr_values=iter(["a", "b"]))
    assert (step_up.max_age, step_up.acr_values) == (60, ("a", "b"))
    assert (StepUpRequired().max_age, StepUpRequired().acr_values) == (None, ())
    assert InsufficientScope("d", required=iter(["x"])).required == ("x",)
    assert InsufficientScope().required == ()
    assert (KeysUnavailable().retry_after, KeysUnavailable(retry_after=9).retry_after) == (5, 9)


def test_nothing_presented_is_not_a_bad_token():
    """So that a guard can tell an anonymous caller from an attacker."""
    assert not issubclass(CredentialsMissing, TokenInvalid)
    assert not issubclass(StepUpRequired, TokenInvalid)
    assert not issubclass(Unavailable, Refused)
    assert not issubclass(ConfigError, Refused)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_errors_survive_a_pickle(kind):
    """Task queues and process pools pickle exceptions."""
    copy = pickle.loads(pickle.dumps(kind("for the log")))
    assert (type(copy), copy.detail, str(copy)) == (kind, "for the log", str(kind("for the log")))
