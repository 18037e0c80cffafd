"""An orders API in Flask that is closed by default: a factory, blueprints, and a data layer that knows who is calling.

Run it beside an issuer (here the one that comes with bearerkit):

    bearerkit dev-issuer --audience orders-api
    flask --app app run --port 8000        # in this folder
"""

from __future__ import annotations

import os
from typing import Any

from flask import Blueprint, Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView

from bearerkit import Auth, Issuer, role, scope, tenant
from bearerkit.flask import BearerMiddleware, RequireBearer, current_auth

closed = BearerMiddleware(exempt=["/health"])
bearer = RequireBearer()
in_tenant = tenant(path="tenant_id")

service = Blueprint("service", __name__)
orders = Blueprint("orders", __name__, url_prefix="/tenants/<tenant_id>")


class OrderBook:
    """The data layer. It is handed no request, and still nobody can read the orders of another tenant by mistake."""

    def __init__(self) -> None:
        self._orders: dict[str | None, list[dict[str, Any]]] = {"acme": [{"item": "anvil", "by": "seed"}]}

    def mine(self) -> list[dict[str, Any]]:
        """The orders of the caller's tenant."""
        return self._orders.setdefault(current_auth.tenant_id, [])

    def place(self, item: str) -> dict[str, Any]:
        """Note who ordered what."""
        order = {"item": item, "by": current_auth.subject}
        self.mine().append(order)
        return order

    def tenants(self) -> list[str]:
        """For administrators."""
        return sorted(str(tenant_id) for tenant_id in self._orders)


book = OrderBook()


@service.get("/health")
def health() -> str:
    """Exempt: for load balancers, which have no token."""
    return "ok"


@service.get("/me")
def me() -> ResponseReturnValue:
    """Any valid token; `closed` saw to it."""
    return {"subject": current_auth.subject, "tenant": current_auth.tenant_id}


@service.get("/tenants")
@bearer.require(role("admin"))
async def tenants() -> ResponseReturnValue:
    """A need of its own, on an async view."""
    return jsonify(book.tenants())


class Orders(MethodView):
    """Each method has a need of its own, and both are for the caller's tenant only."""

    @bearer.require(scope("orders:read") & in_tenant)
    def get(self, tenant_id: str) -> ResponseReturnValue:
        return jsonify(book.mine())

    @bearer.require(scope("orders:write") & in_tenant)
    def post(self, tenant_id: str) -> ResponseReturnValue:
        return jsonify(book.place(request.get_json()["item"])), 201


orders.add_url_rule("/orders", view_func=Orders.as_view("orders"))


def create_app(auth: Auth | None = None) -> Flask:
    """One application; a test may bring an `Auth` of its own."""
    app = Flask(__name__)
    app.config["BEARERKIT_AUTH"] = auth or Auth(
        Issuer(os.environ.get("ORDERS_ISSUER", "http://127.0.0.1:9400"), audience="orders-api")
    )
    closed.init_app(app)
    bearer.init_app(app)
    app.register_blueprint(service)
    app.register_blueprint(orders)
    return app
