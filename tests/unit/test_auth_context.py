"""AuthContext: an immutable, lazy view of verified claims."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.jose.mapping import Claim, ClaimMapping

CLAIMS: dict[str, Any] = {
    "iss": "https://id.example.com",
    "sub": "u1",
    "aud": ["orders-api", 5, "billing-api"],
    "client_id": "web",
    "tenant_id": "t1",
    "memberships": [{"id": "t2"}, "t3"],
    "identity_id": "i1",
    "scope": "orders:read orders:write orders:read",
    "roles": ["admin"],
    "groups": ["g1"],
    "permissions": ["p1"],
    "services": ["s1"],
    "tier": "pro",
    "email": "ada@example.com",
    "email_verified": True,
    "sid": "session-1",
    "jti": "token-1",
    "iat": 1790000000,
    "exp": 1790000600.5,
    "auth_time": 1789999000,
    "acr": "mfa",
    "amr": ["pwd", "otp"],
    "act": {"sub": "admin"},
    "cnf": {"jkt": "thumb"},
    "deep": {"list": [{"a": [1]}, None]},
}
FIELDS: dict[str, Any] = {
    "subject": "u1",
    "principal_type": "user",
    "tenant_id": "t1",
    "memberships": ("t2", "t3"),
    "identity_id": "i1",
    "client_id": "web",
    "issuer": "https://id.example.com",
    "audience": ("orders-api", "billing-api"),
    "scopes": ("orders:read", "orders:write"),
    "roles": ("admin",),
    "groups": ("g1",),
    "permissions": ("p1",),
    "services": ("s1",),
    "tier": "pro",
    "email": "ada@example.com",
    "email_verified": True,
    "session_id": "session-1",
    "token_id": "token-1",
    "issued_at": 1790000000,
    "expires_at": 1790000600.5,
    "auth_time": 1789999000,
    "acr": "mfa",
    "amr": ("pwd", "otp"),
    "actor": "admin",
    "confirmation": {"jkt": "thumb"},
    "credential_kind": "jwt",
    "is_authenticated": True,
    "is_anonymous": False,
}


@pytest.mark.parametrize(("field", "value"), FIELDS.items())
def test_each_field_reads_its_claim(field: str, value: Any) -> None:
    """Every field of the context has the value of its claim."""
    assert getattr(AuthContext(CLAIMS), field) == value


@pytest.mark.parametrize(("field", "value"), FIELDS.items())
def test_each_field_has_an_empty_value(field: str, value: Any) -> None:
    """A token without any claim has empty fields, never an error."""
    got = getattr(AuthContext({}), field)
    kept = {"principal_type": "service", "credential_kind": "jwt", "is_authenticated": True, "is_anonymous": False}
    assert got == kept.get(field, () if isinstance(value, tuple) else False if value is True else None)


@pytest.mark.parametrize(
    ("claims", "field", "value"),
    [
        ({"iss": 5}, "issuer", None),
        ({"aud": "one"}, "audience", ("one",)),
        ({"aud": {"a": 1}}, "audience", ()),
        ({"iat": "1790000000"}, "issued_at", None),
        ({"exp": True}, "expires_at", None),
        ({"auth_time": float("inf")}, "auth_time", None),
        ({"cnf": "thumb"}, "confirmation", None),
        ({"cnf": ["thumb"]}, "confirmation", None),
        ({"sub": ["u1"]}, "subject", None),
        ({"roles": "super admin"}, "roles", ("super admin",)),
    ],
)
def test_a_claim_of_the_wrong_type_grants_nothing(claims: dict[str, Any], field: str, value: Any) -> None:
    """Malformed claims read as empty."""
    assert getattr(AuthContext(claims), field) == value


def test_the_mapping_and_the_header_feed_the_fields() -> None:
    """Which claims count is the issuer's mapping, header members included."""
    mapping = ClaimMapping(subject=(Claim("oid"),), tenant=(Claim("header.tnk"),))
    ctx = AuthContext({"oid": "o1", "sub": "pairwise"}, mapping, header={"tnk": "t9"})
    assert (ctx.subject, ctx.tenant_id) == ("o1", "t9")


