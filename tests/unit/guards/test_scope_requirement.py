"""scope() and any_scope(): RFC 6749 section 3.3 names, RFC 6750 section 3.1 refusals."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, InsufficientScope
from bearerkit.guards import Stage, any_scope, scope


def test_scope_wants_all_of_its_names(judge: Any) -> None:
    """One missing name refuses, and the refusal names all that the operation needs."""
    need = scope("a", "b")
    assert judge(need, AuthContext.of(scopes=["b", "c", "a"])) is None
    refusal = judge(need, AuthContext.of(scopes=["a"]))
    assert isinstance(refusal, InsufficientScope)
    assert refusal.required == ("a", "b")
    assert refusal.detail == 'needed is scopes "a" and "b", granted is (\'a\',)'
    assert refusal.hint is None


def test_any_scope_wants_one_of_its_names(judge: Any) -> None:
    """One name passes; without any the refusal names them all."""
    need = any_scope("a", "b")
    assert judge(need, AuthContext.of(scopes=["b"])) is None
    refusal = judge(need, AuthContext.of(scopes=["c"]))
    assert isinstance(refusal, InsufficientScope)
    assert refusal.required == ("a", "b")


def test_a_token_without_scopes_gets_the_mapping_hint(judge: Any) -> None:
    """The usual cause is that the scopes stand in a claim that the mapping does not read."""
    refusal = judge(scope("a"), AuthContext.of())
    assert "no claim that is known to hold any" in refusal.hint


def test_wildcards_of_the_context_count(judge: Any) -> None:
    """The requirement asks the context, which knows whether the issuer allows wildcards."""
    claims = {"sub": "u", "scope": "orders:*"}
    for need in (scope("orders:read"), any_scope("billing", "orders:read")):
        assert judge(need, AuthContext(claims, wildcard_scopes=True)) is None
        assert isinstance(judge(need, AuthContext(claims)), InsufficientScope)


def test_the_detail_of_a_refusal_is_bounded(judge: Any) -> None:
    """A token with thousands of scopes does not fill the log."""
    refusal = judge(scope("a"), AuthContext.of(scopes=[f"scope-{number}" for number in range(5_000)]))
    assert len(refusal.detail) < 300


@pytest.mark.parametrize("maker", [scope, any_scope])
@pytest.mark.parametrize(
    ("names", "part"),
    [
        ((), "needs at least one scope"),
        (("",), "'' is not a scope"),
        (("a b",), "'a b' holds a space; pass each scope as an argument of its own"),
        (("a\tb",), "is not a scope"),
        (('a"b',), "is not a scope"),
        (("a\\b",), "is not a scope"),
        (("ä",), "is not a scope"),
        (("a\n",), "is not a scope"),
        ((None,), "None is not a scope"),
        ((["a", "b"],), "pass each scope as an argument of its own, not as a list"),
    ],
)
def test_names_that_cannot_be_scopes_are_settings_errors(maker: Any, names: tuple[Any, ...], part: str) -> None:
    """RFC 6749 scope tokens only, found when the route is defined."""
    with pytest.raises(ConfigError) as caught:
        maker(*names)
    assert part in str(caught.value)


def test_all_bad_names_are_listed_at_once() -> None:
    """One read, one fix."""
    with pytest.raises(ConfigError) as caught:
        scope("", "fine", "a b")
    assert len(caught.value.problems) == 2


def test_scopes_are_described_and_listed() -> None:
    """Words for people, names for OpenAPI; a choice lists none, because OpenAPI would demand them all."""
    assert scope("a").describe() == 'scope "a"'
    assert scope("a", "b").describe() == 'scopes "a" and "b"'
    assert scope("a", "b", "c", "a").describe() == 'scopes "a", "b" and "c"'
    assert any_scope("a").describe() == 'scope "a"'
    assert any_scope("a", "b").describe() == 'one of the scopes "a" or "b"'
    assert scope("a", "b", "a").scopes() == ("a", "b")
    assert any_scope("a", "b").scopes() == ()
    assert scope("a").stage is any_scope("a").stage is Stage.SCOPE


def test_scope_requirements_are_values() -> None:
    """Equal and hashed by kind and names, unchangeable."""
    assert scope("a", "b") == scope("a", "b")
    assert hash(scope("a")) == hash(scope("a"))
    assert scope("a") != any_scope("a")
    with pytest.raises(AttributeError):
        scope("a").names = ()  # type: ignore[attr-defined]
