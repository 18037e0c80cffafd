"""A policy that came with the credential: kept, told about the request, never mixed with that of a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auth_doubles import NOW, auth
from bearerkit import Auth, AuthContext, Request, can
from bearerkit.errors import PermissionDenied, StoreUnavailable
from bearerkit.http import Headers
from bearerkit.policy import Attachment, Grants, Policy, Principal
from bearerkit.ports import Waits
from bearerkit.verify.kind import Kind, KindSettings
from bearerkit.verify.policies import bringing
from bearerkit.verify.world import World

CLAIMS = {
    "sub": "u1",
    "jti": "k1",
    "tenant_id": "acme",
    "roles": ["reader"],
    "email": "a@example.com",
    "email_verified": True,
    "auth_time": int(NOW) - 50,
    "amr": ["mfa"],
}
NEED = can("orders.read", "orders/{order_id}")
Bring = Callable[[AuthContext], AuthContext]


class Bringing(Kind):
    """Resolves every credential to the same cached context; `waits` says whether it has to ask for it first."""

    def __init__(self, settings: BringingSettings) -> None:
        self.settings = settings
        self.context = settings.bring(AuthContext(CLAIMS, credential_kind=settings.kind))

    def at_once(self, credential: str) -> AuthContext | None:
        return None if self.settings.waits else self.context

    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        return self.context

    def describe(self) -> str:
        return "bringing"


class BringingSettings(KindSettings):
    unprefixed = True

    def __init__(self, bring: Bring, waits: bool, kind: str = "opaque") -> None:
        self.bring, self.waits, self.kind = bring, waits, kind

    def enter(self, world: World) -> Kind:
        return Bringing(self)


class Source:
    """A policy source that must not be asked, or that is down."""

    def __init__(self, policy: Policy | Exception) -> None:
        self.policy, self.asked = policy, 0

    async def policies_for(self, context: AuthContext) -> Policy:
        self.asked += 1
        if isinstance(self.policy, Exception):
            raise self.policy
        return self.policy


def policy(*conditions: Any, **statement: Any) -> Policy:
    whole = {"effect": "allow", "actions": ["orders.read"], "resources": ["orders/*"], "conditions": [*conditions]}
    return Policy.parse([{**whole, **statement}])


def sent(order_id: str = "7", method: str = "GET") -> Request:
    headers = Headers([("Authorization", "Bearer opaque")])
    return Request(method, f"/orders/{order_id}", headers, {"order_id": order_id}, client="198.51.100.7")


def service(found: Policy | Attachment, *, waits: bool = False, kind: str = "opaque", **settings: Any) -> Auth:
    return auth(BringingSettings(lambda context: bringing(context, found), waits, kind), **settings)


either = pytest.mark.parametrize("waits", [False, True])


@either
@pytest.mark.parametrize("sourced", [False, True])
def test_it_is_in_force_with_and_without_a_source(waits: bool, sourced: bool) -> None:
    """The source is not asked: it may know nothing of such a credential, and its outage does not matter."""
    source = Source(OSError("down"))
    guarded = service(policy(), waits=waits, **({"policies": source} if sourced else {}))
    assert guarded.authorize(sent(), NEED).can("orders.read", "orders/8")
    with pytest.raises(PermissionDenied) as refused:
        guarded.authorize(sent(), can("orders.delete", "orders/{order_id}"))
    assert refused.value.reason == "implicit_deny"
    assert guarded.verify("opaque").can("orders.read", "orders/1")
    assert source.asked == 0


@pytest.mark.anyio
@either
async def test_async_code_gets_the_same(waits: bool) -> None:
    """`aauthorize` and `averify`."""
    guarded = service(policy(), waits=waits)
    assert (await guarded.aauthorize(sent(), NEED)).policy == policy()
    assert (await guarded.averify("opaque")).can("orders.read", "orders/1")


@either
@pytest.mark.parametrize("sourced", [False, True])
@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"op": "StringEquals", "key": "request.method", "values": ["GET"]}, True),
        ({"op": "StringEquals", "key": "request.method", "values": ["POST"]}, False),
        ({"op": "StringLike", "key": "request.path", "values": ["/orders/*"]}, True),
        ({"op": "StringEquals", "key": "request.tenant", "values": ["acme"]}, True),
        ({"op": "IpAddress", "key": "request.ip", "values": ["198.51.100.0/24"]}, True),
        ({"op": "IpAddress", "key": "request.ip", "values": ["192.0.2.0/24"]}, False),
        ({"op": "DateLessThan", "key": "request.now", "values": [int(NOW) + 1]}, True),
        ({"op": "DateLessThan", "key": "request.now", "values": [int(NOW)]}, False),
        ({"op": "NumericLessThan", "key": "session.age", "values": [60]}, True),
        ({"op": "NumericLessThan", "key": "session.age", "values": [50]}, False),
        ({"op": "Bool", "key": "session.mfa", "values": ["true"]}, True),
        ({"op": "StringEquals", "key": "principal.id", "values": ["u1"]}, True),
        ({"op": "StringEquals", "key": "principal.email", "values": ["a@example.com"]}, True),
    ],
)
def test_its_conditions_know_request_session_and_caller(
    condition: Any, allowed: bool, waits: bool, sourced: bool
) -> None:
    """As those of a source do."""
    settings: dict[str, Any] = {"policies": Source(Policy())} if sourced else {}
    guarded = service(policy(condition), waits=waits, trusted_proxies=[], **settings)
    assert guarded.authorize(sent()).can("orders.read", "orders/1") is allowed


@either
def test_what_is_known_of_one_request_stays_with_it(waits: bool) -> None:
    """The context is cached and shared; no request sees the method of another one."""
    guarded = service(policy({"op": "StringEquals", "key": "request.method", "values": ["GET"]}), waits=waits)
    for method, allowed in (("GET", True), ("POST", False), ("GET", True)):
        assert guarded.authorize(sent(method=method)).can("orders.read", "orders/1") is allowed
    assert not guarded.verify("opaque").can("orders.read", "orders/1")


def test_a_deny_on_the_request_is_not_lost() -> None:
    """An unknown value would make it apply always, a dropped one never."""
    statements = [
        {"effect": "allow", "actions": ["*"], "resources": ["*"]},
        {
            "effect": "deny",
            "actions": ["*"],
            "resources": ["*"],
            "conditions": [{"op": "StringEquals", "key": "request.method", "values": ["DELETE"]}],
        },
    ]
    guarded = service(Policy.parse(statements))
    guarded.authorize(sent(), NEED)
    with pytest.raises(PermissionDenied) as refused:
        guarded.authorize(sent(method="DELETE"), NEED)
    assert refused.value.reason == "explicit_deny"


def test_what_came_with_it_is_beside_what_is_known_of_the_request() -> None:
    """A verifier may add values; those of the request win, as they do over a handler's."""
    given = {"request": {"method": "POST", "region": "eu"}, "session": {"device": "d1"}, "more": {"a": "b"}}

    def bring(context: AuthContext) -> AuthContext:
        return context.within(Grants(document, Principal(id="u1"), given))

    for key, value, allowed in (
        ("request.method", "GET", True),
        ("request.method", "POST", False),
        ("request.region", "eu", True),
        ("session.device", "d1", True),
        ("request.path", "/orders/7", True),
    ):
        document = policy({"op": "StringEquals", "key": key, "values": [value]})
        context = auth(BringingSettings(bring, waits=False)).authorize(sent())
        assert context.can("orders.read", "orders/1") is allowed, key


