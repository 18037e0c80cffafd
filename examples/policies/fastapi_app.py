"""Envoi in FastAPI: `uvicorn fastapi_app:app`."""

from __future__ import annotations

from typing import Annotated

from envoi import auth
from fastapi import Depends, FastAPI

from bearerkit import AuthContext, can
from bearerkit.fastapi import RequireBearer

bearer = RequireBearer(auth)
app = FastAPI(title="Envoi")
Sender = Annotated[
    AuthContext, Depends(bearer.require(can("envoi.template.send", "pcft:envoi:template/{template_id}")))
]


@app.post("/templates/{template_id}/send")
async def send(template_id: str, ctx: Sender) -> dict[str, str | None]:
    """Send mail made from a template."""
    return {"sent": template_id, "by": ctx.subject}
