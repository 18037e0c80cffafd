"""The statements and questions of the policy benchmark: as teams write and ask them, the same in every run.

1 or 2 actions and resources a statement, exact and with wildcards, 5 % denies. Questions are half made from a statement
and half random; the catalog has their actions. Nothing is measured here.
"""

from __future__ import annotations

import random
from typing import TypedDict

from bearerkit.policy import Catalog, Policy

PER_DOCUMENT = 200
QUESTIONS = 1_000

Question = tuple[str, str]


class Statement(TypedDict):
    """One statement of the flat form, without conditions."""

    effect: str
    actions: list[str]
    resources: list[str]


def statements(size: int) -> list[Statement]:
    """So many statements."""
    rolls = random.Random(size)
    return [
        {
            "effect": "deny" if rolls.random() < 0.05 else "allow",
            "actions": [_action(rolls) for _ in range(rolls.randint(1, 2))],
            "resources": [_resource(rolls) for _ in range(rolls.randint(1, 2))],
        }
        for _ in range(size)
    ]


def questions(about: list[Statement]) -> list[Question]:
    """Actions and resources to ask about."""
    rolls = random.Random(1)
    asked: list[Question] = []
    for _ in range(QUESTIONS // 2):
        one = rolls.choice(about)
        asked.append((_asked(rolls.choice(one["actions"])), _asked(rolls.choice(one["resources"]))))
        asked.append((_asked(_action(rolls)), _asked(_resource(rolls))))
    return asked


def catalog_of(listed: list[Statement], asked: list[Question]) -> Catalog:
    """The actions that exist."""
    exact = (action for one in listed for action in one["actions"] if "*" not in action)
    return Catalog.of([*dict.fromkeys([*exact, *(action for action, _ in asked)])])


def merged(listed: list[Statement], catalog: Catalog, name: str = "", **more: object) -> Policy:
    """The statements in documents of the allowed size, in force together. Another name is compiled anew.

    `more` is for each statement: principals, conditions.
    """
    whole = Policy(catalog=catalog)
    for at in range(0, len(listed), PER_DOCUMENT):
        document = [{**one, **more} for one in listed[at : at + PER_DOCUMENT]]
        whole |= Policy.parse(document, id=f"{name}{at}", catalog=catalog)
    return whole


def _asked(pattern: str) -> str:
    return pattern.replace("*", "x")


def _action(rolls: random.Random) -> str:
    """An exact action in six of ten cases, else one with a wildcard."""
    service, entity = f"svc{rolls.randrange(20)}", f"entity{rolls.randrange(10)}"
    kind = rolls.random()
    if kind < 0.6:
        return f"{service}.{entity}.{rolls.choice(('read', 'write', 'delete', 'list'))}"
    return f"{service}.{entity}.*" if kind < 0.9 else f"{service}.*"


def _resource(rolls: random.Random) -> str:
    """An exact resource, or a prefix."""
    name = f"pcft:svc{rolls.randrange(20)}:app/{rolls.randrange(1_000)}"
    return name if rolls.random() < 0.46 else f"{name}*"
