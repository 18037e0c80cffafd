"""docs/errors.md lists every reason that really occurs, with the class and the status that it comes with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from architecture.source_tree import PACKAGE
from bearerkit import errors
from bearerkit.policy.bucket import Effect
from docs.pages import ROOT

SOURCE = PACKAGE
EXPANDED = {
    # jose/claims.py: times in _check_number, names in _check_texts
    "f'{name}_invalid'": (
        *("exp_invalid", "nbf_invalid", "iat_invalid"),
        *("sub_invalid", "jti_invalid", "client_id_invalid"),
    ),
    # guards/policies.py: what a policy said
    "explanation.decision.effect": tuple(effect for effect in get_args(Effect) if effect != "allow"),
}
"""Reasons that are put together at run time: the f-string, or what is read → what it can become."""
NO_REFUSALS = {"ConfigError", "PolicyError", "Refused", "BearerkitError"}
ROW = re.compile(
    r"^\| (?P<reasons>`\w+`(?:, `\w+`)*) \| `(?P<error>\w+)` \| (?P<status>\d+) \| [^|]+ \| [^|]+ \|$",
    re.MULTILINE,
)

Reason = tuple[str, str, int]


def occurring(tree: ast.AST) -> Iterator[Reason]:
    """(reason, class, status) of each refusal that is made in this module."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in errors.__all__ or name in NO_REFUSALS:
            continue
        given = next((keyword.value for keyword in node.keywords if keyword.arg == "reason"), None)
        cls = getattr(errors, name)
        # A reason that is handed on (`reason=self.reason`) is another refusal's or the team's; else the class's own.
        for reason in _spelled(given) or (cls.reason,):
            yield reason, name, cls.status


def _spelled(value: ast.expr | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, ast.JoinedStr) or ast.unparse(value) in EXPANDED:
        return EXPANDED[ast.unparse(value)]
    return tuple(part.value for part in ast.walk(value) if isinstance(part, ast.Constant) and type(part.value) is str)


def classes_with_reasons(tree: ast.AST) -> list[str]:
    """Classes that have a reason of their own: `reason = "…"`."""
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and any(map(_is_reason, node.body))]


def _is_reason(statement: ast.stmt) -> bool:
    targets: list[ast.expr] = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Constant) and statement.value.value:
        targets = [statement.target]
    return "reason" in map(ast.unparse, targets)


def documented(text: str) -> list[Reason]:
    return [
        (reason, found["error"], int(found["status"]))
        for found in ROW.finditer(text)
        for reason in re.findall(r"\w+", found["reasons"])
    ]


def test_the_table_holds_what_occurs():
    """Each reason once, with the class that carries it; and no reason that nothing gives."""
    rows = documented((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
    code = {
        reason for path in SOURCE.rglob("*.py") for reason in occurring(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert sorted(rows) == sorted(code)


def test_reasons_of_classes_are_in_one_file():
    """The walk looks for calls of the classes in errors.py; another class with a reason would escape it."""
    found = {
        path.name: classes
        for path in SOURCE.rglob("*.py")
        if (classes := classes_with_reasons(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert list(found) == ["errors.py"]
    assert "Expired" in found["errors.py"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("raise Expired('x')", [("expired", "Expired", 401)]),
        ("errors.Expired()", [("expired", "Expired", 401)]),
        ("Malformed('x', reason='planted')", [("planted", "Malformed", 401)]),
        ("Malformed(reason='a' if x else 'b')", [("a", "Malformed", 401), ("b", "Malformed", 401)]),
        ("PermissionDenied('x', reason=self.reason)", [("permission_denied", "PermissionDenied", 403)]),
        (
            "PermissionDenied('x', reason=explanation.decision.effect)",
            [(f"{kind}_deny", "PermissionDenied", 403) for kind in ("explicit", "implicit", "boundary")],
        ),
        ("ConfigError('x')", []),
        ("print('x', reason='y')", []),
    ],
)
def test_a_planted_reason_is_found(code, found):
    """Literal, chosen, handed on, or that of the class."""
    assert list(occurring(ast.parse(code))) == found


def test_an_unknown_f_string_is_an_error():
    """Whoever puts a reason together has to say here what it can become."""
    with pytest.raises(KeyError):
        list(occurring(ast.parse("Malformed(reason=f'{x}_y')")))
