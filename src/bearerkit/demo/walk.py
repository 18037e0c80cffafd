"""The requests of the demo, in order, each with the answer it must get. Data only: nothing is sent or shown here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bearerkit.testing.issuer import FakeIssuer

__all__ = ["AUDIENCE", "Step", "steps", "token"]

AUDIENCE = "orders-api"


@dataclass(frozen=True, slots=True)
class Step:
    """One request. `presents` says in words which token is sent; `reason` is the code of the expected refusal."""

    title: str
    path: str
    presents: str
    token: str | None
    status: int
    why: str
    reason: str | None = None
    error: str | None = None


def token(issuer: FakeIssuer, **changes: Any) -> str:
    """The good token of the demo, with some claims or headers changed."""
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "sub": "ada",
        "client_id": "demo-app",
        "scope": "orders:read",
        "tenant_id": "acme",
    }
    return issuer.token(**(claims | changes))


def steps(issuer: FakeIssuer) -> Iterator[Step]:
    """The walk. The issuer rotates its key and goes down on the way, so take the steps one by one."""
    yield from _callers(issuer)
    yield from _guards(issuer)
    yield from _rotation(issuer)
    yield from _outage(issuer)


def _callers(issuer: FakeIssuer) -> Iterator[Step]:
    now = int(issuer.now())
    yield Step(
        title="No token",
        path="/me",
        presents="",
        token=None,
        status=401,
        reason="credentials_missing",
        why="Nothing was presented, so the challenge carries no error code (RFC 6750 section 3.1).",
    )
    yield Step(
        title="A good token",
        path="/me",
        presents="ada at acme, scope orders:read",
        token=token(issuer),
        status=200,
        why="Signature, issuer, audience and times are right. The keys were found through the issuer's metadata.",
    )
    yield Step(
        title="Expired",
        path="/me",
        presents="expired five minutes ago",
        token=token(issuer, iat=now - 600, exp=now - 300),
        status=401,
        reason="expired",
        error="invalid_token",
        why="exp is required, and 30 seconds of leeway are all that a clock may be off.",
    )
    yield Step(
        title="Wrong audience",
        path="/me",
        presents="made for billing-api",
        token=token(issuer, aud="billing-api"),
        status=401,
        reason="audience_mismatch",
        error="invalid_token",
        why="A token for another API of the same issuer is no token for this one.",
    )
    yield Step(
        title="An ID token",
        path="/me",
        presents="an ID token: typ JWT, with a nonce",
        token=token(issuer, headers={"typ": "JWT"}, nonce="n-0S6_WzA2Mj"),
        status=401,
        reason="claim_forbidden",
        error="invalid_token",
        why="It tells a client who signed in. It opens no API, even if its audience fits.",
    )


def _guards(issuer: FakeIssuer) -> Iterator[Step]:
    yield Step(
        title="The scope is there",
        path="/orders",
        presents="ada at acme, scope orders:read",
        token=token(issuer),
        status=200,
        why='The route requires scope("orders:read").',
    )
    yield Step(
        title="The scope is missing",
        path="/orders",
        presents="ada at acme, scope profile",
        token=token(issuer, scope="profile"),
        status=403,
        reason="insufficient_scope",
        error="insufficient_scope",
        why="Who is calling is known, so it is 403; the challenge names the scope that the client has to ask for.",
    )
    yield Step(
        title="Her own tenant",
        path="/tenants/acme/orders",
        presents="ada at acme, scope orders:read",
        token=token(issuer),
        status=200,
        why='The route requires scope("orders:read") & tenant(path="tenant_id").',
    )
    yield Step(
        title="Another tenant",
        path="/tenants/globex/orders",
        presents="ada at acme, scope orders:read",
        token=token(issuer),
        status=404,
        reason="tenant_unknown",
        why="A tenant that she is no member of looks the same as one that does not exist.",
    )


def _rotation(issuer: FakeIssuer) -> Iterator[Step]:
    old = token(issuer)
    issuer.rotate()
    yield Step(
        title="The issuer rotated its key",
        path="/me",
        presents="signed with the new key",
        token=token(issuer),
        status=200,
        why="The key was not known, so the key set was fetched anew. The first token of a new key passes.",
    )
    yield Step(
        title="A token of the removed key",
        path="/me",
        presents="signed with the key that was taken down",
        token=old,
        status=401,
        reason="key_not_found",
        error="invalid_token",
        why="The issuer no longer publishes that key, so nothing that it signed is good any more.",
    )


def _outage(issuer: FakeIssuer) -> Iterator[Step]:
    warm = token(issuer)
    with issuer.go_down():
        yield Step(
            title="The issuer is down",
            path="/me",
            presents="signed with a key that is known",
            token=warm,
            status=200,
            why="Known keys are kept, so an outage of the issuer is no outage of the API.",
        )
        yield Step(
            title="Down, and an invented key",
            path="/me",
            presents="a kid that nobody knows",
            token=token(issuer, headers={"kid": "made-up"}),
            status=401,
            reason="key_not_found",
            error="invalid_token",
            why="Not 503: the key set is fresh, and no caller can make the API look broken by inventing key ids.",
        )
