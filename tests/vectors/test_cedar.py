"""Cedar's integration tests: each policy file by a translation written by hand, decisions and deciding policies alike.

Of the fuzzed corpus only what has no expression is in both languages; everything else is counted under its reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bearerkit.policy import Policy

LEVELS = ("accountgroup", "account", "album", "photo", "video")
SCHEMES = [LEVELS[start:] for start in range(len(LEVELS))]
"""An entity may stand below any of the others, so a path may begin at each level."""

PHOTO = "account:jane/album:jane_vacation/photo:VacationPhoto94.jpg"
OWNER = "resource.account.owner.id"
Rule = dict[str, Any]


def rule(sid: str, effect: str, actions: list[str], resource: str = "*", who: str = "*", **conditions: Any) -> Rule:
    statement: Rule = {"sid": sid, "effect": effect, "principals": [who], "actions": actions, "resources": [resource]}
    return {**statement, "conditions": conditions} if conditions else statement


def permit(actions: list[str], resource: str = "*", who: str = "*", sid: str = "policy0", **conditions: Any) -> Rule:
    return rule(sid, "Allow", actions, resource, who, **conditions)


JANES = "account:jane/album:jane_vacation"
RULES: dict[str, list[Rule]] = {
    "ip/policies_1": [permit(["view"], PHOTO, IpAddress={"source_ip": "222.222.222.222"})],
    "ip/policies_2": [
        permit(["view"], PHOTO, NotIpAddress={"source_ip": ["127.0.0.0/8", "::1", "224.0.0.0/4", "ff00::/8"]})
    ],
    "decimal/policies_1": [
        permit(["view"], "photo:VacationPhoto94.jpg", NumericGreaterThan={"confidence_score": 0.75}),
    ],
    "multi/policies_2": [permit(["view"], JANES), rule("policy1", "Deny", ["view"], JANES, "user:bob")],
    "multi/policies_3": [
        permit(["view"], "accountgroup:GeronimoTeam/account:alice", "group:alice_friends"),
        rule("policy1", "Deny", ["*"], Bool={"resource.private": True}, StringNotEquals={OWNER: "${principal.id}"}),
    ],
    "multi/policies_5": [
        permit(["*"], "accountgroup:GeronimoTeam/account:alice/album:alice_vacation",
               StringEquals={"principal.department": "Sales"}),
        rule("policy1", "Deny", ["*"], Bool={"authenticated": False}),
        permit(["view"], sid="policy2", NumericGreaterThanEquals={"principal.jobLevel": 7}),
    ],
    "example_use_cases/policies_1a": [permit(["view"], PHOTO, "user:alice")],
    "example_use_cases/policies_2b": [permit(["view"], JANES, "user:alice")],
    "example_use_cases/policies_2c": [permit(["view", "edit", "comment"], JANES, "user:alice")],
    "example_use_cases/policies_3b": [permit(["listAlbums", "listPhotos", "view"], "account:jane", "user:alice")],
    "example_use_cases/policies_4e": [
        permit(["view"], StringEquals={"resource.account.owner.department": "${principal.department}"})
    ],
    "example_use_cases/policies_4f": [
        permit(["*"], StringEquals={OWNER: "${principal.id}"}),
        permit(["*"], sid="policy0 too", **{"ForAnyValue:StringEquals": {"resource.admins": "${principal.id}"}}),
    ],
}  # fmt: skip

Uid = tuple[str, str]


class World:
    """The entities of a test: attributes with references followed, and names that are paths of parents."""

    def __init__(self, listed: list[Any]) -> None:
        self.known = {(item["uid"]["type"], item["uid"]["id"]): item for item in listed}

    def entity(self, uid: Uid) -> Mapping[str, Any]:
        """One that is not listed has neither attributes nor parents, as in Cedar."""
        return self.known.get(uid, {"attrs": {}, "parents": []})

    def value(self, value: Any, depth: int = 3) -> Any:
        if isinstance(value, list):
            return [item["id"] if isinstance(item, Mapping) and "id" in item else item for item in value]
        if not isinstance(value, Mapping):
            return value
        if "__extn" in value:
            function, text = value["__extn"]["fn"], value["__extn"]["arg"]
            return float(text) if function == "decimal" else text
        return {"id": value["id"], **self.attributes((value["type"], value["id"]), depth - 1)} if depth else {}

    def attributes(self, uid: Uid, depth: int = 3) -> dict[str, Any]:
        return {name: self.value(item, depth) for name, item in self.entity(uid)["attrs"].items()}

    def parents(self, uid: Uid) -> list[Uid]:
        return [(item["type"], item["id"]) for item in self.entity(uid)["parents"]]

    def name(self, uid: Uid) -> str:
        above = self.parents(uid)
        assert len(above) <= 1, "a resource stands in one place"
        return "/".join([*(self.name(parent) for parent in above), f"{uid[0].lower()}:{uid[1]}"])


@pytest.mark.shared_files("vectors/cedar/tests/*/*.json")
def test_a_handwritten_case_is_decided_as_in_cedar(shared_file: Path) -> None:
    """And by the same policy, where one decides."""
    folder = shared_file.parents[2]
    case = json.loads(shared_file.read_text(encoding="utf-8"))
    world = World(json.loads((folder / case["entities"]).read_text(encoding="utf-8")))
    written = case["policies"].removeprefix("tests/").removesuffix(".cedar")
    document = {"version": "1.0", "statements": RULES[written]}
    policy = Policy.parse(document, schemes=SCHEMES)
    assert case["requests"]
    for asked in case["requests"]:
        subject, resource = ((asked[part]["type"], asked[part]["id"]) for part in ("principal", "resource"))
        principal = {
            "id": subject[1],
            "groups": [name for kind, name in world.parents(subject) if kind == "UserGroup"],
            "attributes": world.attributes(subject),
        }
        context = {name: world.value(value) for name, value in asked["context"].items()}
        context["resource"] = world.attributes(resource)
        explanation = policy.explain(asked["action"]["id"], world.name(resource), principal, context)
        assert explanation.allowed is (asked["decision"] == "allow"), (asked, str(explanation))
        trace = explanation.decided_by
        assert (trace is not None) is bool(asked["reason"])
        assert trace is None or trace.statement.removesuffix(" too") in asked["reason"]


SCOPE = re.compile(
    r'(?:\s*@\w+\("(?:[^"\\]|\\.)*"\))*\s*(?P<effect>permit|forbid)\(\s*principal,\s*action'
    r'(?:\s+(?:==|in)\s+(?P<actions>\[[^\]]*\]|\w+::"[^"\\]*"))?,\s*resource\s*\)'
    r"\s*when\s*\{\s*(?P<body>true|false)\s*\};\s*"
)
ACTION = re.compile(r'Action::"([A-Za-z0-9_-]+)"')


NOT_TRANSLATED = {
    "scope": "names or types of entities in the scope, with ids that are no resource names",
    "expression": "expressions: a condition here is about one key, without operators between attributes",
    "action": "ids of actions that are no names of actions here",
    "groups": "groups of actions: here a wildcard or a list says which",
}


def translated(text: str) -> list[Rule] | str:
    """The statements of a corpus policy, or the reason why there are none."""
    statements: list[Rule] = []
    at = 0
    while at < len(text.rstrip()):
        match = SCOPE.match(text, at)
        if match is None:
            scope = text[at:].partition(" when ")[0]
            return "scope" if re.search(r"(principal|resource)\s+(==|in|is)\b", scope) else "expression"
        at = match.end()
        actions = ACTION.findall(match["actions"]) if match["actions"] else ["*"]
        if not actions or re.sub(ACTION, "", match["actions"] or "").strip("[], \n"):
            return "action"
        effect = {"permit": "Allow", "forbid": "Deny"}[match["effect"]]
        if match["body"] == "true":
            statements.append(rule(f"policy{len(statements)}", effect, actions))
    return statements


def test_the_fuzzed_corpus_where_it_has_no_expressions(shared: Path) -> None:
    """The same decisions; each case that is not translated has one of four reasons."""
    lines = (shared / "vectors" / "cedar" / "corpus-sample.jsonl").read_text(encoding="utf-8").splitlines()
    reasons: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    for line in lines:
        case = json.loads(line)
        rules = translated(case["policies"])
        if isinstance(rules, list) and any(item["actions"] != ["*"] for item in rules):
            grouped = any(item["parents"] for item in case["entities"] if item["uid"]["type"] == "Action")
            rules = "groups" if grouped else rules
        if isinstance(rules, str):
            reasons[rules] += 1
            continue
        reasons["translated"] += 1
        policy = Policy.parse({"version": "1.0", "statements": rules})
        for asked in case["requests"]:
            allowed = policy.allows(asked["action"]["id"], "entity", {"id": asked["principal"]["id"]})
            assert allowed is (asked["decision"] == "allow"), (case["policies"], asked)
            decided[asked["decision"]] += 1
    assert set(reasons) <= {"translated", *NOT_TRANSLATED}
    assert sum(reasons.values()) == len(lines)
    assert reasons["translated"] >= 40
    assert decided["allow"] >= 200
