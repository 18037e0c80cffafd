"""Collecting what is wrong with a document: every problem of it, each with its code and where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bearerkit.policy_problem import PolicyProblem
from bearerkit.spelling import nearest

__all__ = ["Place", "pointer"]

ADVICE_MAX: Final = 20


def pointer(steps: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901 section 3)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class Place:
    """A place in the document, and the one list that problems at all places go to."""

    __slots__ = ("_found", "steps")

    def __init__(self, found: list[PolicyProblem], steps: tuple[str | int, ...] = ()) -> None:
        self._found = found
        self.steps = steps

    def at(self, *steps: str | int) -> Place:
        """A place further inside."""
        return Place(self._found, (*self.steps, *steps))

    def problem(self, code: str, message: str) -> None:
        """Note what is wrong here."""
        self._found.append(PolicyProblem(code, pointer(self.steps), message))

    def nearest(self, name: object, known: Iterable[str]) -> str:
        """What was probably meant. Looking for it is slow, so only the first problems of a document say it."""
        return nearest(name, known) if len(self._found) < ADVICE_MAX else ""

    def unknown_members(self, members: Iterable[object], known: Iterable[str]) -> None:
        """Note every member that does not exist: a typo must not drop a guard."""
        names = [*known]
        for member in members:
            if member not in names:
                why = _NEVER.get(str(member)) or f"there is no {member!r}{self.nearest(member, names)}"
                self.at(str(member)).problem("unknown_field", why)


_NEVER = {
    name: f"{name} is not part of this language: it makes it hard to see what a policy grants. Spell out what is meant"
    for name in ("NotAction", "NotResource", "NotPrincipal", "notActions", "notResources", "notPrincipals")
}
