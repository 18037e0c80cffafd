"""`bearerkit policy`: what is printed, in which format, and the exit codes that build servers go by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bearerkit import cli

Run = Callable[..., tuple[int, str, str]]

READERS = [
    {"effect": "allow", "actions": ["orders.read"], "resources": ["orders/*"], "sid": "readers"},
    {
        "effect": "deny",
        "actions": ["*"],
        "resources": ["orders/secret"],
        "sid": "secret",
        "conditions": [{"op": "StringEquals", "key": "request.env", "values": ["hush-value"]}],
    },
]
BAD = [
    {"effect": "alow", "actions": [], "resources": ["*"], "condition": []},
    {"effect": "allow", "actions": "orders.read", "resources": ["x"]},
]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.main(["policy", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    def write(name: str, data: Any) -> Path:
        path = tmp_path / name
        path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        return path

    return write


# check


def test_a_good_document(run: Run, write: Any) -> None:
    """How many statements, and exit code 0."""
    assert run("check", write("p.json", READERS)) == (0, "2 statements in 1 file, nothing wrong\n", "")


def test_everything_that_is_wrong(run: Run, write: Any) -> None:
    """Every problem of every file in one run, with file, code, place and sentence."""
    bad = write("bad.json", BAD)
    code, out, err = run("check", write("p.json", READERS), bad)
    assert (code, err) == (1, "")
    for part in (
        "bad_effect at /0/effect",
        "unknown_field at /0/condition",
        "empty_actions",
        "not_a_list at /1/actions",
    ):
        assert f"{bad}: {part}" in out
    assert "did you mean 'conditions'" in out
    assert out.endswith("4 problems in 2 files\n")


def test_problems_for_programs(run: Run, write: Any) -> None:
    """The same as JSON."""
    code, out, _ = run("check", write("bad.json", BAD), "--format", "json")
    problems = json.loads(out)["problems"]
    assert code == 1
    assert {problem["code"] for problem in problems} == {"bad_effect", "unknown_field", "empty_actions", "not_a_list"}
    assert all(problem["file"].endswith("bad.json") and problem["message"] for problem in problems)


def test_a_catalog_makes_unknown_actions_wrong(run: Run, write: Any) -> None:
    """With the nearest that exists."""
    catalog = write("catalog.json", ["orders.reads", "orders.write"])
    code, out, _ = run("check", write("p.json", READERS), "--catalog", catalog)
    assert code == 1
    assert "unknown_action at /0/actions/0" in out
    assert "orders.reads" in out


@pytest.mark.parametrize(
    ("name", "text", "needle"),
    [
        ("p.json", "{", "this is no JSON: Expecting"),
        ("p.json", '[{"effect": "allow", "effect": "deny"}]', "the member 'effect' is written twice"),
        ("p.yaml", "- effect: allow\n  effect: deny\n", "the member 'effect' is written twice"),
        ("p.yaml", "a: [", "this is no YAML at line 1, column 5: while parsing a flow node"),
        ("p.yaml", "- resources: [*]", 'a pattern that begins with * needs quotes in YAML: "*"'),
        ("p.yaml", "- resources: [*orders]", "the alias *orders is not read"),
        ("p.yaml", "? [a]\n: b\n", "unhashable"),
        ("p.yaml", "!!python/object/apply:os.system [echo]", "could not determine a constructor"),
        ("p.yaml", "a: \x00", "unacceptable character"),
        ("p.json", "[" * 100_000, "nested too deeply"),
        ("p.yaml", "[" * 10_000, "nested too deeply"),
        ("p.json", '{"policies": ["p.json"], "cases": []}', "these are cases and no policy: bearerkit policy test"),
    ],
)
def test_a_file_that_cannot_be_read(run: Run, write: Any, name: str, text: str, needle: str) -> None:
    """One line with the file's name, exit code 2; a member that is written twice never silently wins."""
    code, out, err = run("check", write(name, text))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert name in err
    assert needle in err


