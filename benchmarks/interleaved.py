"""Measures candidates against one another inside one process: in short chunks, in shuffled order, round by round.

What is measured is CPU time. A ratio is the median of the ratios of each round, so that a change of the machine's
clock or a busy neighbour hits both sides of it.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping

CHUNK_SECONDS = 0.004

Candidate = Callable[[int], object]
"""Does its work as often as it is told."""


def samples(candidates: Mapping[str, Candidate], rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU for one piece of work, per candidate and round."""
    repeats = {name: _calibrated(run) for name, run in candidates.items()}
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    order = list(candidates)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            taken[name].append(_chunk(candidates[name], repeats[name]))
    return taken


def ratio(parts: list[float], wholes: list[float]) -> float:
    """The median of the ratios of each round."""
    return statistics.median(part / whole for part, whole in zip(parts, wholes, strict=True))


def added(parts: list[float], bares: list[float]) -> list[float]:
    """What each round added to the bare work."""
    return [part - bare for part, bare in zip(parts, bares, strict=True)]


def _calibrated(run: Candidate) -> int:
    run(50)
    return max(5, int(CHUNK_SECONDS / max(_chunk(run, 20), 1e-7)))


def _chunk(run: Candidate, repeats: int) -> float:
    begin = time.process_time()
    run(repeats)
    return (time.process_time() - begin) / repeats
