"""`Auth(policies=…)`: what is in force for a caller, on which request, and what conditions are told."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from auth_doubles import ISSUER, NOW, auth, claims, request, token
from bearerkit import Auth, AuthContext, ConfigError, Issuer, Request, can, fresh, scope, tenant
from bearerkit.errors import InsufficientScope, PermissionDenied, StoreUnavailable, TenantUnknown
from bearerkit.http import Headers
from bearerkit.policy import Attachment, Grants, Policy, PolicyError, Principal
from bearerkit.policy.addresses import block_of
from bearerkit.stores.policy_errors import PolicyUnknown
from bearerkit.testing import FrozenClock, SigningKey
from bearerkit.verify.client_address import TrustedProxies

KEY = SigningKey.generate("ES256", kid="k1")
ALLOW = Policy.parse([{"effect": "allow", "actions": ["orders.read"], "resources": ["orders/*"], "sid": "readers"}])
NOTHING = Policy()


class Source:
    """A policy source that counts."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, []

    async def policies_for(self, context: AuthContext) -> Any:
        self.asked.append(context)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer(context) if callable(self.answer) else self.answer


def service(answer: Any, **settings: Any) -> Auth:
    issuer = Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]}, claims={"groups": "groups"})
    return auth(issuer, policies=answer if isinstance(answer, Source) else Source(answer), **settings)


def policy(*conditions: Any, **statement: Any) -> Policy:
    whole = {"effect": "allow", "actions": ["orders.read"], "resources": ["*"], "conditions": [*conditions]}
    return Policy.parse([{**whole, **statement}])


def test_a_guard_asks_the_policy_about_the_path_parameter() -> None:
    """Allowed on this resource and on no other; the reason says by what it was denied."""
    guarded, need = service(ALLOW), can("orders.read", "orders/{order_id}")
    context = guarded.authorize(request(token(KEY), order_id="7"), need)
    assert context.can("orders.read", "orders/8")
    with pytest.raises(PermissionDenied) as refused:
        guarded.authorize(request(token(KEY), order_id="7"), can("orders.delete", "orders/{order_id}"))
    assert (refused.value.status, refused.value.reason) == (403, "implicit_deny")
    assert "no statement allows it" in refused.value.detail
    assert "orders/7" not in refused.value.public


@pytest.mark.anyio
async def test_async_code_gets_the_same() -> None:
    """`aauthorize` and `averify`."""
    guarded = service(ALLOW)
    context = await guarded.aauthorize(request(token(KEY), order_id="7"), can("orders.read", "orders/{order_id}"))
    assert context.policy == ALLOW
    assert (await guarded.averify(token(KEY))).can("orders.read", "orders/1")


def test_a_change_shows_on_the_next_request() -> None:
    """Also for a token whose verdict is remembered: policies never lie in the cached context."""
    source = Source(NOTHING)
    guarded, credential = service(source), token(KEY)
    assert not guarded.authorize(request(credential)).can("orders.read", "orders/1")
    source.answer = ALLOW
    assert guarded.authorize(request(credential)).can("orders.read", "orders/1")
    source.answer = NOTHING
    assert not guarded.verify(credential).can("orders.read", "orders/1")


def test_it_is_asked_once_for_a_request() -> None:
    """However many guards stack, and not for a request that nobody makes."""
    source = Source(ALLOW)
    guarded, one = service(source), request(token(KEY), order_id="7")
    for need in (None, can("orders.read", "orders/{order_id}"), can("orders.read", "orders/x") | scope("x")):
        guarded.authorize(one, need)
    assert len(source.asked) == 1
    guarded.authorize(request(), optional=True)
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (RuntimeError("down"), 503),
        (StoreUnavailable("down"), 503),
        (PolicyError("down"), 503),
        (ConfigError("down"), 503),
        (PolicyUnknown("down"), 503),
        (None, 503),
        ({"policy": 1}, 503),
        ("x", 503),
        (lambda context: Attachment(None), 503),  # type: ignore[arg-type]
        (lambda context: Attachment(ALLOW, roles=None), 503),  # type: ignore[arg-type]
        (lambda context: Attachment(ALLOW, roles="admin"), 503),  # type: ignore[arg-type]
        (lambda context: Attachment(ALLOW, groups=5), 503),  # type: ignore[arg-type]
    ],
)
def test_a_source_that_fails_is_an_outage(answer: Any, status: int) -> None:
    """Never an empty policy, which could drop a deny, and never a 500."""
    with pytest.raises(StoreUnavailable) as refused:
        service(Source(answer)).authorize(request(token(KEY)))
    assert refused.value.status == status
    assert "down" not in refused.value.public


