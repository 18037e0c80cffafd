"""Small Flask applications and the header fields of their requests."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient


def sent(token: str | None = None, **fields: str) -> dict[str, str]:
    """Header fields with a bearer token; `X_Tenant="evil"` is another field."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return named if token is None else {"Authorization": f"Bearer {token}", **named}


def client_of(*views: Any, **options: Any) -> FlaskClient:
    """A client of an app that has these views under their names, or one view under `/`."""
    app = Flask("views", static_folder=None)
    app.testing = True
    for view in views:
        app.add_url_rule("/" if len(views) == 1 else f"/{view.__name__}", view.__name__, view, **options)
    return app.test_client()
