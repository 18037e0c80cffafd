"""The routes."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from orders import views
from rest_framework.routers import DefaultRouter

router = DefaultRouter(use_regex_path=False)
router.include_root_view = False
router.register("tenants/<tenant_id>/orders", views.OrderViewSet, basename="order")

urlpatterns = [
    path("health", views.health),
    path("me", views.Me.as_view()),
    path("", include(router.urls)),
    path("schema", SpectacularAPIView.as_view(authentication_classes=(), permission_classes=())),
]
