"""What a forked child must not inherit: a lock that another thread held, a flight whose thread does not exist there.

gunicorn with `--preload`, and every other pre-forking server, forks after the application was built. Whoever owns a
lock says so here once; nothing else belongs here.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["Forkable", "survives_fork"]


class Forkable(Protocol):
    """Something with a lock or a flight, which a forked child must not inherit."""

    def after_fork(self) -> None:
        """Replace locks and flights. Runs in the child, where only the forking thread exists."""
        ...


_living: WeakSet[Forkable] = WeakSet()


def survives_fork(thing: Forkable) -> None:
    """Have `thing.after_fork()` called in every child that is forked while `thing` lives."""
    _living.add(thing)


def _after_fork_in_child() -> None:
    for thing in list(_living):
        thing.after_fork()


if hasattr(os, "register_at_fork"):  # pragma: no branch - absent on Windows, where nothing forks
    os.register_at_fork(after_in_child=_after_fork_in_child)
