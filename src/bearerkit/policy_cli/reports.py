"""Reports of cases as text for people, JSON for programs, and JUnit XML for build servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from xml.etree import ElementTree

from bearerkit.policy_cli.cases import Report

__all__ = ["FORMATS", "counted"]


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _text(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for outcome in report.failures:
        yield f"FAILED {outcome.file}: {outcome.name}: expected {outcome.expected}, got {outcome.got}"
        yield from (f"    {line}" for line in outcome.why.splitlines())
    for statement in report.undecided:
        yield f"no case decides {statement}"
    failed, passed = len(report.failures), len(report.outcomes) - len(report.failures)
    yield f"{passed} passed, {failed} failed" + (
        f", {counted(len(report.undecided), 'statement')} undecided" if report.undecided else ""
    )


def _json(report: Report) -> str:
    cases = [
        {
            "file": outcome.file,
            "name": outcome.name,
            "expected": outcome.expected,
            "got": outcome.got,
            "passed": outcome.passed,
            "why": outcome.why,
        }
        for outcome in report.outcomes
    ]
    return json.dumps({"cases": cases, "undecided": report.undecided}, indent=2, ensure_ascii=False)


def _junit(report: Report) -> str:
    counts = {"tests": str(len(report.outcomes)), "failures": str(len(report.failures))}
    suite = ElementTree.Element("testsuite", {"name": "bearerkit policy", "errors": "0", **counts})
    for outcome in report.outcomes:
        case = ElementTree.SubElement(suite, "testcase", {"classname": outcome.file, "name": _printable(outcome.name)})
        if not outcome.passed:
            message = f"expected {outcome.expected}, got {outcome.got}"
            ElementTree.SubElement(case, "failure", {"message": message}).text = _printable(outcome.why)
    if report.undecided:
        lines = "".join(f"no case decides {statement}\n" for statement in report.undecided)
        ElementTree.SubElement(suite, "system-out").text = _printable(lines)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _printable(text: str) -> str:
    """XML 1.0 has no way to write control characters."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)


FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {"text": _text, "json": _json, "junit": _junit}
