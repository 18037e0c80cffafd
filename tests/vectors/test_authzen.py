"""Decisions of the OpenID AuthZEN interop scenarios, by policies written from their descriptions.

Subjects of the todo scenarios are opaque ids; who they are is part of the scenario and stands here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bearerkit.policy import Catalog, Policy, authzen_actions, authzen_evaluation, authzen_evaluations

PEOPLE = {
    "CiRmZDA": ("rick@the-citadel.com", ["admin", "evil_genius"]),
    "CiRmZDE": ("morty@the-citadel.com", ["editor"]),
    "CiRmZDI": ("summer@the-smiths.com", ["editor"]),
    "CiRmZDM": ("beth@the-smiths.com", ["viewer"]),
    "CiRmZDQ": ("jerry@the-smiths.com", ["viewer"]),
}
"""By the beginning of the id."""


def rule(actions: list[str], *roles: str, resources: tuple[str, ...] = ("*",), **equal: str) -> dict[str, Any]:
    statement: dict[str, Any] = {"effect": "allow", "actions": actions, "resources": [*resources]}
    if roles:
        statement["principals"] = [f"role:{role}" for role in roles]
    if equal:
        statement["conditions"] = {"StringEquals": {f"resource.{name}": value for name, value in equal.items()}}
    return statement


OWN = {"ownerID": "${principal.email}"}
TODO = Policy.parse(
    [
        rule(["can_read_user", "can_read_todos"]),
        rule(["can_create_todo"], "admin", "editor"),
        rule(["can_update_todo"], "evil_genius"),
        rule(["can_update_todo"], "editor", **OWN),
        rule(["can_delete_todo"], "admin"),
        rule(["can_delete_todo"], "editor", **OWN),
    ]
)
GATEWAY = Policy.parse(
    [
        rule(["GET"], resources=("route//todos", "route//users/*")),
        rule(["POST"], "admin", "editor", resources=("route//todos",)),
        rule(["PUT"], "evil_genius", "editor", resources=("route//todos/*",)),
        rule(["DELETE"], "admin", "editor", resources=("route//todos/*",)),
    ]
)
RECORDS = Policy.parse(
    [
        rule(["view", "edit", "delete"], owner="${principal.id}"),
        rule(["view"], "manager"),
        rule(["view"], department="${principal.department}"),
        rule(["edit"], "manager", department="${principal.department}"),
    ],
    catalog=Catalog.of(["view", "edit", "delete"]),
)


def person(subject: Any) -> dict[str, Any]:
    email, roles = PEOPLE[subject["id"][:7]]
    return {"id": subject["id"], "email": email, "roles": roles}


def read(shared: Path, name: str) -> Any:
    return json.loads((shared / "vectors" / "authzen" / name).read_text(encoding="utf-8"))


def test_single_decisions_of_the_todo_application_and_of_the_gateway(shared: Path) -> None:
    """Every one of both files."""
    files = {
        "authzen-todo-backend__test__decisions-authorization-api-1_0-02.json": (TODO, 20),
        "authzen-api-gateways__test-harness__test__decisions.json": (GATEWAY, 18),
    }
    for name, (policy, count) in files.items():
        cases = read(shared, name)["evaluation"]
        assert len(cases) >= count
        wrong = [
            case
            for case in cases
            if authzen_evaluation(policy, case["request"], principal_of=person)["decision"] is not case["expected"]
        ]
        assert not wrong


def test_boxcarred_decisions_of_the_todo_application(shared: Path) -> None:
    """Several resources with one subject and action."""
    cases = read(shared, "authzen-todo-backend__test__decisions-authorization-api-1_0-02.json")["evaluations"]
    assert cases
    for case in cases:
        answers = authzen_evaluations(TODO, case["request"], principal_of=person)["evaluations"]
        assert [answer["decision"] for answer in answers] == [item["decision"] for item in case["expected"]]


def test_searches_for_subjects_resources_and_actions(shared: Path) -> None:
    """By asking about each of the listed users, records and actions: the search is theirs, the decision ours."""
    prefix = "authzen-search-demo__"
    users = {item["id"]: item for item in read(shared, f"{prefix}data__users.json")}
    records = {str(item["id"]): item for item in read(shared, f"{prefix}data__records.json")}

    def who(name: str) -> dict[str, Any]:
        return {"id": name, "roles": [users[name]["role"]], "department": users[name]["department"]}

    def may(user: str, action: str, record: str) -> bool:
        return RECORDS.allows(action, f"record/{record}", who(user), {"resource": records[record]})

    found = 0
    for case in read(shared, f"{prefix}test-harness__src__subject__results.json")["evaluation"]:
        action, record = case["request"]["action"]["name"], case["request"]["resource"]["id"]
        assert [item["id"] for item in case["expected"]["results"]] == [u for u in users if may(u, action, record)]
        found += 1
    for case in read(shared, f"{prefix}test-harness__src__resource__results.json")["evaluation"]:
        user, action = case["request"]["subject"]["id"], case["request"]["action"]["name"]
        assert [item["id"] for item in case["expected"]["results"]] == [r for r in records if may(user, action, r)]
        found += 1
    for case in read(shared, f"{prefix}test-harness__src__action__results.json")["evaluation"]:
        user, record = case["request"]["subject"]["id"], case["request"]["resource"]["id"]
        context = {"resource": records[record]}
        assert (
            authzen_actions(RECORDS, f"record/{record}", who(user), context)["results"] == case["expected"]["results"]
        )
        found += 1
    assert found >= 100


def test_records_of_the_identity_provider_scenario(shared: Path) -> None:
    """There only an owner may delete."""
    owners = Policy.parse([rule(["delete"], owner="${principal.id}")])
    records = read(shared, "authzen-idp__data__records.json")
    for case in read(shared, "authzen-idp__test-harness__src__results.json")["search"]:
        user = case["request"]["subject"]["id"]
        allowed = [
            item["id"]
            for item in records
            if owners.allows("delete", f"record/{item['id']}", {"id": user}, {"resource": item})
        ]
        assert allowed == [item["id"] for item in case["expected"]["results"]]
