"""The catalog: which actions exist, what they are about, and what a document may then name."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.errors import ConfigError
from bearerkit.policy import Action, Catalog, Policy, PolicyError


def test_a_package_gives_each_verb_with_each_table_and_its_own_actions() -> None:
    """As Authrs names them: the verb, and the table in PascalCase."""
    catalog = Catalog.from_package(
        "m", tables=["materials_list", "part"], custom_actions=["sync"], verbs=["get", "put"]
    )
    assert catalog.names == ("getMaterialsList", "putMaterialsList", "getPart", "putPart", "sync")
    assert len(Catalog.from_package("m", tables=["t"])) == 7
    extended = Catalog.from_package("m", tables=["t", "u"], extensible_tables=["t"], verbs=[])
    assert extended.names == ("getExtensibleFieldsT", "putExtensibleFieldsT", "deleteExtensibleFieldsT")


def test_actions_belong_to_their_table_package_and_service() -> None:
    """And to nothing beside or outside."""
    catalog = Catalog.from_package("m", tables=["a", "b"], custom_actions=["sync"], verbs=["get"])
    rows = {
        "service:s": ("getA", "getB", "sync"),
        "service:s/package:m": ("getA", "getB", "sync"),
        "service:s/package:m/table:a": ("getA", "sync"),
        "service:s/package:other": (),
        "elsewhere": (),
    }
    assert {resource: catalog.for_resource(resource) for resource in rows} == rows


def test_actions_with_resources_are_about_those() -> None:
    """Without any they are about everything."""
    catalog = Catalog.of({"doc.read": {"resources": ["doc/*"]}, "ping": {"description": "d", "deprecated": "pong"}})
    assert catalog.for_resource("doc/1") == ("doc.read", "ping")
    assert catalog.for_resource("x") == ("ping",)
    assert [(item.description, item.deprecated) for item in catalog] == [("", None), ("d", "pong")]


def test_catalogs_are_joined_and_asked() -> None:
    """The same action twice is one."""
    both = Catalog.of(["a", Action("b")]) | Catalog.of(["b", "c"])
    assert both.names == ("a", "b", "c")
    assert "b" in both
    assert "d" not in both


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Catalog.of(["a..b"]), "segments of letters"),
        (lambda: Catalog.of(["a*"]), "segments of letters"),
        (lambda: Catalog.of([Action("a"), Action("a", description="x")]), "in the catalog twice"),
        (lambda: Catalog.of({"a": {"resources": ["${principal.id}"]}}), "the resource '\\$.principal.id.' of a"),
        (lambda: Catalog.of({"a": {"resources": "doc/*"}}), "the resources of a are a list of patterns, not 'doc"),
        (lambda: Catalog.of([Action("a", "doc/*")]), "the resources of a are a list of patterns"),  # type: ignore[arg-type]
        (lambda: Catalog.of({"a": {"resources": [5]}}), "the resource 5 of a"),
        (lambda: Catalog.of({"a": None}), "a: an object is needed"),  # type: ignore[dict-item]
        (lambda: Catalog.of({"a": ["resources"]}), "a: an object is needed"),  # type: ignore[dict-item]
        (lambda: Catalog.of("abc"), "a catalog is a list of actions"),
        (lambda: Catalog.of(5), "a catalog is a list of actions"),  # type: ignore[arg-type]
        (lambda: Catalog.of([1]), "a name or an Action, not 1"),  # type: ignore[list-item]
        (lambda: Catalog.of({"a": {"resource": []}}), "unknown member 'resource'; did you mean 'resources'"),
        (lambda: Catalog.from_package("m", tables=["t"], extensible_tables=["x"]), "'x' is not among the tables"),
        (lambda: Catalog.from_package("m", tables=["-"]), "gives no name"),
    ],
    ids=[
        *(
            "dots",
            "wildcard",
            "twice",
            "pattern",
            "text",
            "text of an action",
            "number",
            "null",
            "list",
            "one text",
            "five",
        ),
        *("no action", "member", "extensible", "nameless"),
    ],
)
def test_a_catalog_that_cannot_work_is_refused(make: Any, says: str) -> None:
    """As a fault of the settings."""
    with pytest.raises(ConfigError, match=says):
        make()


def test_an_exact_action_that_does_not_exist_is_a_problem_of_the_document() -> None:
    """With the nearest one; a wildcard may match nothing yet."""
    catalog = Catalog.of(["orders.read"])
    rule = {"effect": "allow", "resources": ["*"]}
    Policy.parse([{**rule, "actions": ["orders.*", "other.*", "orders.read"]}], catalog=catalog)
    with pytest.raises(PolicyError) as raised:
        Policy.parse([{**rule, "actions": ["orders.raed"]}], catalog=catalog)
    (problem,) = raised.value.problems
    assert (problem.code, problem.pointer) == ("unknown_action", "/0/actions/0")
    assert "did you mean 'orders.read'" in problem.message
