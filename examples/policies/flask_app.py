"""Envoi in Flask: `flask --app flask_app run`."""

from __future__ import annotations

from envoi import auth
from flask import Flask

from bearerkit import can
from bearerkit.flask import RequireBearer, current_auth

bearer, app = RequireBearer(auth), Flask(__name__)


@app.post("/templates/<template_id>/send")
@bearer.require(can("envoi.template.send", "pcft:envoi:template/{template_id}"))
def send(template_id: str) -> dict[str, str | None]:
    """Send mail made from a template."""
    return {"sent": template_id, "by": current_auth.subject}