def test_what_a_source_refuses_with_is_not_wrapped() -> None:
    """Its own detail and hint reach the operator, and an async source in sync code is a mistake that says so."""
    with pytest.raises(StoreUnavailable) as refused:
        service(StoreUnavailable("the disk is full", hint="delete something")).authorize(request(token(KEY)))
    assert (refused.value.detail, refused.value.hint) == ("the disk is full", "delete something")

    class Waiting:
        async def policies_for(self, context: AuthContext) -> Policy:
            await anyio.sleep(0)
            return ALLOW

    guarded = auth(Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]}), policies=Waiting())
    with pytest.raises(TypeError, match="policies"):
        guarded.authorize(request(token(KEY)))


def test_an_identity_that_brought_its_policy_keeps_it() -> None:
    """The source is not asked, for it may know nothing of such a credential."""
    source = Source(NOTHING)
    guarded = service(source)
    brought = AuthContext(claims()).within(Grants(ALLOW, Principal(id="u1")))
    with guarded.replaced(identity=brought):
        assert guarded.authorize(request("any")).can("orders.read", "orders/1")
    assert source.asked == []


def test_only_an_api_key_is_a_key() -> None:
    """The id of a token, which its issuer chose, is no `key:` of a statement."""
    for_key = policy(principals=["key:k1"])
    for kind, allowed in (("jwt", False), ("opaque", False), ("session", False), ("api_key", True)):
        guarded = service(for_key)
        with guarded.replaced(identity=AuthContext(claims(jti="k1"), credential_kind=kind)):
            assert guarded.authorize(request("any")).can("orders.read", "x") is allowed, kind


def test_without_a_source_nothing_is_allowed() -> None:
    """And the hint says what is missing."""
    guarded = auth(Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]}))
    context = guarded.authorize(request(token(KEY)))
    assert (context.policy, context.can("a.b", "c"), context.explain("a.b", "c")) == (None, False, None)
    assert context.can_all("c") == {}
    with pytest.raises(PermissionDenied) as refused:
        guarded.authorize(request(token(KEY)), can("a.b", "c"))
    assert refused.value.reason == "policy_missing"
    assert "policies=" in str(refused.value.hint)


@pytest.mark.parametrize("value", ["", "a/b", "a:b", "*", "?", "..", ".", "a\nb", "\x00", None])
def test_a_path_parameter_that_is_more_than_a_name(value: Any) -> None:
    """It could reach a table below the one that the handler reads: refused, whatever the policy allows."""
    guarded = service(Policy.parse([{"effect": "allow", "actions": ["*"], "resources": ["*"]}]))
    params = {} if value is None else {"order_id": value}
    with pytest.raises(PermissionDenied) as refused:
        guarded.authorize(request(token(KEY), **params), can("orders.read", "orders/{order_id}"))
    assert refused.value.reason == "resource_unclear"


def test_a_star_in_a_request_is_a_star() -> None:
    """What a handler asks about is literal; only documents have patterns."""
    context = service(policy(resources=["doc/a"])).authorize(request(token(KEY)))
    assert not context.can("orders.read", "doc/*")
    assert context.can("orders.read", "doc/a")


def principal_of(attachment: Attachment, **changes: Any) -> Principal:
    grants = service(attachment).authorize(request(token(KEY, **changes)))._grants
    assert isinstance(grants, Grants)
    return grants.principal


