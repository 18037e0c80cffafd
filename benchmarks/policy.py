"""What a policy decision costs: bearerkit beside a dictionary and a loop of regular expressions.

All candidates run interleaved in one process, in shuffled order, in short chunks; CPU time is measured. What counts are
the ratios inside one run. The workload: 1 or 2 actions and resources a statement, exact and with wildcards, 5 % denies,
no conditions; requests are half made from a statement and half random, and both must agree on them first.

    uv run python benchmarks/policy.py [--rounds 40]
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import statistics
from collections.abc import Callable

from interleaved import Candidate, ratio, samples

from bearerkit.policy import Policy

SIZES = (10, 100, 1_000, 10_000)
QUESTIONS = 1_000
PER_DOCUMENT = 200

Statement = dict[str, object]
Ask = Callable[[str, str], bool]


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    print(
        f"{'statements':>10} {'ours':>9} {'dict':>9} {'ours/dict':>9} {'regex/ours':>10} {'explain':>9} {'compile':>12}"
    )
    ours: dict[int, list[float]] = {}
    for size in SIZES:
        statements = workload(size)
        policy = merged(statements)
        questions = asked(statements)
        naive = regex_loop(statements)
        agree(policy.allows, naive, questions[:200])
        table = {action: {resource: True for _, resource in questions} for action, _ in questions}
        candidates: dict[str, Candidate] = {
            "ours": asking(policy.allows, questions),
            "dict": asking(lambda action, resource, table=table: table[action][resource], questions),
            "explain": asking(
                lambda action, resource, policy=policy: bool(policy.explain(action, resource)), questions
            ),
        }
        if size <= 1_000:
            candidates["regex"] = asking(naive, questions)
        taken = samples(candidates, rounds if size <= 1_000 else max(5, rounds // 4))
        ours[size] = taken["ours"]
        regex = f"{ratio(taken['regex'], taken['ours']):9.0f}x" if "regex" in taken else f"{'-':>10}"
        print(
            f"{size:>10} {micro(taken['ours'])} {micro(taken['dict'])} {ratio(taken['ours'], taken['dict']):8.1f}x "
            f"{regex} {micro(taken['explain'])} {compile_cost(statements):9.2f} us"
        )
    growth = statistics.median(ours[10_000]) / statistics.median(ours[10])
    print(
        f"\n10,000 statements cost {growth:.1f}x of 10 (aim: at most 6x). Compile: per statement, parsing not counted."
    )
    return 0


def workload(size: int) -> list[Statement]:
    """Statements as teams write them, the same in every run."""
    rolls = random.Random(size)
    return [statement(rolls) for _ in range(size)]


def statement(rolls: random.Random) -> Statement:
    """One statement."""
    return {
        "effect": "deny" if rolls.random() < 0.05 else "allow",
        "actions": [action(rolls) for _ in range(rolls.randint(1, 2))],
        "resources": [resource(rolls) for _ in range(rolls.randint(1, 2))],
    }


def action(rolls: random.Random) -> str:
    """An exact action in six of ten cases, else one with a wildcard."""
    service, entity = f"svc{rolls.randrange(20)}", f"entity{rolls.randrange(10)}"
    kind = rolls.random()
    if kind < 0.6:
        return f"{service}.{entity}.{rolls.choice(('read', 'write', 'delete', 'list'))}"
    return f"{service}.{entity}.*" if kind < 0.9 else f"{service}.*"


def resource(rolls: random.Random) -> str:
    """An exact resource, or a prefix."""
    name = f"pcft:svc{rolls.randrange(20)}:app/{rolls.randrange(1_000)}"
    return name if rolls.random() < 0.46 else f"{name}*"


def merged(statements: list[Statement]) -> Policy:
    """The statements in documents of the allowed size, in force together."""
    documents = [statements[at : at + PER_DOCUMENT] for at in range(0, len(statements), PER_DOCUMENT)]
    whole = Policy()
    for number, document in enumerate(documents):
        whole |= Policy.parse(document, id=str(number))
    return whole


def asked(statements: list[Statement]) -> list[tuple[str, str]]:
    """Actions and resources to ask about."""
    rolls = random.Random(1)
    questions = []
    for _ in range(QUESTIONS // 2):
        one = rolls.choice(statements)
        questions.append(tuple(str(rolls.choice(one[part])).replace("*", "x") for part in ("actions", "resources")))  # type: ignore[index]
        questions.append((action(rolls).replace("*", "x"), resource(rolls).replace("*", "x")))
    return questions  # type: ignore[return-value]


def regex_loop(statements: list[Statement]) -> Ask:
    """What a team would write first."""
    rules = [
        (
            one["effect"] == "allow",
            [re.compile(re.escape(text).replace(r"\*", ".*")) for text in one["actions"]],  # type: ignore[attr-defined]
            [re.compile(re.escape(text).replace(r"\*", ".*")) for text in one["resources"]],  # type: ignore[attr-defined]
        )
        for one in statements
    ]

    def ask(action: str, resource: str) -> bool:
        allowed = False
        for allows, actions, resources in rules:
            if any(item.fullmatch(action) for item in actions) and any(item.fullmatch(resource) for item in resources):
                if not allows:
                    return False
                allowed = True
        return allowed

    return ask


def agree(ours: Ask, theirs: Ask, questions: list[tuple[str, str]]) -> None:
    """Raise AssertionError unless both say the same."""
    wrong = [question for question in questions if ours(*question) is not theirs(*question)]
    if wrong:
        raise AssertionError(f"the candidates differ on {wrong[:3]}")


def asking(ask: Ask, questions: list[tuple[str, str]]) -> Candidate:
    """Ask one question after the other."""

    def run(times: int) -> None:
        for action, resource in itertools.islice(itertools.cycle(questions), times):
            ask(action, resource)

    return run


def compile_cost(statements: list[Statement]) -> float:
    """Microseconds for each statement to be parsed and compiled anew."""
    import time

    begin = time.process_time()
    for number, at in enumerate(range(0, len(statements), PER_DOCUMENT)):
        Policy.parse(statements[at : at + PER_DOCUMENT], id=f"fresh {number}")
    return (time.process_time() - begin) / len(statements) * 1e6


def micro(seconds: list[float]) -> str:
    """Microseconds, in a column."""
    return f"{statistics.median(seconds) * 1e6:6.2f} us"


if __name__ == "__main__":
    raise SystemExit(main())
