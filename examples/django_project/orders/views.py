"""Views: a function, an async function, and a class with a need of each method's own."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views import View

from bearerkit import scope, tenant
from bearerkit.django import BearerRequiredMixin, RequireBearer, auth_from, current_auth

bearer = RequireBearer()  # with the Auth and the options of the settings

orders_of: dict[str, list[dict[str, Any]]] = {"acme": [{"number": 1, "item": "anvil"}]}
"""Orders by tenant; a real service has a model here."""

in_tenant = tenant(path="tenant_id")


def health(request: HttpRequest) -> JsonResponse:
    """Open to everybody: its path is exempt."""
    return JsonResponse("ok", safe=False)


def me(request: HttpRequest) -> JsonResponse:
    """Any valid token: the middleware asked for it, and loaded the user."""
    return JsonResponse({"subject": auth_from(request).subject, "user": request.user.get_username()})


class Orders(BearerRequiredMixin, View):
    """Members read the orders of their tenant; who places one needs another scope as well."""

    need = scope("orders:read") & in_tenant

    def get(self, request: HttpRequest, tenant_id: str) -> JsonResponse:
        """The orders of the tenant."""
        return JsonResponse(orders_of.get(tenant_id, []), safe=False)

    @bearer.require(scope("orders:write"))
    def post(self, request: HttpRequest, tenant_id: str) -> JsonResponse:
        """Place an order. No CSRF token: no browser sends a bearer token by itself."""
        order = json.loads(request.body)
        orders_of.setdefault(tenant_id, []).append(order)
        return JsonResponse(order, status=201)


@bearer.require(scope("orders:read") & in_tenant)
async def report(request: HttpRequest, tenant_id: str) -> JsonResponse:
    """An async view; the caller without the request at hand."""
    return JsonResponse({"orders": len(orders_of.get(tenant_id, [])), "for": current_auth.subject})
