"""fresh(): step-up authentication (RFC 9470)."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, StepUpRequired
from bearerkit.guards import Stage, fresh

NOW = 1_790_000_000


@pytest.mark.parametrize(
    ("age", "passes"), [(0, True), (299, True), (300, True), (300.5, False), (301, False), (-30, True), (-31, False)]
)
def test_the_sign_in_must_be_recent(judge: Any, age: float, passes: bool) -> None:
    """Exactly max_age still passes; a sign-in more than 30 s in the future does not."""
    refusal = judge(fresh(300), AuthContext.of(auth_time=NOW - age), now=NOW)
    assert (refusal is None) is passes
    assert passes or isinstance(refusal, StepUpRequired)


@pytest.mark.parametrize("auth_time", [None, "1790000000", True, [NOW], float("inf")])
def test_an_unknown_sign_in_time_is_challenged(judge: Any, auth_time: Any) -> None:
    """RFC 9470: without auth_time the client is told what to ask for."""
    refusal = judge(fresh(300, acr=["mfa", "pwd"]), AuthContext.of(auth_time=auth_time), now=NOW)
    assert isinstance(refusal, StepUpRequired)
    assert (refusal.max_age, refusal.acr_values) == (300, ("mfa", "pwd"))
    assert "auth_time" in refusal.detail


def test_one_of_the_contexts_is_needed(judge: Any) -> None:
    """Any of the acr values will do, and auth_time plays no part without max_age."""
    need = fresh(acr=("mfa", "hwk"))
    assert judge(need, AuthContext.of(acr="hwk")) is None
    for acr in (None, "pwd", "MFA", "mfa hwk"):
        refusal = judge(need, AuthContext.of(acr=acr))
        assert isinstance(refusal, StepUpRequired)
        assert (refusal.max_age, refusal.acr_values) == (None, ("mfa", "hwk"))


def test_all_of_the_methods_are_needed(judge: Any) -> None:
    """Every amr value asked for must have been used."""
    need = fresh(amr=["pwd", "otp"])
    assert judge(need, AuthContext.of(amr=["otp", "face", "pwd"])) is None
    for amr in (None, [], ["pwd"], "pwd otp"):
        assert isinstance(judge(need, AuthContext.of(amr=amr)), StepUpRequired)


def test_everything_that_is_asked_for_counts(judge: Any) -> None:
    """A recent sign-in does not make up for a weak one, nor the other way round."""
    need = fresh(300, acr="mfa", amr="otp")
    good = {"auth_time": NOW, "acr": "mfa", "amr": ["otp"]}
    assert judge(need, AuthContext.of(**good), now=NOW) is None
    for name in good:
        assert isinstance(judge(need, AuthContext.of(**(good | {name: None})), now=NOW), StepUpRequired), name


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        *({"max_age": age} for age in (0, -1, 1.5, True, "300")),
        *({"acr": acr} for acr in (["a b"], [""], 'a"b')),
        {"amr": [5]},
    ],
)
def test_settings_that_cannot_work(arguments: dict[str, Any]) -> None:
    """Nothing asked for, no positive whole number, or values that no challenge can name."""
    with pytest.raises(ConfigError, match=r"fresh\(\)"):
        fresh(**arguments)


def test_step_ups_are_described() -> None:
    """Words for people."""
    assert fresh(300).describe() == "a sign-in at most 300 seconds ago"
    assert fresh(acr="mfa").describe() == 'authentication context "mfa"'
    assert fresh(amr=["pwd", "otp"]).describe() == 'authentication methods "pwd" and "otp"'
    assert (
        fresh(60, acr=["a", "b"], amr="otp").describe()
        == 'a sign-in at most 60 seconds ago, authentication context "a" or "b" and authentication method "otp"'
    )
    assert fresh(60).stage is Stage.STEP_UP
    assert fresh(60, acr="a") == fresh(60, acr=["a"])
