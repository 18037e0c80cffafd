"""Logs of real servers hold no credential with the recipes of docs/logging.md, stay readable, and would hold them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.logged_app import recipe

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parents[1]
SECRET = "S3cr3tT0kenValue42"
JWS = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
PATIENCE = 60
"""Seconds for an answer, or a line, on a busy machine."""
QUERIES: Mapping[str, str] = {
    "plain": f"access_token={SECRET}&page=2",
    "name": f"access%5Ftoken={SECRET}&page=2",
    "letter": f"%61ccess_token={SECRET}&page=2",
    "value": f"access_token=%53{SECRET[1:]}%26x&page=2",
    "nested": f"page=2&next=https%3A%2F%2Fx%3Faccess_token%3D{SECRET}%26sort%3D1",
    "bearer": f"page=2&q=Bearer%20{SECRET}",
    "jws": f"page=2&q={JWS}",
    "quote": f"page=2&token='{SECRET}",
    "hidden": f"page=2&cookie:%20a={SECRET};b=",
}
"""What clients ask for, by the path that they ask."""
SERVERS = ["Uvicorn", "Gunicorn", "Hypercorn", "Django", "Flask"]
FORMAT = '"%(R)s" %(s)s'
"""Of Hypercorn, which shows no query otherwise."""


def command(server: str, folder: Path, text: str, descriptor: int) -> list[str]:
    if server == "Gunicorn":
        from gunicorn.config import KNOWN_SETTINGS

        # Newer versions open a control socket in the home directory unless told not to.
        controlled = any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS)
        config = folder / "gunicorn.conf.py"
        config.write_text(f"{text}\ncontrol_socket_disable = True\n" if controlled else text, encoding="utf-8")
        served = ["--config", str(config), "--bind", f"fd://{descriptor}", "adapters.logged_app:wsgi_app"]
        return [sys.executable, "-m", "gunicorn", *served]
    if server == "Hypercorn":
        config = folder / "hypercorn_config.py"
        config.write_text(f"{text}\naccess_log_format = {FORMAT!r}\n", encoding="utf-8")
        served = ["--config", f"file:{config}", "--bind", f"fd://{descriptor}", "--workers", "0"]
        return [sys.executable, "-m", "hypercorn", *served, "adapters.logged_app:asgi_app"]
    return [sys.executable, "-c", f"from adapters import logged_app; logged_app.run({server!r})"]


def ask(port: int, path: str) -> int:
    """The status of the answer; the request is sent as it is written."""
    lines = [f"GET {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {SECRET}", "Connection: close"]
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with connection.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            answer.read()
    return status


def logged(server: str, folder: Path, *, redacts: bool) -> str:
    """All that a server wrote while it was asked for `QUERIES`, and for something that fails."""
    text, log = recipe(server, redacts=redacts), folder / "log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            command(server, folder, text, listener.fileno()),
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]), "PYTHONUNBUFFERED": "1"}
            | {"TEST_RECIPE": text, "TEST_SOCKET": str(listener.fileno())},
            pass_fds=[listener.fileno()],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            assert [ask(port, f"/{path}?{query}") for path, query in QUERIES.items()] == [200] * len(QUERIES)
            assert ask(port, f"/fail?access_token={SECRET}") == 500
            return awaited(log, "ValueError", *QUERIES)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(PATIENCE)
            print(log.read_text(encoding="utf-8"))


def awaited(log: Path, *words: str) -> str:
    """The log, once these words stand in it."""
    deadline = time.monotonic() + PATIENCE
    while not all(word in (text := log.read_text(encoding="utf-8")) for word in words):
        assert time.monotonic() < deadline, "the server did not log all that it was asked"
        time.sleep(0.05)
    return text


@pytest.mark.parametrize("server", SERVERS)
def test_the_logs_hold_no_credential(server: str, tmp_path: Path):
    """Each request has its line with method, path, other parameters and status, and a failure has its traceback."""
    text = logged(server, tmp_path, redacts=True)
    assert SECRET[1:] not in text
    assert JWS[:20] not in text
    for path in QUERIES:
        (line,) = (line for line in text.splitlines() if f"/{path}?" in line)
        assert f"GET /{path}?" in line
        assert "page=2" in line
        assert "[redacted]" in line
        assert "200" in line.partition("?")[2], line
    assert "Traceback (most recent call last)" in text
    assert "ValueError: cannot read access_token=[redacted]" in text


@pytest.mark.parametrize("server", SERVERS)
def test_without_the_filter_they_would(server: str, tmp_path: Path):
    """The same recipe with a filter that does nothing: so the test above sees what it must not see."""
    text = logged(server, tmp_path, redacts=False)
    assert f"GET /plain?{QUERIES['plain']}" in text
    assert f"ValueError: cannot read access_token={SECRET}" in text
