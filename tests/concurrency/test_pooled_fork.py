"""A worker that is forked while connections are kept open: parent and child never share one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")

SCRIPT = """
import os, sys, threading, warnings
from bearerkit._drive import run
from bearerkit.http import Fetch, Network
from bearerkit.transport.pooled import PooledClient
from loopback import converse

# What Python 3.12 and later say about forking with threads is what this test is about.
warnings.simplefilter("ignore", DeprecationWarning)
warnings.simplefilter("error", ResourceWarning)

def say(asked, connection, over):
    body = b"%d" % asked.connection
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    return True

def ask():
    return int(run(client.fetch(Fetch(server.url(), Network(timeout=10), body=b"x"))).body)

client = PooledClient()
with converse(say) as server:
    assert [ask(), ask()] == [0, 0]
    held, done = threading.Event(), threading.Event()
    pool = next(iter(client._pools.values())).pool

    def hold_locks():
        with client._lock, pool._optional_thread_lock:
            held.set()
            done.wait(20)

    threading.Thread(target=hold_locks, daemon=True).start()
    held.wait(20)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert len(client._pools) == 0
            assert ask() == 1
            client.close()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    done.set()
    assert status == 0, status
    # The child hung up its copy of the socket; the parent's connection still stands.
    assert [ask(), ask()] == [0, 0]
    client.close()
    server.wait_until_closed()
print("good")
"""


def test_a_child_opens_connections_of_its_own() -> None:
    """Also when another thread held the locks of the client and of its pool."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert (result.returncode, result.stdout.strip()) == (0, "good"), result.stderr
