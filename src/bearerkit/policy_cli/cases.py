"""Running the cases of a file: what was expected, what came, and which statements no case ever decided.

A file is a list of cases that each bring their `document`, or an object with `policies` (files beside it) or a
`document`, perhaps `boundaries` by name, and `cases`. What a case expects is `allow`, `deny` (any), `explicit_deny`,
`implicit_deny`, `boundary_deny`, or `error:<code>` for a document that must not be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bearerkit.policy import Catalog, Policy, PolicyError
from bearerkit.policy_cli.files import FileProblem, data_in, policy_of
from bearerkit.spelling import nearest

__all__ = ["Outcome", "Report", "run_cases"]

_EXPECTED: Final = ("allow", "deny", "explicit_deny", "implicit_deny", "boundary_deny")
_FILE: Final = ("policies", "document", "boundaries", "cases")
_CASE: Final = ("name", "group", "note", "document", "action", "resource", "principal", "context", "expected")


@dataclass(frozen=True)
class Outcome:
    """One case: `why` is the explanation of the decision where it is not the expected one."""

    file: str
    name: str
    expected: str
    got: str
    why: str = ""

    @property
    def passed(self) -> bool:
        """True if it came out as expected."""
        return self.got == self.expected or (self.expected == "deny" and self.got.endswith("_deny"))


@dataclass
class Report:
    """All cases of all files. `undecided` are statements of shared policies that decided no case."""

    outcomes: list[Outcome] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[Outcome]:
        """The cases that came out otherwise."""
        return [outcome for outcome in self.outcomes if not outcome.passed]


def run_cases(path: Path, catalog: Catalog | None, report: Report) -> None:
    """Run the cases of a file. Raises FileProblem."""
    data = data_in(path)
    if _is_policy(data):
        raise FileProblem(f"{path}: this is a policy and no file of cases: bearerkit policy check {path}")
    if isinstance(data, list):
        for number, case in enumerate(data):
            _check_case(case, path, number)
            report.outcomes.append(_own(case, path, number, catalog))
        return
    shared = _shared(data, path, catalog)
    decided = set[tuple[str | None, str]]()
    for number, case in enumerate(data["cases"]):
        _check_case(case, path, number)
        if "document" in case:
            report.outcomes.append(_own(case, path, number, catalog))
            continue
        explanation = shared.explain(*_question(case))
        decided |= set(_deciding(shared, _question(case)))
        report.outcomes.append(_outcome(case, path, number, explanation.decision.effect, str(explanation)))
    report.undecided += [
        f"{policy_id or path.name}/{statement}"
        for policy_id, statement in _statements(shared)
        if (policy_id, statement) not in decided
    ]


def _is_policy(data: Any) -> bool:
    if isinstance(data, Mapping):
        return "statements" in data and "cases" not in data
    return isinstance(data, list) and any(isinstance(item, Mapping) and "effect" in item for item in data)


def _shared(data: Any, path: Path, catalog: Catalog | None) -> Policy:
    """The policy that all cases of a file are about."""
    if not isinstance(data, Mapping) or not isinstance(data.get("cases"), list):
        raise FileProblem(f"{path}: a list of cases is needed, or an object with policies and cases")
    for member in data:
        if member not in _FILE:
            raise FileProblem(f"{path}: there is no member {member!r}{nearest(member, _FILE)}")
    policy = policy_of(_beside(data.get("policies", []), path), catalog)
    if "document" in data:
        try:
            policy |= Policy.parse(data["document"], id=path.name, catalog=catalog)
        except PolicyError as error:
            raise FileProblem(f"{path}: {'; '.join(map(str, error.problems))}") from None
    boundaries = data.get("boundaries") or {}
    if not isinstance(boundaries, Mapping):
        raise FileProblem(f"{path}: boundaries are an object of names and files")
    for name, files in boundaries.items():
        try:
            policy = policy.bounded_by(policy_of(_beside(files, path), catalog), name)
        except ValueError as error:
            raise FileProblem(f"{path}: {error}") from None
    return policy


def _beside(names: Any, path: Path) -> list[Path]:
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise FileProblem(f"{path}: policies and boundaries are file names, or lists of them")
    return [path.parent / name for name in listed]


def _check_case(case: Any, path: Path, number: int) -> None:
    where = f"{path}: case {number + 1}"
    if not isinstance(case, Mapping):
        raise FileProblem(f"{where} is no object")
    for member in case:
        if member not in _CASE:
            raise FileProblem(f"{where}: there is no member {member!r}{nearest(member, _CASE)}")
    expected = str(case.get("expected"))
    if expected not in _EXPECTED and not expected.startswith("error:"):
        raise FileProblem(f"{where}: expected is one of {', '.join(_EXPECTED)} or error:<code>, not {expected!r}")
    if not expected.startswith("error:") and not all(
        isinstance(case.get(name), str) for name in ("action", "resource")
    ):
        raise FileProblem(f"{where}: action and resource must be strings")


def _own(case: Mapping[str, Any], path: Path, number: int, catalog: Catalog | None) -> Outcome:
    """A case that brings its document."""
    try:
        policy = Policy.parse(case.get("document"), catalog=catalog)
    except PolicyError as error:
        codes = [f"error:{problem.code}" for problem in error.problems]
        got = case["expected"] if case["expected"] in codes else codes[0]
        return _outcome(case, path, number, got, str(error))
    explanation = policy.explain(*_question(case))
    return _outcome(case, path, number, explanation.decision.effect, str(explanation))


def _deciding(policy: Policy, question: tuple[str, str, Any, Any]) -> Iterator[tuple[str | None, str]]:
    """The statements that decided, also those by which boundaries let it pass."""
    explanation = policy.explain(*question)
    for part in (explanation, *(boundary.explain(*question) for _, boundary in policy.boundaries)):
        if part.decided_by is not None:
            yield part.decided_by.policy_id, part.decided_by.statement


def _question(case: Mapping[str, Any]) -> tuple[str, str, Any, Any]:
    return case.get("action", ""), case.get("resource", ""), case.get("principal"), case.get("context")


def _outcome(case: Mapping[str, Any], path: Path, number: int, got: str, why: str) -> Outcome:
    parts = [str(case[name]) for name in ("group", "name", "note") if case.get(name)]
    outcome = Outcome(str(path), ": ".join(parts) or f"case {number + 1}", case["expected"], got)
    return outcome if outcome.passed else Outcome(outcome.file, outcome.name, outcome.expected, got, why)


def _statements(policy: Policy) -> Iterator[tuple[str | None, str]]:
    for source in policy.sources:
        for statement in source.statements:
            yield source.id, statement.name
    for _, boundary in policy.boundaries:
        yield from _statements(boundary)
