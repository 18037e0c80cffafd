"""The words of `bearerkit policy`: arguments, what is printed, exit codes.

0: documents are good, the request is allowed, all cases passed. 1: they are not, it is denied, some failed. 2: wrong
usage, or a file that cannot be read.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bearerkit.policy import PolicyError
from bearerkit.policy_cli.cases import Report, run_cases
from bearerkit.policy_cli.files import FileProblem, catalog_in, data_in, policy_in, policy_of
from bearerkit.policy_cli.reports import FORMATS, counted

__all__ = ["add_policy_commands"]


def add_policy_commands(commands: Any) -> None:
    """Add `policy` to the commands of an argument parser."""
    policy = commands.add_parser("policy", help="check policy documents, explain decisions, run cases")
    verbs = policy.add_subparsers(title="commands", metavar="COMMAND", required=True)

    check = verbs.add_parser("check", help="say everything that is wrong with documents")
    _add_files(check, "JSON or YAML (.yaml, .yml); each is read by itself")
    check.add_argument("--format", choices=["text", "json"], default="text", help="text unless given")
    check.set_defaults(run=_told(_check))

    explain = verbs.add_parser("explain", help="why a request is allowed or denied")
    _add_files(explain, "JSON or YAML (.yaml, .yml); several are in force at once")
    explain.add_argument("--action", required=True, metavar="NAME", help="as in orders.read")
    explain.add_argument("--resource", required=True, metavar="NAME", help="as in orders/7")
    explain.add_argument(
        "--principal", type=_members, metavar="JSON", help='as in {"id": "u1", "roles": ["editor"]}, or @FILE'
    )
    explain.add_argument(
        "--context",
        type=_members,
        metavar="JSON",
        help='as in {"request": {"ip": "10.1.2.3"}, "resource": {"owner": "u1"}}, or @FILE',
    )
    explain.add_argument("--values", action="store_true", help="with --format json: the values of conditions too")
    explain.add_argument("--format", choices=["text", "json"], default="text", help="text unless given")
    explain.set_defaults(run=_told(_explain))

    test = verbs.add_parser("test", help="run cases against policies")
    test.add_argument("cases", nargs="+", type=Path, metavar="CASES", help="JSON or YAML (.yaml, .yml)")
    test.add_argument("--catalog", type=Path, metavar="FILE", help="the actions that exist")
    test.add_argument("--format", choices=[*FORMATS], default="text", help="text unless given")
    test.add_argument("--fail-undecided", action="store_true", help="exit 1 if a statement decided no case")
    test.set_defaults(run=_told(_test))


def _add_files(parser: Any, what: str) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=what)
    parser.add_argument("--catalog", type=Path, metavar="FILE", help="the actions that exist")


def _members(text: str) -> dict[str, Any]:
    """An object as JSON, or `@FILE`."""
    try:
        data = data_in(Path(text[1:])) if text.startswith("@") else json.loads(text)
    except FileProblem as problem:
        raise ArgumentTypeError(str(problem)) from None
    except ValueError as error:
        raise ArgumentTypeError(f"this is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ArgumentTypeError(f"an object is needed, not {text!r}")
    return data


def _told(run: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    """The command, with what cannot be read said in one line."""

    def told(arguments: Namespace) -> int:
        try:
            return run(arguments)
        except FileProblem as problem:
            print(f"bearerkit: {problem}", file=sys.stderr)
            return 2

    return told


def _check(arguments: Namespace) -> int:
    catalog = catalog_in(arguments.catalog)
    found: list[dict[str, str]] = []
    count = 0
    for path in arguments.files:
        try:
            count += len(policy_in(path, catalog))
        except PolicyError as error:
            found += [{"file": str(path), **problem._asdict()} for problem in error.problems]
    if arguments.format == "json":
        print(json.dumps({"problems": found, "statements": count}, indent=2, ensure_ascii=False))
    else:
        for problem in found:
            print(f"{problem['file']}: {problem['code']} at {problem['pointer'] or '/'}: {problem['message']}")
        files = counted(len(arguments.files), "file")
        good = f"{counted(count, 'statement')} in {files}, nothing wrong"
        print(f"{counted(len(found), 'problem')} in {files}" if found else good)
    return 1 if found else 0


def _explain(arguments: Namespace) -> int:
    catalog = catalog_in(arguments.catalog)
    policy = policy_of(arguments.files, catalog)
    if catalog is not None and (lacking := catalog.lacks(arguments.action)) is not None:
        print(f"bearerkit: {lacking}", file=sys.stderr)
    explanation = policy.explain(arguments.action, arguments.resource, arguments.principal, arguments.context)
    if arguments.format == "json":
        print(json.dumps(explanation.as_dict(values=arguments.values), indent=2, ensure_ascii=False))
    else:
        print(explanation)
    return 0 if explanation.allowed else 1


def _test(arguments: Namespace) -> int:
    catalog, report = catalog_in(arguments.catalog), Report()
    for path in arguments.cases:
        run_cases(path, catalog, report)
    print(FORMATS[arguments.format](report))
    return 1 if report.failures or (arguments.fail_undecided and report.undecided) else 0
