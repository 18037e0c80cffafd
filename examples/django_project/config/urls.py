"""The routes."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from orders import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("health", views.health),
    path("me", views.me),
    path("tenants/<tenant_id>/orders", views.Orders.as_view()),
    path("tenants/<tenant_id>/report", views.report),
]
