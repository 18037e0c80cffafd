"""Documents: every problem with its code and place, all of it or nothing, and written back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bearerkit.policy import Catalog, Policy, PolicyError

BASE = {"effect": "allow", "actions": ["a"], "resources": ["*"]}
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


def flat(**more: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in {**BASE, **more}.items() if value is not ...}]


def versioned(**more: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "statements": flat(principals=["*"], **more) if "principals" not in more else flat(**more),
    }


def when(op: str, *values: Any, key: str = "request.x") -> list[dict[str, Any]]:
    return flat(conditions=[{"op": op, "key": key, "values": [*values]}])


VALUE = "/0/conditions/0/values/0"
TRIPLE = {"attribute": "context.x", "operator": "eq", "value": "v"}
PROBLEMS: list[tuple[Any, str, str, str]] = [
    ("text", "bad_document", "", "not str; Policy.parse_json reads text"),
    (b"[]", "bad_document", "", "not bytes; Policy.parse_json reads text"),
    (BASE, "bad_document", "", "this is one statement: a policy is a list of them"),
    (flat(actions=["orders:read"]), "bad_action", "/0/actions/0", "did you mean 'orders.read'?"),
    (flat(actions=["orders/*"]), "bad_action", "/0/actions/0", "did you mean 'orders.*'?"),
    (flat(actions=["orders::read"]), "bad_action", "/0/actions/0", "not 'orders::read'"),
    (None, "bad_document", "", "not NoneType"),
    ([{1, 2}], "bad_document", "", "a policy is JSON"),
    ([{**BASE, "sid": float("nan")}], "bad_document", "", "a policy is JSON"),
    (DEEP, "bad_document", "", "a policy is JSON"),
    ([5], "bad_document", "/0", "not int"),
    (flat(effect=...), "missing_effect", "/0", "needs an effect"),
    (flat(effect=None), "bad_effect", "/0/effect", "allow, deny, Allow or Deny"),
    (flat(effect="ALLOW"), "bad_effect", "/0/effect", "allow, deny, Allow or Deny"),
    (flat(actions=...), "missing_actions", "/0", "needs actions"),
    (flat(actions=[]), "empty_actions", "/0/actions", "not be empty"),
    (flat(actions="a"), "not_a_list", "/0/actions", "not str"),
    (flat(resources=...), "missing_resources", "/0", "needs resources"),
    (flat(resources=[]), "empty_resources", "/0/resources", "not be empty"),
    (flat(resources={}), "not_a_list", "/0/resources", "not dict"),
    (flat(principals=[]), "empty_principals", "/0/principals", "name somebody"),
    (flat(principals=None), "empty_principals", "/0", "name somebody"),
    (versioned(principals=...), "empty_principals", "/statements/0", "name somebody"),
    (versioned(principals="*"), "not_a_list", "/statements/0/principals", "not str"),
    (flat(resources=["a", ""]), "bad_pattern", "/0/resources/1", "non-empty"),
    (flat(resources=["e\u0301"]), "bad_pattern", "/0/resources/0", "NFC"),
    (flat(resources=[5]), "bad_pattern", "/0/resources/0", "non-empty string"),
    (flat(actions=["a..b"]), "bad_action", "/0/actions/0", "'a..b'"),
    (flat(actions=["a b"]), "bad_action", "/0/actions/0", "'a b'"),
    (flat(actions=["a\n"]), "bad_action", "/0/actions/0", "segments"),
    (flat(actions=["é" * 200]), "bad_action", "/0/actions/0", "..."),
    (flat(actions=[5]), "bad_action", "/0/actions/0", "not 5"),
    (flat(principals=["admin"]), "bad_principal", "/0/principals/0", "'admin'"),
    (flat(principals=["role:"]), "bad_principal", "/0/principals/0", "role:<id>"),
    (flat(principals=["role:a*"]), "bad_principal", "/0/principals/0", "without wildcards"),
    (flat(principals=["user:${principal.id}"]), "bad_principal", "/0/principals/0", "without wildcards"),
    (flat(principals=["role:a\n"]), "bad_principal", "/0/principals/0", "role:a"),
    (flat(principals=["role:e\u0301"]), "bad_principal", "/0/principals/0", "role:e"),
    (flat(principals=["tenant:x"]), "bad_principal", "/0/principals/0", "tenant:x"),
    (flat(principals=[5]), "bad_principal", "/0/principals/0", "not 5"),
    (when("StringEqual", "x"), "unknown_operator", "/0/conditions/0", "did you mean 'StringEquals'"),
    (when("ForAnyValue:Exists", True), "unknown_operator", "/0/conditions/0", "no operator"),
    (flat(conditions=[{**TRIPLE, "operator": "ne"}]), "unknown_operator", "/0/conditions/0", "did you mean 'neq'"),
    (flat(conditions="x"), "bad_condition", "/0/conditions", "not str"),
    (flat(conditions=["x"]), "bad_condition", "/0/conditions/0", "not str"),
    (flat(conditions={"Bool": 5}), "bad_condition", "/0/conditions/Bool", "object of keys"),
    (flat(conditions={"Bool": {}}), "bad_condition", "/0/conditions/Bool", "object of keys"),
    (flat(conditions={"Bool": {"a/b": True}}), "bad_condition", "/0/conditions/Bool/a~1b", "needs a key"),
    (when("Bool", True, key="no key"), "bad_condition", "/0/conditions/0", "needs a key"),
    (flat(conditions=[{"key": "x", "values": ["v"]}]), "bad_condition", "/0/conditions/0", "needs an operator"),
    (flat(conditions=[{"op": "Bool", "values": [True]}]), "bad_condition", "/0/conditions/0", "needs a key"),
    (flat(conditions=[{"op": "Bool", "key": "x"}]), "missing_values", "/0/conditions/0", "a condition needs values"),
    (flat(conditions=[{**TRIPLE, "attribute": 5}]), "bad_condition", "/0/conditions/0", "must be a string"),
    (when("Bool"), "empty_values", "/0/conditions/0/values", "not be empty"),
    (when("IpAddress", "10.0.0.1/8"), "bad_value", VALUE, "host bits"),
    (when("DateLessThan", "2030-01-01"), "bad_value", VALUE, "zone"),
    (when("NumericEquals", "x"), "bad_value", VALUE, "number"),
    (when("Bool", "maybe"), "bad_value", VALUE, "true or false"),
    (when("StringEquals", 5), "bad_value", VALUE, "string"),
    (when("StringEquals", "a\x00"), "bad_value", VALUE, "control"),
    (when("Exists", True, False), "bad_value", "/0/conditions/0", "one value"),
    (when("Exists", "x"), "bad_value", VALUE, "true or false"),
    (flat(conditions=[{**TRIPLE, "value": [1]}]), "bad_value", "/0/conditions/0/value", "does not compare a list"),
    (flat(conditions=[{**TRIPLE, "operator": "gt"}]), "bad_value", "/0/conditions/0/value", "does not compare a str"),
    (flat(conditions=[{**TRIPLE, "operator": "lt", "value": True}]), "bad_value", "/0/conditions/0/value", "a bool"),
    (when("StringLike", ""), "bad_pattern", VALUE, "non-empty"),
    (flat(resources=["${session.x}"]), "unknown_variable", "/0/resources/0", "request.tenant"),
    (when("StringEquals", "${resource.x}"), "unknown_variable", VALUE, "request.tenant"),
    (flat(actions=["${principal.id}"]), "template_not_allowed", "/0/actions/0", "no variables"),
    (flat(resources=["${principal.id"]), "bad_template", "/0/resources/0", "closing brace"),
    (when("StringEquals", "${x}"), "bad_template", VALUE, "is no variable"),
    (flat(condition=[]), "unknown_field", "/0/condition", "did you mean 'conditions'"),
    (flat(NotAction=["a"]), "unknown_field", "/0/NotAction", "not part of this language"),
    (flat(NotResource=["a"]), "unknown_field", "/0/NotResource", "not part of this language"),
    (flat(NotPrincipal=["a"]), "unknown_field", "/0/NotPrincipal", "not part of this language"),
    (versioned() | {"state/ment": 1}, "unknown_field", "/state~1ment", "no 'state/ment'"),
    (flat(conditions=[{**TRIPLE, "values": 1}]), "unknown_field", "/0/conditions/0/values", "did you mean 'value'"),
    (flat(conditions=[{"op": "Bool", "key": "x", "values": [True], "v~": 1}]), "unknown_field",
     "/0/conditions/0/v~0", "no 'v~'"),
    (versioned() | {"version": "2.0"}, "unsupported_version", "/version", '"1.0"'),
    ({"statements": flat(principals=["*"])}, "unsupported_version", "/version", '"1.0"'),
    ({"version": "1.0"}, "not_a_list", "/statements", "must be a list"),
    (flat(sid="s") * 2, "duplicate_sid", "/1/sid", "'s' stands above"),
    (flat(sid=""), "bad_sid", "/0/sid", "non-empty"),
    (flat(sid=None), "bad_sid", "/0/sid", "non-empty"),
    (flat(sid="a\nrefused: b"), "bad_sid", "/0/sid", "control characters"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "code", "pointer", "says"), PROBLEMS, ids=range(len(PROBLEMS)))
def test_a_problem_has_its_code_its_place_and_a_sentence(document: Any, code: str, pointer: str, says: str) -> None:
    """And it is the only one: one mistake is reported once."""
    with pytest.raises(PolicyError) as raised:
        Policy.parse(document)
    (problem,) = raised.value.problems
    assert (problem.code, problem.pointer) == (code, pointer)
    assert says in problem.message


def test_every_code_of_the_description_has_a_row() -> None:
    """Those of limits and of catalogs, and unresolved names, have tests of their own."""
    rows = {row[1] for row in PROBLEMS}
    assert rows >= {
        *("missing_effect", "bad_effect", "missing_actions", "missing_resources", "empty_actions", "empty_resources"),
        *("not_a_list", "empty_principals", "bad_pattern", "bad_action", "bad_principal", "unknown_operator"),
        *("bad_condition", "bad_value", "unknown_variable", "template_not_allowed", "bad_template", "unknown_field"),
        *("unsupported_version", "duplicate_sid"),
    }


def test_all_problems_are_found_in_one_pass_and_nothing_is_in_force() -> None:
    """One bad deny refuses the whole document: without it, it would grant more."""
    document = [
        BASE,
        {
            "effect": "deny",
            "actions": ["a b"],
            "resources": [],
            "conditions": [{"op": "Nope", "key": "x", "values": []}],
        },
        {"effekt": "deny"},
    ]
    with pytest.raises(PolicyError) as raised:
        Policy.parse(document)
    found = {(problem.code, problem.pointer) for problem in raised.value.problems}
    assert found == {
        ("bad_action", "/1/actions/0"),
        ("empty_resources", "/1/resources"),
        ("empty_values", "/1/conditions/0/values"),
        ("unknown_operator", "/1/conditions/0"),
        ("unknown_field", "/2/effekt"),
        ("missing_effect", "/2"),
        ("missing_actions", "/2"),
        ("missing_resources", "/2"),
    }
    assert "unknown_field at /2/effekt" in str(raised.value)


FORMS: list[str] = [
    '[{"effect":"allow","actions":["a"],"resources":["*"]}]',
    '[{"effect":"Deny","actions":["a","b.*"],"resources":["é/${*}"],"principals":["role:r"],'
    '"conditions":[{"op":"Bool","key":"session.mfa","values":["true"]}],"sid":"s"}]',
    '[{"effect":"deny","actions":["a"],"resources":["*"],"conditions":{"NumericLessThan":{"request.n":5,"x":[1,2.0]}}}]',
    '{"version":"1.0","statements":[{"sid":"s","effect":"Allow","principals":["*"],"actions":["a"],"resources":["*"],'
    '"conditions":[{"attribute":"context.mfa","operator":"eq","value":true}]}]}',
    '{"version":"1.0","statements":[{"effect":"deny","principals":["user:u"],"actions":["a"],"resources":["*"]}]}',
    '{"version":"1.0","statements":[]}',
    "[]",
]


@pytest.mark.parametrize("text", FORMS, ids=range(len(FORMS)))
def test_a_document_is_written_back_byte_for_byte(text: str) -> None:
    """Its own spelling of effects and of conditions, from text and from values."""
    assert Policy.parse_json(text).to_json() == text
    assert Policy.parse(json.loads(text)).to_json() == text
    assert Policy.parse_json(text.encode()).to_document() == json.loads(text)


def test_members_in_another_order_are_written_back_in_the_canonical_one() -> None:
    """And are the same policy."""
    given = {"statements": [{"resources": ["*"], "principals": ["*"], "actions": ["a"], "effect": "allow", "sid": "s"}]}
    policy = Policy.parse({**given, "version": "1.0"})
    assert policy.to_json() == (
        '{"version":"1.0","statements":[{"sid":"s","effect":"allow","principals":["*"],"actions":["a"],"resources":["*"]}]}'
    )
    assert policy == Policy.parse_json(policy.to_json())
    assert policy == Policy.parse(tuple_document := {"version": "1.0", "statements": tuple(given["statements"])})
    assert isinstance(tuple_document["statements"], tuple)


def test_the_three_forms_of_conditions_mean_the_same() -> None:
    """The list, AWS's object, and Authrs' triple, whose value says which operator is meant."""
    same = {
        ("StringEquals", "v"): ("eq", "v"),
        ("StringNotEquals", "v"): ("neq", "v"),
        ("NumericEquals", 5): ("eq", 5),
        ("NumericLessThan", 5): ("lt", 5),
        ("DateGreaterThan", "2030-01-01T00:00:00Z"): ("gt", "2030-01-01T00:00:00Z"),
        ("Bool", True): ("eq", True),
        ("Bool", False): ("neq", True),
    }
    asked = ["v", "w", 4, 5, True, False, "2031-01-01T00:00:00Z", None]
    for (op, wanted), (operator, value) in same.items():
        forms = [
            [{"op": op, "key": "x", "values": [wanted]}],
            {op: {"x": wanted}},
            [{"attribute": "context.x", "operator": operator, "value": value}],
        ]
        answers = [
            [Policy.parse(flat(conditions=form)).allows("a", "r", None, {"x": value}) for value in asked]
            for form in forms
        ]
        assert answers[0] == answers[1] == answers[2]
        assert True in answers[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "no JSON"),
        (b"\xff", "no JSON"),
        ("[" * 100_000, "no JSON"),
        (
            '[{"effect":"deny","effect":"allow","actions":["a"],"resources":["*"]}]',
            "the member 'effect' is written twice",
        ),
    ],
    ids=["cut", "bytes", "deep", "twice"],
)
def test_text_that_is_no_json_is_refused_as_a_document(text: Any, says: str) -> None:
    """A member that is written twice too, because readers differ about which one counts."""
    with pytest.raises(PolicyError, match=says) as raised:
        Policy.parse_json(text)
    assert raised.value.problems[0].code == "bad_document"


def test_a_hostile_document_gets_advice_for_its_first_problems_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for the nearest name is slow; thousands of unknown ones must not take minutes."""
    looked: list[object] = []
    monkeypatch.setattr("bearerkit.policy.problems.nearest", lambda name, known: looked.append(name) or "; advice")
    unknown = [{**BASE, "actions": [f"x{i}.{j}" for j in range(50)], f"odd{i}": 1} for i in range(20)]
    with pytest.raises(PolicyError) as raised:
        Policy.parse(unknown, catalog=Catalog.of(["a"]))
    assert len(raised.value.problems) == 20 * 51
    assert len(looked) == 20
    assert sum("advice" in problem.message for problem in raised.value.problems) == 20
    long = flat(conditions=[{**TRIPLE, "operator": "o" * 50_000}])
    with pytest.raises(PolicyError) as raised:
        Policy.parse(long)
    assert len(str(raised.value)) < 500
