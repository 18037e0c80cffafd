"""Other engines on the statements of the policy benchmark, parsed once: each as a function of action and resource.

A peer that is not installed is left out. None of them is asked for more than bearerkit, and the benchmark holds all of
them to the same answers before it measures anything.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator

from policy_workload import Statement

Ask = Callable[[str, str], bool]


def peers(listed: list[Statement]) -> Iterator[tuple[str, Ask]]:
    """Name and function of each that is here."""
    yield "regex loop", regex_loop(listed)
    for name, module, make in (
        ("cedarpy", "cedarpy", _cedar),
        ("pycasbin", "casbin", _casbin),
        ("vakt", "vakt", _vakt),
    ):
        if importlib.util.find_spec(module) is not None:
            yield name, make(listed)


def regex_loop(listed: list[Statement]) -> Ask:
    """What a team would write first."""
    rules = [
        (one["effect"] == "allow", list(map(_regex, one["actions"])), list(map(_regex, one["resources"])))
        for one in listed
    ]

    def ask(action: str, resource: str) -> bool:
        allowed = False
        for allows, actions, resources in rules:
            if any(item.fullmatch(action) for item in actions) and any(item.fullmatch(resource) for item in resources):
                if not allows:
                    return False
                allowed = True
        return allowed

    return ask


def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*"))


def _cedar(listed: list[Statement]) -> Ask:
    """Exact actions in the scope, everything else by `like` on strings of the context."""
    from cedarpy import Entities, PolicySet, is_authorized

    lines = []
    for one in listed:
        effect = "permit" if one["effect"] == "allow" else "forbid"
        resources = " || ".join(f"context.resource like {json.dumps(text)}" for text in one["resources"])
        for action in one["actions"]:
            if "*" in action:
                tests = f"context.action like {json.dumps(action)} && ({resources})"
                lines.append(f"{effect}(principal, action, resource) when {{ {tests} }};")
            else:
                scope = f"principal, action == Action::{json.dumps(action)}, resource"
                lines.append(f"{effect}({scope}) when {{ {resources} }};")
    policies, entities = PolicySet.from_str("\n".join(lines)), Entities.from_json_str("[]")

    def ask(action: str, resource: str) -> bool:
        request = {
            "principal": {"type": "User", "id": "u"},
            "action": {"type": "Action", "id": action},
            "resource": {"type": "Resource", "id": resource},
            "context": {"action": action, "resource": resource},
        }
        return bool(is_authorized(request, policies, entities).allowed)

    return ask


_CASBIN_MODEL = """
[request_definition]
r = act, obj
[policy_definition]
p = act, obj, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = keyMatch(r.act, p.act) && keyMatch(r.obj, p.obj)
"""


def _casbin(listed: list[Statement]) -> Ask:
    """One rule for each pair of action and resource; `keyMatch` knows the wildcards of this workload."""
    import casbin  # type: ignore[import-not-found]

    model = casbin.model.Model()
    model.load_model_from_text(_CASBIN_MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_policies(
        [
            list(rule)
            for rule in dict.fromkeys(
                (action, resource, one["effect"])
                for one in listed
                for action in one["actions"]
                for resource in one["resources"]
            )
        ]
    )
    return lambda action, resource: bool(enforcer.enforce(action, resource))


def _vakt(listed: list[Statement]) -> Ask:
    """Its memory storage and its rules for strings."""
    import vakt  # type: ignore[import-not-found]
    from vakt.rules import Any, Eq, StartsWith  # type: ignore[import-not-found]

    def rule(pattern: str) -> object:
        return StartsWith(pattern[:-1]) if pattern.endswith("*") else Eq(pattern)

    storage = vakt.MemoryStorage()
    for number, one in enumerate(listed):
        storage.add(
            vakt.Policy(
                str(number),
                actions=[rule(text) for text in one["actions"]],
                resources=[rule(text) for text in one["resources"]],
                subjects=[Any()],
                effect=vakt.ALLOW_ACCESS if one["effect"] == "allow" else vakt.DENY_ACCESS,
            )
        )
    guard = vakt.Guard(storage, vakt.RulesChecker())
    return lambda action, resource: bool(
        guard.is_allowed(vakt.Inquiry(action=action, resource=resource, subject="u", context={}))
    )
