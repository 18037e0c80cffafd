"""The rules about what may be bound and inherited: the same rows give the same problem, in whatever order they come."""

from __future__ import annotations

from itertools import permutations

import pytest

from bearerkit.policy import Limits, PolicyError
from bearerkit.stores.memory import MemoryPolicies
from bearerkit.stores.policy_reach import hierarchy_problem, reach_problem, targets_by_child
from bearerkit.stores.policy_records import BoundRow, LinkRow, PolicyRow
from bearerkit.testing.policy_sources import allow


def test_a_circle_is_told_the_same_way_round() -> None:
    """A database gives rows in any order; the sentence begins with the first name."""
    links = [LinkRow("role", child, parent) for child, parent in (("b", "a"), ("a", "c"), ("c", "b"), ("d", "a"))]
    problems = {hierarchy_problem(targets_by_child(rows, "role")) for rows in permutations(links)}
    assert [problem.message for problem in problems if problem] == ["a role would be its own parent: a → c → b → a"]
    assert len(problems) == 1


def test_who_has_too_much_is_the_same_one() -> None:
    """The first by kind and name, where several have."""
    rows = [PolicyRow(number, f"n{number}", 1, "[]", None, 1, 0.0) for number in (1, 2)]
    bindings = [BoundRow(kind, to, number) for kind, to in (("user", "u"), ("group", "g")) for number in (1, 2)]
    problems = {reach_problem(rows, bound, [], most_policies=1, most_statements=9) for bound in permutations(bindings)}
    assert [problem.message for problem in problems if problem] == [
        "2 policies would be in force for group 'g'; at most 1 are allowed"
    ]


def test_sixteen_parents_are_the_most() -> None:
    """Seventeen are one too many, wherever one begins to count."""
    for height, code in ((16, None), (17, "role_depth"), (2_000, "role_depth")):
        links = [LinkRow("role", f"r{number}", f"r{number + 1}") for number in range(height)]
        for rows in (links, links[::-1]):
            problem = hierarchy_problem(targets_by_child(rows, "role"))
            assert (problem.code if problem else None) == code


def test_a_larger_version_of_what_is_bound_counts() -> None:
    """It is refused where somebody would have too much by it, and what is not bound may grow."""
    store = MemoryPolicies(limits=Limits(effective_statements=2))
    for name in ("one", "two", "free"):
        store.put("acme", name, allow("a"))
    for name in ("one", "two"):
        store.bind("acme", name, role="editor")
    with pytest.raises(PolicyError, match="3 statements would be in force for role 'editor'"):
        store.put("acme", "two", allow("a") * 2)
    assert (store.get("acme", "two").version, store.put("acme", "free", allow("a") * 2).version) == (1, 2)
    store.put("acme", "two", [])
    store.put("acme", "one", allow("a") * 2)


def test_a_document_that_no_database_takes_is_refused() -> None:
    """By every store, so that it can be moved from one to another."""
    with pytest.raises(PolicyError, match="surrogate"):
        MemoryPolicies().put("acme", "reader", [{**allow("a")[0], "sid": "\ud800"}])