def test_aliases_in_yaml_are_refused_at_once(run: Run, write: Any) -> None:
    """Thirty lines that name the line before twice are a thousand million values, and a list can hold itself."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 31))]
    for text in ("\n".join(lines), "&a [*a]", "- &a {effect: allow}\n- *a"):
        code, out, err = run("check", write("p.yaml", text))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "is not read" in err


def test_one_is_one(run: Run, write: Any) -> None:
    """One problem, one statement."""
    assert run("check", write("p.json", READERS[:1]))[1] == "1 statement in 1 file, nothing wrong\n"
    assert run("check", write("p.json", [{**READERS[0], "effect": "no"}]))[1].endswith("\n1 problem in 1 file\n")


def test_a_file_that_is_no_catalog(run: Run, write: Any) -> None:
    """It is named: the command has several files."""
    code, out, err = run("check", write("p.json", READERS), "--catalog", write("c.json", ["orders:read"]))
    assert (code, out) == (2, "")
    assert "c.json is no catalog: " in err


def test_a_file_that_does_not_exist(run: Run, tmp_path: Path) -> None:
    """The same."""
    code, _, err = run("check", tmp_path / "none.json")
    assert code == 2
    assert "No such file" in err
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe")
    assert "no UTF-8" in run("check", tmp_path / "latin.json")[2]


# explain


def test_an_allowed_request(run: Run, write: Any) -> None:
    """Who decided, exit code 0."""
    question = ("--action", "orders.read", "--resource", "orders/7")
    code, out, _ = run("explain", write("p.json", READERS), *question)
    assert code == 0
    assert "allow: 'orders.read' on 'orders/7'" in out
    assert "p.json/readers" in out


def test_a_denied_request(run: Run, write: Any) -> None:
    """Exit code 1; values of conditions only where they are asked for."""
    path = write("p.json", READERS)
    question = ("--action", "orders.read", "--resource", "orders/secret")
    context = ("--context", '{"request": {"env": "hush-value"}}')
    code, out, _ = run("explain", path, *question, *context)
    assert code == 1
    assert "explicit_deny" in out
    assert "hush-value" not in out
    code, out, _ = run("explain", path, *question, *context, "--format", "json")
    assert json.loads(out)["decided_by"]["sid"] == "secret"
    assert "hush-value" not in out
    assert "hush-value" in run("explain", path, *question, *context, "--format", "json", "--values")[1]


def test_principal_and_context_from_files(run: Run, write: Any) -> None:
    """`@FILE`, and a sentence for what is no JSON."""
    document = {"version": "1.0", "statements": [{**READERS[0], "principals": ["role:editor"]}]}
    path, who = write("p.json", document), write("who.yaml", "roles: [junior]\nparents: {junior: editor}\n")
    question = ("--action", "orders.read", "--resource", "orders/7")
    assert run("explain", path, *question)[0] == 1
    code, out, _ = run("explain", path, *question, "--principal", f"@{who}")
    assert code == 0
    assert "role:junior -> role:editor" in out
    code, _, err = run("explain", path, *question, "--principal", "{")
    assert code == 2
    assert "no JSON" in err
    assert "none.json" in run("explain", path, *question, "--principal", "@none.json")[2]
    for option in ("--principal", "--context"):
        code, out, err = run("explain", path, *question, option, '"u1"')
        assert (code, out) == (2, "")
        assert "an object is needed" in err


def test_a_question_about_an_action_that_there_is_not(run: Run, write: Any) -> None:
    """The decision stands; that the catalog has no such action is said beside it, so that formats stay as they are."""
    path, catalog = write("p.json", READERS), write("c.json", ["orders.read"])
    for action, said in (("orders.raed", "did you mean 'orders.read'?\n"), ("orders.read", "")):
        _, out, err = run("explain", path, "--catalog", catalog, "--action", action, "--resource", "orders/7")
        assert out.splitlines()[0].endswith(f": {action!r} on 'orders/7'")
        assert err.endswith(said)
        assert bool(err) is bool(said)


def test_documents_that_do_not_parse_explain_nothing(run: Run, write: Any) -> None:
    """All or nothing, as in a service."""
    code, out, err = run("explain", write("bad.json", BAD), "--action", "a", "--resource", "b")
    assert (code, out) == (2, "")
    assert "bad_effect" in err


# test

CASES = {
    "policies": ["p.json"],
    "cases": [
        {"name": "reads", "action": "orders.read", "resource": "orders/7", "expected": "allow"},
        {"name": "no write", "action": "orders.write", "resource": "orders/7", "expected": "deny"},
        {"note": "bad", "document": BAD, "expected": "error:not_a_list"},
    ],
}


def test_cases_that_pass(run: Run, write: Any) -> None:
    """And the statement that none of them decided, which is no failure unless it is asked to be one."""
    write("p.json", READERS)
    cases = write("cases.json", CASES)
    assert run("test", cases) == (
        0,
        "no case decides p.json/secret\n3 passed, 0 failed, 1 statement undecided\n",
        "",
    )
    assert run("test", cases, "--fail-undecided")[0] == 1


def test_cases_that_fail(run: Run, write: Any) -> None:
    """Expected and got, with the explanation below."""
    write("p.json", READERS)
    failing = {**CASES, "cases": [{**CASES["cases"][0], "expected": "explicit_deny"}]}  # type: ignore[index]
    code, out, _ = run("test", write("cases.json", failing))
    assert code == 1
    assert "FAILED" in out
    assert "reads: expected explicit_deny, got allow" in out
    assert "decided by the allow p.json/readers" in out


def test_junit(run: Run, write: Any) -> None:
    """Well-formed, whatever characters a case has; counts and failures as build servers read them."""
    write("p.json", READERS)
    odd = {"name": 'a < "b" \x00\n', "action": "orders.read", "resource": "orders/\x01", "expected": "deny"}
    code, out, _ = run("test", write("cases.json", {**CASES, "cases": [odd]}), "--format", "junit")
    suite = ElementTree.fromstring(out)
    assert code == 1
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert suite.find("testcase/failure") is not None
    assert "no case decides p.json/secret" in (suite.findtext("system-out") or "")


def test_json_report(run: Run, write: Any) -> None:
    """The same for programs."""
    write("p.json", READERS)
    report = json.loads(run("test", write("cases.json", CASES), "--format", "json")[1])
    assert [case["passed"] for case in report["cases"]] == [True] * 3
    assert report["undecided"] == ["p.json/secret"]


def test_yaml_cases_with_boundaries(run: Run, write: Any) -> None:
    """A document in the file itself, boundaries by name, comments."""
    write("key.json", [{"effect": "allow", "actions": ["orders.read"], "resources": ["orders/7"]}])
    cases = """
    # what the key may do
    document:
      - {effect: allow, actions: ["orders.*"], resources: ["*"], sid: all}
    boundaries: {key: key.json}
    cases:
      - {name: inside, action: orders.read, resource: orders/7, expected: allow}
      - {name: outside, action: orders.read, resource: orders/8, expected: boundary_deny}
    """
    code, out, _ = run("test", write("cases.yaml", cases))
    assert (code, out.splitlines()[-1]) == (0, "2 passed, 0 failed")


@pytest.mark.parametrize(
    ("data", "needle"),
    [
        ({"cases": [], "policy": "p.json"}, "did you mean 'policies'"),
        ({"policies": []}, "a list of cases"),
        ("x", "a list of cases"),
        (READERS, "this is a policy and no file of cases: bearerkit policy check"),
        ({"version": "1.0", "statements": READERS}, "this is a policy"),
        ({"cases": [5]}, "case 1 is no object"),
        ({"cases": [{"action": "a", "resource": "b", "expect": "allow"}]}, "did you mean 'expected'"),
        ({"cases": [{"action": "a", "resource": "b", "expected": "allowed"}]}, "expected is one of"),
        ({"cases": [{"action": "a", "expected": "allow"}]}, "must be strings"),
        ({"cases": [], "policies": [5]}, "file names"),
        ({"cases": [], "document": BAD}, "bad_effect"),
        ({"cases": [], "policies": "none.json"}, "none.json"),
        ({"cases": [], "boundaries": ["p.json"]}, "boundaries are an object"),
        ({"cases": [], "boundaries": {"identity": []}}, "'identity' names no boundary"),
    ],
)
def test_a_file_of_cases_that_cannot_work(run: Run, write: Any, data: Any, needle: str) -> None:
    """A misspelt member must not let a case pass unasked."""
    code, out, err = run("test", write("cases.json", json.dumps(data)))
    assert (code, out) == (2, "")
    assert needle in err


def test_the_reference_cases(run: Run, shared: Path) -> None:
    """The file beside the description of the language is one of these files."""
    code, out, _ = run("test", shared / "policy" / "cases.json")
    assert code == 0
    assert out.endswith("passed, 0 failed\n")


def test_yaml_without_pyyaml(run: Run, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which extra is missing; JSON goes without."""
    import sys

    monkeypatch.setitem(sys.modules, "yaml", None)
    assert 'pip install "bearerkit[cli]"' in run("check", write("p.yaml", "[]"))[2]
    assert run("check", write("p.json", READERS))[0] == 0