def test_the_principal_is_the_caller() -> None:
    """With the roles of the attachment beside his own; a key only where the credential is one."""
    found = Attachment(policy(principals=["role:editor"]), role_parents={"reader": "editor"})
    assert service(found).verify("opaque").can("orders.read", "orders/1")
    for kind, allowed in (("api_key", True), ("opaque", False)):
        guarded = service(policy(principals=["key:k1"]), kind=kind)
        assert guarded.verify("x").can("orders.read", "orders/1") is allowed


def test_an_empty_policy_is_one() -> None:
    """It allows nothing, and no source fills it."""
    source = Source(policy())
    guarded = service(Policy(), policies=source)
    with pytest.raises(PermissionDenied) as refused:
        guarded.authorize(sent(), NEED)
    assert (refused.value.reason, source.asked) == ("implicit_deny", 0)


def test_who_brings_none_is_asked_about_as_ever() -> None:
    """The same kind of credential may come with a policy or without."""
    source = Source(policy())
    guarded = auth(BringingSettings(lambda context: context, waits=False), policies=source)
    assert guarded.authorize(sent(), NEED).policy == policy()
    assert source.asked == 1
    without = auth(BringingSettings(lambda context: context, waits=False))
    with pytest.raises(PermissionDenied) as refused:
        without.authorize(sent(), NEED)
    assert refused.value.reason == "policy_missing"
    source.policy = OSError("down")
    with pytest.raises(StoreUnavailable):
        guarded.authorize(sent(), NEED)


def test_an_identity_without_a_policy_is_told_nothing() -> None:
    """It stays the cached object."""
    context = AuthContext(CLAIMS)
    assert context.told({"request": {"method": "GET"}}) is context
