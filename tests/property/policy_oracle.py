"""A slow and obvious evaluator of policy documents, written from the description of the language alone.

It works on JSON and shares no line with `bearerkit.policy`: no compilation, no order, no shortcut. It belongs to the
property tests, which compare every answer with it; it validates nothing, and must never be made fast.
"""

from __future__ import annotations

import ipaddress
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

TOKEN = re.compile(r"\$\{([^}]*)\}|(.)", re.DOTALL)
U = None  # indeterminate


def tokens(text: str, *, wild: bool = True) -> list[tuple[str, str]]:
    """("char", c), ("any", *), ("one", ?) or ("variable", name)."""
    found = []
    for inner, char in TOKEN.findall(text):
        if inner:
            found.append(("char", inner) if inner in "*?$" else ("variable", inner))
        else:
            found.append(({"*": "any", "?": "one"}.get(char, "char") if wild else "char", char))
    return found


def matches(pattern: list[tuple[str, str]], text: str) -> bool:
    """One cell of a table for every pair of positions."""
    reached = {0}
    for kind, char in pattern:
        if kind == "any":
            reached = {end for end in range(len(text) + 1) if any(start <= end for start in reached)}
        else:
            reached = {at + 1 for at in reached if at < len(text) and (kind == "one" or text[at] == char)}
    return len(text) in reached


def fill(pattern: list[tuple[str, str]], world: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """Variables as literal characters; None if one cannot be resolved."""
    filled: list[tuple[str, str]] = []
    for kind, name in pattern:
        if kind != "variable":
            filled.append((kind, name))
            continue
        value = find(name, world)
        if not isinstance(value, str) or not value:
            return None
        if any(char in "/:*?\u2028\u2029" or unicodedata.category(char) == "Cc" for char in value):
            return None
        filled += [("char", char) for char in value]
    return filled


def find(key: str, world: Mapping[str, Any]) -> Any:
    node: Any = world
    for step in key.split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def identities(principal: Mapping[str, Any] | None) -> set[str]:
    """Whom statements may call this principal. Without one it is the principal that the policy is attached to."""
    if principal is None:
        return {"*"}
    if principal.get("anonymous"):
        return set()
    roles = set(principal.get("roles", ()))
    for group in principal.get("groups", ()):
        roles |= set(principal.get("group_roles", {}).get(group, ()))
    level = roles
    for _ in range(16):
        level = {parent for role in level for parent in listed(principal.get("role_parents", {}).get(role, ()))} - roles
        roles |= level
    own = {f"user:{principal['id']}"} if principal.get("id") is not None else set()
    own |= {f"key:{principal['key']}"} if principal.get("key") is not None else set()
    return (
        {"*"} | own | {f"role:{role}" for role in roles} | {f"group:{group}" for group in principal.get("groups", ())}
    )


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def is_about(pattern: str, resource: str, world: Mapping[str, Any]) -> bool | None:
    """Whether a resource pattern covers a resource, by itself or, in the declared scheme, from above."""
    filled = fill(tokens(pattern), world)
    if filled is None:
        return U
    if matches(filled, resource):
        return True
    if not in_scheme(pattern) or filled[-1][0] == "any":
        return False
    return any(matches(filled, resource[:at]) for at, char in enumerate(resource) if char == "/")


def in_scheme(pattern: str) -> bool:
    return re.fullmatch(r"service:[^/:]+(/package:[^/:]+)?(/table:[^/:]+)?", pattern, re.DOTALL) is not None


def typed(family: str, value: Any) -> Any:
    """The value as the family's type, None if it is of another."""
    if family.startswith("String"):
        return value if isinstance(value, str) else None
    if family == "Bool":
        return value if isinstance(value, bool) else None
    try:
        if family == "IpAddress":
            return ipaddress.ip_address(value) if isinstance(value, str) else None
        if family == "Date" and isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.timestamp() if moment.tzinfo else None
    except ValueError:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None  # JSON has no other numbers


def compare(name: str, asked: Any, value: Any, world: Mapping[str, Any]) -> bool | None:
    """One value with one value of the condition, for a positive operator."""
    if name == "IpAddress":
        return asked in ipaddress.ip_network(value)
    if name.startswith("String"):
        wanted = fill(tokens(value, wild=name == "StringLike"), world)
        if wanted is None:
            return U
        if name == "StringLike":
            return matches(wanted, asked)
        text = "".join(char for _, char in wanted)
        return asked.casefold() == text.casefold() if name.endswith("IgnoreCase") else asked == text
    other = typed(re.match("Numeric|Date|Bool", name)[0], value)
    ending = re.sub("^(Numeric|Date|Bool)", "", name)
    return {
        "": asked == other,
        "Equals": asked == other,
        "LessThan": asked < other,
        "LessThanEquals": asked <= other,
        "GreaterThan": asked > other,
        "GreaterThanEquals": asked >= other,
    }[ending]


def either(results: list[bool | None]) -> bool | None:
    return True if True in results else U if None in results else False


def both(results: list[bool | None]) -> bool | None:
    return False if False in results else U if None in results else True


def holds(condition: Mapping[str, Any], world: Mapping[str, Any]) -> bool | None:
    op, key, values = condition["op"], condition["key"], condition["values"]
    asked = find(key, world)
    if op == "Exists":
        return (asked is not None) is values[0]
    quantifier, _, rest = op.rpartition(":")
    name = rest.removesuffix("IfExists")
    if asked is None:
        return True if rest.endswith("IfExists") else U
    positive = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "NotIpAddress": "IpAddress"}.get(name)
    positive = positive or name.replace("NotEquals", "Equals")

    def one(item: Any) -> bool | None:
        item = typed(re.match("String|Numeric|Date|Bool|IpAddress", positive)[0], item)
        if item is None:
            return U
        result = either([compare(positive, item, value, world) for value in values])
        return result if positive == name or result is None else not result

    if not quantifier:
        return one(asked)
    if not isinstance(asked, list | tuple) or not asked:
        return U
    return {"ForAnyValue": either, "ForAllValues": both}[quantifier]([one(item) for item in asked])


