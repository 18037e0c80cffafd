"""`World`: the ports that everything behind an `Auth` shares. A bundle; it decides nothing."""

from __future__ import annotations

from typing import NamedTuple

from bearerkit.ports import Clock, Entropy, HttpClient, Observer, Threads

__all__ = ["World"]


class World(NamedTuple):
    """HTTP, clocks, randomness, threads, and whoever wants to hear what happens."""

    http: HttpClient
    clock: Clock
    entropy: Entropy
    threads: Threads
    observer: Observer
