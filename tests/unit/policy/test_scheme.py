"""Hierarchical resources: which names are of a scheme, and what a pattern covers below."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.errors import ConfigError
from bearerkit.policy import Policy, Scheme
from bearerkit.policy.pattern import parse_pattern
from bearerkit.policy.scheme import schemes_from, with_descendants

SERVICE = Scheme(("service", "package", "table"))


def granted(pattern: str, resource: str, **options: Any) -> bool:
    policy = Policy.parse([{"effect": "allow", "actions": ["a"], "resources": [pattern]}], **options)
    return policy.allows("a", resource)


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("service:s", "service:s", True),
        ("service:s", "service:s/package:p/table:t", True),
        ("service:s/package:p", "service:s/package:p/table:t", True),
        ("service:s/package:p", "service:s/package:p2", False),
        ("service:s/package:p", "service:s", False),
        ("service:s/package:p?", "service:s/package:p2/table:t", True),
        ("service:*/package:p", "service:s/package:p/table:t", True),
        ("service:s/package:${*}", "service:s/package:*/table:t", True),
        ("service:s/package:p*", "service:s/package:p2/table:t", True),
        ("pcft:app/a", "pcft:app/a/keys", False),
        ("package:p", "package:p/table:t", False),
        ("service:s/other:o", "service:s/other:o/x:y", False),
        ("service:s/table:t/package:p", "service:s/table:t/package:p/x:y", False),
        ("service:a:b", "service:a:b/package:p", False),
        ("service:", "service:/package:p", False),
    ],
    ids=range(15),
)
def test_a_pattern_of_the_scheme_covers_what_is_below_it(pattern: str, resource: str, expected: bool) -> None:
    """At a slash only, never upwards; any other name covers itself alone."""
    assert granted(pattern, resource) is expected


def test_a_deny_reaches_below_too() -> None:
    """And leaves what is above alone."""
    policy = Policy.parse(
        [
            {"effect": "allow", "actions": ["a"], "resources": ["*"]},
            {"effect": "deny", "actions": ["a"], "resources": ["service:s/package:p"]},
        ]
    )
    assert policy.decide("a", "service:s/package:p/table:t").effect == "explicit_deny"
    assert policy.allows("a", "service:s")


def test_schemes_can_be_declared() -> None:
    """Then those count and no others."""
    assert granted("org:o", "org:o/team:t", schemes=[("org", "team")])
    assert granted("org:o", "org:o/team:t", schemes=[Scheme(("org", "team"))])
    assert not granted("service:s", "service:s/package:p", schemes=[("org", "team")])
    assert not granted("service:s", "service:s/package:p", schemes=[])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["service"], "list of labels"),
        ([()], "list of labels"),
        ([("Service",)], "list of labels"),
        ([("a", "b", "a")], "names a level twice"),
        ([("a", "b"), ("a", "c")], "begin with the same label"),
    ],
    ids=["string", "empty", "label", "twice", "same_start"],
)
def test_a_scheme_that_cannot_work_is_refused(given: Any, says: str) -> None:
    """As a fault of the settings."""
    with pytest.raises(ConfigError, match=says):
        schemes_from(given)


def test_a_name_is_read_level_by_level() -> None:
    """Levels may be left out, but not turned round."""
    assert SERVICE.levels("service:s/table:t") == (("service", "s"), ("table", "t"))
    assert SERVICE.levels("package:p") is None
    assert SERVICE.levels("service:s/table:t/package:p") is None


def test_a_pattern_that_ends_in_a_star_needs_no_second_one() -> None:
    """It covers what is below already; so does no other form."""
    assert len(with_descendants(parse_pattern("service:s/package:p*"), (SERVICE,))) == 1
    assert [one.text for one in with_descendants(parse_pattern("service:s"), (SERVICE,))] == [
        "service:s",
        "service:s/*",
    ]
