"""Patterns: stars, marks, escapes and variables, and the matcher for each form."""

from __future__ import annotations

import pytest

from bearerkit.policy.pattern import Pattern, PatternProblem, parse_literal, parse_pattern

MATCHES: list[tuple[str, str, bool]] = [
    ("a.*", "a.b.c", True),
    ("a.*", "a.", True),
    ("a.*", "ab", False),
    ("*", "", True),
    ("**", "x", True),
    ("?", "", False),
    ("?", "\n", True),
    ("?", "ab", False),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("*.read", "a.b.read", True),
    ("*.read", "a.reader", False),
    ("a*b*c", "a-b-b-c", True),
    ("a*b*c", "acb", False),
    ("ab*ba", "aba", False),
    ("a*?b", "ab", False),
    ("a*?b", "axb", True),
    ("*x?y*", "..x-y..", True),
    ("*x?y*", "..xy..", False),
    ("*b?", "abbc", True),
    ("d/*", "d/a/b:c\nd", True),
    ("d/[ab]", "d/a", False),
    ("d.x", "dAx", False),
    ("A*", "a1", False),
    ("${*}a${?}${$}", "*a?$", True),
    ("${*}a", "xa", False),
    ("${$}{principal.id}", "${principal.id}", True),
    ("$5", "$5", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), MATCHES, ids=range(len(MATCHES)))
def test_a_pattern_matches_the_whole_string_or_not(pattern: str, text: str, expected: bool) -> None:
    """A star crosses everything, a mark is one character, all else is literal."""
    assert parse_pattern(pattern).matcher()(text) is expected


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "bad_pattern", "non-empty string"),
        (5, "bad_pattern", "non-empty string"),
        ("a\x00", "bad_pattern", "control characters"),
        ("a\u2028", "bad_pattern", "control characters"),
        ("e\u0301", "bad_pattern", "NFC"),
        ("${principal.id", "bad_template", "no closing brace"),
        ("${}", "bad_template", "is no variable"),
        ("${principal}", "bad_template", "is no variable"),
        ("${Principal.id}", "bad_template", "is no variable"),
        ("${session.id}", "unknown_variable", "request.tenant"),
        ("${request.ip}", "unknown_variable", "request.tenant"),
    ],
    ids=range(11),
)
def test_what_is_no_pattern_is_refused_with_its_code(text: object, code: str, says: str) -> None:
    """Empty, unclean, or a variable that does not exist."""
    with pytest.raises(PatternProblem, match=says) as raised:
        parse_pattern(text)
    assert raised.value.code == code


def test_variables_are_refused_where_they_are_not_allowed_but_escapes_are_not() -> None:
    """In actions, for one."""
    with pytest.raises(PatternProblem) as raised:
        parse_pattern("${principal.id}", variables=False)
    assert raised.value.code == "template_not_allowed"
    assert parse_pattern("${*}", variables=False).exact == "*"


def test_a_filled_variable_is_literal_text() -> None:
    """A star in it is a star; what stood around it stays what it was."""
    pattern = parse_pattern("t/${principal.tenant}/*")
    assert pattern.variables == ("principal.tenant",)
    filled = pattern.filled({"principal.tenant": "*"})
    assert filled.prefix == "t/*/"
    assert filled.matcher()("t/*/x")
    assert not filled.matcher()("t/a/x")


def test_in_a_literal_only_variables_and_escapes_mean_something() -> None:
    """Stars and marks are themselves, and the empty string is one."""
    assert parse_literal("a*?${*}").exact == "a*?*"
    assert parse_literal("").exact == ""
    assert parse_literal("x${request.tenant}").variables == ("request.tenant",)


def test_a_pattern_knows_its_form() -> None:
    """Exact, prefix, or neither; how many wildcards, runs of stars counted once; the text that it begins with."""
    rows = {
        "a": ("a", None, 0, "a"),
        "a**": (None, "a", 1, "a"),
        "a*b": (None, None, 1, "a"),
        "?*": (None, None, 2, ""),
    }
    for text, form in rows.items():
        pattern = parse_pattern(text)
        assert (pattern.exact, pattern.prefix, pattern.wildcards, pattern.head) == form
    assert parse_pattern("*").prefix == ""
    assert parse_pattern("?*").prefix is None
    assert Pattern("", ()).head == ""
    assert parse_pattern("a?").below("/").text == "a?/*"
