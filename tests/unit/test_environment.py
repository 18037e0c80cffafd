"""`Auth.from_env`: documented variables, and every unknown, missing or broken one named at once."""

from __future__ import annotations

import os

import pytest

from bearerkit import ANY, Auth, ConfigError
from bearerkit.environment import VARIABLES, settings_from
from bearerkit.verify.issuer import IssuerSettings

GOOD = {"BEARERKIT_ISSUER": "https://id.example.com", "BEARERKIT_AUDIENCE": "orders-api"}


def read(**more: str) -> tuple[IssuerSettings, dict[str, object]]:
    return settings_from({**GOOD, **{f"BEARERKIT_{name}": value for name, value in more.items()}})


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        settings_from(environ)
    return caught.value.problems


def test_the_smallest_environment():
    """Issuer and audience; everything else has the defaults of the constructor."""
    issuer, options = read()
    assert (issuer.name, issuer.audience, options) == ("https://id.example.com", {"orders-api"}, {})


def test_everything():
    """Each variable reaches its setting."""
    issuer, options = read(
        AUDIENCE="a, b c",
        METADATA_URL="https://id.example.com/meta",
        HOSTS="keys.example.com other.example.com",
        ALGORITHMS="ES256,RS256",
        TOKEN_TYPE="id",
        CLIENTS="web",
        LEEWAY="5",
        LIFETIME_MAX="600",
        CA_FILE="/etc/ca.pem",
        ALLOW_HTTP="Yes",
        PROXY="http://proxy:3128",
        REALM="orders",
        RESOURCE_METADATA="https://api.example.com/.well-known/oauth-protected-resource",
    )
    assert issuer.audience == {"a", "b", "c"}
    assert issuer.algorithms == {"ES256", "RS256"}
    assert issuer.rules.clients == {"web"}
    assert (issuer.rules.leeway, issuer.rules.lifetime_max, issuer.rules.token_type) == (5, 600, "id")
    assert issuer.location.metadata_url == "https://id.example.com/meta"
    assert issuer.location.hosts == ("keys.example.com", "other.example.com")
    network = issuer.location.network
    assert (network.ca_file, network.allow_http, network.proxy) == ("/etc/ca.pem", True, "http://proxy:3128")
    assert options == {
        "realm": "orders",
        "resource_metadata": "https://api.example.com/.well-known/oauth-protected-resource",
    }


def test_sentinels_are_spelled():
    """ANY and NO_ISSUER, in capitals and alone."""
    issuer, _ = read(AUDIENCE="ANY", ISSUER="NO_ISSUER", JWKS_URI="https://id.example.com/k")
    assert (issuer.audience, issuer.without_issuer) == (None, True)
    assert read(AUDIENCE="any")[0].audience == {"any"}
    assert read(AUDIENCE="ANY,x")[0].audience == {"ANY", "x"}
    assert ANY is not None