def test_the_principal_has_the_roles_of_both() -> None:
    """Those of the token and those of the source, with the source's parents and groups."""
    attachment = Attachment(
        ALLOW, roles=("bound",), groups=("eng",), role_parents={"junior": "editor"}, group_roles={"eng": ["junior"]}
    )
    principal = principal_of(attachment, sub="u1", roles=["own"], groups=["mine"], tenant_id="acme")
    assert (principal.id, principal.tenant, principal.groups) == ("u1", "acme", ("mine", "eng"))
    assert set(principal.effective_roles) == {"own", "bound", "junior", "editor"}


def test_an_address_that_nobody_proved_is_none() -> None:
    """A policy by e-mail address must not be met by one that was only claimed."""
    by_email = policy({"op": "StringEquals", "key": "principal.email", "values": ["a@example.com"]})
    for verified, allowed in ((True, True), (False, False), (None, False), ("true", False)):
        credential = token(KEY, email="a@example.com", email_verified=verified)
        assert service(by_email).authorize(request(credential)).can("orders.read", "x") is allowed


def sent(headers: dict[str, str], client: str | None = "203.0.113.9", method: str = "GET", **of: Any) -> Request:
    fields = {"Authorization": f"Bearer {token(KEY, **of)}", **headers}
    return Request(method, "/orders", Headers(list(fields.items())), client=client)


IN_BLOCK = {"op": "IpAddress", "key": "request.ip", "values": ["198.51.100.0/24"]}


@pytest.mark.parametrize(
    ("proxies", "client", "forwarded", "allowed"),
    [
        (None, "198.51.100.7", None, False),
        ([], "198.51.100.7", None, True),
        ([], "203.0.113.9", "198.51.100.7", False),
        (["203.0.113.0/24"], "203.0.113.9", "198.51.100.7", True),
        (["203.0.113.9"], "203.0.113.9", "198.51.100.7, 192.0.2.1", False),
        (["203.0.113.9"], "203.0.113.9", "192.0.2.1, 198.51.100.7", True),
        (["203.0.113.9", "192.0.2.0/24"], "203.0.113.9", "198.51.100.7, 192.0.2.1", True),
        (["203.0.113.9"], "203.0.113.9", "198.51.100.7:4711", True),
        (["203.0.113.9"], "203.0.113.9", "::ffff:198.51.100.7", True),
        (["203.0.113.9"], "203.0.113.9", "[::ffff:198.51.100.7]:4711", True),
        (["203.0.113.9"], "203.0.113.9", "unknown", False),
        (["203.0.113.9"], "203.0.113.9", "198.51.100.7, garbage", False),
        (["203.0.113.9"], "203.0.113.9", None, False),
        (["203.0.113.9"], "203.0.113.9", "198.51.100.7" + ", 203.0.113.9" * 40, False),
        (["203.0.113.9"], None, "198.51.100.7", False),
        (["::1"], "::1", "198.51.100.7", True),
        (["::ffff:203.0.113.0/120"], "203.0.113.9", "198.51.100.7", True),
        (["::ffff:203.0.113.0/120"], "203.0.114.9", "198.51.100.7", False),
        (["203.0.113.9"], "::ffff:203.0.113.9", "198.51.100.7", True),
        (["2001:db8::/32"], "203.0.113.9", "198.51.100.7", False),
    ],
)
def test_the_address_of_the_caller(proxies: Any, client: str | None, forwarded: str | None, allowed: bool) -> None:
    """Only what our own proxies say counts, read from the right; without the setting nothing is known."""
    guarded = service(policy(IN_BLOCK), trusted_proxies=proxies)
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert guarded.authorize(sent(headers, client)).can("orders.read", "x") is allowed


def test_the_zone_of_an_address_is_no_part_of_it() -> None:
    """It is free text, which a pattern must not find."""
    proxies = TrustedProxies([block_of("203.0.113.9")])
    for written in ("fe80::1%198.51.100.7", "[fe80::1%x\ny]:80"):
        assert proxies.client_of(sent({"X-Forwarded-For": written})) == "fe80::1"


