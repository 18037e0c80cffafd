"""Redis for tests: the shared one with keys of one test's own, and servers of one test's own that it may kill."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

__all__ = ["SECRET", "OwnRedis", "eventually", "own_namespace", "own_redis"]

SECRET = "a secret of the tests, long enough to be one"
_numbers = itertools.count()


@contextmanager
def own_namespace(url: str) -> Iterator[str]:
    """A namespace that no other test uses; its keys are gone afterwards."""
    name = f"bktest-{os.getpid()}-{next(_numbers)}-{os.urandom(3).hex()}"
    try:
        yield name
    finally:
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter(f"{name}*"):
                client.delete(key)


class OwnRedis:
    """A server on a free port, without persistence."""

    def __init__(self, folder: Path, program: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.DEVNULL)
        eventually(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """It accepts connections (the kernel does) and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def own_redis(folder: Path, program: str) -> Iterator[OwnRedis]:
    """A running server; it is gone afterwards."""
    server = OwnRedis(folder, program)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def eventually(holds, seconds: float = 15.0) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
