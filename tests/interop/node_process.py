"""A script of this folder under node, as a child process that says one line of JSON when it is ready.

It ends when its standard input does, so it never outlives the test run. What a script does is no matter here.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["PATIENCE", "running", "started", "stopped"]

PATIENCE = 30
"""Seconds that node may take to start, and one answer to arrive, on a busy machine."""


def started(node: str, script: Path, settings: Any, *options: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """The process, and what it told when it was ready. `settings` is its argument; `options` are for node."""
    process = subprocess.Popen(
        [node, *options, str(script), json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # A node that never says anything must not hang the test run.
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
    if not line:
        _, complaint = process.communicate(timeout=PATIENCE)
        raise RuntimeError(f"{script.name} did not start: {complaint[-2_000:]}")
    told: dict[str, Any] = json.loads(line)
    return process, told


def stopped(process: subprocess.Popen[str]) -> None:
    """Kill it and wait until it has gone."""
    process.kill()
    process.communicate(timeout=PATIENCE)


@contextmanager
def running(node: str, script: Path, settings: Any = None, *options: str) -> Iterator[dict[str, Any]]:
    """What the script told, while it runs."""
    process, told = started(node, script, settings, *options)
    try:
        yield told
    finally:
        stopped(process)
