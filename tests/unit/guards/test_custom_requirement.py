"""custom(): the team's own function as a fact, judged by a pure rule."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, PermissionDenied
from bearerkit.guards import Fact, Stage, custom
from bearerkit.http import Headers, Request

REQUEST = Request("GET", "/", Headers())


def allowed(ctx: AuthContext, request: Request) -> bool:
    return True


NEED = custom(allowed, description="an open shop", reason="shop_closed")
[FACT] = NEED.facts(REQUEST)


def test_the_function_is_a_fact() -> None:
    """The rule never calls it: a procedure loads it, and loads equal facts once."""
    assert isinstance(FACT, Fact)
    assert FACT.load is allowed
    assert (NEED & custom(allowed, description="an open shop")).facts(REQUEST) == (FACT,)


def test_only_true_passes(judge: Any) -> None:
    """The answer must be the object True."""
    assert judge(NEED, AuthContext.of(), facts={FACT: True}) is None


@pytest.mark.parametrize("answer", [False, None, 1, "true", [True], allowed, object()])
def test_every_other_answer_denies(judge: Any, answer: Any) -> None:
    """A truthy answer, or a coroutine that nobody awaited, is no yes."""
    refusal = judge(NEED, AuthContext.of(), facts={FACT: answer})
    assert isinstance(refusal, PermissionDenied)
    assert refusal.reason == "shop_closed"
    assert refusal.detail.startswith("an open shop: the answer is n")


def test_a_fact_that_was_not_loaded_denies(judge: Any) -> None:
    """Forgetting to load is no way in."""
    assert judge(NEED, AuthContext.of()).reason == "shop_closed"


def test_settings_that_cannot_work() -> None:
    """No function, no words, no code, or something that cannot be hashed."""

    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, ctx: AuthContext, request: Request) -> bool:
            return True

    with pytest.raises(ConfigError) as caught:
        custom("allowed", description=" ", reason="")  # type: ignore[arg-type]
    assert len(caught.value.problems) == 3
    with pytest.raises(ConfigError, match="hashable"):
        custom(Unhashable(), description="x")


def test_customs_are_described() -> None:
    """In the words of the team, and last in order."""
    assert NEED.describe() == "an open shop"
    assert NEED.stage is Stage.CUSTOM
    assert custom(allowed, description="x") == custom(allowed, description="x") != custom(judge_no, description="x")


def judge_no(ctx: AuthContext, request: Request) -> bool:
    return False
