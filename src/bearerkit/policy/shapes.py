"""Questions and answers in the shapes that others exchange: Authrs' check, and AuthZEN's evaluations.

Translation only: what is decided is decided by `Policy`. AuthZEN is the Authorization API 1.0 of the OpenID Foundation
(sections 6 to 8): subject, action and resource are objects, and an answer is `{"decision": true}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bearerkit.policy.policy import Policy
from bearerkit.policy.principal import Principal

__all__ = ["authrs_check", "authzen_actions", "authzen_evaluation", "authzen_evaluations"]

Who = Principal | Mapping[str, Any] | None
PrincipalOf = Callable[[Mapping[str, Any]], Who]
ResourceOf = Callable[[Mapping[str, Any]], str]

_SEMANTICS: Final = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")


def authrs_check(policy: Policy, request: Mapping[str, Any], principal: Who = None) -> dict[str, Any]:
    """`{resource, action?, context?}` → `{resource, action, allowed}`, or `{resource, decisions}` without an action.

    The context stands at its own names and below `request`. Raises ValueError for a request of another form.
    """
    resource, action = _text(request, "resource"), request.get("action")
    further = _optional(request, "context")
    context = {"request": further, **further}
    if action is None:
        return {"resource": resource, "decisions": policy.decide_all(resource, principal, context)}
    return {"resource": resource, "action": action, "allowed": policy.allows(action, resource, principal, context)}


def authzen_evaluation(
    policy: Policy,
    request: Mapping[str, Any],
    *,
    principal_of: PrincipalOf | None = None,
    resource_of: ResourceOf | None = None,
) -> dict[str, Any]:
    """One evaluation: `{subject, action, resource, context?}` → `{decision, context}`.

    Without `principal_of` the subject's id is the principal's and its properties are its attributes; without
    `resource_of` a resource is spelled `type/id`. The properties of resource and action are at `resource.…` and
    `action.…` in conditions, the context at its own names. Raises ValueError for a request that lacks a part or has one
    of another form.
    """
    subject, action, resource = (_part(request, name) for name in ("subject", "action", "resource"))
    name = action.get("name")
    if not isinstance(name, str):
        raise ValueError("the action has no name")
    context = {
        **_optional(request, "context"),
        "resource": {**_properties(resource), "id": resource.get("id"), "type": resource.get("type")},
        "action": _properties(action),
    }
    decision = policy.decide(
        name,
        (resource_of or _type_and_id)(resource),
        (principal_of or _subject)(subject),
        context,
    )
    if decision.allowed:
        return {"decision": True}
    return {"decision": False, "context": {"reason": decision.effect}}


def authzen_evaluations(policy: Policy, request: Mapping[str, Any], **how: Any) -> dict[str, Any]:
    """Several at once: members of the request are defaults for each of `evaluations`; `options` may end it early."""
    defaults = {name: request[name] for name in ("subject", "action", "resource", "context") if name in request}
    listed = request.get("evaluations")
    if not listed:
        return authzen_evaluation(policy, defaults, **how)
    if not isinstance(listed, list | tuple) or not all(isinstance(item, Mapping) for item in listed):
        raise ValueError("the evaluations are no list of objects")
    semantics = _optional(request, "options").get("evaluations_semantic", "execute_all")
    if semantics not in _SEMANTICS:
        raise ValueError(f"evaluations_semantic is one of {', '.join(_SEMANTICS)}, not {semantics!r}")
    answers: list[dict[str, Any]] = []
    for item in listed:
        answer = authzen_evaluation(policy, {**defaults, **item}, **how)
        answers.append(answer)
        if (semantics, answer["decision"]) in (("deny_on_first_deny", False), ("permit_on_first_permit", True)):
            break
    return {"evaluations": answers}


def authzen_actions(policy: Policy, resource: str, principal: Who = None, context: Any = None) -> dict[str, Any]:
    """Action search: the actions of the catalog that are allowed, as `{"results": [{"name": …}]}`."""
    decided = policy.decide_all(resource, principal, context)
    return {"results": [{"name": name} for name, allowed in decided.items() if allowed]}


def _part(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = request.get(name)
    if not isinstance(part, Mapping):
        raise ValueError(f"the request has no {name}")
    return part


def _optional(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = request.get(name)
    if part is not None and not isinstance(part, Mapping):
        raise ValueError(f"{name} is no object")
    return part or {}


def _text(part: Mapping[str, Any], name: str) -> str:
    text = part.get(name)
    if not isinstance(text, str) or not text:
        raise ValueError(f"{name} is no text")
    return text


def _properties(part: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = part.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _subject(subject: Mapping[str, Any]) -> Principal:
    return Principal(id=_text(subject, "id"), attributes=_properties(subject))


def _type_and_id(resource: Mapping[str, Any]) -> str:
    return f"{_text(resource, 'type')}/{_text(resource, 'id')}"
