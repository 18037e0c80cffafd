"""decide_all: every action of the catalog at once, here or for everything below."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Catalog, Policy, Principal

CATALOG = Catalog.of(["a.r", "a.w"])
TABLES = Catalog.from_package("p", tables=["parts"], custom_actions=["sync"], verbs=["get"])


def statement(effect: str, resources: list[str], actions: tuple[str, ...] = ("a.r",), **more: Any) -> dict[str, Any]:
    return {"effect": effect, "actions": [*actions], "resources": resources, **more}


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy.parse([*statements], catalog=CATALOG)


def below(listed: Policy, resource: str = "d", principal: Any = None, context: Any = None) -> bool:
    return listed.decide_all(resource, principal, context, depth="all")["a.r"]


def test_every_action_of_the_resource_is_answered_in_the_order_of_the_catalog() -> None:
    """And no other: those of another package are not about it."""
    listed = Policy.parse([statement("allow", ["service:s/package:p"], ("get*",))], catalog=TABLES)
    decided = listed.decide_all("service:s/package:p/table:parts")
    assert list(decided.items()) == [("getParts", True), ("sync", False)]
    assert listed.decide_all("service:s/package:q") == {}


def test_without_a_catalog_there_is_nothing_to_list() -> None:
    """That is a mistake of the caller, not an empty answer."""
    with pytest.raises(LookupError, match="catalog"):
        Policy.parse([statement("allow", ["*"])]).decide_all("d")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (["d"], False),
        (["d/*"], False),
        (["d", "d/*"], True),
        (["d*"], True),
        (["*"], True),
        (["d", "d/x*"], False),
        (["d", "d/?*"], False),
        (["d", "*/*"], False),
    ],
)
def test_one_allow_must_take_everything_below(resources: list[str], expected: bool) -> None:
    """A pattern that may miss one name is a no."""
    assert below(policy(statement("allow", resources))) is expected


def test_a_hierarchical_grant_takes_everything_below() -> None:
    """As it does for each single question."""
    assert below(policy(statement("allow", ["service:s"])), "service:s/package:p")
    assert not below(policy(statement("allow", ["service:s/package:p/table:t"])), "service:s/package:p")


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        (["d/x"], False),
        (["d/x*"], False),
        (["*x"], False),
        (["?/x"], False),
        (["d*"], False),
        (["d/${principal.tenant}"], False),
        (["e/x"], True),
        (["e*"], True),
        (["d2/*"], True),
    ],
)
def test_a_deny_that_may_reach_below_is_a_no(denied: list[str], expected: bool) -> None:
    """Only one that surely reaches nothing there is passed over; one with an unfilled variable reaches all."""
    assert below(policy(statement("allow", ["*"]), statement("deny", denied))) is expected


def test_what_is_known_of_a_resource_says_nothing_about_those_below() -> None:
    """A condition on the resource is undecided there, so a deny reaches and an allow does not take."""
    kind = [{"op": "StringEquals", "key": "resource.kind", "values": ["open"]}]
    secret = [{"op": "StringEquals", "key": "resource.kind", "values": ["secret"]}]
    never = [*secret, {"op": "Bool", "key": "session.mfa", "values": [True]}]
    context = {"resource": {"kind": "open"}, "session": {"mfa": False}}
    allow = statement("allow", ["*"])
    assert below(policy(allow), context=context)
    assert not below(policy(statement("allow", ["*"], conditions=kind)), context=context)
    assert not below(policy(allow, statement("deny", ["*"], conditions=secret)), context=context)
    assert below(policy(allow, statement("deny", ["*"], conditions=never)), context=context)
    assert below(policy(allow, statement("deny", ["d"], conditions=secret)), context=context)


def test_a_boundary_must_take_everything_below_too() -> None:
    """With a deny of its own, or by taking too little."""
    allow = policy(statement("allow", ["*"]))
    assert below(allow & allow)
    assert not below(allow & policy(statement("allow", ["d", "d/x"])))
    assert not below(allow & policy(statement("allow", ["*"]), statement("deny", ["d/x"])))


def test_only_statements_for_the_principal_and_the_action_count() -> None:
    """A deny for somebody else or for another action reaches nothing."""
    allow = statement("allow", ["*"])
    listed = policy(allow, statement("deny", ["*"], principals=["role:out"]), statement("deny", ["*"], ("a.w",)))
    assert below(listed)
    assert below(listed, principal=Principal(id="u"))
    assert not below(listed, principal=Principal(id="u", roles=("out",)))


def test_what_goes_wrong_while_listing_below_is_a_no() -> None:
    """No exception, as with every other question."""
    listed = policy(statement("allow", ["*"]), statement("allow", ["d"], principals=["role:x"]))
    assert not below(listed, principal=5)
    assert not below(listed, principal={"roles": 5})
    assert not below(listed, principal={"roles": [["unhashable"]]})
    conditional = [{"op": "Bool", "key": "session.mfa", "values": [True]}]
    assert not below(policy(statement("allow", ["*"]), statement("allow", ["d"], conditions=conditional)), context=5)
