"""Policies against an evaluator written from the description alone, and the laws that hold for all of them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bearerkit.policy import Catalog, Policy
from bearerkit.policy.condition import compiled
from bearerkit.policy.condition_forms import conditions as read_conditions
from bearerkit.policy.limits import Limits
from bearerkit.policy.operators import OPERATORS
from bearerkit.policy.pattern import parse_pattern
from bearerkit.policy.principal import principal_from
from bearerkit.policy.problems import Place
from property.policy_oracle import effect, holds, matches, statements_of, tokens
from property.policy_strategies import (
    ACTIONS,
    conditions,
    contexts,
    documents,
    patterns,
    principals,
    questions,
    statements,
)

FEW = max(settings().max_examples // 2, 1)
"""Half of what the profile says: an example here is a whole document and several questions."""
CATALOG = Catalog.of([*ACTIONS, "z"])


@given(documents(), st.lists(questions(), min_size=1, max_size=8))
def test_every_answer_is_that_of_the_oracle(document: Any, asked: list[Any]) -> None:
    """allows, decide, decide_all and explain say what a slow reading of the document says."""
    policy = Policy.parse(document)
    for action, resource, principal, context in asked:
        expected = effect([document], action, resource, principal, context)
        decision = policy.decide(action, resource, principal, context)
        assert (decision.effect, decision.error) == (expected, None)
        assert policy.allows(action, resource, principal, context) is (expected == "allow")
        assert policy.explain(action, resource, principal, context).decision == decision


@settings(max_examples=FEW)
@given(documents(), st.sampled_from(["d/x", "service:s/package:p"]), principals(), contexts())
def test_all_actions_at_once_are_the_single_answers(document: Any, resource: str, who: Any, context: Any) -> None:
    """decide_all is the oracle for every action of the catalog."""
    policy = Policy() | Policy.parse(document)
    policy = Policy(policy.sources, catalog=CATALOG)
    decided = policy.decide_all(resource, who, context)
    assert decided == {name: effect([document], name, resource, who, context) == "allow" for name in (*ACTIONS, "z")}


@settings(max_examples=FEW)
@given(documents(), questions(), st.lists(st.sampled_from(["/x", "/package:p", "/table:t", "/x/y"]), max_size=4))
def test_what_is_allowed_below_is_allowed_on_everything_below(document: Any, asked: Any, below: list[str]) -> None:
    """`depth="all"` never says yes where the resource or something below it is denied."""
    action, resource, principal, context = asked
    policy = Policy(Policy.parse(document).sources, catalog=CATALOG)
    if policy.decide_all(resource, principal, context, depth="all")[action]:
        for tail in ("", *below):
            assert effect([document], action, resource + tail, principal, context) == "allow"


@settings(max_examples=FEW)
@given(documents(), questions())
def test_the_statement_that_an_explanation_names_really_decides(document: Any, asked: Any) -> None:
    """Alone it decides the same, and nothing is named where nothing applies."""
    action, resource, principal, context = asked
    explanation = Policy.parse(document).explain(*asked)
    trace = explanation.decided_by
    if explanation.decision.effect == "implicit_deny":
        assert trace is None
        return
    assert trace is not None
    listed = statements_of(document)
    named = [s for i, s in enumerate(listed) if s.get("sid", f"#{i}") == trace.statement]
    assert len(named) == 1
    assert effect([named], action, resource, principal, context) == explanation.decision.effect
    assert trace.matched_action in named[0]["actions"]
    assert trace.matched_resource in named[0]["resources"]
    if trace.matched_principal is not None:
        assert trace.matched_principal in named[0]["principals"]
    narrowed = {**named[0], "actions": [trace.matched_action], "resources": [trace.matched_resource]}
    assert effect([[narrowed]], action, resource, principal, context) == explanation.decision.effect


@given(documents(total=False), questions(), st.data())
def test_leaving_out_what_is_known_never_allows(document: Any, asked: Any, data: st.DataObject) -> None:
    """Without Exists and IfExists, deleting keys of the context turns no deny into an allow."""
    action, resource, principal, context = asked
    policy = Policy.parse(document)
    if policy.allows(action, resource, principal, context):
        return
    fewer = without(context, data)
    poorer = (
        None if principal is None else {k: v for k, v in principal.items() if k != "team" or data.draw(st.booleans())}
    )
    assert not policy.allows(action, resource, poorer, fewer)


def without(context: Mapping[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The context with some keys gone, at any depth."""
    kept: dict[str, Any] = {}
    for name, value in context.items():
        if data.draw(st.booleans()):
            kept[name] = without(value, data) if isinstance(value, Mapping) else value
    return kept