@pytest.mark.parametrize(
    ("encoding", "secret"), [(None, "s" * 32), ("raw", "s" * 32), ("hex", "ab" * 32), ("base64url", "A" * 43)]
)
def test_a_shared_secret(encoding, secret):
    """It makes an HS256 issuer, and stands nowhere but in its key."""
    more = {} if encoding is None else {"SHARED_SECRET_ENCODING": encoding}
    issuer, options = read(SHARED_SECRET=secret, **more)
    assert issuer.algorithms == {"HS256"}
    assert secret not in f"{issuer!r}{options}{issuer.static_keys!r}"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("False", False), ("no", False)],
)
def test_flags(text, value):
    """Six words, in any case."""
    assert read(ALLOW_HTTP=text)[0].location.network.allow_http is value


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"BEARERKIT_AUDIANCE": "x"}, "did you mean BEARERKIT_AUDIENCE?"),
        ({"BEARERKIT_XYZZY": "x"}, "BEARERKIT_XYZZY is unknown"),
        ({"BEARERKIT_": "x"}, "BEARERKIT_ is unknown"),
        ({"BEARERKIT_AUTHORITY": "x"}, "BEARERKIT_AUTHORITY is unknown"),
        ({"BEARERKIT_AUTH_AUDIENCE": "x"}, "is unknown"),
        ({"BEARERKIT_issuer": "x"}, "is unknown"),
        ({"BEARERKIT_ALLOW_HTTP": "maybe"}, "must be true or false"),
        ({"BEARERKIT_ALLOW_HTTP": ""}, "must be true or false"),
        ({"BEARERKIT_LEEWAY": "soon"}, "BEARERKIT_LEEWAY"),
        ({"BEARERKIT_LEEWAY": "nan"}, "BEARERKIT_LEEWAY must be 0 to 300"),
        ({"BEARERKIT_LEEWAY": "1e9"}, "BEARERKIT_LEEWAY must be 0 to 300"),
        ({"BEARERKIT_LIFETIME_MAX": "inf"}, "BEARERKIT_LIFETIME_MAX must be"),
        ({"BEARERKIT_AUDIENCE": ""}, "BEARERKIT_AUDIENCE must be"),
        ({"BEARERKIT_AUDIENCE": " , "}, "BEARERKIT_AUDIENCE must be"),
        ({"BEARERKIT_ISSUER": ""}, "BEARERKIT_ISSUER must be"),
        ({"BEARERKIT_CLIENTS": ""}, "BEARERKIT_CLIENTS must be"),
        ({"BEARERKIT_ALGORITHMS": ""}, "BEARERKIT_ALGORITHMS must not be empty"),
        ({"BEARERKIT_ALGORITHMS": "none"}, "BEARERKIT_ALGORITHMS: algorithm 'none' is unknown"),
        ({"BEARERKIT_ALGORITHMS": "HS256"}, "BEARERKIT_ALGORITHMS: HS256 needs"),
        ({"BEARERKIT_JWKS_URI": ""}, "BEARERKIT_JWKS_URI cannot be fetched"),
        ({"BEARERKIT_TOKEN_TYPE": "refresh"}, "BEARERKIT_TOKEN_TYPE='refresh' is unknown"),
        ({"BEARERKIT_SHARED_SECRET": "short-s3cr3t"}, "BEARERKIT_SHARED_SECRET has"),
        ({"BEARERKIT_SHARED_SECRET": "", "BEARERKIT_SHARED_SECRET_ENCODING": "raw"}, "BEARERKIT_SHARED_SECRET has"),
        ({"BEARERKIT_SHARED_SECRET": "s" * 40, "BEARERKIT_SHARED_SECRET_ENCODING": "base32"}, "base32"),
        (
            {"BEARERKIT_SHARED_SECRET": "s" * 40, "BEARERKIT_JWKS_URI": "https://id.example.com/k"},
            "BEARERKIT_SHARED_SECRET and BEARERKIT_JWKS_URI exclude each other",
        ),
        ({"BEARERKIT_SHARED_SECRET_ENCODING": "hex"}, "BEARERKIT_SHARED_SECRET"),
        ({"BEARERKIT_ISSUER": "orders"}, "give BEARERKIT_METADATA_URL=, BEARERKIT_JWKS_URI= or keys="),
        ({"BEARERKIT_ISSUER": "https://login.microsoftonline.com/common/v2.0"}, "BEARERKIT_ISSUER: no token is ever"),
        ({"BEARERKIT_ISSUER": "https://id.example.com/{tid}"}, "BEARERKIT_ISSUER: placeholder"),
        ({"BEARERKIT_JWKS_URI": "http://id.example.com/k"}, "Network(BEARERKIT_ALLOW_HTTP=True)"),
        ({"BEARERKIT_JWKS_URI": "k", "BEARERKIT_METADATA_URL": "m"}, "BEARERKIT_METADATA_URL cannot be fetched"),
        ({"BEARERKIT_DEV_KEY": "x"}, "BEARERKIT_DEV_KEY is unknown"),
        ({"BEARERKIT_PROXY": "socks5://proxy"}, "BEARERKIT_PROXY"),
    ],
    ids=str,
)
def test_a_problem_is_told(more, words):
    """Each names the variable that has to change; no secret is quoted."""
    found = problems({**GOOD, **more})
    assert any(words in problem for problem in found), found
    assert all("BEARERKIT_" in problem and "Issuer(" not in problem for problem in found), found
    assert not any("s3cr3t" in problem for problem in found)


def test_missing_and_unknown_together():
    """All at once."""
    found = problems({"BEARERKIT_ISUER": "x", "BEARERKIT_LEEWAY": "x"})
    assert len(found) == 4
    assert "BEARERKIT_ISSUER is missing" in found
    assert "BEARERKIT_AUDIENCE is missing" in found


def test_other_variables_are_left_alone():
    """Foreign names, and those of the test suite and the Django adapter."""
    foreign = {
        "PATH": "x",
        "bearerkit_x": "x",
        "BEARERKIT": "x",
        "XBEARERKIT_Y": "x",
        "BEARERKIT_AUTH": "proj.auth.auth",
    }
    foreign |= {"BEARERKIT_TEST_STRICT": "1", "BEARERKIT_VECTORS": "vectors", "ORDERS_ISSUER": "x"}
    settings_from({**GOOD, **foreign})


def test_an_auth_is_built(monkeypatch):
    """From a mapping, or from the real environment."""
    auth = Auth.from_env({**GOOD, "BEARERKIT_REALM": "orders"})
    assert auth.challenge.realm == "orders"
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    assert Auth.from_env().issuers[0].name == "https://id.example.com"
    monkeypatch.setenv("BEARERKIT_TYPO", "x")
    with pytest.raises(ConfigError):
        Auth.from_env()


def test_every_variable_is_described():
    """No two variables set the same thing, and none is without words for the documentation."""
    assert all(description and callable(reader) for _, reader, description in VARIABLES.values())
    settings = [setting for setting, _, _ in VARIABLES.values()]
    assert len(set(settings)) == len(settings)


@pytest.mark.parametrize("before", [None, "https://orders.example.com"])
def test_the_demo_leaves_the_environment_as_it_was(before, monkeypatch):
    """It configures its service through a variable that is not one of ours, and takes it back."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    pytest.importorskip("rich")
    from bearerkit.demo.run import ISSUER_VARIABLE, _app_for

    assert not ISSUER_VARIABLE.startswith("BEARERKIT_")
    monkeypatch.delenv(ISSUER_VARIABLE, raising=False)
    if before is not None:
        monkeypatch.setenv(ISSUER_VARIABLE, before)
    _app_for("http://127.0.0.1:9500")
    from bearerkit.demo import app as service

    assert service.auth.issuers[0].name == "http://127.0.0.1:9500"
    assert os.environ.get(ISSUER_VARIABLE) == before
