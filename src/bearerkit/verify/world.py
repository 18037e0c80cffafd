"""`World`: the ports that everything behind an `Auth` shares. A bundle; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bearerkit.ports import Clock, Entropy, HttpClient, Observer, Threads

__all__ = ["World"]


class World(NamedTuple):
    """HTTP, clocks, randomness, threads, and whoever wants to hear what happens.

    `pooled` is HTTP for servers that are asked often: it keeps connections, until `release` closes them.
    """

    http: HttpClient
    clock: Clock
    entropy: Entropy
    threads: Threads
    observer: Observer
    pooled: HttpClient
    release: Callable[[], None]
