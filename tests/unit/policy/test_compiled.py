"""Compiled sets: shared by content, and memos that no caller can fill."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Catalog, Limits, Policy, answers, compiled
from bearerkit.policy.compiled import CompiledSet, compiled_set


def document(*actions: str, effect: str = "allow") -> list[dict[str, Any]]:
    return [{"effect": effect, "actions": [action], "resources": ["*"]} for action in actions]


def compiled_of(policy: Policy) -> CompiledSet:
    return compiled_set(policy.sources, policy.schemes, policy.limits, frozenset())


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


def test_sets_are_kept_up_to_a_number_and_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not asked for longest goes first; one that is larger than all may be is not kept at all."""
    monkeypatch.setattr(compiled, "_kept", {})
    monkeypatch.setattr(compiled, "_characters", [0])
    size = len(Policy.parse(document("a0")).to_json())

    def kept() -> list[str]:
        return [known._places[0][1].actions[0].text for known in compiled._kept.values()]

    monkeypatch.setattr(compiled, "KEPT_CHARACTERS", 3 * size)
    policies = [Policy.parse(document(f"a{number}")) for number in range(4)]
    assert kept() == ["a1", "a2", "a3"]
    assert compiled_of(policies[1]) is policies[1].compiled
    assert kept() == ["a2", "a3", "a1"]
    monkeypatch.setattr(compiled, "KEPT_SETS", 2)
    Policy.parse(document("a4"))
    assert kept() == ["a1", "a4"]
    assert Policy.parse(document("long" * size)).allows("long" * size, "x")
    assert kept() == ["a1", "a4"]
    compiled._characters[0] = 10**9  # threads that counted at once: it begins anew, and does not stay empty
    for number in range(5, 7):
        Policy.parse(document(f"a{number}"))
    assert kept() == ["a6"]


def test_a_source_is_equal_to_no_other_thing() -> None:
    """Only to the same content."""
    (source,) = Policy.parse(document("a")).sources
    assert source != "a"
    assert source == Policy.parse(document("a")).sources[0]


def test_invented_actions_fill_no_memo() -> None:
    """What no statement is about is not remembered, with whatever resource."""
    known = CompiledSet(Policy.parse(document("a", "b.*", "*.c")).sources, (), Limits())
    before = _kept(known)
    for number in range(1_000):
        assert known.answers[f"invented{number}"][f"r{number}"] == "implicit_deny"
        assert known.about(f"invented{number}") == ()
    assert _kept(known) == before
    assert known.answers["a"]["r"] == "allow"
    assert _kept(known) == before + 3


def test_actions_of_the_catalog_are_remembered_though_nobody_may_do_them() -> None:
    """There is an end to those."""
    catalog = Catalog.of(["a", "b"])
    policy = Policy.parse(document("a"), catalog=catalog)
    for action in ("b", "c", "b"):
        assert not policy.allows(action, "r")
    assert [*policy.compiled.answers] == ["b"]
    assert policy.compiled is not Policy.parse(document("a")).compiled
    assert policy.compiled is Policy.parse(document("a"), catalog=Catalog.of(["b", "a"])).compiled


