"""A set of policies, compiled once for everybody who has the same set.

For an action the statements are found by name, by the beginning of a pattern, and only then by trying; what was found
is kept for the next question. Actions that no statement is about are kept only if the catalog has them: invented names
fill nothing. What is kept is bounded, and forgotten all at once when it is full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, final

from bearerkit.policy.answers import KEPT_ANSWERS, Answers, Nobody, Room
from bearerkit.policy.bucket import ResourceTest, bucket_of, resource_truth
from bearerkit.policy.condition import Test, compiled
from bearerkit.policy.limits import Limits
from bearerkit.policy.pattern import Match, Pattern
from bearerkit.policy.scheme import Scheme
from bearerkit.policy.statement import Source, Statement

__all__ = ["KEPT_ACTIONS", "KEPT_CHARACTERS", "KEPT_SETS", "KEPT_STATEMENTS", "CompiledSet", "Parts", "compiled_set"]

KEPT_ACTIONS: Final = 8_192
"""Actions of one set whose statements are remembered; then it begins anew."""
KEPT_STATEMENTS: Final = 1_000_000
"""Statements in what is remembered of one set, counted once for each combination of them. Each costs some sixty bytes,
and thirteen patterns of actions are enough for eight thousand combinations.
"""
KEPT_SETS: Final = 1_024
"""Compiled sets that are kept; the one that was not asked for longest goes first."""
KEPT_CHARACTERS: Final = 8_000_000
"""Characters of their documents together, which take some thirty times as many bytes: a document is compiled when it is
checked, so that whoever may store policies could else fill the memory with a thousand large ones.
"""

_NONE: Final[tuple[int, ...]] = ()


class Parts(NamedTuple):
    """One statement and its parts as functions, for explanations."""

    source: Source
    statement: Statement
    action: Pattern
    """The first of its patterns that the action matches."""
    resource: ResourceTest
    conditions: tuple[Test, ...]


class _ByAction(dict[str, Answers]):
    """Action → its answers, found when they are first asked for."""

    __slots__ = ("_found",)

    def __init__(self, found: Callable[[str], Answers]) -> None:
        self._found = found

    def __missing__(self, action: str) -> Answers:
        return self._found(action)


@final
class CompiledSet:
    """The statements of several policies by action. Safe to share between threads."""

    __slots__ = (
        *("_about", "_action_length", "_by_head", "_by_name", "_by_trying", "_catalog", "_heads_anywhere", "_heads_in"),
        *("_kept", "_nobody", "_of_statements", "_parts", "_places", "_room", "_schemes", "answers", "characters"),
    )

    answers: _ByAction
    """`answers[action][resource]` is the effect, None where it takes `answers[action].ask`. Read only."""
    characters: int
    """Those of its documents."""

    def __init__(
        self,
        sources: Sequence[Source],
        schemes: Sequence[Scheme],
        limits: Limits,
        catalog: frozenset[str] = frozenset(),
    ) -> None:
        self.characters = sum(len(source.written) for source in sources)
        self._kept = 0
        self._places = tuple((source, statement) for source in sources for statement in source.statements)
        self._schemes, self._catalog = schemes, catalog
        self._action_length = limits.action_length
        self._room = Room(limits.resource_length, self._forget)
        self._nobody = Nobody(self._room)
        self.answers = _ByAction(self._find)
        self._of_statements: dict[tuple[int, ...], Answers] = {}
        self._about: dict[str, tuple[Parts, ...]] = {}
        self._parts: dict[tuple[int, str], Parts] = {}
        by_name: dict[str, list[int]] = {}
        by_head: dict[str, list[int]] = {}
        trying: dict[str, tuple[Match, list[int]]] = {}
        for place, (_, statement) in enumerate(self._places):
            for pattern in statement.actions:
                if (name := pattern.exact) is not None:
                    by_name.setdefault(name, []).append(place)
                elif (head := pattern.prefix) is not None:
                    by_head.setdefault(head, []).append(place)
                else:
                    trying.setdefault(pattern.text, (pattern.matcher(), []))[1].append(place)
        self._by_name = {name: tuple(places) for name, places in by_name.items()}
        self._by_head = {head: tuple(places) for head, places in by_head.items()}
        self._by_trying = tuple((match, tuple(places)) for match, places in trying.values())
        heads: dict[str, list[str]] = {}
        for head in by_head:
            namespace, dot, _ = head.partition(".")
            heads.setdefault(namespace if dot else "", []).append(head)
        anywhere = heads.pop("", [])
        self._heads_anywhere = _with_lengths(anywhere)
        self._heads_in = {namespace: _with_lengths(found + anywhere) for namespace, found in heads.items()}

    def about(self, action: str) -> tuple[Parts, ...]:
        """The statements whose actions match, in the order of documents and statements."""
        known = self._about.get(action)
        if known is None:
            known = tuple(self._parts_of(place, action) for place in self._found(action))
            if known:
                self._make_room(len(known))
                self._keep(self._about, action, known)
        return known

    def _find(self, action: str) -> Answers:
        found = self._found(action)
        if not found:
            if action in self._catalog:
                self._keep(self.answers, action, self._nobody)
            return self._nobody
        answers = self._of_statements.get(found)
        if answers is None:
            answers = bucket_of([self._places[place][1] for place in found], self._schemes, self._room)
            self._make_room(len(found))
            self._of_statements[found] = answers
        self._keep(self.answers, action, answers)
        return answers

    def _keep(self, memo: dict[str, Any], action: str, found: Any) -> None:
        if len(memo) >= KEPT_ACTIONS:
            self._forget()
        memo[action] = found

    def _make_room(self, statements: int) -> None:
        if self._kept + statements > KEPT_STATEMENTS:
            self._forget()
        self._kept += statements

    def _forget(self) -> None:
        for memo in (self.answers, self._of_statements, self._about, self._parts):
            memo.clear()
        self._room.left = KEPT_ANSWERS
        self._kept = 0

    def _found(self, action: str) -> tuple[int, ...]:
        """The places of the statements whose actions match, in order."""
        if len(action) > self._action_length:
            return _NONE
        found = self._by_name.get(action, _NONE)
        heads, lengths = self._heads_in.get(action.partition(".")[0], self._heads_anywhere)
        if action.startswith(heads):
            for head_length in lengths:
                found += self._by_head.get(action[:head_length], _NONE)
        for match, places in self._by_trying:
            if match(action):
                found += places
        return tuple(sorted(set(found))) if found else found

    def _parts_of(self, place: int, action: str) -> Parts:
        source, statement = self._places[place]
        pattern = next(pattern for pattern in statement.actions if pattern.matcher()(action))
        parts = self._parts.get((place, pattern.text))
        if parts is None:
            tests = tuple(map(compiled, statement.conditions))
            parts = Parts(source, statement, pattern, resource_truth(statement, self._schemes), tests)
            self._parts[place, pattern.text] = parts
        return parts


def _with_lengths(heads: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Beginnings to rule an action out by, and the lengths to find those that it has."""
    return tuple(heads), tuple(sorted({len(head) for head in heads}))


