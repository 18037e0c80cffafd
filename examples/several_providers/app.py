"""Orders of a company whose people sign in with Entra ID, whose pipelines deploy, and whose customers use Auth0.

One `Auth` with three presets. Handlers read `context.principal_type`, `tenant_id`, `scopes` and `roles`, and need not
know which provider wrote them, nor where.
"""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from bearerkit import Auth, AuthContext, any_role, principal, scope
from bearerkit.fastapi import RequireBearer
from bearerkit.providers import auth0, entra, github_actions

auth = Auth(
    entra(
        os.environ.get("ENTRA_TENANT", "11111111-2222-4333-8444-555555555555"),
        audience=os.environ.get("ENTRA_API", "aaaaaaaa-1111-4bbb-8ccc-dddddddddddd"),
    ),
    auth0(os.environ.get("AUTH0_DOMAIN", "acme.eu.auth0.com"), audience="https://orders.example.com", rbac=True),
    github_actions(
        audience="https://orders.example.com",
        require={"repository_owner_id": os.environ.get("GITHUB_OWNER_ID", "3000003"), "environment": "production"},
    ),
)
bearer = RequireBearer(auth)
app = FastAPI(title="Orders")


@app.get("/me")
def me(ctx: Annotated[AuthContext, Depends(bearer)]) -> dict[str, str | None]:
    """Who calls, whichever provider says so."""
    return {"kind": ctx.principal_type, "subject": ctx.subject, "tenant": ctx.tenant_id}


@app.get("/orders")
def orders(
    ctx: Annotated[AuthContext, Depends(bearer.require(scope("orders.read") | any_role("Orders.Admin")))],
) -> list[str]:
    """For customers with the permission, and for employees with the app role."""
    return [f"an order of {ctx.tenant_id}"]


@app.post("/releases", status_code=201)
def release(ctx: Annotated[AuthContext, Depends(bearer.require(principal("service")))]) -> dict[str, object]:
    """For pipelines alone: a person never deploys by hand."""
    return {"by": ctx.claims["repository"], "run": ctx.claims.get("run_id")}
