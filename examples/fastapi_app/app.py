"""An orders API in FastAPI: who is calling, for which tenant, and may they do this?

Run it beside an issuer (here the one that comes with bearerkit):

    bearerkit dev-issuer
    uvicorn app:app --port 8000        # in this folder, then open http://127.0.0.1:8000/docs
"""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket
from pydantic import BaseModel

from bearerkit import Auth, AuthContext, Issuer, scope, tenant
from bearerkit.fastapi import RequireBearer

auth = Auth(Issuer(os.environ.get("ORDERS_ISSUER", "http://127.0.0.1:9400"), audience="orders-api"))
bearer = RequireBearer(auth, close_on_expiry=True)

app = FastAPI(title="Orders")
bearer.install(app, client_id="orders-docs", scopes=["orders:read"])


class Order(BaseModel):
    """What callers see of an order."""

    number: int
    item: str


orders_of: dict[str, list[Order]] = {"acme": [Order(number=1, item="anvil")]}
"""Orders by tenant; a real service has a database here."""

in_tenant = tenant(path="tenant_id")
Reader = Annotated[AuthContext, Depends(bearer.require(scope("orders:read") & in_tenant))]
Writer = Annotated[AuthContext, Depends(bearer.require(scope("orders:write") & in_tenant))]


@app.get("/health")
async def health() -> str:
    """Open to everybody."""
    return "ok"


@app.get("/me")
async def me(ctx: Annotated[AuthContext, Depends(bearer)]) -> dict[str, str | None]:
    """Any valid token."""
    return {"subject": ctx.subject, "tenant": ctx.tenant_id}


@app.get("/tenants/{tenant_id}/orders")
async def list_orders(tenant_id: str, ctx: Reader) -> list[Order]:
    """The caller reads orders of a tenant that is his."""
    return orders_of.get(tenant_id, [])


@app.post("/tenants/{tenant_id}/orders", status_code=201)
def place_order(tenant_id: str, order: Order, ctx: Writer) -> Order:
    """The same for writing; a sync endpoint."""
    orders_of.setdefault(tenant_id, []).append(order)
    return order


@app.websocket("/tenants/{tenant_id}/feed")
async def feed(websocket: WebSocket, tenant_id: str, ctx: Reader) -> None:
    """The number of orders, once; then the socket stays open until the token expires."""
    await websocket.accept()
    await websocket.send_json({"orders": len(orders_of.get(tenant_id, []))})
    async for _ in websocket.iter_text():
        pass
