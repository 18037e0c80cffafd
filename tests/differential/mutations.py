"""Recipes: the sweep over every variant of every step, and random combinations from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from differential.bases import ALGORITHMS, BASES, SECRET_ALGORITHMS, start
from differential.claim_steps import CLAIM_STEPS
from differential.draft import Case, Recipe, Step
from differential.header_steps import HEADER_STEPS
from differential.key_steps import KEY_STEPS
from differential.text_steps import TEXT_STEPS

__all__ = ["STEPS", "bake", "random_recipes", "sweep"]

STEPS: Mapping[str, Step] = {step.name: step for step in (*CLAIM_STEPS, *HEADER_STEPS, *KEY_STEPS, *TEXT_STEPS)}


def bake(recipe: Recipe) -> Case:
    """The case of a recipe."""
    draft = start(recipe)
    for name, number in recipe.steps:
        STEPS[name].apply(draft, number)
    return draft.bake(recipe)


def sweep(bases_each: int = 1) -> Iterator[Recipe]:
    """Every base as it is, then every variant of every step once on `bases_each` bases, which take turns."""
    yield from map(Recipe, BASES)
    turn = 0
    for step in STEPS.values():
        bases = SECRET_ALGORITHMS if step.name.startswith("secret") else ALGORITHMS
        # A member of one kind of key is tried on that kind.
        if step.name in ("jwk.n", "jwk.e", "jwk.rsa-size"):
            bases = ALGORITHMS[:6]
        elif step.name in ("jwk.y", "jwk.crv"):
            bases = ALGORITHMS[6:9]
        for number in range(step.count):
            for _ in range(bases_each):
                yield Recipe(bases[turn % len(bases)], ((step.name, number),))
                turn += 1


def random_recipes(seed: object, harmless: Sequence[tuple[str, int]]) -> Iterator[Recipe]:
    """Without end: a few steps on any base, most of them `harmless`, so that many tokens get past the first checks."""
    random = Random(f"bearerkit {seed}")
    steps = list(STEPS.values())
    while True:
        chosen = random.sample(harmless, random.choice((0, 1, 2, 3)))
        for _ in range(random.choice((0, 1, 1, 2) if chosen else (1, 2))):
            step = random.choice(steps)
            chosen.append((step.name, random.randrange(step.count)))
        random.shuffle(chosen)
        yield Recipe(random.choice(BASES), tuple(chosen))
