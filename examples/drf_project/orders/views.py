"""API views: a function, a class, and a view set with a need of each action's own."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from bearerkit import scope, tenant
from bearerkit.drf import RequireBearer

bearer = RequireBearer()  # with the Auth of the settings
in_tenant = tenant(path="tenant_id")

orders_of: dict[str, list[dict[str, Any]]] = {"acme": [{"number": 1, "item": "anvil"}]}
"""Orders by tenant; a real service has a model here."""


class OrderSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What callers see of an order."""

    number = serializers.IntegerField()
    item = serializers.CharField()


@api_view(["GET"])
@permission_classes([AllowAny])
def health(request: Request) -> Response:
    """Open to everybody."""
    return Response("ok")


class Me(APIView):
    """Any valid token: the default permission asks for it."""

    serializer_class = None

    def get(self, request: Request) -> Response:
        """Who is calling."""
        return Response({"subject": request.auth.subject, "user": str(request.user)})


class OrderViewSet(ViewSet):
    """Members read the orders of their tenant; placing one needs another scope."""

    serializer_class = OrderSerializer

    def get_permissions(self) -> list[BasePermission]:
        """One need for reading, one for writing."""
        needed = scope("orders:write") if self.action == "create" else scope("orders:read")
        return [bearer.require(needed & in_tenant)()]

    def list(self, request: Request, tenant_id: str) -> Response:
        """The orders of the tenant."""
        return Response(orders_of.get(tenant_id, []))

    def create(self, request: Request, tenant_id: str) -> Response:
        """Place an order."""
        order = OrderSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        orders_of.setdefault(tenant_id, []).append(order.validated_data)
        return Response(order.validated_data, status=201)
