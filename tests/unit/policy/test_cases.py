"""The executable cases beside the description of the policy language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bearerkit.policy import Policy, PolicyError


def outcome(case: dict[str, Any]) -> str:
    """What comes of it: an effect, or the code of the first problem."""
    try:
        policy = Policy.parse(case["document"])
    except PolicyError as error:
        return f"error:{error.problems[0].code}"
    question = (case["action"], case["resource"], case["principal"], case["context"])
    decision = policy.decide(*question)
    assert policy.allows(*question) is decision.allowed
    assert policy.explain(*question).decision == decision
    return decision.effect


def test_every_case_comes_out_as_expected(shared: Path) -> None:
    """Allowed, denied by a statement, denied by none, or refused when it is read."""
    cases = json.loads((shared / "policy" / "cases.json").read_text(encoding="utf-8"))
    assert len(cases) >= 55
    wrong = [f"{case['group']}/{case['note']}: {got}" for case in cases if (got := outcome(case)) != case["expected"]]
    assert not wrong, "\n".join(wrong)
