"""Orders behind a server that gives apps opaque tokens and machines JWTs: one `Auth`, and handlers that need not know.

flask --app app run
"""

from __future__ import annotations

import os

from flask import Flask

from bearerkit import Auth, Introspection, Issuer, scope
from bearerkit.flask import RequireBearer, current_auth

ISSUER = os.environ.get("ORDERS_ISSUER", "https://id.example.com")

auth = Auth(
    Issuer(ISSUER, audience="orders-api"),
    Introspection(
        issuer=ISSUER,
        client_id="orders-api",
        client_secret=os.environ.get("ORDERS_SECRET", "only for a laptop"),
        audience="orders-api",
        cache_seconds=30,  # so long a revoked token may live on
    ),
)
bearer = RequireBearer(auth)
app = Flask(__name__)


@app.get("/me")
@bearer
def me() -> dict[str, str | None]:
    """Who calls, and with what."""
    return {"subject": current_auth.subject, "kind": current_auth.credential_kind}


@app.get("/orders")
@bearer.require(scope("orders:read"))
def orders() -> list[str]:
    """For whoever was granted the scope, whichever kind of token says so."""
    return [f"an order of {current_auth.tenant_id}"]


@app.post("/signed-out/<session>")
@bearer.require(scope("sessions:end"))
def signed_out(session: str) -> tuple[str, int]:
    """Called by the identity provider: what is remembered of a session is forgotten at once."""
    auth.forget(session_id=session)
    return "", 204
