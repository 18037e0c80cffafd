"""Explanations: what decided, by which way, what was indeterminate, and what was near."""

from __future__ import annotations

from typing import Any

from bearerkit.policy import Policy, Principal

SECRET = "values-of-conditions-are-secret"


def statement(effect: str = "allow", resources: tuple[str, ...] = ("*",), **more: Any) -> dict[str, Any]:
    return {"effect": effect, "actions": ["a.*"], "resources": [*resources], **more}


def equals(key: str, value: str = SECRET) -> list[dict[str, Any]]:
    return [{"op": "StringEquals", "key": key, "values": [value]}]


def test_the_deciding_statement_and_the_way_to_it() -> None:
    """Document, statement, patterns as written, the principal that matched, and how the caller came to be it."""
    policy = Policy.parse([statement("deny", ("y",)), statement(principals=["role:editor", "*"], sid="edit")],
                          id="p", version="3")  # fmt: skip
    who = Principal(groups=("eng",), group_roles={"eng": "junior"}, role_parents={"junior": "editor"})
    explanation = policy.explain("a.r", "x", who)
    assert explanation.allowed
    assert explanation.as_dict()["decided_by"] == {
        "policy_id": "p",
        "version": "3",
        "sid": "edit",
        "effect": "allow",
        "matched_action": "a.*",
        "matched_resource": "*",
        "matched_principal": "role:editor",
        "via": ["group:eng", "role:junior"],
        "conditions": [],
    }
    assert str(explanation) == (
        "allow: 'a.r' on 'x'\n"
        "  decided by the allow p/edit\n"
        "    action 'a.*', resource '*'\n"
        "    principal group:eng -> role:junior -> role:editor"
    )


def test_of_several_principals_the_most_particular_one_is_named() -> None:
    """The user, then a key, a group, a role, everybody."""
    who = Principal(id="u", key="k", groups=("g",), roles=("r",))
    names = ["user:u", "key:k", "group:g", "role:r", "*"]
    while names:
        trace = Policy.parse([statement(principals=[*reversed(names)])]).explain("a.r", "x", who).decided_by
        assert trace is not None
        assert trace.matched_principal == names.pop(0)


def test_the_first_document_and_statement_are_named() -> None:
    """However often the question is asked."""
    one, two = Policy.parse([statement(sid="1"), statement()], id="one"), Policy.parse([statement()], id="two")
    for policy, first in (((one | two), ("one", "1")), ((two | one), ("two", "#0"))):
        trace = policy.explain("a.r", "x").decided_by
        assert trace is not None
        assert (trace.policy_id, trace.statement) == first
        assert policy.explain("a.r", "x") == policy.explain("a.r", "x")


def test_the_resource_that_matched_is_named_and_else_the_one_that_could_not_be_filled() -> None:
    """A deny on a template that cannot be filled reaches everything, and says so."""
    policy = Policy.parse([statement("deny", ("y", "t/${principal.tenant}", "service:s"))])
    named = {
        ("y", "acme"): "y",
        ("t/acme", "acme"): "t/${principal.tenant}",
        ("service:s/package:p", "acme"): "service:s",
        ("service:s", None): "service:s",
        ("anything", None): "t/${principal.tenant}",
    }
    for (resource, tenant), expected in named.items():
        trace = policy.explain("a.r", resource, {"tenant": tenant}).decided_by
        assert trace is not None
        assert trace.matched_resource == expected
    unknown = policy.explain("a.r", "anything", {"id": "u"}).indeterminate
    assert [(item.key, item.why) for item in unknown] == [("${principal.tenant}", "a variable that cannot be filled")]


def test_what_is_indeterminate_is_listed_for_statements_about_the_resource_and_caller() -> None:
    """And for no others."""
    policy = Policy.parse(
        [
            statement(conditions=equals("request.x"), sid="mine"),
            statement(conditions=equals("request.x"), principals=["role:other"]),
            statement(conditions=equals("request.x"), resources=("y",)),
        ],
        id="p",
    )
    explanation = policy.explain("a.r", "x")
    assert explanation.as_dict()["indeterminate"] == [
        {"policy_id": "p", "sid": "mine", "key": "request.x", "why": "absent"}
    ]
    assert "indeterminate: request.x in p/mine is absent" in str(explanation)


