"""Attacks on what a good token grants: subjects, revocation, scopes, roles, and claims that pose as privileges."""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import ISSUER, auth, jwks, request, token
from bearerkit import Auth, Issuer, MemoryRevocations, principal, role, scope
from bearerkit.errors import ClaimInvalid, InsufficientScope, PermissionDenied, Revoked
from security.attack import Attack, attacks, attempt, case, each, rows
from security.forgery import EC

TABLE = [
    *each(84, "sub", {"missing": ..., "null": None, "empty": ""}, lambda sub: token(EC, sub=sub), ClaimInvalid,
          "sub_missing"),
    *each(84, "sub", {"a list": ["u1"], "a number": 5, "true": True, "an object": {}}, lambda sub: token(EC, sub=sub),
          ClaimInvalid, "sub_invalid"),
    *each(85, "jti", {"a list": ["j1"], "a number": 5, "true": True}, lambda jti: token(EC, jti=jti), ClaimInvalid,
          "jti_invalid"),
]  # fmt: skip
SCOPES: dict[str, dict[str, Any]] = {
    "longer than wanted": {"scope": "orders:read2"}, "a prefix": {"scope": "orders"}, "a prefix with a colon":
    {"scope": "orders:"}, "behind a tab": {"scope": "x\torders:read"}, "before a tab": {"scope": "orders:read\tx"},
    "before NBSP": {"scope": "orders:read\u00a0x"}, "before a newline": {"scope": "orders:read\nx"},
    "before a comma": {"scope": "orders:read,x"}, "in other letters": {"scope": "ORDERS:READ"},
    "a wildcard": {"scope": "*"}, "a wildcard of the family": {"scope": "orders:*"}, "two in an element of a list":
    {"scope": ["orders:read x"]}, "in a list in a list": {"scope": [["orders:read"]]}, "names of an object":
    {"scope": {"orders:read": True}}, "true": {"scope": True}, "an empty scope before scp":
    {"scope": "", "scp": "orders:read"}, "another scope before scp": {"scope": "x", "scp": "orders:read"},
    "a list before scp": {"scope": ["x"], "scp": ["orders:read"]}, "in permissions":
    {"permissions": ["orders:read"]}, "with NUL": {"scope": ["orders:read\0"]}, "absent": {},
}  # fmt: skip
ROLES: dict[str, dict[str, Any]] = {
    "one letter of it": {"roles": "a"}, "longer": {"roles": "xadmin"}, "a text of two": {"roles": "admin user"},
    "in a list in a list": {"roles": [["admin"]]}, "names of an object": {"roles": {"admin": True}},
    "an empty list before role": {"roles": [], "role": "admin"}, "in groups": {"groups": ["admin"]},
    "a text where an object is": {"realm_access": "admin"}, "a list where an object is": {"realm_access": ["roles"]},
    "a dotted name": {"realm_access.admin": True}, "a dunder": {"__class__": "admin"}, "a dunder as path":
    {"realm_access": {"__class__": "admin"}}, "other letters": {"roles": ["Admin"]},
}  # fmt: skip
PRIVILEGES: dict[str, dict[str, Any]] = {
    "is_superuser": {"is_superuser": True}, "is_staff": {"is_staff": True, "admin": True}, "is_authenticated":
    {"is_authenticated": False, "is_anonymous": True}, "has_scope": {"has_scope": True}, "roles of ours":
    {"_roles": ["admin"]}, "wildcard_scopes": {"wildcard_scopes": True, "scope": "*"},
}  # fmt: skip


def entry() -> Auth:
    return auth(Issuer(ISSUER, audience="api", keys=jwks(EC)))


@pytest.mark.parametrize("attack", rows(TABLE))
def test_names(attack: Attack) -> None:
    """Who nobody is, or something else than a text, is refused before any fetch."""
    attempt(attack)


@attacks(84, "sub equal to a client id", answer="a machine, never a user")
def test_a_client_cannot_pose_as_a_user() -> None:
    """Whoever may choose a client id could choose that of a user: the kinds of principal are told apart."""
    where = entry()
    for name in ("client_id", "azp", "appid", "cid"):
        text = token(EC, sub="u1", **{name: "u1"})
        assert where.verify(text).principal_type == "service"
        with pytest.raises(PermissionDenied):
            where.authorize(request(text), principal("user"))
    assert where.authorize(request(token(EC, sub="u1", client_id="app")), principal("user"))


@attacks(85, "jti revoked", answer="401 revoked")
def test_a_revoked_jti() -> None:
    """It stays revoked, also for a remembered token and for another token under that id."""
    store = MemoryRevocations()
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)), revocations=store)
    text = token(EC)
    where.verify(text)
    store.revoke_token("j1", issuer=ISSUER)
    for again in (text, token(EC, sub="another")):
        with pytest.raises(Revoked):
            where.verify(again)
    assert where.verify(token(EC, jti="j2"))


@pytest.mark.parametrize(
    "changes", [case(86, f"scope: {title}", them, answer="403 insufficient_scope") for title, them in SCOPES.items()]
)
def test_scopes(changes: dict[str, Any]) -> None:
    """Whole names only, in the first claim that is there."""
    with pytest.raises(InsufficientScope):
        entry().authorize(request(token(EC, **changes)), scope("orders:read"))


@attacks(86, "a double space", answer="no empty scope")
def test_a_double_space_grants_nothing() -> None:
    """Between two spaces stands no scope, not even the empty one; a list and a text grant the same."""
    where = entry()
    for value in ("a  orders:read ", ["a", "", "orders:read"], ["a", "orders:read", 5, None]):
        context = where.authorize(request(token(EC, scope=value)), scope("orders:read"))
        assert context.scopes == ("a", "orders:read")


@pytest.mark.parametrize(
    "changes",
    [
        *(case(87, f"roles: {title}", them, answer="403 permission_denied") for title, them in ROLES.items()),
        *(case(88, f"claim {title}", them, answer="403 permission_denied") for title, them in PRIVILEGES.items()),
    ],
)
def test_roles(changes: dict[str, Any]) -> None:
    """No iteration by character, no attribute of ours, no claim that shadows a privilege."""
    where = entry()
    text = token(EC, **changes)
    with pytest.raises(PermissionDenied):
        where.authorize(request(text), role("admin"))
    context = where.verify(text)
    assert context.is_authenticated
    assert not context.has_scope("orders:read")


@attacks(88, "claims beside a user of Django", answer="no attribute of the user")
def test_claims_are_no_attributes_of_a_django_user() -> None:
    """What admin sites and REST framework ask a user comes from us, never from the token."""
    from django_project import configure

    configure()
    from bearerkit.django.users import CallerUser

    user = CallerUser(entry().verify(token(EC, is_superuser=True, is_staff=True, has_perm=True)))
    assert not user.is_superuser
    assert not user.is_staff
    assert user.is_authenticated
    assert not user.has_perm("auth.delete_user")


def test_honest_rights_pass() -> None:
    """The tables mean something only because these pass."""
    where = entry()
    assert where.authorize(request(token(EC, scope="x orders:read")), scope("orders:read"))
    assert where.authorize(request(token(EC, scp=["orders:read"])), scope("orders:read"))
    assert where.authorize(request(token(EC, roles=["admin"])), role("admin"))
    assert where.authorize(request(token(EC, realm_access={"roles": ["admin"]})), role("admin"))