def test_construction_reads_nothing_and_each_field_is_read_once() -> None:
    """Building a context costs references only; a field is computed on first read and then kept."""
    reads: list[str] = []

    class Spy(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            reads.append(key)
            return super().get(key, default)

    ctx = AuthContext(Spy(sub="u1", roles=["a"]))
    assert reads == []
    assert ctx.subject == ctx.subject == "u1"
    assert reads == ["sub"]
    assert ctx.roles is ctx.roles
    assert reads == ["sub", "roles"]


def test_threads_that_race_for_a_field_get_one_object() -> None:
    """The computation may run twice; what is kept is one value."""
    barrier = threading.Barrier(8)
    ctx = AuthContext(CLAIMS)
    seen: list[Any] = []

    def look() -> None:
        barrier.wait(5)
        seen.append((ctx.claims, ctx.scopes))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(seen) == 8
    assert all(claims is seen[0][0] and scopes is seen[0][1] for claims, scopes in seen)


def test_a_second_computation_does_not_replace_the_first() -> None:
    """The slower of two racing threads gets the object that is already kept."""

    class Racing(dict[str, Any]):
        ctx: AuthContext
        inner: Any = None

        def get(self, key: str, default: Any = None) -> Any:
            if self.inner is None:
                self.inner = ()
                self.inner = self.ctx.roles
            return super().get(key, default)

    claims = Racing(roles=["a", "b"])
    claims.ctx = AuthContext(claims)
    outer = claims.ctx.roles
    assert outer is claims.inner is claims.ctx.roles
    assert outer == ("a", "b")


def test_nothing_can_be_set_or_deleted() -> None:
    """A cached context is shared between requests, so no request may change it."""
    ctx = AuthContext(CLAIMS)
    for name in ("subject", "scopes", "is_superuser", "credential_kind", "_claims"):
        with pytest.raises(AttributeError, match="does not change"):
            setattr(ctx, name, "x")
    with pytest.raises(AttributeError, match="does not change"):
        del ctx.credential_kind
    assert ctx.subject == "u1"


def test_claims_are_read_only_all_the_way_down() -> None:
    """Objects are mapping proxies and arrays are tuples, at every depth."""
    claims = AuthContext(CLAIMS).claims
    assert isinstance(claims, MappingProxyType)
    assert dict(claims["deep"]) == {"list": (MappingProxyType({"a": (1,)}), None)}
    assert claims["aud"] == ("orders-api", 5, "billing-api")
    for node in (claims, claims["deep"], claims["deep"]["list"][0], AuthContext(CLAIMS).confirmation):
        with pytest.raises(TypeError):
            node["new"] = 1  # type: ignore[index]
    assert isinstance(claims["deep"]["list"], tuple)


def test_a_claim_never_shadows_a_field_of_the_context() -> None:
    """A token cannot say of itself that it is authenticated, or bring its own methods (attack 88)."""
    names = (
        "is_anonymous",
        "is_authenticated",
        "is_superuser",
        "has_scope",
        "credential_kind",
        "__class__",
        "_granted",
    )
    ctx = AuthContext(dict.fromkeys(names, True) | {"sub": "u1"})
    assert ctx.is_authenticated
    assert ctx.credential_kind == "jwt"
    assert not ctx.has_scope("admin")
    assert not hasattr(ctx, "is_superuser")
    assert type(ctx) is AuthContext


def test_has_scope_wants_every_name() -> None:
    """All names, whole and case-sensitive; no names ask for nothing."""
    ctx = AuthContext(CLAIMS)
    assert ctx.has_scope("orders:read")
    assert ctx.has_scope("orders:write", "orders:read")
    assert ctx.has_scope()
    for missing in ("orders", "orders:", "orders:rea", "Orders:read", "orders:read ", "orders:*", "*", ""):
        assert not ctx.has_scope(missing)
        assert not ctx.has_scope("orders:read", missing)


@pytest.mark.parametrize(
    ("granted", "asked", "covered"),
    [
        ("orders:*", "orders:read", True),
        ("orders:*", "orders:items:read", True),
        ("orders:items:*", "orders:items:read", True),
        ("orders:items:*", "orders:read", False),
        ("orders:*", "orders", False),
        ("orders:*", "orders:", False),
        ("orders:*", "ordersX:read", False),
        ("orders:*", "billing:read", False),
        ("orders:*", "orders:*", True),
        ("orders:r*", "orders:read", False),
        ("orders*", "orders:read", False),
        ("*:read", "orders:read", False),
        ("*", "anything", True),
        ("*", "a:b:c", True),
    ],
)
def test_wildcards_cover_only_where_the_issuer_allows_them(granted: str, asked: str, covered: bool) -> None:
    """`orders:*` covers what follows the colon and `*` covers all, but only with wildcard_scopes (attack 86)."""
    claims = {"scope": f"plain {granted}"}
    assert AuthContext(claims, wildcard_scopes=True).has_scope(asked) is covered
    assert AuthContext(claims, wildcard_scopes=True).has_scope("plain", asked) is covered
    assert AuthContext(claims).has_scope(asked) is (asked == granted)


def test_the_anonymous_context_is_nobody() -> None:
    """One context for all requests without a credential; it has no subject, scopes or tenant."""
    ctx = AuthContext.anonymous()
    assert ctx is AuthContext.anonymous()
    assert ctx.is_anonymous
    assert not ctx.is_authenticated
    assert (ctx.credential_kind, ctx.principal_type) == ("anonymous", "anonymous")
    assert (ctx.subject, ctx.tenant_id, ctx.scopes, dict(ctx.claims)) == (None, None, (), {})


def test_of_builds_a_context_for_tests() -> None:
    """Plain values become the claims of a token; None leaves one out."""
    ctx = AuthContext.of(scopes=["a", "b"], roles=("r",), tenant_id="t", acr="mfa", email=None)
    assert dict(ctx.claims) == {"sub": "user", "scope": "a b", "roles": ("r",), "tenant_id": "t", "acr": "mfa"}
    assert (ctx.subject, ctx.scopes, ctx.roles, ctx.tenant_id, ctx.acr) == ("user", ("a", "b"), ("r",), "t", "mfa")
    assert dict(AuthContext.of().claims) == {"sub": "user"}
    assert dict(AuthContext.of(subject=None).claims) == {}
    assert AuthContext.of(scopes="a b", roles="super admin").scopes == ("a", "b")
    assert AuthContext.of(roles="super admin").roles == ("super admin",)
    assert AuthContext.of(sub="other").subject == "other"
    assert AuthContext.of(scp=["x"]).scopes == ("x",)


def test_repr_names_the_caller_and_nothing_else() -> None:
    """Subject, tenant, issuer and kind; no address, scope, session or other claim."""
    text = repr(AuthContext(CLAIMS))
    assert text == "<AuthContext subject='u1' tenant='t1' issuer='https://id.example.com' kind='jwt'>"


def test_contexts_made_from_equal_inputs_are_equal() -> None:
    """Claims, kind, mapping, header and wildcards all take part: each of them can change what a field says."""
    ctx = AuthContext({"sub": "u1", "x": [1]})
    same = AuthContext({"sub": "u1", "x": [1]})
    assert ctx == same
    assert hash(ctx) == hash(same)
    others = [
        AuthContext({"sub": "u1", "x": [2]}),
        AuthContext({"sub": "u1", "x": [1]}, credential_kind="session"),
        AuthContext({"sub": "u1", "x": [1]}, ClaimMapping(subject=(Claim("oid"),))),
        AuthContext({"sub": "u1", "x": [1]}, header={"tnk": "t"}),
        AuthContext({"sub": "u1", "x": [1]}, wildcard_scopes=True),
    ]
    assert all(ctx != other for other in others)
    assert ctx != "u1"
    assert len({ctx, same, *others}) == 6


def test_hashing_never_fails_on_odd_claims() -> None:
    """Claims that cannot be hashed are left out of the hash."""
    assert isinstance(hash(AuthContext({"iss": [], "sub": {}, "jti": None})), int)


def test_copies_are_the_same_object() -> None:
    """What never changes need not be copied."""
    ctx = AuthContext(CLAIMS)
    assert copy.copy(ctx) is ctx
    assert copy.deepcopy([ctx])[0] is ctx


def test_a_context_survives_pickling() -> None:
    """Also one made of read-only views, with computed fields, a header and its own mapping."""
    mapping = ClaimMapping.parse({"subject": "o.id"})
    header: Mapping[str, Any] = MappingProxyType({"alg": "RS256"})
    ctx = AuthContext(AuthContext({"o": {"id": "o1"}, "l": [{}]}).claims, mapping, header=header, wildcard_scopes=True)
    assert ctx.subject == "o1"
    twin = pickle.loads(pickle.dumps(ctx))
    assert twin.subject == "o1"
    assert twin.claims == ctx.claims
    assert pickle.loads(pickle.dumps(twin)) == twin
    assert hash(twin) == hash(ctx)


def test_fields_are_documented_on_the_class() -> None:
    """An editor or help() can say which claims feed a field."""
    assert "`sub`" in (AuthContext.subject.__doc__ or "")
    for field in FIELDS:
        if field != "credential_kind":
            assert getattr(AuthContext, field).__doc__, field
