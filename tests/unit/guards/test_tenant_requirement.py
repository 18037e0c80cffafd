"""tenant(): a request stays inside the caller's tenants, and a stranger learns nothing about others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from bearerkit.challenge import render
from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, PermissionDenied, TenantUnknown
from bearerkit.guards import Stage, tenant

MEMBER = AuthContext.of(tenant_id="t1", memberships=["t2", {"id": "42"}])


@pytest.mark.parametrize("wanted", ["t1", "t2", "42", 42])
def test_own_tenant_and_memberships_pass(judge: Any, wanted: Any) -> None:
    """`tenant_id` and `memberships` count; path values are compared as text."""
    assert judge(tenant(path="t"), MEMBER, path_params={"t": wanted}) is None


def test_a_converted_path_value_is_compared_as_text(judge: Any) -> None:
    """Frameworks convert path parameters to UUIDs and numbers."""
    text = "11111111-2222-4333-8444-555555555555"
    assert judge(tenant(path="t"), AuthContext.of(tenant_id=text), path_params={"t": UUID(text)}) is None


@pytest.mark.parametrize("wanted", ["t3", "T1", "t1 ", "t", "None", "", "t1,t2", True])
def test_other_tenants_are_unknown(judge: Any, wanted: Any) -> None:
    """Anything but an exact match is 404."""
    refusal = judge(tenant(path="t"), MEMBER, path_params={"t": wanted})
    assert isinstance(refusal, TenantUnknown)


def test_not_a_member_and_no_tenant_named_look_the_same(judge: Any) -> None:
    """Whatever the cause, the caller sees one answer."""
    refusals = [
        judge(tenant(path="t"), MEMBER, path_params={"t": "t3"}),
        judge(tenant(path="t"), MEMBER, path_params={}),
        judge(tenant(path="t"), MEMBER, path_params={"t": None}),
        judge(tenant(header="X-Tenant"), MEMBER, headers=[("X-Tenant", "t1"), ("x-tenant", "t1")]),
        judge(tenant(query="t"), AuthContext.of(), query="t=t1"),
    ]
    assert len({render(refusal) for refusal in refusals}) == 1


def test_operators_see_the_difference(judge: Any) -> None:
    """Reason, detail and hint tell a wrong route from a stranger from a mapping that reads no tenant."""
    missing = judge(tenant(path="t"), MEMBER, path_params={"x": "t1"})
    assert (missing.reason, missing.hint) == ("tenant_missing", "The route needs a parameter {t} in its path.")
    assert missing.detail == 'the request names no tenant in path parameter "t"'
    stranger = judge(tenant(path="t"), MEMBER, path_params={"t": "x" * 5_000})
    assert (stranger.reason, stranger.hint) == ("tenant_unknown", None)
    assert len(stranger.detail) < 300
    unmapped = judge(tenant(path="t"), AuthContext.of(), path_params={"t": "t1"})
    assert "claim mapping" in unmapped.hint
    member_only = judge(tenant(path="t"), AuthContext.of(memberships=["t2"]), path_params={"t": "t1"})
    assert member_only.hint is None


def test_a_caller_without_tenants_matches_no_tenant(judge: Any) -> None:
    """None and "None" and the empty string are no tenant."""
    for wanted in ("None", "", None):
        refusal = judge(tenant(path="t"), AuthContext.of(), path_params={"t": wanted})
        assert isinstance(refusal, TenantUnknown)


def test_the_header_must_name_exactly_one_tenant(judge: Any) -> None:
    """The handler might read another occurrence than the guard."""
    need = tenant(header="X-Tenant")
    assert judge(need, MEMBER, headers=[("x-tenant", "t2")]) is None
    assert judge(need, MEMBER, headers=[("x-tenant", "t3")]).reason == "tenant_unknown"
    assert judge(need, MEMBER, headers=[]).reason == "tenant_missing"
    assert judge(need, MEMBER, headers=[("x-tenant", "")]).reason == "tenant_missing"
    twice = judge(need, MEMBER, headers=[("x-tenant", "t1"), ("X-TENANT", "t2")])
    assert (twice.reason, twice.detail) == ("tenant_ambiguous", 'the request has header "X-Tenant" 2 times')


def test_the_query_must_name_exactly_one_tenant(judge: Any) -> None:
    """Repeated parameters are refused, also when one of them is empty."""
    need = tenant(query="t")
    assert judge(need, MEMBER, query="a=1&t=t%32&b") is None
    assert judge(need, MEMBER, query="t=t3").reason == "tenant_unknown"
    assert judge(need, MEMBER, query="T=t1").reason == "tenant_missing"
    assert judge(need, MEMBER, query="").reason == "tenant_missing"
    assert judge(need, MEMBER, query="t=").reason == "tenant_missing"
    assert judge(need, MEMBER, query="t=t1&t=t3").reason == "tenant_ambiguous"
    assert judge(need, MEMBER, query="t=t1&t=").reason == "tenant_ambiguous"
    assert judge(need, MEMBER, query="t=%ff").reason == "tenant_missing"
    assert judge(need, MEMBER, query="t=t1" + "&a=1" * 2_000).reason == "tenant_missing"


def test_a_fixed_tenant(judge: Any) -> None:
    """An API of one tenant names it in the code."""
    assert judge(tenant(value="t1"), MEMBER) is None
    assert isinstance(judge(tenant(value="t9"), MEMBER), TenantUnknown)


def test_a_path_value_that_breaks_is_denied(judge: Any) -> None:
    """An object whose text cannot be made does not pass."""

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    refusal = judge(tenant(path="t"), MEMBER, path_params={"t": Broken()})
    assert isinstance(refusal, PermissionDenied)
    assert refusal.reason == "check_failed"


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {"path": "a", "header": "b"},
        {"path": ""},
        {"header": "X Tenant"},
        {"header": "X:"},
        {"value": ""},
        {"query": 5},
    ],
)
def test_sources_that_cannot_work_are_settings_errors(sources: dict[str, Any]) -> None:
    """Exactly one source, with a name that can occur."""
    with pytest.raises(ConfigError, match=r"^tenant\(\)"):
        tenant(**sources)


def test_tenants_are_described() -> None:
    """Words for people."""
    assert tenant(path="tenant_id").describe() == 'member of the tenant in path parameter "tenant_id"'
    assert tenant(header="X-Tenant").describe() == 'member of the tenant in header "X-Tenant"'
    assert tenant(query="t").describe() == 'member of the tenant in query parameter "t"'
    assert tenant(value="acme").describe() == 'member of tenant "acme"'
    assert tenant(path="t").stage is Stage.TENANT
    assert tenant(path="t") == tenant(path="t") != tenant(query="t")
