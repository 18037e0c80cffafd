"""What a policy decision costs, beside a dictionary, a loop of regular expressions and other engines.

Everything runs in one process, interleaved, in shuffled order, in short chunks; CPU time is measured. What counts are
the ratios inside one run, most of them to `table[action][resource]` in line, the least that any answer could cost.

    uv run python benchmarks/policy.py [--rounds 40] [--sizes 10,100,1000,10000] [--check]
    uv run --with pycasbin --with vakt python benchmarks/policy.py
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import statistics
import time
from collections.abc import Callable

from interleaved import Candidate, ratio, samples
from policy_peers import Ask, peers
from policy_workload import Question, Statement, catalog_of, merged, questions, statements

from bearerkit.policy import Catalog, Policy, Principal

SIZES = (10, 100, 1_000, 10_000)
PEERS_UP_TO = 1_000
"""The peers take minutes beyond it."""
WHO = Principal(id="u1", roles=("editor",), tenant="acme")
GUARDED = {"principals": ["role:editor"], "conditions": {"StringEquals": {"request.tenant": "acme"}}}
CONTEXT = {"request": {"tenant": "acme"}}

Table = dict[str, dict[str, bool]]


def main() -> int:
    """Run, print, and say whether the aims are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--sizes", type=lambda text: [int(part) for part in text.split(",")], default=list(SIZES))
    parser.add_argument("--check", action="store_true", help="exit with 1 if an aim is missed")
    options = parser.parse_args()
    logging.disable()  # vakt and casbin write a line for each decision
    results = {size: measured(size, options.rounds) for size in options.sizes}
    show(results)
    missed = [text for text, met in aims(results) if not met]
    print(*(f"{'met   ' if met else 'MISSED'} {text}" for text, met in aims(results)), sep="\n")
    return 1 if options.check and missed else 0


def measured(size: int, rounds: int) -> dict[str, list[float]]:
    """Seconds for one question, per candidate and round."""
    listed = statements(size)
    asked = questions(listed)
    catalog = catalog_of(listed, asked)
    policy, conditional = merged(listed, catalog), merged(listed, catalog, **GUARDED)
    others = dict(peers(listed)) if size <= PEERS_UP_TO else {}
    for name, other in others.items():
        agree(name, policy.allows, other, asked[:200])
    agree("conditions", policy.allows, lambda *it: conditional.allows(*it, WHO, CONTEXT), asked)
    table = {action: {resource: True for _, resource in asked} for action, _ in asked}
    candidates: dict[str, Candidate] = {
        "in line": in_line(table, asked),
        "repeat": asking(policy.allows, asked),
        "decide": asking(policy.decide, asked),
        "condition": asking_for(WHO, conditional, asked),
        "explain": asking(policy.explain, asked),
        **{name: asking(other, asked) for name, other in others.items()},
    }
    taken = samples(candidates, rounds if size <= PEERS_UP_TO else max(5, rounds // 4))
    return taken | first_seen(listed, catalog, asked, table, max(5, min(rounds, 20_000 // size)))


def first_seen(
    listed: list[Statement], catalog: Catalog, asked: list[Question], table: Table, rounds: int
) -> dict[str, list[float]]:
    """Resources that were never asked about, in strings that were never looked up, for both sides."""
    taken: dict[str, list[float]] = {"fresh, in line": [], "first seen": []}
    for number in range(rounds):
        policy = merged(listed, catalog, f"round {number}, ")
        for action, _ in asked:
            policy.allows(action, "another resource")
        runs = {"fresh, in line": in_line(table, _fresh(asked)), "first seen": asking(policy.allows, _fresh(asked))}
        in_line(table, asked)(len(asked))  # making the policy has emptied the caches of the processor
        for name in random.sample(list(runs), len(runs)):
            taken[name].append(_timed(runs[name], len(asked)))
    return taken


def _fresh(asked: list[Question]) -> list[Question]:
    return [(f"{action} "[:-1], f"{resource} "[:-1]) for action, resource in asked]


def _timed(run: Candidate, times: int) -> float:
    begin = time.process_time()
    run(times)
    return (time.process_time() - begin) / times


def in_line(table: Table, asked: list[Question]) -> Candidate:
    """Two looks into dictionaries, without a call."""

    def run(times: int) -> None:
        for action, resource in itertools.islice(itertools.cycle(asked), times):
            table[action][resource]

    return run


def asking(ask: Callable[[str, str], object], asked: list[Question]) -> Candidate:
    """Ask one question after the other."""

    def run(times: int) -> None:
        for action, resource in itertools.islice(itertools.cycle(asked), times):
            ask(action, resource)

    return run


def asking_for(who: Principal, policy: Policy, asked: list[Question]) -> Candidate:
    """The same for a caller, in a context."""

    def run(times: int) -> None:
        allows, context = policy.allows, CONTEXT
        for action, resource in itertools.islice(itertools.cycle(asked), times):
            allows(action, resource, who, context)

    return run


def agree(name: str, ours: Ask, theirs: Ask, asked: list[Question]) -> None:
    """Raise AssertionError unless both say the same."""
    wrong = [question for question in asked if ours(*question) is not theirs(*question)]
    if wrong:
        raise AssertionError(f"{name} differs on {wrong[:3]}")


def aims(results: dict[int, dict[str, list[float]]]) -> list[tuple[str, bool]]:
    """Each aim with its number, and whether it is met."""

    def of(size: int, name: str, floor: str = "in line") -> float:
        return ratio(results[size][name], results[size][floor])

    found: list[tuple[str, float, float]] = []
    naive = ("regex loop", 50), ("cedarpy", 300)
    for size in results:
        found.append((f"repeat at {size}: at most 4x in line", of(size, "repeat"), 4))
    if 100 in results:
        found += [
            ("first seen at 100: at most 6x in line", of(100, "first seen", "fresh, in line"), 6),
            ("explain at 100: at most 70x in line", of(100, "explain"), 70),
            ("a principal and a condition at 100: at most 10x in line", of(100, "condition"), 10),
        ]
        found += [
            (f"{name} at 100: at least {times}x ours", 1 / of(100, "repeat", name), -times)
            for name, times in naive
            if name in results[100]
        ]
    if {10, 10_000} <= results.keys():
        growth = statistics.median(results[10_000]["repeat"]) / statistics.median(results[10]["repeat"])
        found.append(("10,000 statements beside 10: at most 6x", growth, 6))
    return [(f"{text}: {value:.1f}x", value >= -limit if limit < 0 else value <= limit) for text, value, limit in found]


def show(results: dict[int, dict[str, list[float]]]) -> None:
    """A row for each candidate, a column for each size."""
    names = dict.fromkeys(name for taken in results.values() for name in taken)
    print(f"{'microseconds a question':26}" + "".join(f"{f'N={size}':>12}" for size in results))
    for name in names:
        cells = (
            f"{statistics.median(taken[name]) * 1e6:12.3f}" if name in taken else f"{'':12}"
            for taken in results.values()
        )
        print(f"{name:26}" + "".join(cells))
    print()


if __name__ == "__main__":
    raise SystemExit(main())
