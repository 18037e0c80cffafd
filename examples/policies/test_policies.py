"""Tests of the example as its team would write them: one policy, asked through each service.

Django's settings exist once in a process, so that it has a process of its own, which runs this file again.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bearerkit.cli import main
from bearerkit.testing import FakeIssuer, as_user

HERE = Path(__file__).parent
ALONE = os.environ.get("ENVOI_FRAMEWORK")
"""The framework that has this process for itself."""
RUNNER, ELSEWHERE = "10.20.3.4", "203.0.113.9"
FREEZE = {"sid": "freeze", "effect": "deny", "actions": ["envoi.*"], "resources": ["*"]}


@pytest.fixture(scope="module")
def envoi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The folder as it is when its services run in it, with a store of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENVOI_STORE", f"sqlite:///{tmp_path_factory.mktemp('envoi') / 'policies.sqlite3'}")
        patch.syspath_prepend(HERE)
        known = set(sys.modules)
        module = importlib.import_module("envoi")
        yield module
        module.engine.dispose()
        for name in {*sys.modules} - known:
            if name == "envoi" or name.endswith("_app"):
                del sys.modules[name]


@pytest.fixture(scope="module")
def issuer(envoi: Any) -> Iterator[FakeIssuer]:
    fake = FakeIssuer("http://127.0.0.1:9400", audience="envoi")
    with fake.connect(envoi.auth):
        yield fake


@pytest.fixture(params=[ALONE] if ALONE else ["starlette", "fastapi", "flask"])
def post(request: pytest.FixtureRequest, envoi: Any) -> Any:
    """`post(path, headers=…)` of the framework's own test client, which is the proxy 127.0.0.1."""
    envoi.publish()
    app = importlib.import_module(f"{request.param}_app").app
    match request.param:
        case "flask":
            return app.test_client().post
        case "django":
            from django.test import Client

            return Client(SERVER_NAME="localhost").post
        case _:
            from starlette.testclient import TestClient

            return TestClient(app, client=("127.0.0.1", 50_000)).post


@pytest.fixture
def headers(issuer: FakeIssuer) -> dict[str, str]:
    """A pipeline's."""
    return {"Authorization": f"Bearer {issuer.token(sub='build-7', roles=['ci'], tenant_id='acme')}"}


@pytest.fixture
def reasons(caplog: pytest.LogCaptureFixture) -> Any:
    """What operators read, as far as it is a stable code."""
    caplog.set_level(logging.INFO, "bearerkit.auth")
    return lambda: [line.split(": ")[1] for line in caplog.messages if line.startswith("refused: ")]


def test_a_pipeline_sends(post: Any, headers: dict[str, str]):
    answer = post("/templates/1/send", headers=headers)
    assert (answer.status_code, json.loads(answer.text)) == (200, {"sent": "1", "by": "build-7"})


def test_others_do_not(post: Any, issuer: FakeIssuer, reasons: Any):
    for claims in ({"roles": ["guest"], "tenant_id": "acme"}, {"roles": ["ci"], "tenant_id": "evil"}):
        answer = post("/templates/1/send", headers={"Authorization": f"Bearer {issuer.token(**claims)}"})
        assert (answer.status_code, json.loads(answer.text)["detail"]) == (403, "You are not allowed to do this.")
    assert reasons() == ["implicit_deny", "implicit_deny"]


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [(RUNNER, 200), (ELSEWHERE, 403), (f"{ELSEWHERE}, {RUNNER}", 200), (f"{RUNNER}, {ELSEWHERE}", 403), (None, 403)],
)
def test_the_address_behind_the_proxy_decides(
    post: Any, headers: dict[str, str], reasons: Any, forwarded: str | None, status: int
):
    came_from = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert post("/templates/prod-1/send", headers=headers | came_from).status_code == status
    assert reasons() == ([] if status == 200 else ["explicit_deny"])


def test_a_change_counts_from_the_next_request_on(envoi: Any, post: Any, headers: dict[str, str], reasons: Any):
    assert post("/templates/1/send", headers=headers).status_code == 200
    envoi.store.put("acme", "ci-deploy", [*envoi.content("ci-deploy.json"), FREEZE])
    assert post("/templates/1/send", headers=headers).status_code == 403
    envoi.publish()
    assert post("/templates/1/send", headers=headers).status_code == 200
    envoi.store.unbind("acme", "ci-deploy", role="ci")
    assert post("/templates/1/send", headers=headers).status_code == 403
    assert reasons() == ["explicit_deny", "implicit_deny"]


def test_a_policy_for_one_test(envoi: Any, post: Any):
    """Where the test is about the handler: no token, no store."""
    one = {"effect": "allow", "actions": ["envoi.template.send"], "resources": ["pcft:envoi:template/1"]}
    with as_user(envoi.auth, sub="ada", policy=[one]):
        assert json.loads(post("/templates/1/send").text) == {"sent": "1", "by": "ada"}
        assert post("/templates/2/send").status_code == 403


@pytest.mark.slow
def test_the_same_in_a_process_of_its_own():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "django"]
    environ = os.environ | {"ENVOI_FRAMEWORK": "django"}
    result = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_commands_of_the_readme(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """They end well and print what it says."""
    monkeypatch.chdir(HERE)
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    lines = [line.removeprefix("$ bearerkit ") for line in readme.splitlines() if line.startswith("$ bearerkit policy")]
    assert {line.split()[1] for line in lines} == {"check", "explain", "test"}
    for line in lines:
        expected = 1 if "prod-1" in line else 0
        assert main(line.split()) == expected, line
        assert f"$ bearerkit {line}\n{capsys.readouterr().out}" in readme
