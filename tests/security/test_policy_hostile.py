"""Patterns made to be slow. Steps are counted, not seconds: every star and every position is looked at once.

The published cases: minio/pkg 261 (`*********x` took a minute to parse) and lakeFS 1996 (a power of the length).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bearerkit.policy import Limits, Policy, PolicyError, pattern
from bearerkit.policy.pattern import Variable, parse_pattern
from security.attack import OWN, attacks

LONG = 20_000


class Counted:
    """Counts the searches of all pieces, and the characters that lie between where they begin and where they end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.searches = self.characters = 0
        made = pattern._Piece.__init__

        def counting(piece: Any, atoms: Any) -> None:
            made(piece, atoms)
            find = piece.find

            def counted(subject: str, start: int, end: int) -> int:
                found = find(subject, start, end)
                self.searches += 1
                self.characters += (end if found < 0 else found + piece.length) - start
                return int(found)

            piece.find = counted

        monkeypatch.setattr(pattern._Piece, "__init__", counting)

    def steps_of(self, text: str, subject: str) -> tuple[bool, int, int]:
        match = parse_pattern(text).matcher()
        self.searches = self.characters = 0
        return match(subject), self.searches, self.characters


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


HOSTILE = {
    "many_stars_no_end": ("a*" * 5_000 + "b", "a" * LONG),
    "many_stars": ("*a" * 5_000 + "*", "a" * LONG),
    "almost": ("*ab" * 3_000 + "*c*", "ab" * (LONG // 2)),
    "marks_between_stars": ("*a?" * 3_000 + "*b", "a" * LONG),
    "only_marks": ("?" * LONG, "a" * LONG),
    "marks_and_stars": ("*?" * 5_000 + "*", "a" * LONG),
    "first_missing": ("b" + "*a" * 5_000 + "*", "a" * LONG),
}


@pytest.mark.parametrize(("text", "subject"), HOSTILE.values(), ids=HOSTILE)
@attacks(OWN, "pattern and input of 20,000 characters", answer="one search for each star, no position twice")
def test_each_piece_is_looked_for_once_and_no_position_twice(counted: Counted, text: str, subject: str) -> None:
    """At most one search for each star, and together no more characters than the input and the pattern have."""
    _, searches, characters = counted.steps_of(text, subject)
    assert searches <= text.count("*") + 2
    assert characters <= len(subject) + len(text)


@pytest.mark.parametrize("unit", ["*a", "*a?", "*ab"])
@attacks(OWN, "twice the pattern and twice the input", answer="twice the steps")
def test_twice_the_input_and_pattern_are_twice_the_steps(counted: Counted, unit: str) -> None:
    """Not four times: neither searches nor characters."""
    counts = [counted.steps_of(unit * (size // 4) + "*b", "a" * size)[1:] for size in (5_000, 10_000, 20_000)]
    for small, large in pairwise(counts):
        assert all(more <= 2 * less + 4 for less, more in zip(small, large, strict=True))


@attacks(OWN, "nine stars in a row, and 20,000", answer="one star")
def test_a_run_of_stars_is_one_star(counted: Counted) -> None:
    """So nine of them cost one search at the end, when parsed and when matched."""
    parsed = parse_pattern("*********x")
    assert parsed.wildcards == 1
    assert len(parsed.atoms) == 2
    assert counted.steps_of("*********x", "a" * LONG) == (False, 1 + 1, 1)
    assert counted.steps_of("*" * LONG + "x", "a" * LONG + "x")[0]


@attacks(OWN, "the same as action, resource and condition of a policy", answer="denied in as many steps")
def test_the_same_through_a_whole_policy_with_raised_limits(counted: Counted) -> None:
    """Actions, resources and StringLike conditions alike."""
    limits = Limits(document_bytes=10**6, pattern_length=LONG, wildcards=LONG, action_length=LONG,
                    resource_length=LONG)  # fmt: skip
    hostile = "*a" * 4_999 + "*b"
    policy = Policy.parse(
        [
            {"effect": "allow", "actions": [hostile], "resources": ["*"]},
            {"effect": "allow", "actions": ["x"], "resources": [hostile]},
            {"effect": "allow", "actions": ["y"], "resources": ["*"], "conditions": {"StringLike": {"s": hostile}}},
        ],
        limits=limits,
    )
    subject = "a" * LONG
    for question in ((subject, "r"), ("x", subject), ("y", "r", None, {"s": subject})):
        counted.searches = 0
        assert policy.decide(*question).effect == "implicit_deny"
        assert counted.searches <= 5_000 * 2 + 4


@attacks(OWN, "patterns and resources beyond the limits", answer="PolicyError, deny")
def test_the_default_limits_refuse_such_patterns_and_questions() -> None:
    """Before anything is matched."""
    with pytest.raises(PolicyError) as raised:
        Policy.parse([{"effect": "allow", "actions": ["*"], "resources": ["*a" * 9, "a" * LONG]}])
    assert [problem.code for problem in raised.value.problems] == ["too_many_wildcards", "pattern_too_long"]
    assert not Policy.parse([{"effect": "allow", "actions": ["*"], "resources": ["*"]}]).allows("a", "a" * LONG)


@attacks(OWN, "a tenant that is called *", answer="a star, no wildcard")
def test_a_value_in_a_variable_brings_no_wildcards_along() -> None:
    """A tenant that calls itself `*` is a star, in a pattern and so in the search for it."""
    filled = parse_pattern("t/${principal.tenant}/*").filled({"principal.tenant": "*" * 100})
    assert filled.wildcards == 1
    assert not any(isinstance(atom, Variable) for atom in filled.atoms)