Key = tuple[tuple[Source, ...], tuple[Scheme, ...], Limits, frozenset[str]]
_kept: Final[dict[Key, CompiledSet]] = {}
_characters: Final = [0]


def compiled_set(
    sources: tuple[Source, ...], schemes: tuple[Scheme, ...], limits: Limits, catalog: frozenset[str]
) -> CompiledSet:
    """The compiled form of these documents; the same content is compiled once. `catalog`: the names that exist."""
    key = (sources, schemes, limits, catalog)
    known = _kept.get(key)
    if known is None:
        known = CompiledSet(sources, schemes, limits, catalog)
        if known.characters <= KEPT_CHARACTERS:
            _kept[key] = known
            _characters[0] += known.characters
            _drop_oldest()
    else:
        _kept.pop(key, None)
        _kept[key] = known  # to the end
    return known


def _drop_oldest() -> None:
    # Without a lock, which a fork could take along: at worst two threads compile the same, or a set too many goes.
    while len(_kept) > KEPT_SETS or _characters[0] > KEPT_CHARACTERS:
        oldest = [*_kept][:1]  # a copy, since another thread may add one meanwhile
        if not oldest:
            _characters[0] = 0  # two threads counted at once
        elif (gone := _kept.pop(oldest[0], None)) is not None:  # pragma: no branch - None if another was quicker
            _characters[0] -= gone.characters
