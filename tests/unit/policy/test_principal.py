"""Principals: what follows from an id, roles, groups and their parents."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import Attachment, Policy, Principal
from bearerkit.policy.limits import ROLE_DEPTH
from bearerkit.policy.principal import principal_from


def test_everything_that_a_principal_matches() -> None:
    """Itself, its key, its groups, its roles and those above them, and everybody."""
    who = Principal(
        id="u1",
        key="k1",
        roles=("junior",),
        groups=("eng",),
        role_parents={"junior": "editor", "editor": ["reader", "junior"]},
        group_roles={"eng": ("dev",)},
    )
    names = {"*", "user:u1", "key:k1", "group:eng"}
    assert who.identities == names | {"role:junior", "role:editor", "role:reader", "role:dev"}
    assert who.effective_roles == ("junior", "dev", "editor", "reader")


def test_the_way_to_each_role_is_kept() -> None:
    """Groups and roles in between, from the caller outwards."""
    who = Principal(groups=("eng",), group_roles={"eng": "junior"}, role_parents={"junior": "editor"})
    assert who.paths["role:editor"] == ("group:eng", "role:junior")
    assert who.paths["group:eng"] == ()


def test_loops_end_and_depth_has_a_limit() -> None:
    """Sixteen parents up, and no further."""
    loop = Principal(roles=("a",), role_parents={"a": "b", "b": "a"})
    assert loop.effective_roles == ("a", "b")
    chain = Principal(roles=("r0",), role_parents={f"r{i}": f"r{i + 1}" for i in range(40)})
    assert chain.effective_roles[-1] == f"r{ROLE_DEPTH}"
    assert len(chain.effective_roles) == ROLE_DEPTH + 1


def test_an_anonymous_one_is_nobody() -> None:
    """Not even everybody."""
    assert Principal(id="u", roles=("r",), anonymous=True).identities == frozenset()
    assert Principal().identities == {"*"}


def test_what_conditions_find_in_a_principal() -> None:
    """Its own fields, roles as they count, and attributes, which cannot hide a field."""
    who = Principal(
        id="u", roles=("a",), role_parents={"a": "b"}, groups=("g",), tenant="t", key="k", attributes={"x": 1, "id": 2}
    )
    found = {name: who.attribute(name) for name in ("id", "tenant", "key", "roles", "groups", "x", "none")}
    assert found == {"id": "u", "tenant": "t", "key": "k", "roles": ("a", "b"), "groups": ("g",), "x": 1, "none": None}


def test_a_mapping_spells_a_principal() -> None:
    """`parents` is short for `role_parents`, one role may be a string, and other keys are attributes."""
    spelled = {"id": "u", "roles": "a", "groups": ["g"], "parents": {"a": "b"}, "team": "x"}
    who = principal_from({**spelled, "attributes": {"y": 1, "team": "hidden"}})
    assert who == Principal(
        id="u", roles=("a",), groups=("g",), role_parents={"a": "b"}, attributes={"team": "x", "y": 1}
    )
    assert principal_from(None) is None
    assert principal_from(who) is who
    with pytest.raises(TypeError, match="not int"):
        principal_from(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["roles", "groups"])
def test_one_text_is_no_list_of_names(field: str) -> None:
    """It would become a name for each letter, and a deny for the whole name would not apply."""
    with pytest.raises(TypeError, match="lists of names"):
        Principal(id="u", **{field: "intern"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (None, False),
        ({"anonymous": True}, False),
        ({"id": "u"}, False),
        ({"id": "u", "roles": ["editor"]}, True),
        ({"id": "u", "roles": ["junior"], "parents": {"junior": "editor"}}, True),
        ({"id": "editor"}, False),
        ({"groups": ["editor"]}, False),
    ],
    ids=range(7),
)
def test_a_statement_that_names_a_role_is_for_those_who_have_it(who: Any, expected: bool) -> None:
    """And a name of another kind is another principal."""
    statement = {"effect": "Allow", "principals": ["role:editor"], "actions": ["a"], "resources": ["*"]}
    policy = Policy.parse({"version": "1.0", "statements": [statement]})
    assert policy.allows("a", "x", who) is expected


def test_an_attachment_adds_roles_and_groups_of_the_source() -> None:
    """Each once, his own first."""
    attachment = Attachment(Policy(), roles=("a", "b"), groups=("g",), role_parents={"a": "p"}, group_roles={"g": "q"})
    who = attachment.principal(id="u", roles=("b",), groups=("h", "g"), tenant="t", key="k", attributes={"x": 1})
    assert (who.roles, who.groups, who.tenant, who.key, who.attributes) == (("b", "a"), ("h", "g"), "t", "k", {"x": 1})
    assert who.effective_roles == ("b", "a", "q", "p")
