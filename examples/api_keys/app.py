"""Orders that programs read with API keys, and people manage: sign-in by JWT, keys for one's tenant.

One `Auth` takes both. A key acts for whoever made it, in that tenant, and can be given no scope that its author lacks.
Keys make no keys: `/keys` is for people.
"""

from __future__ import annotations

import os
import secrets
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from bearerkit import ApiKeys, Auth, AuthContext, Issuer, custom, scope
from bearerkit.api_keys import ApiKeyUnknown, NewApiKey
from bearerkit.fastapi import RequireBearer
from bearerkit.http import Request
from bearerkit.stores.sqlalchemy import SqlApiKeys

URL = os.environ.get("ORDERS_DATABASE", "sqlite://")
engine = create_engine(
    URL,
    **({"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if URL == "sqlite://" else {}),
)
store = SqlApiKeys(engine)
store.create_all()
keys = ApiKeys(
    prefix="orders_live_",
    store=store,
    # Without a pepper of its own each start makes one, and keys of the last start are worth nothing.
    peppers={1: os.environ.get("ORDERS_PEPPER_1") or secrets.token_hex(32)},
)
auth = Auth(Issuer(os.environ.get("ORDERS_ISSUER", "http://127.0.0.1:9400"), audience="orders-api"), keys)
bearer = RequireBearer(auth)
app = FastAPI(title="Orders")


def _is_person(ctx: AuthContext, request: Request) -> bool:
    return ctx.credential_kind == "jwt" and ctx.tenant_id is not None


Person = Annotated[AuthContext, Depends(bearer.require(custom(_is_person, description="a signed-in person")))]


class Wanted(BaseModel):
    """What somebody wants a key for."""

    name: str
    scopes: list[str]
    days: int = 90


def _shown(made: NewApiKey) -> dict[str, Any]:
    return {"key": made.key, **made.record.as_json()}


@app.get("/orders")
def orders(ctx: Annotated[AuthContext, Depends(bearer.require(scope("orders:read")))]) -> dict[str, Any]:
    """For people and programs alike."""
    return {"tenant": ctx.tenant_id, "by": ctx.subject, "with": ctx.credential_kind}


@app.post("/keys", status_code=201)
def make(ctx: Person, wanted: Wanted) -> dict[str, Any]:
    """The answer is the only place where the key ever stands."""
    if not ctx.has_scope(*wanted.scopes):
        raise HTTPException(403, "a key cannot do more than you can")
    made = keys.generate(
        subject=ctx.subject or "",
        tenant_id=ctx.tenant_id,
        scopes=wanted.scopes,
        name=wanted.name,
        expires_in=wanted.days * 86_400,
    )
    return _shown(made)


@app.get("/keys")
def listed(ctx: Person) -> list[dict[str, Any]]:
    """The keys of the caller's tenant."""
    return [record.as_json() for record in keys.list(tenant_id=ctx.tenant_id)]


@app.post("/keys/{key_id}/rotate", status_code=201)
def rotate(ctx: Person, key_id: str) -> dict[str, Any]:
    """A successor; the old key goes on for a day."""
    try:
        return _shown(keys.rotate(key_id, overlap=86_400, tenant_id=ctx.tenant_id))
    except ApiKeyUnknown as unknown:
        raise HTTPException(404) from unknown


@app.delete("/keys/{key_id}", status_code=204)
def revoke(ctx: Person, key_id: str) -> None:
    """It counts with the next request, in every process."""
    try:
        keys.revoke(key_id, tenant_id=ctx.tenant_id)
    except ApiKeyUnknown as unknown:
        raise HTTPException(404) from unknown
