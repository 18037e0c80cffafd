"""The shapes of others: Authrs' check, and AuthZEN's evaluations and action search."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.policy import (
    Catalog,
    Policy,
    Principal,
    authrs_check,
    authzen_actions,
    authzen_evaluation,
    authzen_evaluations,
)

POLICY = Policy.parse(
    [
        {"effect": "allow", "actions": ["read"], "resources": ["doc/*"]},
        {"effect": "deny", "actions": ["read"], "resources": ["doc/secret"]},
        {"effect": "allow", "actions": ["write"], "resources": ["*"], "principals": ["user:ann"],
         "conditions": {"Bool": {"mfa": True}}},
        {"effect": "allow", "actions": ["close"], "resources": ["*"], "conditions": {
            "StringEquals": {"resource.owner": "${principal.name}", "resource.type": "doc"},
            "NumericEquals": {"action.level": 1}}},
    ],
    catalog=Catalog.of(["read", "write", "close"]),
)  # fmt: skip


def request(action: str = "read", kind: str = "doc", id: str = "1", **more: Any) -> dict[str, Any]:
    return {"subject": {"type": "user", "id": "ann"}, "action": {"name": action},
            "resource": {"type": kind, "id": id}, **more}  # fmt: skip


def test_authrs_asks_about_one_action_or_about_all() -> None:
    """The context stands at its own names, and below request."""
    ann = Principal(id="ann")
    assert authrs_check(POLICY, {"resource": "doc/1", "action": "read"}) == {
        "resource": "doc/1", "action": "read", "allowed": True,
    }  # fmt: skip
    asked = {"resource": "doc/secret", "context": {"mfa": True}}
    assert authrs_check(POLICY, asked, ann) == {
        "resource": "doc/secret", "decisions": {"read": False, "write": True, "close": False},
    }  # fmt: skip
    below = Policy.parse([{"effect": "allow", "actions": ["a"], "resources": ["*"],
                           "conditions": {"Bool": {"request.mfa": True}}}])  # fmt: skip
    assert authrs_check(below, {"resource": "x", "action": "a", "context": {"mfa": True}})["allowed"]


def test_authzen_evaluates_subject_action_and_resource() -> None:
    """With their properties and the context; a refusal has its reason."""
    assert authzen_evaluation(POLICY, request()) == {"decision": True}
    assert authzen_evaluation(POLICY, request(id="secret")) == {
        "decision": False, "context": {"reason": "explicit_deny"},
    }  # fmt: skip
    assert authzen_evaluation(POLICY, request("write", context={"mfa": True})) == {"decision": True}
    assert authzen_evaluation(POLICY, request("write"))["context"] == {"reason": "implicit_deny"}
    whole = {
        "subject": {"type": "user", "id": "x", "properties": {"name": "Ann"}},
        "action": {"name": "close", "properties": {"level": 1}},
        "resource": {"type": "doc", "id": "1", "properties": {"owner": "Ann", "type": "forged"}},
    }
    assert authzen_evaluation(POLICY, whole) == {"decision": True}
    assert not authzen_evaluation(POLICY, {**whole, "action": {"name": "close", "properties": 5}})["decision"]


def test_authzen_can_be_told_what_subjects_and_resources_are() -> None:
    """By two functions of the application."""
    answer = authzen_evaluation(
        POLICY,
        request("write", id="9", context={"mfa": True}) | {"subject": {"id": "?"}},
        principal_of=lambda subject: {"id": "ann"},
        resource_of=lambda resource: resource["id"],
    )
    assert answer == {"decision": True}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "no subject"),
        (request() | {"resource": "x"}, "no resource"),
        (request() | {"action": {}}, "has no name"),
        (request() | {"resource": {"type": "doc"}}, "id is no text"),
        (request() | {"resource": {"id": "1"}}, "type is no text"),
        (request(id=""), "id is no text"),
        (request() | {"subject": {"type": "user", "id": 7}}, "id is no text"),
        (request() | {"context": ["mfa"]}, "context is no object"),
        (request() | {"evaluations": {"resource": {}}}, "no list of objects"),
        (request() | {"evaluations": ["x"]}, "no list of objects"),
        (request() | {"evaluations": [{}], "options": "x"}, "options is no object"),
    ],
)
def test_a_request_that_lacks_a_part_is_refused(asked: Any, says: str) -> None:
    """Not answered with a guess: `doc/` for a document without an id is below what `doc/*` allows."""
    with pytest.raises(ValueError, match=says):
        authzen_evaluations(POLICY, asked)


def test_a_check_of_another_form_is_refused() -> None:
    """As a ValueError too."""
    for asked in ({}, {"resource": 5}, {"resource": "doc/1", "action": "read", "context": "x"}):
        with pytest.raises(ValueError, match=r"is no (text|object)"):
            authrs_check(POLICY, asked)


def test_several_evaluations_share_what_stands_above_them_and_may_end_early() -> None:
    """As the option says; without any there is one."""
    listed = [{"resource": {"type": "doc", "id": name}} for name in ("1", "secret", "2")]
    answers = {"execute_all": [True, False, True], "deny_on_first_deny": [True, False],
               "permit_on_first_permit": [True]}  # fmt: skip
    for semantic, expected in answers.items():
        asked = request() | {"evaluations": listed, "options": {"evaluations_semantic": semantic}}
        found = authzen_evaluations(POLICY, asked)["evaluations"]
        assert [item["decision"] for item in found] == expected
    assert len(authzen_evaluations(POLICY, request() | {"evaluations": listed})["evaluations"]) == 3
    assert authzen_evaluations(POLICY, request() | {"evaluations": []}) == {"decision": True}
    with pytest.raises(ValueError, match="evaluations_semantic is one of"):
        authzen_evaluations(POLICY, request() | {"evaluations": listed, "options": {"evaluations_semantic": "x"}})


def test_the_actions_that_are_allowed_can_be_searched() -> None:
    """In the order of the catalog."""
    found = authzen_actions(POLICY, "doc/1", Principal(id="ann"), {"mfa": True})
    assert found == {"results": [{"name": "read"}, {"name": "write"}]}
