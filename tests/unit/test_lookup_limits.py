"""What limits look-ups that strangers can cause: bursts, and locks that survive a fork."""

from __future__ import annotations

import os
import threading

import pytest

from bearerkit import Issuer
from bearerkit.jose.template import Template
from bearerkit.verify.burst import Burst
from bearerkit.verify.forks import survives_fork
from bearerkit.verify.key_pool import SourcePerUrl


def test_a_burst_and_then_one_per_second():
    """The allowance grows back while nothing happens, up to its size."""
    burst = Burst(3)
    assert [burst.spend(10.0) for _ in range(5)] == [True, True, True, False, False]
    assert not burst.spend(10.9)
    assert burst.spend(11.1)
    assert not burst.spend(11.2)
    assert [burst.spend(1_000.0) for _ in range(4)] == [True, True, True, False]


def test_time_that_runs_backwards_gives_nothing():
    """Two threads may read the clock in one order and arrive in the other."""
    burst = Burst(1)
    assert burst.spend(10.0)
    assert not burst.spend(5.0)
    assert not burst.spend(5.5)


def test_a_pool_replaces_its_lock_in_a_forked_child():
    """The lock may have been held at the moment of the fork."""
    pool = SourcePerUrl(Template("https://id.example/{kid}", {"kid": "word"}), lambda url: None)  # type: ignore[arg-type, return-value]
    pool._lock.acquire()
    pool.after_fork()
    assert pool.sources() == ()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_whoever_registered_is_told_in_the_child():
    """And only there."""

    class Thing:
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.lock.acquire()

        def after_fork(self) -> None:
            self.lock = threading.Lock()

    thing = Thing()
    survives_fork(thing)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os._exit(0 if thing.lock.acquire(blocking=False) else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert not thing.lock.acquire(blocking=False)


def test_an_issuer_is_not_tied_to_a_process():
    """It holds no lock, so there is nothing to replace."""
    assert not hasattr(Issuer("https://id.example.com", audience="api"), "after_fork")
