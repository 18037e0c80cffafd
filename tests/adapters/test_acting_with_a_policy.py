"""`as_user(policy=…)` in every framework: that policy decides, by the request as the adapter sees it.

With the address of the caller, which each adapter has to hand over for `trusted_proxies=`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import anyio.to_thread
import pytest

from adapters import built
from adapters.asgi_calls import Call, http_scope
from adapters.drivers import TARGETS
from adapters.scenarios import AUDIENCE, DOCUMENT, ISSUER, Policies, build_auths
from adapters.wsgi_calls import WsgiCall, environ_of
from bearerkit import Auth, Issuer
from bearerkit.testing import as_user

OFFICE = [{"op": "IpAddress", "key": "request.ip", "values": ["198.51.100.0/24"]}]
POLICY = [
    {"effect": "allow", "actions": ["documents.read"], "resources": ["document/b*"]},
    {"effect": "allow", "actions": ["documents.read"], "resources": ["document/office"], "conditions": OFFICE},
]


@pytest.fixture
def auths(monkeypatch: pytest.MonkeyPatch) -> dict[str, Auth]:
    """The `Auth` objects that the next application is built with, whichever framework builds it."""
    issuer = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)
    made = build_auths() | {"policies": Auth(issuer, policies=Policies(DOCUMENT), trusted_proxies=["127.0.0.1"])}
    for module in vars(built).values():
        if isinstance(module, ModuleType) and hasattr(module, "build_auths"):
            monkeypatch.setattr(module, "build_auths", lambda: made)
    return made


async def status_of(framework: str, app: Any, path: str, *fields: tuple[str, str]) -> int:
    if TARGETS[framework].kind == "wsgi":
        return (await anyio.to_thread.run_sync(WsgiCall, app, environ_of(path, fields))).status
    return (await Call(app, http_scope(path, fields)).run()).status


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("framework", TARGETS)
async def test_the_policy_of_the_test_decides(framework: str, auths: dict[str, Auth]) -> None:
    """Instead of the source of the `Auth`, or where there is none, and until the block ends."""
    app = TARGETS[framework].build(closed=False)
    reader = ("Authorization", f"Bearer {ISSUER.token(roles=['reader'])}")
    with as_user(auths["policies"], policy=POLICY) as identity:
        assert identity.can("documents.read", "document/b1")
        assert await status_of(framework, app, "/documents/b1") == 200
        assert await status_of(framework, app, "/documents/a1", reader) == 403
    assert await status_of(framework, app, "/documents/a1", reader) == 200
    assert await status_of(framework, app, "/documents/b1", reader) == 403

    assert await status_of(framework, app, "/no-policies", reader) == 403
    allowed = [{"effect": "allow", "actions": ["documents.*"], "resources": ["document/a1"]}]
    with as_user(auths["main"], policy=allowed):
        assert await status_of(framework, app, "/no-policies") == 200


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("framework", TARGETS)
async def test_conditions_see_the_address_behind_the_proxy(framework: str, auths: dict[str, Auth]) -> None:
    """The last address that is no proxy of ours, whatever the caller wrote before it."""
    app = TARGETS[framework].build(closed=False)
    forwarded = {
        "198.51.100.7": 200,
        "203.0.113.9, 198.51.100.7": 200,
        "203.0.113.9": 403,
        "198.51.100.7, 203.0.113.9": 403,
    }
    with as_user(auths["policies"], policy=POLICY):
        for value, status in forwarded.items():
            assert await status_of(framework, app, "/documents/office", ("X-Forwarded-For", value)) == status, value
        assert await status_of(framework, app, "/documents/office") == 403
