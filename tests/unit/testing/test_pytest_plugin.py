"""The pytest plugin, run by pytest inside pytest; each inner run is a process of its own, as in a user's project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import bearerkit

PACKAGE_ROOT = str(Path(bearerkit.__file__).parents[1])


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project that has the plugin, whether or not bearerkit is installed as a distribution."""
    monkeypatch.setenv("PYTHONPATH", PACKAGE_ROOT)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


def outcome(project: pytest.Pytester, source: str, **expected: int) -> pytest.RunResult:
    project.makepyfile(source)
    result = project.runpytest_subprocess("-p", "bearerkit.testing.plugin", "-W", "error")
    result.assert_outcomes(**expected)
    return result


def test_issuer_is_a_fake_issuer_anew_for_each_test(project: pytest.Pytester) -> None:
    outcome(
        project,
        """
        from bearerkit.testing import FakeIssuer

        seen = []

        def test_one(issuer):
            assert isinstance(issuer, FakeIssuer)
            assert (issuer.issuer, issuer.audience) == ("https://id.example.test", None)
            seen.append(issuer)

        def test_two(issuer):
            assert seen[0] is not issuer
            assert seen[0].key.private is not issuer.key.private
        """,
        passed=2,
    )


def test_ini_options_say_which_issuer_and_audience(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nbearerkit_issuer = https://id.example.com/\nbearerkit_audience = orders-api\n")
    outcome(
        project,
        """
        import jwt

        def test_it(issuer, make_token):
            claims = jwt.decode(make_token(), options={"verify_signature": False})
            assert (claims["iss"], claims["aud"]) == ("https://id.example.com/", "orders-api")
        """,
        passed=1,
    )


def test_make_token_breaks_one_thing_at_a_time(project: pytest.Pytester) -> None:
    """Every shorthand, judged by another library: the good token passes and each broken one fails for its reason."""
    outcome(
        project,
        """
        import base64
        import json
        import time

        import jwt
        import pytest
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        def header(token):
            return jwt.get_unverified_header(token)

        @pytest.fixture
        def decode(issuer):
            key = jwt.PyJWK(issuer.jwks["keys"][0])
            return lambda token: jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False})

        def test_good(make_token, decode):
            claims = decode(make_token({"urn:x": 1}, sub="u1", scope="a b", tenant_id=None))
            assert (claims["sub"], claims["scope"], claims["urn:x"]) == ("u1", "a b", 1)
            assert "tenant_id" not in claims

        def test_expired(make_token, decode):
            with pytest.raises(jwt.ExpiredSignatureError):
                decode(make_token(expired=True))

        def test_not_yet(make_token, decode):
            with pytest.raises(jwt.ImmatureSignatureError):
                decode(make_token(not_yet=True))

        def test_wrong_key_hides_behind_the_known_kid(make_token, decode, issuer):
            token = make_token(wrong_key=True)
            assert header(token)["kid"] == issuer.key.kid
            with pytest.raises(jwt.InvalidSignatureError):
                decode(token)

        def test_kid(make_token, decode):
            assert header(make_token(kid="unknown"))["kid"] == "unknown"
            assert "kid" not in header(make_token(kid=None))

        def test_alg_none(make_token):
            token = make_token(alg="none")
            assert header(token)["alg"] == "none"
            assert token.endswith(".")

        def test_alg_confusion(make_token, issuer):
            token = make_token(alg="HS256")
            assert header(token)["alg"] == "HS256"

        def test_headers(make_token):
            token = make_token(headers={"typ": "JWT"}, kid="k")
            assert (header(token)["typ"], header(token)["kid"]) == ("JWT", "k")

        def test_claims_win_over_the_times_of_a_shorthand(make_token):
            claims = jwt.decode(make_token(expired=True, exp=7), options={"verify_signature": False})
            assert claims["exp"] == 7
        """,
        passed=9,
    )


AS_USER = """
import pytest
from bearerkit import Auth, Issuer, scope
from bearerkit.errors import CredentialsMissing, InsufficientScope
from bearerkit.http import Headers, Request

auth = Auth(Issuer("https://id.example.com", audience="orders-api"))

def request():
    return Request("GET", "/orders", Headers())
"""


def test_as_user_lasts_until_the_test_ends(project: pytest.Pytester) -> None:
    outcome(
        project,
        AS_USER
        + """
def test_acting(as_user):
    acting = as_user(auth, sub="u1", scopes=["orders:read"])
    assert auth.authorize(request(), scope("orders:read")).subject == acting.identity.subject == "u1"
    with pytest.raises(InsufficientScope):
        auth.authorize(request(), scope("orders:write"))

def test_over():
    with pytest.raises(CredentialsMissing):
        auth.authorize(request())
""",
        passed=2,
    )


def test_as_user_in_a_with_statement_ends_with_the_block(project: pytest.Pytester) -> None:
    outcome(
        project,
        AS_USER
        + """
def test_blocks(as_user):
    as_user(auth, sub="outer")
    with as_user(auth, sub="inner") as identity:
        assert auth.authorize(request()).subject == identity.subject == "inner"
    assert auth.authorize(request()).subject == "outer"
""",
        passed=1,
    )


def test_as_user_takes_a_policy_for_one_user(project: pytest.Pytester) -> None:
    outcome(
        project,
        """
import pytest
from bearerkit import Auth, Issuer, can
from bearerkit.errors import PermissionDenied
from bearerkit.http import Headers, Request

auth = Auth(Issuer("https://id.example.com", audience="orders-api"))
need = can("orders.read", "orders/1")

def test_the_next_user_has_none_of_it(as_user):
    as_user(auth, sub="ada", policy=[{"effect": "allow", "actions": ["*"], "resources": ["*"]}])
    assert auth.authorize(Request("GET", "/", Headers()), need).subject == "ada"
    as_user(auth, sub="bob")
    with pytest.raises(PermissionDenied):
        auth.authorize(Request("GET", "/", Headers()), need)
""",
        passed=1,
    )


def test_a_project_may_define_its_own_issuer(project: pytest.Pytester) -> None:
    outcome(
        project,
        """
        import jwt
        import pytest
        from bearerkit.testing import FakeIssuer, FrozenClock

        @pytest.fixture
        def issuer():
            return FakeIssuer("https://mine.test", alg="ES256", clock=FrozenClock(1_000_000))

        def test_it(make_token):
            token = make_token(expired=True)
            claims = jwt.decode(token, options={"verify_signature": False})
            assert (claims["iss"], claims["exp"]) == ("https://mine.test", 1_000_000 - 3300)
        """,
        passed=1,
    )


def test_the_fixtures_are_documented_where_pytest_lists_them(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("-p", "bearerkit.testing.plugin", "--fixtures")
    result.stdout.fnmatch_lines(["*fixtures defined from bearerkit.testing.plugin*"])
    assert "no docstring available" not in result.stdout.str()


def test_loading_the_plugin_imports_neither_the_core_nor_cryptography() -> None:
    """What a plugin imports is not measured by coverage, and every pytest run of every project would pay for it."""
    code = """
import sys, bearerkit.testing.plugin
print(sorted(name for name in sys.modules if name.startswith(("bearerkit", "jwt", "cryptography", "anyio"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": PACKAGE_ROOT}
    )
    assert done.stdout.strip() == str(["bearerkit", "bearerkit.testing", "bearerkit.testing.plugin"])