@pytest.mark.parametrize(("hops", "known"), [(30, True), (31, True), (32, True), (33, False), (200, False)])
def test_a_chain_of_proxies_that_is_too_long_gives_no_address(hops: int, known: bool) -> None:
    """Not even that of a proxy of ours."""
    guarded = service(
        policy({"op": "Exists", "key": "request.ip", "values": [True]}), trusted_proxies=["203.0.113.0/24"]
    )
    headers = {"X-Forwarded-For": ", ".join(["203.0.113.9"] * hops)}
    assert guarded.authorize(sent(headers)).can("orders.read", "x") is known


@pytest.mark.parametrize("proxies", ["10.0.0.0/8", ["10.0.0.1/8"], ["x"], [5], 5])
def test_proxies_that_are_none(proxies: Any) -> None:
    """A sentence in the ConfigError, with the other problems."""
    with pytest.raises(ConfigError, match="trusted_proxies") as refused:
        service(ALLOW, trusted_proxies=proxies, realm="é")
    assert len(refused.value.problems) == 2


def test_every_proxy_that_is_none_is_named() -> None:
    """All of them at once."""
    with pytest.raises(ConfigError) as refused:
        service(ALLOW, trusted_proxies=["10.0.0.1/8", "10.0.0.2", "x"])
    assert [problem.split("'")[1] for problem in refused.value.problems] == ["10.0.0.1/8", "x"]


@pytest.mark.parametrize(
    ("condition", "of", "allowed"),
    [
        ({"op": "StringEquals", "key": "request.method", "values": ["GET"]}, {}, True),
        ({"op": "StringLike", "key": "request.path", "values": ["/ord*"]}, {}, True),
        ({"op": "StringEquals", "key": "request.tenant", "values": ["acme"]}, {"tenant_id": "acme"}, True),
        ({"op": "DateLessThan", "key": "request.now", "values": [int(NOW) + 1]}, {}, True),
        ({"op": "DateLessThan", "key": "request.now", "values": [int(NOW)]}, {}, False),
        ({"op": "Bool", "key": "session.mfa", "values": ["true"]}, {"amr": ["pwd", "mfa"]}, True),
        ({"op": "Bool", "key": "session.mfa", "values": ["true"]}, {"amr": ["pwd"]}, False),
        ({"op": "Bool", "key": "session.mfa", "values": ["false"]}, {"amr": ["pwd"]}, True),
        ({"op": "Bool", "key": "session.mfa", "values": ["false"]}, {}, False),
        ({"op": "NumericLessThan", "key": "session.age", "values": [60]}, {"auth_time": int(NOW) - 50}, True),
        ({"op": "NumericLessThan", "key": "session.age", "values": [60]}, {"auth_time": int(NOW) - 70}, False),
        ({"op": "NumericLessThan", "key": "session.age", "values": [60]}, {}, False),
        ({"op": "NumericLessThan", "key": "session.age", "values": [60]}, {"auth_time": int(NOW) + 20}, True),
        ({"op": "NumericLessThan", "key": "session.age", "values": [60]}, {"auth_time": int(NOW) + 40}, False),
        ({"op": "StringEquals", "key": "session.acr", "values": ["gold"]}, {"acr": "gold"}, True),
        ({"op": "StringEquals", "key": "principal.type", "values": ["user"]}, {}, True),
        ({"op": "ForAnyValue:StringEquals", "key": "principal.scopes", "values": ["a"]}, {"scope": "b a"}, True),
        ({"op": "StringEquals", "key": "principal.claims.department", "values": ["x"]}, {"department": "x"}, True),
    ],
)
def test_what_conditions_are_told(condition: Any, of: dict[str, Any], allowed: bool) -> None:
    """Request and session, by this object's clock; what the token does not say is absent, so nothing is allowed."""
    assert service(policy(condition)).authorize(sent({}, **of)).can("orders.read", "x") is allowed


