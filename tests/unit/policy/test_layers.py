"""Layers: boundaries that only take away, and documents that are in force together."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Catalog, Limits, Policy


def policy(*allowed: str, denied: tuple[str, ...] = (), **options: Any) -> Policy:
    rules = [("allow", allowed), ("deny", denied)]
    return Policy.parse(
        [{"effect": effect, "actions": [*actions], "resources": ["*"]} for effect, actions in rules if actions],
        **options,
    )


def test_a_boundary_takes_away_and_is_named() -> None:
    """Its denies and what it does not allow; it grants nothing."""
    bounded = policy("a", "b", "c").bounded_by(policy("a", "d", denied=("b",)), name="author")
    rows = {"a": ("allow", "identity"), "b": ("boundary_deny", "author"), "c": ("boundary_deny", "author"),
            "d": ("implicit_deny", "identity")}  # fmt: skip
    for action, (effect, layer) in rows.items():
        decision = bounded.decide(action, "x")
        assert (decision.effect, decision.layer) == (effect, layer)
        assert bounded.allows(action, "x") is (effect == "allow")


def test_the_first_boundary_that_refuses_is_named() -> None:
    """In the order in which they were put around it; also where a boundary has one of its own."""
    bounded = policy("a", "b").bounded_by(policy("a"), "key").bounded_by(policy(), "service")
    assert bounded.decide("b", "x").layer == "key"
    assert bounded.decide("a", "x").layer == "service"
    nested = policy("a").bounded_by(policy("a").bounded_by(policy(), "inner"), "outer")
    assert nested.decide("a", "x").layer == "outer"


def test_an_explicit_deny_of_its_own_goes_before_any_boundary() -> None:
    """The identity layer is asked first."""
    assert policy("a", denied=("a",)).bounded_by(policy(), "key").decide("a", "x").effect == "explicit_deny"


def test_an_explanation_tells_what_happened_inside_the_boundary() -> None:
    """The statement of the boundary that denies, and the boundary's name."""
    key = policy("a", denied=("a",), id="k")
    explanation = policy("a", id="p").bounded_by(policy("a")).bounded_by(key, "key").explain("a", "x")
    assert explanation.decision.layer == "key"
    assert explanation.decided_by is not None
    assert explanation.decided_by.policy_id == "k"
    assert "boundary_deny by the boundary 'key'" in str(explanation)


def test_two_boundaries_of_one_name_are_both_asked_and_the_one_that_refuses_explained() -> None:
    """`&` gives no name, so that is how they come to be."""
    both = policy("a", id="p") & policy("a", id="first") & policy("a", denied=("a",), id="second")
    explanation = both.explain("a", "x")
    assert explanation.decision.layer == "boundary"
    assert explanation.decided_by is not None
    assert explanation.decided_by.policy_id == "second"


def test_an_error_in_a_boundary_is_a_deny_of_that_boundary() -> None:
    """With what went wrong."""
    condition = [{"op": "Bool", "key": "session.mfa", "values": [True]}]
    bound = Policy.parse([{"effect": "allow", "actions": ["a"], "resources": ["*"], "conditions": condition}])
    decision = policy("a").bounded_by(bound, "key").decide("a", "x", None, 5)  # type: ignore[arg-type]
    assert (decision.effect, decision.layer) == ("boundary_deny", "key")
    assert decision.error is not None
    assert not policy("a").bounded_by(bound, "key").allows("a", "x", None, 5)  # type: ignore[arg-type]


def test_merged_documents_are_in_force_together() -> None:
    """Allows add up, a deny of one holds for all, and the same document counts once."""
    merged = policy("a") | policy("b", denied=("a",))
    assert merged.decide("a", "x").effect == "explicit_deny"
    assert merged.allows("b", "x")
    assert policy("a") | policy("a") == policy("a")


def test_what_cannot_be_put_together_is_refused() -> None:
    """Boundaries are not merged, other schemes or limits neither, and a boundary needs a name of its own."""
    bounded = policy("a") & policy("a")
    for one, two in ((bounded, policy("a")), (policy("a"), bounded)):
        with pytest.raises(ValueError, match="merge policies first"):
            one | two
    for options in ({"schemes": []}, {"limits": Limits(values=5)}):
        with pytest.raises(ValueError, match="same schemes and limits"):
            policy("a") | policy("b", **options)
    for name in ("", "identity"):
        with pytest.raises(ValueError, match="names no boundary"):
            policy("a").bounded_by(policy("b"), name)
    with pytest.raises(TypeError):
        policy("a") & 5  # type: ignore[operator]
    with pytest.raises(TypeError):
        policy("a") | 5  # type: ignore[operator]
    for several in (bounded, policy("a") | policy("b"), Policy()):
        with pytest.raises(ValueError, match="only one document"):
            several.to_json()


def test_policies_are_equal_if_they_answer_every_question_alike() -> None:
    """Limits deny long questions, a catalog says what there is to list, schemes what lies below."""
    document = [{"effect": "allow", "actions": ["a", "b"], "resources": ["*"]}]
    one = Policy.parse(document)
    assert one == Policy.parse(document)
    assert hash(one) == hash(Policy.parse(document))
    short = Policy.parse(document, limits=Limits(resource_length=3))
    assert one.allows("a", "long") is not short.allows("a", "long")
    others = [
        short,
        Policy.parse(document, catalog=Catalog.of(["a", "b"])),
        Policy.parse(document, schemes=[("x", "y")]),
    ]
    assert len({one, *others}) == 4
    assert hash(one) != hash(short)
    assert one.bounded_by(one) != one.bounded_by(short)
