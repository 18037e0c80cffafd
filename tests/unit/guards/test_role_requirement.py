"""role() and any_role()."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, InsufficientScope, PermissionDenied
from bearerkit.guards import Stage, any_role, role


def test_role_wants_all_of_its_names(judge: Any) -> None:
    """One missing role refuses with 403 and without an error code of RFC 6750."""
    need = role("admin", "auditor")
    assert judge(need, AuthContext.of(roles=["auditor", "admin"])) is None
    refusal = judge(need, AuthContext.of(roles=["admin"]))
    assert type(refusal) is PermissionDenied
    assert not isinstance(refusal, InsufficientScope)
    assert refusal.reason == "role_missing"
    assert refusal.detail == 'needed is roles "admin" and "auditor", the caller has (\'admin\',)'


def test_any_role_wants_one_of_its_names(judge: Any) -> None:
    """One of the roles is enough."""
    need = any_role("admin", "auditor")
    assert judge(need, AuthContext.of(roles=["auditor"])) is None
    assert judge(need, AuthContext.of(roles=["reader"])).reason == "role_missing"


@pytest.mark.parametrize("roles", ["administrator", "admin ", "Admin", "a", ["a", "d", "m", "i", "n"], "admin user"])
def test_a_role_is_compared_as_a_whole(judge: Any, roles: Any) -> None:
    """No prefix, no case folding, no iteration by character (attack 87)."""
    assert judge(role("admin"), AuthContext.of(roles=roles)).reason == "role_missing"


@pytest.mark.parametrize("maker", [role, any_role])
def test_names_that_cannot_be_roles_are_settings_errors(maker: Any) -> None:
    """Empty, padded, or passed as a list; spaces inside are fine."""
    for names in ((), ("",), (" ",), (" admin",), (5,), (("a", "b"),), ({"a"},)):
        with pytest.raises(ConfigError):
            maker(*names)
    assert maker("super admin").describe() == 'role "super admin"'


def test_roles_are_described() -> None:
    """Words for people."""
    assert role("a", "b").describe() == 'roles "a" and "b"'
    assert any_role("a", "b", "c").describe() == 'one of the roles "a", "b" or "c"'
    assert role("a").scopes() == ()
    assert not role("a").only_scopes
    assert role("a").stage is any_role("a").stage is Stage.SCOPE
    assert role("a") == role("a") != any_role("a")
