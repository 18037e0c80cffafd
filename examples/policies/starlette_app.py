"""Envoi in Starlette: `uvicorn starlette_app:app`."""

from __future__ import annotations

from envoi import auth
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bearerkit import can
from bearerkit.starlette import RequireBearer, auth_from

bearer = RequireBearer(auth)


@bearer.require(can("envoi.template.send", "pcft:envoi:template/{template_id}"))
async def send(request: Request) -> JSONResponse:
    """Send mail made from a template."""
    return JSONResponse({"sent": request.path_params["template_id"], "by": auth_from(request).subject})


app = Starlette(routes=[Route("/templates/{template_id}/send", send, methods=["POST"])])