def test_a_handler_adds_the_resource_and_nothing_else_of_ours() -> None:
    """What it passes goes beside what is known of the request, never over it."""
    owner = {"op": "StringEquals", "key": "resource.owner", "values": ["${principal.id}"]}
    context = service(policy(owner)).authorize(request(token(KEY, sub="u1")))
    assert context.can("orders.read", "x", resource={"owner": "u1"})
    assert not context.can("orders.read", "x", resource={"owner": "u2"})
    by_method = service(policy({"op": "StringEquals", "key": "request.method", "values": ["DELETE"]}))
    context = by_method.authorize(sent({}))
    assert not context.can("orders.read", "x", request={"method": "DELETE"})
    not_get = service(policy({"op": "StringNotEqualsIfExists", "key": "request.method", "values": ["GET"]}))
    context = not_get.authorize(sent({}))
    for request_of_the_handler in ({"method": None}, {}, None, "x"):
        assert not context.can("orders.read", "x", request=request_of_the_handler)


def test_an_explanation_tells_no_values() -> None:
    """Which statement and which condition, without what either holds."""
    context = service(policy({"op": "StringEquals", "key": "request.secret", "values": ["hush"]}, sid="s1")).authorize(
        sent({})
    )
    explanation = context.explain("orders.read", "x", request={"secret": "mine"})
    assert explanation is not None
    assert "s1" in str(explanation)
    assert "request.secret" in str(explanation)
    assert not {"hush", "mine"} & set(str(explanation).split())


def test_a_context_with_policies_is_the_same_identity() -> None:
    """Equal, hashed alike, and without them once it is pickled or the request is over."""
    import pickle

    guarded, credential = service(ALLOW), token(KEY)
    bound = guarded.authorize(request(credential))
    assert bound.policy is not None
    assert pickle.loads(pickle.dumps(bound)).policy is None
    assert AuthContext(claims()).policy is None
    assert bound == pickle.loads(pickle.dumps(bound))
    assert FrozenClock(NOW).now() == NOW


@pytest.mark.parametrize(
    ("action", "resource", "needle"),
    [
        ("orders.*", "x", "whole name"),
        ("", "x", "whole name"),
        (5, "x", "whole name"),
        ("a b", "x", "whole name"),
        ("a", "", "non-empty"),
        ("a", None, "non-empty"),
        ("a", "x/{", "placeholder"),
        ("a", "x/{a b}", "placeholder"),
        ("a", "x/{}", "placeholder"),
        ("a", "x/{a.b}", "placeholder"),
    ],
)
def test_a_guard_that_cannot_work(action: Any, resource: Any, needle: str) -> None:
    """Found when the application is imported."""
    with pytest.raises(ConfigError, match=needle):
        can(action, resource)


def test_a_guard_says_what_it_needs() -> None:
    """In words, for describe() and the docs page."""
    assert can("a.b", "x/{y}").describe() == 'permission for "a.b" on "x/{y}"'
    assert can("a.b", "x") == can("a.b", "x")


def test_what_needs_no_policy_is_refused_before_they_are_loaded() -> None:
    """An outage of the source hides no missing scope; what comes after the policies waits for them."""
    source = Source(OSError("down"))
    guarded = service(source)
    needed = can("orders.read", "orders/{order_id}")
    for need in (scope("orders:read"), scope("orders:read") & needed, needed & scope("orders:read")):
        with pytest.raises(InsufficientScope):
            guarded.authorize(request(token(KEY), order_id="7"), need)
    with pytest.raises(TenantUnknown):
        guarded.authorize(request(token(KEY), order_id="7"), tenant(value="other") & needed)
    assert source.asked == []
    for need in (scope("orders:read") | needed, needed, fresh(max_age=1)):
        with pytest.raises(StoreUnavailable):
            guarded.authorize(request(token(KEY), order_id="7"), need)
    assert len(source.asked) == 3
