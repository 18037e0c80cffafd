"""How conformance vectors are counted: each one agrees, deviates with a reason, or does not apply with a reason.

Nothing is dropped: what is neither of these is unexplained, and a deviation that is none any more, or that names a
vector which does not exist, is stale. Both fail. The sources themselves are in the modules beside this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ACCEPT", "REJECT", "Deviation", "Outcome", "Source", "Tally", "count", "counted", "judge"]

ACCEPT = "accept"
REJECT = "reject"


@dataclass(frozen=True)
class Outcome:
    """One vector. Verdicts are `accept`, `reject`, `reject: reason`, or a value that is to be computed."""

    id: str
    wanted: str
    """The verdict of the vector; of one that does not apply, what must happen to it here all the same."""
    ours: str
    outside: str = ""
    """The class of vectors that do not apply here; empty for all others."""
    token: str | None = None
    """The token, where the vector is about one: every token is also given to `Auth` (test_tokens.py)."""

    @property
    def agrees(self) -> bool:
        return self.ours == self.wanted or self.ours.startswith(f"{self.wanted}: ")


@dataclass(frozen=True)
class Deviation:
    """Our verdict, exactly, and why it is not that of the vector."""

    ours: str
    why: str
    elsewhere: bool = False
    """True for a known erratum in a part of the source that may be missing from the folder of vectors."""


@dataclass(frozen=True, eq=False)
class Source:
    """The vectors of one origin: how they are read and judged, and where we say otherwise."""

    name: str
    path: str
    """Its files in the folder of vectors, as a glob pattern."""
    read: Callable[[Path], Iterable[Outcome]]
    deviations: Mapping[str, Deviation] = field(default_factory=dict)
    """Id to what we say instead."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """A refusal that is right wherever it occurs, exactly (`reject: exp_missing`), with the reason. It excuses no
    acceptance; the ids it excuses are pinned by the page of the docs."""
    outside: Mapping[str, str] = field(default_factory=dict)
    """Each class of vectors that do not apply, with the reason."""


@dataclass(frozen=True)
class Tally:
    """What became of every vector of one source."""

    source: Source
    outcomes: tuple[Outcome, ...]
    agreed: tuple[str, ...]
    deviating: tuple[tuple[str, Deviation], ...]
    outside: Mapping[str, tuple[str, ...]]
    """Class to ids."""
    unexplained: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def not_applicable(self) -> int:
        return sum(map(len, self.outside.values()))

    @property
    def line(self) -> str:
        """For the summary of a test run."""
        numbers = f"{len(self.agreed):3} agree, {len(self.deviating):2} deviate, {self.not_applicable:2} do not apply"
        return f"{self.source.name:20} {len(self.outcomes):3} vectors: {numbers}, {len(self.unexplained)} unexplained"


_counted: dict[Source, Tally] = {}


def count(source: Source, folder: Path) -> Tally:
    """Judge every vector of `source`, once per test run."""
    if source not in _counted:
        _counted[source] = judge(source, folder)
    return _counted[source]


def counted() -> tuple[Tally, ...]:
    """What was counted in this run."""
    return tuple(_counted.values())


def judge(source: Source, folder: Path) -> Tally:
    """Judge every vector of `source`."""
    outcomes = tuple(source.read(folder))
    agreed: list[str] = []
    deviating: list[tuple[str, Deviation]] = []
    outside: dict[str, list[str]] = {name: [] for name in source.outside}
    unexplained: list[str] = []
    for outcome in outcomes:
        said = f"{outcome.id}: {outcome.ours}, wanted is {outcome.wanted}"
        deviation = _deviation(source, outcome)
        if outcome.outside:
            if outcome.agrees and outcome.outside in outside:
                outside[outcome.outside].append(outcome.id)
            else:
                unexplained.append(f"{said} ({outcome.outside})")
        elif outcome.agrees:
            agreed.append(outcome.id)
        elif deviation is not None and deviation.ours == outcome.ours:
            deviating.append((outcome.id, deviation))
        else:
            unexplained.append(said)
    ids = [outcome.id for outcome in outcomes]
    unexplained += [f"{name}: this id occurs twice" for name, times in Counter(ids).items() if times > 1]
    return Tally(
        source,
        outcomes,
        tuple(agreed),
        tuple(deviating),
        {name: tuple(members) for name, members in outside.items()},
        tuple(unexplained),
        tuple(_stale(source, set(ids), dict(deviating))),
    )


def _deviation(source: Source, outcome: Outcome) -> Deviation | None:
    if outcome.id in source.deviations:
        return source.deviations[outcome.id]
    why = source.policies.get(outcome.ours) if outcome.ours.startswith(REJECT) else None
    return None if why is None else Deviation(outcome.ours, why)


def _stale(source: Source, ids: set[str], used: Mapping[str, Deviation]) -> Iterator[str]:
    for name, deviation in source.deviations.items():
        if name not in used and not (deviation.elsewhere and name not in ids):
            yield name
