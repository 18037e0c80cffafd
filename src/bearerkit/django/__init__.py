"""Guards for Django: views, class-based views and whole projects, sync and async, with Django's own users.

A translation between Django's objects and the core, nothing more: no status code, no challenge and no rule may appear
in this package. The settings that it reads stand in `settings.py`; `INSTALLED_APPS = [..., "bearerkit.django"]` adds
the system checks that look at them.
"""

from __future__ import annotations

try:
    import django as _django  # noqa: F401 - asked for here, so that its absence is told by our name
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.django needs Django: pip install "bearerkit[django]"', name=missing.name
    ) from None

from typing import TYPE_CHECKING, Any

from bearerkit.current_caller import current_auth
from bearerkit.django.guard import RequireBearer
from bearerkit.django.middleware import BearerMiddleware
from bearerkit.django.mixin import BearerRequiredMixin
from bearerkit.django.requests import auth_from
from bearerkit.django.users import model_user

if TYPE_CHECKING:
    from bearerkit.django.backend import BearerBackend

__all__ = [
    "BearerBackend",
    "BearerMiddleware",
    "BearerRequiredMixin",
    "RequireBearer",
    "auth_from",
    "current_auth",
    "model_user",
]


def __getattr__(name: str) -> Any:
    # Django's own backends, which ours is one of, cannot be imported before the models are loaded.
    if name != "BearerBackend":
        raise AttributeError(f"module 'bearerkit.django' has no attribute {name!r}")
    from bearerkit.django.backend import BearerBackend

    return BearerBackend
