"""The application that a project installs for the system checks; it has no models and no routes."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

__all__ = ["BearerkitConfig"]


class BearerkitConfig(AppConfig):
    """`INSTALLED_APPS = [..., "bearerkit.django"]`."""

    name = "bearerkit.django"
    label = "bearerkit"
    verbose_name = "bearerkit"

    def ready(self) -> None:
        """Register the checks, and describe our authentication to drf-spectacular where that is installed."""
        from bearerkit.django.system_checks import check_settings

        checks.register(check_settings, checks.Tags.security)
        if self.apps is not None and self.apps.is_installed("drf_spectacular"):
            import bearerkit.drf_spectacular  # noqa: F401 - registers itself
