"""Principals of a document, resolved to ids that never change."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Policy, PolicyError

IDS = {("role", "editor"): "r-1", ("user", "ann@example.com"): "u-1", ("role", "empty"): "", ("role", "odd"): 5}


def document(*principals: str) -> list[dict[str, Any]]:
    return [{"effect": "allow", "actions": ["a"], "resources": ["*"], "principals": [*principals]}]


def resolve(kind: str, name: str) -> Any:
    return IDS.get((kind, name))


def test_names_are_resolved_when_the_policy_is_read_and_the_id_is_what_matches() -> None:
    """Somebody who takes over the name later does not inherit what it was granted."""
    policy = Policy.parse(document("role:editor", "user:ann@example.com"), resolve=resolve)
    assert policy.allows("a", "x", {"roles": ["r-1"]})
    assert policy.allows("a", "x", {"id": "u-1"})
    assert not policy.allows("a", "x", {"roles": ["editor"]})
    assert not policy.allows("a", "x", {"id": "ann@example.com"})
    assert policy.to_document()[0]["principals"] == ["role:editor", "user:ann@example.com"]
    assert policy != Policy.parse(document("role:editor", "user:ann@example.com"))


def test_groups_keys_and_everybody_have_no_names_to_resolve() -> None:
    """They are ids already."""
    policy = Policy.parse(document("group:g", "key:k"), resolve=resolve)
    assert policy.allows("a", "x", {"groups": ["g"]})
    assert policy.allows("a", "x", {"key": "k"})
    assert Policy.parse(document("*"), resolve=resolve).allows("a", "x", {"id": "anybody"})


@pytest.mark.parametrize("name", ["role:nobody", "user:nobody", "role:empty", "role:odd"])
def test_a_name_of_nobody_is_a_problem_of_the_document(name: str) -> None:
    """Also where the answer is no id."""
    with pytest.raises(PolicyError) as raised:
        Policy.parse(document("*", name), resolve=resolve)
    (problem,) = raised.value.problems
    assert (problem.code, problem.pointer) == ("unresolved_principal", "/0/principals/1")
    assert name.partition(":")[2] in problem.message


def test_without_a_resolver_names_compare_as_given() -> None:
    """Which is what a caller chose by leaving it out."""
    assert Policy.parse(document("role:editor")).allows("a", "x", {"roles": ["editor"]})
