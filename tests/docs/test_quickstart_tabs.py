"""Each program of docs/quickstart.md runs as it stands, in a process of its own, and answers what the page says."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from docs.pages import ROOT

PAGE = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
TAB = re.compile(r"<summary><b>(?P<name>[^<]+)</b></summary>.*?```python\n(?P<program>.*?)```", re.DOTALL)
TABS = {found["name"]: found["program"] for found in TAB.finditer(PAGE)}
ASKED = [
    # (path, claims of the token; None for no token, "forged" for one of a stranger)
    ("/me", None),
    ("/t/acme/orders", None),
    ("/me", {"tenant_id": "acme", "scope": "orders:read"}),
    ("/t/acme/orders", {"tenant_id": "acme", "scope": "orders:read"}),
    ("/t/acme/orders", {"tenant_id": "acme"}),
    ("/t/acme/orders", {"tenant_id": "evil", "scope": "orders:read"}),
    ("/me", "forged"),
]
BARE = 'Bearer realm="api"'
LACKS = (
    f'{BARE}, error="insufficient_scope", error_description="The access token does not carry the required scope.", '
    'scope="orders:read"'
)
INVALID = f'{BARE}, error="invalid_token", error_description="The access token is invalid."'
ANSWERS = [
    (401, BARE, None),
    (401, BARE, None),
    (200, None, {"subject": "ada"}),
    (200, None, ["an order of acme"]),
    (403, LACKS, None),
    (404, None, None),
    (401, INVALID, None),
]
ASKING = """
import inspect, json, sys
from fastapi.testclient import TestClient
from werkzeug.test import Client
from bearerkit.testing import FakeIssuer

issuer, stranger = (FakeIssuer("https://id.example.com", audience="orders-api") for _ in range(2))
ask = TestClient(app).get if inspect.iscoroutinefunction(getattr(app, "__call__", app)) or inspect.iscoroutinefunction(
    app) else Client(app).get
answers = []
with issuer.connect(auth):
    for path, claims in json.loads(sys.argv[1]):
        signer, claims = (stranger, {}) if claims == "forged" else (issuer, claims)
        headers = {} if claims is None else {"Authorization": f"Bearer {signer.token(sub='ada', **claims)}"}
        answer = ask(path, headers=headers)
        body = json.loads(answer.text) if answer.status_code == 200 else None
        answers.append([answer.status_code, answer.headers.get("WWW-Authenticate"), body])
print(json.dumps(answers))
"""


def test_every_adapter_has_its_program():
    """Eight of them, all different."""
    assert len(set(TABS.values())) == len(TABS) == 8


@pytest.mark.slow
@pytest.mark.parametrize("name", TABS)
def test_a_program_answers_what_the_page_says(name: str):
    """The same questions to each, and the same answers."""
    command = [sys.executable, "-W", "error", "-c", TABS[name] + ASKING, json.dumps(ASKED)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr[-3_000:]
    assert [tuple(answer) for answer in json.loads(result.stdout)] == ANSWERS
