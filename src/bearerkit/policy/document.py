"""Reading a policy document, flat or versioned, into statements: all of it, or none of it.

    [{"effect": "allow", "actions": ["envoi.*"], "resources": ["*"]}]              flat: for whoever it is attached to
    {"version": "1.0", "statements": [{…, "principals": ["role:editor"]}]}         versioned: they name principals

A document with one bad statement is refused whole, because dropping a bad deny would widen access. It is written back
in its own form: its own spelling of effects and conditions, members in canonical order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from bearerkit.errors import PolicyError
from bearerkit.policy.catalog import Catalog
from bearerkit.policy.clauses import Resolve, actions, principals, resources
from bearerkit.policy.condition_forms import conditions
from bearerkit.policy.limits import Limits
from bearerkit.policy.operators import Operator, operators_from
from bearerkit.policy.pattern import has_control
from bearerkit.policy.problems import Place
from bearerkit.policy.scheme import Scheme
from bearerkit.policy.statement import Source, Statement
from bearerkit.policy_problem import PolicyProblem

__all__ = ["read_document"]

_EFFECTS: Final = {"allow": True, "Allow": True, "deny": False, "Deny": False}
_ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    "flat": ("effect", "actions", "resources", "principals", "conditions", "sid"),
    "document": ("sid", "effect", "principals", "actions", "resources", "conditions"),
}
"""The canonical order of a statement's members in each form."""
_VERSION: Final = "1.0"

Form = Literal["flat", "document"]


def read_document(
    document: Any,
    *,
    id: str | None,  # noqa: A002 - what a policy's id is called everywhere
    version: str | None,
    catalog: Catalog | None,
    schemes: tuple[Scheme, ...],
    limits: Limits,
    resolve: Resolve | None,
    operators: Sequence[Operator],
) -> Source:
    """The statements of a document. Raises PolicyError listing every problem."""
    found: list[PolicyProblem] = []
    place = Place(found)
    known = operators_from(operators)
    written = _json(document, limits, place)
    form: Form = "document" if isinstance(document, Mapping) else "flat"
    listed, at = _statements(document, place) if not found else ([], place)
    if len(listed) > limits.statements:
        at.problem("too_many_statements", f"{len(listed)} statements; at most {limits.statements} are allowed")
    read = [
        _statement(item, index, form, limits, catalog, resolve, known, at.at(index))
        for index, item in enumerate(listed[: limits.statements])
    ]
    _check_sids(listed, at)
    if found:
        raise PolicyError(found)
    statements = tuple(statement for statement in read if statement is not None)
    resolved = tuple(statement.principals for statement in statements)
    content = (id, version, form, written, schemes, resolved if resolve is not None else None, tuple(operators))
    return Source(content, id, version, form, written, statements)


def _json(document: Any, limits: Limits, place: Place) -> str:
    """The document as canonical JSON: what is compared, counted, and written back."""
    if isinstance(document, bytes):
        place.problem("bad_document", "a policy is a list or an object, not bytes; Policy.parse_json reads text")
        return ""
    try:
        written = json.dumps(_canonical(document), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        place.problem(
            "bad_document", "a policy is JSON: a list of statements, or an object with version and statements"
        )
        return ""
    size = len(written.encode("utf-8", "surrogatepass"))
    if size > limits.document_bytes:
        place.problem("too_large", f"{size} bytes; at most {limits.document_bytes} are allowed")
    return written


def _canonical(document: Any) -> Any:
    if isinstance(document, Mapping):
        whole = {name: document[name] for name in ("version", "statements") if name in document}
        whole |= {name: value for name, value in document.items() if name not in whole}
        if isinstance(whole.get("statements"), list | tuple):
            whole["statements"] = [_in_order(item, _ORDER["document"]) for item in whole["statements"]]
        return whole
    if isinstance(document, list | tuple):
        return [_in_order(item, _ORDER["flat"]) for item in document]
    return document


def _in_order(statement: Any, order: tuple[str, ...]) -> Any:
    if not isinstance(statement, Mapping):
        return statement
    known = {name: statement[name] for name in order if name in statement}
    return known | {name: value for name, value in statement.items() if name not in known}


def _statements(document: Any, place: Place) -> tuple[Sequence[Any], Place]:
    if isinstance(document, list | tuple):
        return document, place
    if not isinstance(document, Mapping):
        advice = "; Policy.parse_json reads text" if isinstance(document, str) else ""
        place.problem("bad_document", f"a policy is a list or an object, not {type(document).__name__}{advice}")
        return [], place
    if "effect" in document and "statements" not in document:
        place.problem("bad_document", "this is one statement: a policy is a list of them")
        return [], place
    place.unknown_members(document, ("version", "statements"))
    if document.get("version") != _VERSION:
        place.at("version").problem("unsupported_version", f'the version of a document is "{_VERSION}"')
    listed = document.get("statements")
    place = place.at("statements")
    if not isinstance(listed, list | tuple):
        place.problem("not_a_list", "statements must be a list")
        return [], place
    return listed, place


def _statement(
    item: Any,
    index: int,
    form: Form,
    limits: Limits,
    catalog: Catalog | None,
    resolve: Resolve | None,
    operators: Mapping[str, Operator],
    place: Place,
) -> Statement | None:
    if not isinstance(item, Mapping):
        place.problem("bad_document", f"a statement is an object, not {type(item).__name__}")
        return None
    place.unknown_members(item, _ORDER[form])
    sid, effect = item.get("sid"), item.get("effect")
    if "effect" not in item:
        place.problem("missing_effect", "a statement needs an effect: allow or deny")
    elif not isinstance(effect, str) or effect not in _EFFECTS:
        place.at("effect").problem("bad_effect", "the effect is allow, deny, Allow or Deny")
    if "sid" in item and not _is_sid(sid, limits):
        place.at("sid").problem("bad_sid", "a sid is a non-empty string without control characters")
    who = None
    if form == "document" or "principals" in item:
        who = principals(item.get("principals"), limits, resolve, place)
    return Statement(
        index,
        sid if isinstance(sid, str) else None,
        isinstance(effect, str) and _EFFECTS.get(effect, False),
        who,
        actions(item.get("actions"), limits, catalog, place),
        resources(item.get("resources"), limits, place),
        conditions(item["conditions"], limits, operators, place) if "conditions" in item else (),
    )


def _is_sid(sid: object, limits: Limits) -> bool:
    # Explanations say it as it is, and those are logged: a line break would begin a line of its own.
    return isinstance(sid, str) and 0 < len(sid) <= limits.pattern_length and not has_control(sid)


def _check_sids(listed: Sequence[Any], place: Place) -> None:
    seen = set[str]()
    for index, item in enumerate(listed):
        sid = item.get("sid") if isinstance(item, Mapping) else None
        if isinstance(sid, str):
            if sid in seen:
                place.at(index, "sid").problem("duplicate_sid", f"the sid {sid[:80]!r} stands above already")
            seen.add(sid)