def test_actions_that_a_wildcard_takes_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the memo begins anew; the answers stay what they are."""
    monkeypatch.setattr(compiled, "KEPT_ACTIONS", 10)
    sources = Policy.parse([*document("a.*"), *document("a.no*", effect="deny")]).sources
    known = CompiledSet(sources, (), Limits())
    for number in range(100):
        assert known.answers[f"a.yes{number}"]["x"] == "allow"
        assert known.answers[f"a.no{number}"]["x"] == "explicit_deny"
        assert len(known.about(f"a.no{number}")) == 2
        assert _kept(known) <= 30


def test_resources_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short ones, where nothing but the resource decides; all answers stay what they are."""
    monkeypatch.setattr(answers, "KEPT_ANSWERS", 10)
    monkeypatch.setattr(compiled, "KEPT_ANSWERS", 10)
    policy = Policy.parse(
        [
            {"effect": "allow", "actions": ["a"], "resources": ["x/*"]},
            {"effect": "deny", "actions": ["a"], "resources": ["x/1*"]},
        ]
    )
    known = CompiledSet(policy.sources, (), Limits())
    for number in range(100):
        wanted = "explicit_deny" if str(number).startswith("1") else "allow"
        for _ in range(2):
            assert known.answers["a"][f"x/{number}"] == wanted
        assert known.answers["a"][f"y/{number}"] == "implicit_deny"
        assert _kept(known) <= 10 + 3
    assert known.answers["a"]["x/2"] == "allow"
    before = _kept(known)
    assert known.answers["a"]["x/" + "2" * 255] == "allow"
    assert known.answers["a"]["x/" + "2" * 2_047] == "implicit_deny"
    assert _kept(known) == before


def test_nothing_is_remembered_where_the_caller_has_a_say() -> None:
    """Principals, conditions and variables are asked each time, for each their own."""
    policy = Policy.parse(
        [
            {"effect": "allow", "actions": ["a"], "resources": ["*"], "principals": ["role:r"]},
            {"effect": "allow", "actions": ["b"], "resources": ["*"], "conditions": {"Bool": {"session.mfa": True}}},
            {"effect": "allow", "actions": ["c"], "resources": ["t/${principal.tenant}"]},
        ]
    )
    for who in ({"roles": ["r"], "tenant": "x"}, {"roles": ["s"], "tenant": "y"}, None):
        mine = who is not None and who["tenant"] == "x"
        for _ in range(2):
            assert policy.allows("a", "t/x", who) is mine
            assert policy.allows("b", "t/x", who, {"session": {"mfa": mine}}) is mine
            assert policy.allows("c", "t/x", who) is mine
    assert {len(policy.compiled.answers[action]) for action in "abc"} == {0}


def test_many_combinations_of_statements_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who may name actions could else have ten thousand statements kept for each combination of them."""
    monkeypatch.setattr(compiled, "KEPT_STATEMENTS", 100)
    letters = "abcdefgh"
    known = CompiledSet(Policy.parse(document("*", *(f"*{letter}*" for letter in letters))).sources, (), Limits())
    for number in range(256):
        action = "".join(letter for place, letter in enumerate(letters) if number >> place & 1) or "z"
        assert known.answers[action]["x"] == "allow"
        assert len(known.about(action)) == number.bit_count() + 1
        assert sum(map(len, known._of_statements)) + sum(map(len, known._about.values())) <= 100
        assert set(map(id, known.answers.values())) <= set(map(id, known._of_statements.values()))


def test_actions_with_the_same_statements_share_one_bucket() -> None:
    """So that a wildcard costs one, not one for each action."""
    known = CompiledSet(Policy.parse(document("a.*", "a.x")).sources, (), Limits())
    assert known.answers["a.1"] is known.answers["a.2"]
    assert known.answers["a.1"] is known.answers["a.1"]
    assert known.answers["a.x"] is not known.answers["a.1"]


def test_actions_are_found_by_name_by_beginning_and_by_trying() -> None:
    """One of each kind, and all of them together."""
    sources = Policy.parse(document("a.b", "a.*", "*.b", "a?b", "*", "aa.long.prefix*", "a*")).sources
    known = CompiledSet(sources, (), Limits())
    assert known._found("a.b") == (0, 1, 2, 3, 4, 6)
    assert known._found("a") == (4, 6)
    assert known._found("x.b") == (2, 4)
    assert known._found("aa.long.prefix.x") == (4, 5, 6)


def _kept(known: CompiledSet) -> int:
    kept = {id(answers): len(answers) for answers in known._of_statements.values()}
    return sum(kept.values()) + len(known.answers) + len(known._of_statements) + len(known._about)
