"""The names of `bearerkit.policy`: loaded when they are first used, and no others."""

from __future__ import annotations

import pytest

import bearerkit.policy


def test_every_public_name_is_there_and_others_are_not() -> None:
    """`dir` lists them too."""
    for name in bearerkit.policy.__all__:
        assert getattr(bearerkit.policy, name) is not None
    assert sorted(dir(bearerkit.policy)) == sorted(bearerkit.policy.__all__)
    with pytest.raises(AttributeError, match="Polcy"):
        _ = bearerkit.policy.Polcy  # type: ignore[attr-defined]
