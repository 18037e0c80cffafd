"""Real servers in child processes on loopback, and requests to them exactly as they are written.

A socket is opened here and handed to the child, so that its port is known and connections wait until the server has
started. Fields that a server adds to every answer (framing, its name, the date) are taken off again.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from importlib.util import find_spec
from pathlib import Path

from adapters.scenarios import ISSUER, KEYS, Scenario
from adapters.served import host_of

__all__ = ["SERVERS", "Reply", "RunningServer", "Server", "running_servers"]

PATIENCE = 60
"""Seconds for an answer. The first waits for the child, which imports every framework, on a busy machine."""
SERVERS_OWN = {"connection", "keep-alive", "transfer-encoding", "via"}
"""Fields that come from servers alone, so that `answer_of` does not know them."""


@dataclass(frozen=True)
class Server:
    """How a server is started: `command` of the descriptor of its socket, once `package` is installed."""

    kind: str
    package: str
    command: Callable[[int], list[str]]

    @property
    def is_installed(self) -> bool:
        return find_spec(self.package) is not None


def _uvicorn(parser: str) -> Callable[[int], list[str]]:
    return lambda descriptor: ["uvicorn", "adapters.served:asgi", "--fd", str(descriptor), "--http", parser]


def _hypercorn(application: str) -> Callable[[int], list[str]]:
    return lambda descriptor: ["hypercorn", application, "--bind", f"fd://{descriptor}", "--workers", "0"]


def _daphne(descriptor: int) -> list[str]:
    return ["daphne", "--fd", str(descriptor), "adapters.served:asgi"]


def _gunicorn(*arguments: str) -> Callable[[int], list[str]]:
    def command(descriptor: int) -> list[str]:
        from gunicorn.config import KNOWN_SETTINGS

        # Newer versions open a control socket in the home directory unless told not to.
        controlled = any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS)
        quiet = ["--no-control-socket"] if controlled else []
        return ["gunicorn", "adapters.served:wsgi", "--bind", f"fd://{descriptor}", *arguments, *quiet]

    return command


SERVERS: Mapping[str, Server] = {
    "uvicorn-h11": Server("asgi", "uvicorn", _uvicorn("h11")),
    "uvicorn-httptools": Server("asgi", "httptools", _uvicorn("httptools")),
    "hypercorn-asgi": Server("asgi", "hypercorn", _hypercorn("adapters.served:asgi")),
    "daphne": Server("asgi", "daphne", _daphne),
    "gunicorn-sync": Server("wsgi", "gunicorn", _gunicorn("--worker-class", "sync")),
    "gunicorn-gthread": Server("wsgi", "gunicorn", _gunicorn("--worker-class", "gthread", "--threads", "4")),
    "hypercorn-wsgi": Server("wsgi", "hypercorn", _hypercorn("wsgi:adapters.served:wsgi")),
}


@dataclass(frozen=True)
class Reply:
    """What came over the wire, without the fields of `SERVERS_OWN`."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class RunningServer:
    """A child process that serves."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process = process
        self._port = port
        self._log = log
        self._is_lost = False

    @property
    def output(self) -> str:
        """What the server has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def ask(self, framework: str, scenario: Scenario) -> Reply | None:
        """Send a request on a connection of its own. None: the server hangs up without an answer.

        A server that once did not answer in time is not waited for again.
        """
        if self._is_lost:
            raise TimeoutError("this server did not answer an earlier request")
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(request_bytes(framework, scenario))
                with HTTPResponse(connection, method=scenario.method) as response:
                    response.begin()
                    body = response.read()
            except ConnectionError:
                return None
            except TimeoutError:
                self._is_lost = True
                raise
        fields = [(name, value) for name, value in response.getheaders() if name.lower() not in SERVERS_OWN]
        return Reply(response.status, fields, body)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What fails in the block is told together with what the server wrote."""
        try:
            yield
        except BaseException as failure:
            failure.add_note(f"The server wrote:\n{self.output[-10_000:]}")
            raise

    def end(self) -> None:
        """Ask the server to end, without waiting for it."""
        self._process.terminate()

    def wait(self) -> None:
        """Wait for its end; a server that does not come to it is killed with its workers."""
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)


def request_bytes(framework: str, scenario: Scenario) -> bytes:
    """The request of a scenario for the application in a framework; nothing is normalised."""
    target = f"{scenario.path}?{scenario.query}" if scenario.query else scenario.path
    fields = [("Host", host_of(framework, closed=scenario.closed)), ("Connection", "close"), *scenario.sent]
    if scenario.method == "POST":
        fields.append(("Content-Length", str(len(scenario.sends))))
    lines = [f"{scenario.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1") + scenario.sends


@contextmanager
def running_servers(folder: Path) -> Iterator[Mapping[str, RunningServer]]:
    """Every installed server of `SERVERS`, all started at once. What they write goes to `folder`."""
    with ExitStack() as stack:
        servers: dict[str, RunningServer] = {}
        for name, server in SERVERS.items():
            if server.is_installed:
                servers[name] = _started(server, folder / f"{name}.log")
                stack.callback(servers[name].wait)
        for running in servers.values():
            stack.callback(running.end)
        yield servers


def _started(server: Server, log: Path) -> RunningServer:
    search_path = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])
    # Our end of the socket is closed again, so that a child that dies refuses connections instead of leaving them
    # waiting for ever.
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *server.command(listener.fileno())],
            env=os.environ | {"PYTHONPATH": search_path, KEYS: json.dumps(ISSUER.jwks)},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return RunningServer(process, listener.getsockname()[1], log)
