"""Acting as a user and connecting a fake issuer: both reach an Auth that exists already, and weaken nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit import Auth, AuthContext, Issuer, can, role, scope, tenant
from bearerkit.errors import (
    CredentialsMissing,
    Expired,
    InsufficientScope,
    IssuerMismatch,
    KeysUnavailable,
    PermissionDenied,
    PolicyError,
    SignatureInvalid,
    TenantUnknown,
)
from bearerkit.gate import Gate
from bearerkit.http import Headers, Request
from bearerkit.policy import Policy
from bearerkit.testing import FakeIssuer, FrozenClock, SigningKey, as_user

ISSUER = "https://id.example.test"


@pytest.fixture
def auth() -> Auth:
    return Auth(Issuer(ISSUER, audience="api"))


def request(token: str | None = None, **path_params: str) -> Request:
    headers = [] if token is None else [("Authorization", f"Bearer {token}")]
    return Request("GET", "/", Headers(headers), path_params=path_params)


# as_user


def test_every_request_comes_from_this_caller(auth: Auth) -> None:
    with as_user(auth, sub="u1", scopes=["a", "b"], roles=["admin"], tenant_id="acme", email="u@x.test") as identity:
        ctx = auth.authorize(request())
    assert ctx == identity
    assert isinstance(ctx, AuthContext)
    assert (ctx.subject, ctx.scopes, ctx.roles, ctx.tenant_id, ctx.email) == (
        "u1",
        ("a", "b"),
        ("admin",),
        "acme",
        "u@x.test",
    )


@pytest.mark.anyio
async def test_it_reaches_async_callers_too(auth: Auth) -> None:
    with as_user(auth, sub="u1", scopes="a b"):
        ctx = await auth.aauthorize(request(), scope("a", "b"))
    assert ctx.subject == "u1"
    with pytest.raises(CredentialsMissing):
        await auth.aauthorize(request())


def test_needs_are_still_enforced(auth: Auth) -> None:
    with as_user(auth, scopes=["orders:read"], roles=["clerk"], tenant_id="acme"):
        auth.authorize(request(t="acme"), scope("orders:read") & role("clerk") & tenant(path="t"))
        with pytest.raises(InsufficientScope):
            auth.authorize(request(), scope("orders:write"))
        with pytest.raises(PermissionDenied):
            auth.authorize(request(), role("admin"))
        with pytest.raises(TenantUnknown):
            auth.authorize(request(t="globex"), tenant(path="t"))


def test_the_default_user_has_nothing(auth: Auth) -> None:
    with as_user(auth):
        ctx = auth.authorize(request())
    assert (ctx.subject, ctx.scopes, ctx.roles, ctx.tenant_id) == ("user", (), (), None)


def test_it_ends_with_the_block_even_after_an_error(auth: Auth) -> None:
    def fail_while_acting() -> None:
        with as_user(auth):
            raise KeyError

    with pytest.raises(KeyError):
        fail_while_acting()
    with pytest.raises(CredentialsMissing):
        auth.authorize(request())


def test_blocks_nest(auth: Auth) -> None:
    with as_user(auth, sub="outer"):
        with as_user(auth, sub="inner"):
            assert auth.authorize(request()).subject == "inner"
        assert auth.authorize(request()).subject == "outer"


def test_another_auth_is_not_reached(auth: Auth) -> None:
    other = Auth(Issuer(ISSUER, audience="api"))
    with as_user(auth), pytest.raises(CredentialsMissing):
        other.authorize(request())


def test_a_require_bearer_stands_for_the_auth_inside() -> None:
    """`RequireBearer(Issuer(...))` builds the Auth itself, so nobody else has it in hand."""

    class RequireBearer:
        gate = Gate.of(Issuer(ISSUER, audience="api"))

    bearer = RequireBearer()
    with as_user(bearer, sub="u1"):
        assert bearer.gate.authorize(request()).subject == "u1"
    issuer = FakeIssuer(ISSUER, audience="api", alg="ES256")
    with issuer.connect(bearer):
        assert bearer.gate.authorize(request(issuer.token(sub="u2"))).subject == "u2"


def test_a_request_that_was_judged_before_is_judged_anew(auth: Auth) -> None:
    """Verified once per request, but not across a change of who is calling."""
    same = request()
    with as_user(auth, sub="u1"):
        assert auth.authorize(same).subject == "u1"
    with pytest.raises(CredentialsMissing):
        auth.authorize(same)


# as_user(policy=…)

READ = [{"effect": "allow", "actions": ["orders.read"], "resources": ["orders/*"]}]
VERSIONED = {
    "version": "1.0",
    "statements": [
        {"effect": "Allow", "principals": ["role:clerk"], "actions": ["orders.read"], "resources": ["orders/*"]}
    ],
}
need = can("orders.read", "orders/{order_id}")


class Source:
    """The policies of the application, which tell who asked for them."""

    def __init__(self) -> None:
        self.asked: list[AuthContext] = []

    async def policies_for(self, context: AuthContext) -> Policy:
        self.asked.append(context)
        return Policy.parse(READ) if "clerk" in context.roles else Policy()


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def with_policies(source: Source) -> Auth:
    return Auth(Issuer(ISSUER, audience="api"), policies=source)


@pytest.mark.parametrize("policy", [Policy.parse(READ), READ, VERSIONED], ids=["policy", "flat", "versioned"])
def test_a_policy_for_the_user(auth: Auth, policy: Any) -> None:
    """Also where the `Auth` knows no policies; it decides about this user and what it does not allow is refused."""
    with as_user(auth, roles=["clerk"], policy=policy) as identity:
        assert auth.authorize(request(order_id="7"), need) == identity
        assert identity.can("orders.read", "orders/7")
        assert not identity.can("orders.delete", "orders/7")
        with pytest.raises(PermissionDenied) as refused:
            auth.authorize(request(order_id="7"), can("orders.delete", "orders/{order_id}"))
    assert refused.value.reason == "implicit_deny"


@pytest.mark.anyio
async def test_a_policy_reaches_async_callers_too(with_policies: Auth, source: Source) -> None:
    with as_user(with_policies, policy=READ):
        assert (await with_policies.aauthorize(request(order_id="7"), need)).can("orders.read", "orders/8")
        assert (await with_policies.averify("any")).can("orders.read", "orders/8")
    assert source.asked == []


def test_without_one_the_source_decides_by_this_identity(with_policies: Auth, source: Source) -> None:
    with as_user(with_policies, roles=["clerk"]):
        with_policies.authorize(request(order_id="7"), need)
    with as_user(with_policies), pytest.raises(PermissionDenied):
        with_policies.authorize(request(order_id="7"), need)
    assert [context.roles for context in source.asked] == [("clerk",), ()]


def test_a_policy_ends_with_its_user(with_policies: Auth) -> None:
    """The next one has none of it, nor has who comes with a token; the outer one has his again."""
    issuer = FakeIssuer(ISSUER, audience="api", alg="ES256")
    with as_user(with_policies, policy=READ):
        with as_user(with_policies, sub="another"), pytest.raises(PermissionDenied):
            with_policies.authorize(request(order_id="7"), need)
        with issuer.connect(with_policies), pytest.raises(PermissionDenied):
            with_policies.authorize(request(issuer.token(), order_id="7"), need)
        with_policies.authorize(request(order_id="7"), need)
    with issuer.connect(with_policies):
        with pytest.raises(PermissionDenied):
            with_policies.authorize(request(issuer.token(), order_id="7"), need)
        with_policies.authorize(request(issuer.token(roles=["clerk"]), order_id="7"), need)


def test_its_conditions_see_the_request(auth: Auth) -> None:
    posting = {"op": "StringEquals", "key": "request.method", "values": ["POST"]}
    with as_user(auth, policy=[{**READ[0], "conditions": [posting]}]), pytest.raises(PermissionDenied):
        auth.authorize(request(order_id="7"), need)
    getting = {**posting, "values": ["GET"]}
    with as_user(auth, policy=[{**READ[0], "conditions": [getting]}]):
        auth.authorize(request(order_id="7"), need)


@pytest.mark.parametrize("document", [[{**READ[0], "effect": "alow"}], "orders.read", 5])
def test_a_document_that_does_not_parse_is_no_policy(auth: Auth, document: Any) -> None:
    with pytest.raises(PolicyError), as_user(auth, policy=document):
        pass
    with pytest.raises(CredentialsMissing):
        auth.authorize(request())


# FakeIssuer.connect


def test_connect_gives_an_existing_auth_the_fakes_keys(auth: Auth) -> None:
    issuer = FakeIssuer(ISSUER, audience="api")
    with issuer.connect(auth) as same:
        assert same is issuer
        assert auth.authorize(request(issuer.token(sub="u1", scope="a")), scope("a")).subject == "u1"
    assert issuer.fetches == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/jwks.json"]


@pytest.mark.anyio
async def test_connect_works_for_async_callers(auth: Auth) -> None:
    issuer = FakeIssuer(ISSUER, audience="api", alg="ES256")
    with issuer.connect(auth):
        assert (await auth.averify(issuer.token(sub="u1"))).subject == "u1"


def test_connect_verifies_as_ever(auth: Auth) -> None:
    issuer = FakeIssuer(ISSUER, audience="api", alg="ES256")
    with issuer.connect(auth):
        with pytest.raises(SignatureInvalid):
            auth.verify(issuer.token(key=SigningKey.generate("ES256")))
        with pytest.raises(IssuerMismatch):
            auth.verify(issuer.token(iss="https://other.test"))


def test_caches_do_not_outlive_the_connection(auth: Auth) -> None:
    first, second = FakeIssuer(ISSUER, audience="api"), FakeIssuer(ISSUER, audience="api")
    token = first.token()
    with first.connect(auth):
        auth.verify(token)
    with second.connect(auth), second.go_down(), pytest.raises(KeysUnavailable):
        auth.verify(token)


def test_the_issuers_clock_comes_along(auth: Auth) -> None:
    clock = FrozenClock()
    issuer = FakeIssuer(ISSUER, audience="api", alg="ES256", clock=clock)
    with issuer.connect(auth):
        token = issuer.token()
        auth.verify(token)
        clock.advance(300 + 31)
        with pytest.raises(Expired):
            auth.verify(token)


def test_several_issuers_connect_at_once() -> None:
    one, two = FakeIssuer("https://one.test", audience="api"), FakeIssuer("https://two.test", audience="api")
    auth = Auth(Issuer("https://one.test", audience="api"), Issuer("https://two.test", audience="api"))
    with one.connect(auth, two):
        assert [auth.verify(issuer.token()).issuer for issuer in (one, two)] == ["https://one.test", "https://two.test"]


def test_an_issuer_with_a_typed_jwks_uri_connects() -> None:
    issuer = FakeIssuer(ISSUER, audience="api", jwks_uri="https://keys.example.test/v1")
    auth = Auth(Issuer(ISSUER, audience="api", jwks_uri="https://keys.example.test/v1"))
    with issuer.connect(auth):
        assert auth.verify(issuer.token()).subject == "user"
    assert issuer.fetches == ["https://keys.example.test/v1"]


@pytest.mark.parametrize(
    "alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
)
def test_every_algorithm_passes_the_real_verification(alg: str) -> None:
    issuer = FakeIssuer(ISSUER, audience="api", alg=alg)
    auth = Auth(Issuer(ISSUER, audience="api", algorithms=[alg]), http=issuer.http)
    assert auth.verify(issuer.token(sub="u1")).subject == "u1"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_shared_secrets_pass_the_real_verification(alg: str) -> None:
    issuer = FakeIssuer(ISSUER, audience="api", alg=alg)
    auth = Auth(Issuer(ISSUER, audience="api", keys=issuer.secret, algorithms=[alg]))
    assert auth.verify(issuer.token(sub="u1")).subject == "u1"


def test_a_rotation_is_followed_and_an_outage_survived() -> None:
    """The walk of an incident: known keys, a new key, an outage with warm keys."""
    issuer = FakeIssuer(ISSUER, audience="api", clock=FrozenClock())
    auth = Auth(Issuer(ISSUER, audience="api"), http=issuer.http, clock=issuer.clock)
    auth.verify(issuer.token())
    issuer.rotate(keep_old=True)
    auth.verify(issuer.token())
    with issuer.go_down():
        auth.verify(issuer.token())


def test_over_real_http() -> None:
    issuer = FakeIssuer(audience="api", alg="ES256")
    with issuer.serve() as base_url:
        auth = Auth(Issuer(base_url, audience="api"))
        assert auth.verify(issuer.token(sub="u1")).subject == "u1"
    assert issuer.fetches == [f"{base_url}/.well-known/openid-configuration", f"{base_url}/jwks.json"]
