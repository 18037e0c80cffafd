"""Access logs of real servers hold no credential with the recipes of docs/logging.md, and would without them."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
SECRET = "S3cr3tT0kenValue42"
PATIENCE = 30
PATHS = [
    f"/plain?access_token={SECRET}&page=2",
    f"/encoded-name?access%5Ftoken={SECRET}&page=2",
    f"/encoded-value?access_token=%53{SECRET[1:]}&page=2",
    f"/nested?next=https%3A%2F%2Fx%3Faccess_token%3D{SECRET}",
]
GUNICORN = "from adapters.logged_app import gunicorn_worker as post_worker_init\n"


def command(server: str, port: int, folder: Path) -> list[str]:
    if server != "gunicorn":
        return [sys.executable, "-c", f"from adapters import logged_app; logged_app.{server}_main()"]
    config = folder / "gunicorn.conf.py"
    config.write_text(GUNICORN)
    run = [sys.executable, "-m", "gunicorn", "--config", str(config), "--bind", f"127.0.0.1:{port}"]
    return [*run, "--access-logfile", "-", "adapters.logged_app:wsgi_app"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def logged(server: str, folder: Path, *, redacts: bool) -> str:
    """All that the server wrote while it was asked for `PATHS`."""
    port, log = free_port(), folder / "log"
    environment = {**os.environ, "PORT": str(port), "PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1"}
    environment["BEARERKIT_TEST_REDACTS"] = "1" if redacts else "0"
    with log.open("w") as output:
        child = subprocess.Popen(command(server, port, folder), env=environment, stdout=output, stderr=output)
    try:
        for path in PATHS:
            assert ask(port, path) == 200
        deadline = time.monotonic() + PATIENCE
        while log.read_text().count("nested") == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        return log.read_text()
    finally:
        child.terminate()
        child.wait(PATIENCE)


def ask(port: int, path: str) -> int:
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {SECRET}"})
            return connection.getresponse().status
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        finally:
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("server", ["uvicorn", "gunicorn", "werkzeug"])
def test_the_access_log_holds_no_credential(server: str, tmp_path: Path) -> None:
    """Each request has its line, with method, path, other parameters and status."""
    text = logged(server, tmp_path, redacts=True)
    assert SECRET[1:] not in text
    for path in PATHS:
        (line,) = [line for line in text.splitlines() if path.split("?")[0] in line]
        assert "GET" in line
        assert "[redacted]" in line
        assert "200" in line
    assert text.count("page=2") == 3


@pytest.mark.slow
@pytest.mark.parametrize("server", ["uvicorn", "gunicorn", "werkzeug"])
def test_without_the_filter_it_would(server: str, tmp_path: Path) -> None:
    """So the test above sees what it must not see."""
    assert SECRET in logged(server, tmp_path, redacts=False)
