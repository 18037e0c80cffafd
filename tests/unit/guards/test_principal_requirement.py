"""authenticated() and principal()."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, CredentialsMissing, PermissionDenied
from bearerkit.guards import Stage, authenticated, principal
from bearerkit.http import Headers, Request


def test_authenticated_wants_any_credential(judge: Any) -> None:
    """A verified credential passes; nobody is asked for one."""
    assert judge(authenticated(), AuthContext.of()) is None
    assert isinstance(judge(authenticated(), AuthContext.anonymous()), CredentialsMissing)


def test_authenticated_refuses_by_itself() -> None:
    """Also without `enforce` in front of it."""
    with pytest.raises(CredentialsMissing):
        authenticated().check(AuthContext.anonymous(), Request("GET", "/", Headers()), {}, 0)


def test_principal_wants_one_of_its_types(judge: Any) -> None:
    """A user is no service, and the other way round."""
    user, machine = AuthContext.of(), AuthContext.of(gty="client-credentials")
    assert judge(principal("user"), user) is None
    assert judge(principal("service"), machine) is None
    assert judge(principal("user", "service"), machine) is None
    refusal = judge(principal("service"), user)
    assert isinstance(refusal, PermissionDenied)
    assert refusal.reason == "wrong_principal"
    assert refusal.detail == "needed is a caller of type \"service\", the caller is 'user'"


def test_principal_knows_the_other_spellings() -> None:
    """`m2m` and `machine` in a requirement would otherwise never match anybody."""
    assert principal("m2m", "machine", "service") == principal("service")
    assert principal("end_user") == principal("user")


def test_wrong_types_are_settings_errors() -> None:
    """No type, or a list of types."""
    for types in ((), ("",), (["user"],)):
        with pytest.raises(ConfigError):
            principal(*types)  # type: ignore[arg-type]


def test_principals_are_described() -> None:
    """Words for people, stages for the order of refusal."""
    assert authenticated().describe() == "an authenticated caller"
    assert principal("user", "cli").describe() == 'a caller of type "user" or "cli"'
    assert authenticated().stage is Stage.AUTHENTICATED
    assert principal("user").stage is Stage.SCOPE
    assert authenticated().only_scopes
    assert not principal("user").only_scopes
