"""Compiled sets: shared by content, and memos that no caller can fill."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Policy, compiled
from bearerkit.policy.compiled import CompiledSet, compiled_set


def document(*actions: str, effect: str = "allow") -> list[dict[str, Any]]:
    return [{"effect": effect, "actions": [action], "resources": ["*"]} for action in actions]


def compiled_of(policy: Policy) -> CompiledSet:
    return compiled_set(policy.sources, policy.schemes, 256)


def test_the_same_content_is_compiled_once() -> None:
    """However often it is parsed; another id, version, scheme or resolution is other content."""
    named = [{**document("a")[0], "principals": ["role:x"]}]
    same = [Policy.parse(document("a")), Policy.parse_json('[{"resources":["*"],"actions":["a"],"effect":"allow"}]')]
    assert compiled_of(same[0]) is compiled_of(same[1])
    others = [
        Policy.parse(document("a"), id="p"),
        Policy.parse(document("a"), version="2"),
        Policy.parse(document("a"), schemes=[]),
        Policy.parse(document("a", effect="Allow")),
        Policy.parse(named),
        Policy.parse(named, resolve=lambda kind, name: "1"),
        Policy.parse(named, resolve=lambda kind, name: "2"),
    ]
    assert len({id(compiled_of(policy)) for policy in (same[0], *others)}) == len(others) + 1


def test_a_source_is_equal_to_no_other_thing() -> None:
    """Only to the same content."""
    (source,) = Policy.parse(document("a")).sources
    assert source != "a"
    assert source == Policy.parse(document("a")).sources[0]


def test_invented_actions_fill_no_memo() -> None:
    """What no statement is about is not remembered."""
    known = CompiledSet(Policy.parse(document("a", "b.*", "*.c")).sources, (), 256)
    before = _kept(known)
    for number in range(1_000):
        known.ask(f"invented{number}")
    assert _kept(known) == before
    known.ask("a")
    assert _kept(known) == before + 2


def test_actions_that_a_wildcard_takes_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the memo begins anew; the answers stay what they are."""
    monkeypatch.setattr(compiled, "KEPT_ACTIONS", 10)
    sources = Policy.parse([*document("a.*"), *document("a.no*", effect="deny")]).sources
    known = CompiledSet(sources, (), 256)
    for number in range(100):
        assert known.ask(f"a.yes{number}")("x", None, {}) == "allow"
        assert known.ask(f"a.no{number}")("x", None, {}) == "explicit_deny"
        assert _kept(known) <= 20


def test_actions_with_the_same_statements_share_one_bucket() -> None:
    """So that a wildcard costs one, not one for each action."""
    known = CompiledSet(Policy.parse(document("a.*", "a.x")).sources, (), 256)
    assert known.ask("a.1") is known.ask("a.2")
    assert known.ask("a.1") is known.ask("a.1")
    assert known.ask("a.x") is not known.ask("a.1")


def test_actions_are_found_by_name_by_beginning_and_by_trying() -> None:
    """One of each kind, and all of them together."""
    sources = Policy.parse(document("a.b", "a.*", "*.b", "a?b", "*", "aa.long.prefix*", "a*")).sources
    known = CompiledSet(sources, (), 256)
    assert sorted(set(known._matching("a.b"))) == [0, 1, 2, 3, 4, 6]
    assert sorted(set(known._matching("a"))) == [4, 6]
    assert sorted(set(known._matching("x.b"))) == [2, 4]
    assert sorted(set(known._matching("aa.long.prefix.x"))) == [4, 5, 6]


def _kept(known: CompiledSet) -> int:
    return len(known.known) + len(known._of_statements)
