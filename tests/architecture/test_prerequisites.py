"""Missing prerequisites are skips on a developer's machine and failures in CI."""

from __future__ import annotations

from pathlib import Path

import pytest

import prerequisites

PLANTED = """
def test_it(needs):
    assert needs("unobtainable")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with our conftest.py and one test that needs something nobody has."""
    conftest = (Path(prerequisites.__file__).parent / "conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(conftest)
    pytester.makepyfile(PLANTED)

    def unobtainable() -> str:
        raise prerequisites.Missing("no unobtainable on PATH: install it")

    monkeypatch.setattr(prerequisites, "FINDERS", {"unobtainable": unobtainable})
    return pytester


def test_missing_is_a_skip_with_its_reason(project, monkeypatch):
    """A developer without the program sees why the test did not run."""
    monkeypatch.setenv("BEARERKIT_TEST_STRICT", "0")
    result = project.runpytest_inprocess("-rs", "-p", "no:cacheprovider")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines("*no unobtainable on PATH: install it*")


def test_missing_is_a_failure_under_strict(project, monkeypatch):
    """CI never skips silently."""
    monkeypatch.setenv("BEARERKIT_TEST_STRICT", "1")
    result = project.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=0, failed=1)


@pytest.mark.parametrize(("value", "strict"), [({}, False), ("", False), ("0", False), ("1", True), ("yes", True)])
def test_strict_is_asked_for_by_an_environment_variable(value, strict):
    """Unset, empty and 0 mean no."""
    environment = {"BEARERKIT_TEST_STRICT": value} if isinstance(value, str) else {}
    assert prerequisites.is_strict(environment) is strict


def test_a_server_is_found_by_its_url(monkeypatch):
    """A given URL wins over the port on this machine."""
    monkeypatch.setenv("BEARERKIT_TEST_REDIS_URL", "redis://127.0.0.1:1/0")
    assert prerequisites.find("redis") == "redis://127.0.0.1:1/0"
