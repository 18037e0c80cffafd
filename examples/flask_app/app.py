"""An orders API in Flask, made by a factory and closed by default: what needs no token is listed, everything else does.

Run it beside an issuer (here the one that comes with bearerkit):

    bearerkit dev-issuer --audience orders-api
    flask run --port 8000        # in this folder
"""

from __future__ import annotations

import os
from typing import Any

from flask import Blueprint, Flask, request
from flask.views import MethodView

from bearerkit import Auth, Issuer, role, scope, tenant
from bearerkit.flask import BearerMiddleware, RequireBearer, current_auth

bearer = RequireBearer()  # its Auth comes with the application
closed = BearerMiddleware(exempt=["/health"])
orders_of: dict[str | None, list[str]] = {"acme": ["anvil"]}


def rows() -> list[str]:
    """Far from the request: the data layer asks for the caller's tenant itself."""
    return orders_of.setdefault(current_auth.tenant_id, [])


api = Blueprint("api", __name__)
admin = Blueprint("admin", __name__, url_prefix="/admin")


@api.get("/health")
def health() -> str:
    """Exempt from the middleware."""
    return "ok"


@api.get("/me")
def me() -> dict[str, str | None]:
    """Any valid token: the middleware saw to it."""
    return {"subject": current_auth.subject}


class Orders(MethodView):
    """Each method has a need of its own."""

    @bearer.require(scope("orders:read"))
    def get(self) -> list[str]:
        """The orders of the caller's tenant."""
        return rows()

    @bearer.require(scope("orders:write"))
    def post(self) -> tuple[str, int]:
        """One more."""
        rows().append(request.get_data(as_text=True))
        return "", 201


api.add_url_rule("/orders", view_func=Orders.as_view("orders"))


@api.get("/tenants/<tenant_id>/report")
@bearer.require(scope("orders:read") & tenant(path="tenant_id"))
def report(tenant_id: str) -> dict[str, Any]:
    """The tenant in the path must be the caller's."""
    return {"tenant": tenant_id, "orders": len(rows())}


@admin.before_request
@bearer.require(role("admin"))
def only_admins() -> None:
    """Guards every view of the blueprint."""


@admin.get("/tenants")
def tenants() -> list[str]:
    """Who has orders."""
    return sorted(name for name in orders_of if name is not None)


def create_app(auth: Auth | None = None) -> Flask:
    """The application, with whom it trusts."""
    app = Flask(__name__)
    app.config["BEARERKIT_AUTH"] = auth or Auth(
        Issuer(os.environ.get("ORDERS_ISSUER", "http://127.0.0.1:9400"), audience="orders-api")
    )
    closed.init_app(app)
    bearer.init_app(app)
    app.register_blueprint(api)
    app.register_blueprint(admin)
    return app
