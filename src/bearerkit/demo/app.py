"""The service of the demo. It is what an application would write: nothing in it knows that this is a demo.

It runs by itself too, next to `bearerkit dev-issuer`: `uvicorn bearerkit.demo.app:app`. ORDERS_ISSUER names another
issuer.
"""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from bearerkit import Auth, AuthContext, Issuer, scope, tenant
from bearerkit.fastapi import RequireBearer

__all__ = ["app", "auth"]

auth = Auth(Issuer(os.environ.get("ORDERS_ISSUER", "http://127.0.0.1:9400"), audience="orders-api"))
bearer = RequireBearer(auth)
app = FastAPI(title="Orders", description="The service of `bearerkit demo`.")
bearer.install(app)

_read_orders = scope("orders:read")
_read_tenant_orders = scope("orders:read") & tenant(path="tenant_id")


@app.get("/me")
async def me(ctx: Annotated[AuthContext, Depends(bearer)]) -> dict[str, Any]:
    """Who is calling: any valid token."""
    return {"subject": ctx.subject, "tenant": ctx.tenant_id, "scopes": sorted(ctx.scopes)}


@app.get("/orders")
async def orders(ctx: Annotated[AuthContext, Depends(bearer.require(_read_orders))]) -> dict[str, Any]:
    """The caller's orders: the token must carry the scope."""
    return {"orders": ["A-1", "A-2"], "of": ctx.subject}


@app.get("/tenants/{tenant_id}/orders")
async def tenant_orders(
    tenant_id: str, ctx: Annotated[AuthContext, Depends(bearer.require(_read_tenant_orders))]
) -> dict[str, Any]:
    """The orders of one tenant: the scope, and the caller is a member of that tenant."""
    return {"orders": ["A-1", "A-2"], "of": tenant_id, "read_by": ctx.subject}
