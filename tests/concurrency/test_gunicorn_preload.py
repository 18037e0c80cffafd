"""gunicorn --preload: an `Auth` that was built and warmed up in the master works in every worker it forks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bearerkit.http import Fetched
from bearerkit.testing import FakeIssuer
from bearerkit.testing.server import LoopbackServer

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here"),
    pytest.mark.slow,
]

WORKERS = 2
PATIENCE = 30
"""Seconds that gunicorn may take to start, and every worker to be met, on a busy machine."""


@dataclass(frozen=True)
class Answer:
    """What a worker said."""

    worker: int
    status: int
    body: bytes


class Gunicorn:
    """A running gunicorn; the socket is ours, so its port is known and taken from the beginning."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self._port = port

    def get(self, path: str, token: str) -> Answer:
        """One request on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Connection": "close"})
            answer = connection.getresponse()
            return Answer(int(answer.headers["x-worker"]), answer.status, answer.read())
        finally:
            connection.close()

    def ask_every_worker(self, path: str, token: Callable[[], str]) -> list[Answer]:
        """Requests in bursts, each with a new token, until every worker has answered. All answers, in any order."""
        answers: list[Answer] = []
        deadline = time.monotonic() + PATIENCE
        with ThreadPoolExecutor(8) as pool:
            while len({answer.worker for answer in answers}) < WORKERS:
                assert time.monotonic() < deadline, f"{PATIENCE} s, and only {answers} came"
                answers += pool.map(lambda token: self.get(path, token), [token() for _ in range(8)])
        return answers


def with_gunicorn(app: str, listener: int) -> list[str]:
    """`gunicorn --preload` with uvicorn's workers."""
    from gunicorn.config import KNOWN_SETTINGS

    # Newer versions open a control socket in the home directory unless told not to.
    controlled = any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS)
    return [
        *("gunicorn", app, "--preload", "--worker-class", "uvicorn_worker.UvicornWorker", "--workers", str(WORKERS)),
        *("--bind", f"fd://{listener}", "--graceful-timeout", "5", "--timeout", "60"),
        *(["--no-control-socket"] if controlled else []),
    ]


def with_uvicorn(app: str, listener: int) -> list[str]:
    """uvicorn with workers of its own, which import the application themselves."""
    return ["uvicorn", app, "--workers", str(WORKERS), "--fd", str(listener), "--log-level", "warning"]


@contextmanager
def gunicorn(
    app: str = "concurrency.preload_app:app",
    command: Callable[[str, int], list[str]] = with_gunicorn,
    **environment: str,
) -> Iterator[Gunicorn]:
    """A server with several workers, stopped at the end of the block with all of them."""
    search_path = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", *command(app, listener.fileno())],
            env=os.environ | {"PYTHONPATH": search_path} | environment,
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        # Nobody reads the output while the test runs; it is little, and it is told if gunicorn fails.
        try:
            yield Gunicorn(process, listener.getsockname()[1])
        finally:
            process.terminate()
            try:
                output, _ = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate(timeout=PATIENCE)
            print(output)


class HeldIssuer:
    """A served issuer that answers nobody before it is released."""

    def __init__(self) -> None:
        self._released = threading.Event()
        self._server = LoopbackServer(self._answer)
        self.issuer = FakeIssuer(self._server.base_url, alg="ES256", audience="orders-api")

    def _answer(self, url: str) -> Fetched:
        self._released.wait(2 * PATIENCE)
        return self.issuer.answer(url)

    def release(self) -> None:
        self._released.set()

    @contextmanager
    def serving(self) -> Iterator[HeldIssuer]:
        with self._server:
            try:
                yield self
            finally:
                self.release()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def statuses(answers: list[Answer]) -> set[int]:
    return {answer.status for answer in answers}


def test_every_worker_serves_and_can_fetch_keys_of_its_own() -> None:
    """One start of gunicorn for all of it, because a start takes seconds."""
    warm = FakeIssuer(alg="ES256", audience="orders-api")
    with HeldIssuer().serving() as held, warm.serve() as warm_url:
        busy = held.issuer
        with gunicorn(PRELOAD_WARM_ISSUER=warm_url, PRELOAD_BUSY_ISSUER=busy.issuer) as server:
            old = warm.token()
            answers = server.ask_every_worker("/warm", warm.token)
            assert statuses(answers) == {200}
            workers = {answer.worker for answer in answers}
            assert server.process.pid not in workers
            assert {answer.body for answer in answers} == {b'{"subject":"user","master":%d}' % server.process.pid}, (
                "the application was not imported in the master"
            )
            assert warm.fetches == [f"{warm_url}/.well-known/openid-configuration", warm.jwks_uri]

            # The keys rotate: each worker notices by itself, with the first new token it sees.
            warm.rotate()
            assert statuses(server.ask_every_worker("/warm", warm.token)) == {200}
            assert statuses(server.ask_every_worker("/warm", lambda: old)) == {401}
            assert warm.fetches[2:] == [warm.jwks_uri] * WORKERS

            # The master was fetching when it forked. No worker waits for that flight: it and they fetch, once each.
            assert busy.fetches == []
            held.release()
            assert statuses(server.ask_every_worker("/busy", busy.token)) == {200}
            wait_until(lambda: busy.fetches.count(busy.jwks_uri) == WORKERS + 1)

            assert server.process.poll() is None
            assert {answer.worker for answer in server.ask_every_worker("/warm", warm.token)} == workers
