"""A set of policies, compiled once for everybody who has the same set.

For an action the statements are found by name, by the beginning of a pattern, and only then by trying; what was found
is kept for the next question. Actions that no statement is about are not kept, so that invented names fill nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, final

from bearerkit.policy.bucket import NOBODY_SAID, Ask, ResourceTest, bucket_of, resource_truth
from bearerkit.policy.condition import Test, compiled
from bearerkit.policy.pattern import Match
from bearerkit.policy.scheme import Scheme
from bearerkit.policy.statement import Source, Statement

__all__ = ["KEPT_ACTIONS", "KEPT_SETS", "CompiledSet", "Parts", "compiled_set"]

KEPT_ACTIONS: Final = 8_192
"""Actions of one set whose statements are remembered; then it begins anew."""
KEPT_SETS: Final = 1_024
"""Compiled sets that are kept; the one that was not asked for longest goes first."""


class Parts(NamedTuple):
    """One statement and its parts as functions, for explanations."""

    source: Source
    statement: Statement
    resource: ResourceTest
    conditions: tuple[Test, ...]


@final
class CompiledSet:
    """The statements of several policies by action. Safe to share between threads."""

    __slots__ = (
        *("_action_length", "_by_head", "_by_name", "_by_trying", "_head_lengths"),
        *("_of_statements", "_parts", "_places", "_schemes", "known"),
    )

    known: dict[str, Ask]
    """What decides about the actions that were asked about. Read only."""

    def __init__(self, sources: Sequence[Source], schemes: Sequence[Scheme], action_length: int) -> None:
        self._places = tuple((source, statement) for source in sources for statement in source.statements)
        self._schemes = schemes
        self._action_length = action_length
        self.known = {}
        self._of_statements: dict[tuple[int, ...], Ask] = {}
        self._parts: dict[int, Parts] = {}
        self._by_name: dict[str, list[int]] = {}
        self._by_head: dict[str, list[int]] = {}
        trying: dict[str, tuple[Match, list[int]]] = {}
        for place, (_, statement) in enumerate(self._places):
            for pattern in statement.actions:
                if (name := pattern.exact) is not None:
                    self._by_name.setdefault(name, []).append(place)
                elif (head := pattern.prefix) is not None:
                    self._by_head.setdefault(head, []).append(place)
                else:
                    trying.setdefault(pattern.text, (pattern.matcher(), []))[1].append(place)
        self._by_trying = tuple(trying.values())
        self._head_lengths = tuple(sorted({len(head) for head in self._by_head}))

    def ask(self, action: str) -> Ask:
        """What decides about this action."""
        known = self.known.get(action)
        if known is not None:
            return known
        found = self._found(action)
        if not found:
            return NOBODY_SAID
        bucket = self._of_statements.get(found)
        if bucket is None:
            bucket = bucket_of([self._places[place][1] for place in found], self._schemes)
            _keep(self._of_statements, found, bucket)
        _keep(self.known, action, bucket)
        return bucket

    def about(self, action: str) -> list[Parts]:
        """The statements whose actions match, in the order of documents and statements."""
        return [self._parts_of(place) for place in self._found(action)]

    def _found(self, action: str) -> tuple[int, ...]:
        return () if len(action) > self._action_length else tuple(sorted(set(self._matching(action))))

    def _matching(self, action: str) -> Iterator[int]:
        yield from self._by_name.get(action, ())
        for length in self._head_lengths:
            if length > len(action):
                break
            yield from self._by_head.get(action[:length], ())
        for match, places in self._by_trying:
            if match(action):
                yield from places

    def _parts_of(self, place: int) -> Parts:
        parts = self._parts.get(place)
        if parts is None:
            source, statement = self._places[place]
            tests = tuple(map(compiled, statement.conditions))
            parts = self._parts[place] = Parts(source, statement, resource_truth(statement, self._schemes), tests)
        return parts


def _keep(memo: dict[Any, Ask], key: Any, bucket: Ask) -> None:
    if len(memo) >= KEPT_ACTIONS:
        memo.clear()
    memo[key] = bucket


@lru_cache(KEPT_SETS)
def compiled_set(sources: tuple[Source, ...], schemes: tuple[Scheme, ...], action_length: int) -> CompiledSet:
    """The compiled form of these documents; the same content is compiled once."""
    return CompiledSet(sources, schemes, action_length)
