"""`Statement`: one rule of a policy, in the one form that both wire forms are read into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bearerkit.policy.condition import Condition
from bearerkit.policy.pattern import Pattern

__all__ = ["Source", "Statement"]


@dataclass(frozen=True, slots=True)
class Statement:
    """`principals` is None for whoever the policy is attached to. `resources` are as written, without descendants.

    `index` is the place in its document.
    """

    index: int
    sid: str | None
    allows: bool
    principals: frozenset[str] | None
    actions: tuple[Pattern, ...]
    resources: tuple[Pattern, ...]
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """What an explanation calls it."""
        return self.sid if self.sid is not None else f"#{self.index}"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One parsed document: its statements, and how it was written.

    Equal and hashed by `content`, so that the same document parsed twice is compiled once.
    """

    content: tuple[object, ...]
    id: str | None
    version: str | None
    form: Literal["flat", "document"]
    written: str
    statements: tuple[Statement, ...]

    def __eq__(self, other: object) -> bool:
        return self.content == other.content if isinstance(other, Source) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.content)