def conditions_of(statement: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those of the list form, and those of the nested one."""
    given = statement.get("conditions", [])
    if not isinstance(given, Mapping):
        return list(given)
    return [
        {"op": op, "key": key, "values": listed(values)} for op, keys in given.items() for key, values in keys.items()
    ]


def applies(
    statement: Mapping[str, Any], action: str, resource: str, principal: Any, context: Mapping[str, Any]
) -> bool:
    """Whether it counts: an allow if that is certain, a deny unless the opposite is."""
    who = dict(principal or {})
    attributes = {name: value for name, value in who.items() if name not in ("role_parents", "group_roles")}
    if principal is not None:
        attributes["roles"] = [name.removeprefix("role:") for name in identities(principal) if name.startswith("role:")]
    world = {**context, "principal": attributes}
    if "principals" in statement and not identities(principal) & set(statement["principals"]):
        return False
    if not any(matches(tokens(pattern), action) for pattern in statement["actions"]):
        return False
    about = either([is_about(pattern, resource, world) for pattern in statement["resources"]])
    result = both([about, *(holds(condition, world) for condition in conditions_of(statement))])
    return result is True if statement["effect"].lower() == "allow" else result is not False


def statements_of(document: Any) -> list[Mapping[str, Any]]:
    return document["statements"] if isinstance(document, Mapping) else document


def effect(documents: list[Any], action: str, resource: str, principal: Any, context: Mapping[str, Any]) -> str:
    """`explicit_deny`, `allow` or `implicit_deny`, of all documents together."""
    if len(action) > 256 or len(resource) > 2048:
        return "implicit_deny"
    effects = {
        statement["effect"].lower()
        for document in documents
        for statement in statements_of(document)
        if applies(statement, action, resource, principal, context)
    }
    return "explicit_deny" if "deny" in effects else "allow" if effects else "implicit_deny"