@settings(max_examples=FEW)
@given(documents(), documents(), documents(), questions(), st.randoms(use_true_random=False))
def test_order_decides_nothing(one: Any, two: Any, three: Any, asked: Any, random: Any) -> None:
    """Statements shuffled, and documents merged in any order and grouping, decide the same."""
    expected = effect([one, two, three], *asked)
    a, b, c = map(Policy.parse, (one, two, three))
    assert (a | b | c).decide(*asked).effect == expected
    assert (c | (a | b)).decide(*asked).effect == expected
    assert (b | a | b | c).decide(*asked).effect == expected
    shuffled = copy.deepcopy(one)
    random.shuffle(statements_of(shuffled))
    assert Policy.parse(shuffled).decide(*asked).effect == effect([one], *asked)


@settings(max_examples=FEW)
@given(documents(), questions())
def test_a_document_written_back_is_the_same_policy(document: Any, asked: Any) -> None:
    """parse(to_document()) is equal, and so is its text, byte for byte."""
    policy = Policy.parse(document)
    again = Policy.parse(policy.to_document())
    assert again == policy
    assert hash(again) == hash(policy)
    assert again.to_json() == policy.to_json()
    assert again.decide(*asked) == policy.decide(*asked)
    assert policy.to_document() == document


@settings(max_examples=FEW)
@given(documents(), statements(form="document"), questions())
def test_one_more_deny_never_widens(document: Any, statement: Any, asked: Any) -> None:
    """What was not allowed is not allowed with another deny."""
    policy = Policy.parse(document)
    deny = Policy.parse({"version": "1.0", "statements": [{**statement, "effect": "deny"}]})
    assert policy.allows(*asked) or not (policy | deny).allows(*asked)


@settings(max_examples=FEW)
@given(documents(), documents(), questions())
def test_a_boundary_is_an_and(one: Any, two: Any, asked: Any) -> None:
    """Within a boundary exactly what both allow is allowed, and the boundary is named where it alone refuses."""
    a, b = Policy.parse(one), Policy.parse(two)
    first, second = effect([one], *asked), effect([two], *asked)
    bounded = a.bounded_by(b, "key")
    decision = bounded.decide(*asked)
    assert decision.effect == (first if first != "allow" else "allow" if second == "allow" else "boundary_deny")
    assert decision.layer == ("key" if decision.effect == "boundary_deny" else "identity")
    assert (a & b).allows(*asked) is (b & a).allows(*asked) is bounded.allows(*asked) is decision.allowed
    assert bounded.explain(*asked).decision == decision


def regex(text: str) -> re.Pattern[str]:
    """The pattern as a regular expression with backtracking."""
    kinds = {"any": ".*", "one": "."}
    return re.compile("".join(kinds.get(kind) or re.escape(char) for kind, char in tokens(text)), re.DOTALL)


@given(
    st.one_of(
        st.text("ab*?", min_size=1, max_size=10),
        st.text("a.*?", min_size=1, max_size=10),
        st.lists(st.sampled_from(["a", "b", "*", "?", "${*}", "${?}", "${$}", "[", ".", "/"]), min_size=1).map("".join),
        patterns(ACTIONS),
    ),
    st.lists(st.text("ab", max_size=12) | st.text("ab*?$[./\n", max_size=10), min_size=1, max_size=6),
)
def test_the_matcher_is_a_backtracking_one(pattern: str, texts: list[str]) -> None:
    """Pieces from the left find what trying everything finds."""
    match, reference = parse_pattern(pattern).matcher(), regex(pattern)
    for text in texts:
        assert match(text) is (reference.fullmatch(text) is not None) is matches(tokens(pattern), text), (pattern, text)


@given(conditions(), principals(), contexts())
def test_every_condition_is_true_false_or_neither_as_described(condition: Any, who: Any, context: Any) -> None:
    """One condition by itself: the three values of the oracle."""
    found: list[Any] = []
    (read,) = read_conditions([condition], Limits(), OPERATORS, Place(found))
    principal = principal_from(who)
    known = {**(who or {}), "roles": principal.effective_roles} if principal is not None else None
    assert compiled(read)(principal, context) is holds(condition, {**context, "principal": known})
