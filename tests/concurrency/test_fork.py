"""A worker that is forked at the worst moment: a lock is held, a fetch is in the air."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bearerkit._drive import run
from bearerkit.stores.memory import MemoryRevocations
from bearerkit.system import BlockingWaits
from key_doubles import JWKS_URL, Origin, jwks, remote

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")

SCRIPT = """
import os, sys, threading, warnings
from key_doubles import JWKS_URL, Origin, jwks, remote
from bearerkit._drive import run
from bearerkit.system import AsyncWaits, BlockingWaits
from bearerkit.stores.memory import MemoryRevocations

# What Python 3.12 and later say about forking with threads is what this test is about.
warnings.simplefilter("ignore", DeprecationWarning)
origin = Origin({JWKS_URL: jwks("k1")})
source = remote(origin)
store = MemoryRevocations()
held, done = threading.Event(), threading.Event()

def hold_locks():
    with source._lock, store._lock:
        held.set()
        done.wait(20)

def lead():
    run(source.obtain("k1", "ES256", BlockingWaits()))

MODE = sys.argv[1]
if MODE == "flight":
    origin.hold()
    threading.Thread(target=lead, daemon=True).start()
    origin.wait_until_asked()
else:
    threading.Thread(target=hold_locks, daemon=True).start()
    held.wait(20)

child = os.fork()
if child == 0:
    origin.release()
    code = 1
    try:
        assert source._flight is None
        if MODE == "flight":
            import anyio
            keys = anyio.run(source.obtain, "k1", "ES256", AsyncWaits())
        else:
            keys = run(source.obtain("k1", "ES256", BlockingWaits()))
        store.revoke_token("t")
        code = 0 if keys[0].kid == "k1" and len(store) == 1 else 2
    finally:
        os._exit(code)
done.set()
origin.release()
_, status = os.waitpid(child, 0)
assert run(source.obtain("k1", "ES256", BlockingWaits()))
print("parent and child", os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("mode", ["flight", "lock"])
def test_a_child_works_although_the_parent_was_busy(mode: str) -> None:
    """Run in a process of its own, so that a deadlock is a timeout and not a hanging test run."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, mode],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])},
    )
    assert result.stderr == ""
    assert result.stdout == "parent and child 0\n"


def test_after_fork_frees_lock_and_flight() -> None:
    """What the hook does, seen without forking."""
    origin = Origin({JWKS_URL: jwks("k1")})
    source, store = remote(origin), MemoryRevocations()
    source._lock.acquire()
    store._lock.acquire()
    source._depart(0.0)
    source.after_fork()
    store.after_fork()
    assert run(source.obtain("k1", "ES256", BlockingWaits()))
    store.revoke_session("s")
    assert len(store) == 1
