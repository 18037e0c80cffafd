"""`bearerkit demo` as users run it: a process of its own, real HTTP on loopback, output on a pipe."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

import pytest

import bearerkit
from bearerkit import cli
from bearerkit.demo import run_demo
from bearerkit.demo import walk as demo_walk
from bearerkit.http import Response
from bearerkit.testing import FakeIssuer

pytestmark = pytest.mark.slow
PACKAGE_ROOT = str(Path(bearerkit.__file__).parents[1])
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


@contextmanager
def demo(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bearerkit", "demo", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT, "PYTHONWARNINGS": "error", **environment},
    )
    guard = threading.Timer(90, process.kill)
    guard.start()
    try:
        yield process
    finally:
        guard.cancel()
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def once() -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one walk, in an environment that asks for colours."""
    with demo("--once", FORCE_COLOR="1", TTY_COMPATIBLE="1") as process:
        out, err = process.communicate()
        return process.returncode, out, err


def test_the_walk_passes(once: tuple[int, str, str]) -> None:
    code, out, err = once
    assert err == ""
    assert "All 13 answers were as expected." in out
    assert code == 0


def test_on_a_pipe_it_is_plain_text_of_width_100(once: tuple[int, str, str]) -> None:
    _, out, _ = once
    assert "\x1b" not in out
    assert max(len(line) for line in out.splitlines()) <= 100
    assert [line for line in out.splitlines() if line != line.rstrip()] == []


def test_each_step_shows_request_answer_and_why(once: tuple[int, str, str]) -> None:
    """The titles in order, and the things that nobody could guess: challenge, body, and the operator's reason."""
    _, out, _ = once
    titles = [line.split(" -")[0] for line in out.splitlines() if re.match(r"\d+\. ", line)]
    assert titles == [f"{number}. {step.title}" for number, step in enumerate(demo_walk.steps(FakeIssuer()), 1)]
    steps = re.split(r"(?m)^\d+\. .*$", out)[1:]
    assert all("request" in step and "answer" in step and "why" in step for step in steps)
    shown = [" ".join(step.split()) for step in steps]
    assert 'WWW-Authenticate: Bearer realm="api" {' in shown[0]
    assert "200 OK" in shown[1]
    assert 'error="invalid_token", error_description="The access token has expired."' in shown[2]
    assert "refused: expired:" in shown[2]
    assert "billing-api" in shown[3]
    assert 'scope="orders:read"' in shown[6]
    assert "404 Not Found" in shown[8]
    assert "WWW-Authenticate" not in shown[8]


def test_no_token_is_shown_in_the_walk(once: tuple[int, str, str]) -> None:
    assert TOKEN.findall("".join(once[1:])) == []


def test_a_terminal_that_cannot_show_a_character_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from bearerkit.demo.screen import Screen

    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    step = demo_walk.Step(title="Señor", path="/", presents="", token=None, status=200, why="naïve")
    Screen().step(1, step, Response(200, (), "…".encode()), ["é"])
    assert b"1. Se?or" in written.getvalue()
    assert b"na?ve" in written.getvalue()


def test_the_issuer_is_up_again_after_the_walk() -> None:
    """Whoever tries the service by hand afterwards must not meet the outage of the walk."""
    issuer = FakeIssuer()
    assert [issuer.is_down for _ in demo_walk.steps(issuer)] == [False] * 11 + [True] * 2
    assert not issuer.is_down


def read_until(stream: IO[str] | None, text: str) -> str:
    assert stream is not None
    lines = []
    for line in stream:
        lines.append(line)
        if text in line:
            return "".join(lines)
    pytest.fail(f"the demo ended before it said {text!r}: {''.join(lines)[-2000:]}")


def get(base_url: str, path: str, token: str | None) -> tuple[int, bytes]:
    connection = HTTPConnection(base_url.removeprefix("http://"), timeout=20)
    try:
        connection.request("GET", path, headers={} if token is None else {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_up_with_a_token_to_paste_until_it_is_stopped(number: signal.Signals) -> None:
    with demo() as process:
        out = read_until(process.stdout, "Ctrl-C stops")
        [token] = TOKEN.findall(out)
        [base_url] = re.findall(r"Try it yourself: (http://127\.0\.0\.1:\d+)/docs", out)
        assert get(base_url, "/docs", None)[0] == 200
        assert get(base_url, "/tenants/acme/orders", token)[0] == 200
        assert get(base_url, "/orders", None)[0] == 401
        process.send_signal(number)
        rest, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        assert rest.strip() == "Stopped."


# In this process


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    return lambda: capsys.readouterr().out


def test_a_taken_port_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["demo", "--once", "--port", str(port)]) == 1
    assert capsys.readouterr() == ("", f"bearerkit: port {port} is taken; choose another one with --port\n")


def test_it_runs_twice_in_one_process(said: Callable[[], str]) -> None:
    """The second run has another issuer, and its service must trust that one."""
    for _ in range(2):
        assert run_demo(port=0, once=True) == 0
        assert "as expected" in said()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"status": 200}, "expected status 200"),
        ({"reason": "expired"}, "expected reason expired, the log says credentials_missing"),
        ({"error": "invalid_token"}, 'expected a challenge with error="invalid_token"'),
        ({"status": 404}, "expected no challenge"),
    ],
)
def test_an_answer_that_is_not_the_expected_one_is_exit_code_1(
    change: dict[str, Any], complaint: str, monkeypatch: pytest.MonkeyPatch, said: Callable[[], str]
) -> None:
    real = demo_walk.steps

    def first_step_only(issuer: FakeIssuer) -> Iterator[demo_walk.Step]:
        from dataclasses import replace

        yield replace(next(real(issuer)), **change)

    monkeypatch.setattr("bearerkit.demo.run.steps", first_step_only)
    assert run_demo(port=0, once=True) == 1
    out = said()
    assert f"WRONG     {complaint}" in out
    assert "1 of 1 answers were not the expected ones." in out


def test_a_bare_challenge_must_be_bare() -> None:
    """No error code where nothing was presented (RFC 6750 section 3.1)."""
    from bearerkit.demo.run import _differences

    step = demo_walk.Step(title="", path="/", presents="", token=None, status=401, why="")
    chatty = Response(401, (("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"'),))
    assert _differences(step, chatty, []) == ['expected a challenge with Bearer realm="api"']


def test_on_a_terminal_it_is_coloured(monkeypatch: pytest.MonkeyPatch, said: Callable[[], str]) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert run_demo(port=0, once=True) == 0
    assert "\x1b[" in said()


def test_a_service_that_does_not_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets=None: None)
    assert cli.main(["demo", "--once", "--port", "0"]) == 1
    assert capsys.readouterr().err == "bearerkit: the demo's service did not start\n"


def test_the_package_is_importable_without_its_dependencies() -> None:
    code = "import sys, bearerkit.demo; print(sorted({'fastapi', 'rich', 'uvicorn'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
    )
    assert done.stdout.strip() == "[]"