def test_near_misses_are_allows_of_which_one_part_failed_nearest_first() -> None:
    """Five at most; those about the very resource before those about others."""
    policy = Policy.parse(
        [
            statement(resources=("y",), sid="elsewhere"),
            statement(principals=["role:r"], sid="others"),
            statement(conditions=equals("request.x"), sid="unmet"),
            statement(resources=("y",), principals=["role:r"], sid="far"),
            statement(resources=("y",), conditions=equals("request.x"), sid="far2"),
            statement("deny", ("y",), sid="deny"),
            {**statement(sid="action"), "actions": ["b"]},
        ]
    )
    explanation = policy.explain("a.r", "x", {"id": "u"}, {"request": {"x": "no"}})
    assert [(miss.statement, miss.lacks) for miss in explanation.near_misses] == [
        ("others", "principal"), ("unmet", "condition"), ("elsewhere", "resource"),
    ]  # fmt: skip
    assert "nearly: unmet lacks the condition (StringEquals request.x)" in str(explanation)
    assert "no statement allows it (7 in force, 6 about the action)" in str(explanation)
    assert explanation.as_dict()["stats"] == {"statements": 7, "about_the_action": 6}
    many = Policy.parse([statement(principals=[f"role:r{number}"]) for number in range(9)])
    assert [miss.statement for miss in many.explain("a.r", "x").near_misses] == ["#0", "#1", "#2", "#3", "#4"]
    assert not Policy.parse([statement(), statement(resources=("y",))]).explain("a.r", "x").near_misses


def test_values_of_conditions_and_of_the_request_are_shown_only_on_request() -> None:
    """Somebody who may not read the policy may still read why he was refused."""
    for effect, found in (("deny", SECRET), ("allow", f"{SECRET}-of-the-request")):
        policy = Policy.parse([statement(effect, conditions=equals("request.x"))])
        explanation = policy.explain("a.r", "x", None, {"request": {"x": found}})
        assert SECRET not in str(explanation)
        assert SECRET not in str(explanation.as_dict())
        shown = str(explanation.as_dict(values=True))
        assert SECRET in shown
        assert "of-the-request" not in shown
    assert "conditions StringEquals request.x" in str(
        Policy.parse([statement("deny", conditions=equals("request.x"))]).explain("a.r", "x")
    )


def test_values_of_each_type_are_shown_as_text() -> None:
    """Flags and addresses too."""
    conditions = [
        {"op": "Bool", "key": "x", "values": [True]},
        {"op": "IpAddress", "key": "request.ip", "values": ["10.0.0.0/8"]},
    ]
    trace = Policy.parse([statement("deny", conditions=conditions)]).explain("a.r", "x").as_dict(values=True)
    assert [item["values"] for item in trace["decided_by"]["conditions"]] == [["True"], ["10.0.0.0/8"]]


def test_an_explanation_looks_further_than_the_decision_and_still_never_fails() -> None:
    """A context that is no mapping breaks a condition that the decision did not come to."""
    policy = Policy.parse([statement(), statement(conditions=equals("request.x"))])
    explanation = policy.explain("a.r", "x", None, 5)  # type: ignore[arg-type]
    assert explanation.decision == policy.decide("a.r", "x", None, 5)  # type: ignore[arg-type]
    assert explanation.allowed
    assert explanation.decided_by is None
    assert str(explanation) == "allow: 'a.r' on 'x'"


def test_what_is_known_is_not_listed_beside_what_is_not() -> None:
    """Of two variables only the one that cannot be filled; of two conditions only the undecided one."""
    both = ("t/${principal.tenant}/${principal.team}",)
    conditions = [*equals("request.known"), *equals("request.x")]
    policy = Policy.parse([statement("deny", both, conditions=conditions)])
    explanation = policy.explain("a.r", "x", {"tenant": "acme"}, {"request": {"known": SECRET}})
    assert [item.key for item in explanation.indeterminate] == ["${principal.team}", "request.x"]


def test_an_allow_without_principals_needs_no_line_about_them() -> None:
    """As a flat document is for whoever has it."""
    assert str(Policy.parse([statement()]).explain("a.r", "x")) == (
        "allow: 'a.r' on 'x'\n  decided by the allow #0\n    action 'a.*', resource '*'"
    )


def test_a_boundary_that_answers_differently_the_second_time_explains_nothing() -> None:
    """The decision stays what it was; a context whose values change is no reason to name the wrong statement."""

    class Changing(dict[str, Any]):
        """Says `no` once, and `yes` from then on."""

        def get(self, name: str, default: Any = None) -> Any:
            self.asked = getattr(self, "asked", 0) + 1
            return {"x": "no" if self.asked == 1 else SECRET}

    bounded = Policy.parse([statement()]) & Policy.parse([statement(conditions=equals("request.x"))])
    explanation = bounded.explain("a.r", "x", None, Changing())
    assert explanation.decision.effect == "boundary_deny"
    assert explanation.decided_by is None


def test_no_name_makes_a_line_of_its_own() -> None:
    """Ids of documents and names of groups are anybody's text, and the explanation goes into a log."""
    who = Principal(groups=("g\nforged: \x1b[2J",), group_roles={"g\nforged: \x1b[2J": "r"})
    policy = Policy.parse([statement("deny", principals=["role:r"])], id="p\rq")
    lines = str(policy.explain("a.r", "x", who)).splitlines()
    assert [line.split()[0] for line in lines] == ["explicit_deny:", "decided", "action", "principal"]
    assert "group:g\\x0aforged: \\x1b[2J -> role:r" in lines[3]
