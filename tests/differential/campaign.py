"""A run of the comparison: recipes in, disagreements out, the unexplained ones made small.

A disagreement is a case that we accept and a peer refuses, or reads otherwise. The other direction is counted, not
judged: we refuse on purpose what others take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from differential.draft import Case, Recipe
from differential.explained import EXPLAINED
from differential.mutations import bake
from differential.opinions import Jose, Opinion, joserfc_says, ours_says, pyjwt_says

__all__ = ["Campaign"]


@dataclass
class Campaign:
    """What came of all recipes so far."""

    jose: Jose
    cases: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Name of an explained class and peer → how often."""
    stricter: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Our reason for a refusal and the peers that accept → how often."""
    first_stricter: dict[tuple[str, str], Recipe] = field(default_factory=dict)
    harmless: list[tuple[str, int]] = field(default_factory=list)
    """Single steps after which we still accept."""
    unexplained: list[str] = field(default_factory=list)

    def run(self, recipes: Iterable[Recipe]) -> None:
        """Judge these recipes."""
        cases = [bake(recipe) for recipe in recipes]
        for case, opinions in zip(cases, self.opinions(cases), strict=True):
            self._note(case, opinions)

    def opinions(self, cases: list[Case]) -> list[dict[str, Opinion]]:
        """What everybody says, by name."""
        return [
            {"ours": ours_says(case), "PyJWT": pyjwt_says(case), "joserfc": joserfc_says(case), "jose": jose}
            for case, jose in zip(cases, self.jose.says(cases), strict=True)
        ]

    def report(self) -> str:
        """Lines for people: what was accepted by whom, and where we alone refuse."""
        lines = [f"{self.cases} cases; accepted: {dict(self.accepted)}"]
        lines += [f"explained {count:6} {name} ({peer})" for (name, peer), count in sorted(self.seen.items())]
        for (reason, peers), count in sorted(self.stricter.items()):
            lines.append(f"stricter  {count:6} {reason}, accepted by {peers}: {self.first_stricter[reason, peers]}")
        return "\n".join(lines)

    def _note(self, case: Case, opinions: Mapping[str, Opinion]) -> None:
        self.cases += 1
        self.accepted.update(name for name, opinion in opinions.items() if opinion.accepted)
        if not opinions["ours"].accepted:
            takers = "+".join(name for name, opinion in opinions.items() if opinion.accepted)
            if takers:
                key = opinions["ours"].why, takers
                self.stricter[key] += 1
                self.first_stricter.setdefault(key, case.recipe)
            return
        if len(case.recipe.steps) == 1:
            self.harmless.append(case.recipe.steps[0])
        for name, opinion in opinions.items():
            rows = [] if opinion.accepted else [row.name for row in EXPLAINED if name in row.peers and row.holds(case)]
            self.seen.update((row, name) for row in rows)
            if _is_finding(case, name, opinions) and len(self.unexplained) < 20:
                self.unexplained.append(self._told(self._smaller(case, name), name))

    def _told(self, case: Case, peer: str) -> str:
        (opinions,) = self.opinions([case])
        why = "reads the claims otherwise" if opinions[peer].accepted else f"says {opinions[peer].why!r}"
        return f"{case.recipe}: we accept, {peer} {why}\n{case.as_json()}"

    def _smaller(self, case: Case, peer: str) -> Case:
        """The same disagreement by fewer steps."""
        for place in range(len(case.recipe.steps)):
            steps = case.recipe.steps
            candidate = bake(replace(case.recipe, steps=steps[:place] + steps[place + 1 :]))
            if _is_finding(candidate, peer, self.opinions([candidate])[0]):
                return self._smaller(candidate, peer)
        return case


def _is_finding(case: Case, peer: str, opinions: Mapping[str, Opinion]) -> bool:
    """We accept, and `peer` reads otherwise or refuses for no reason that is explained."""
    ours, theirs = opinions["ours"], opinions[peer]
    if not ours.accepted:
        return False
    if theirs.accepted:
        return not _same(ours.claims, theirs.claims)
    return not any(peer in row.peers and row.holds(case) for row in EXPLAINED)


def _same(one: Any, other: Any) -> bool:
    """The same JSON to a reader whose numbers are all doubles."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one) == float(other)
    return type(one) is type(other) and bool(one == other)
