"""The mixin for class-based views, sync and async."""

from __future__ import annotations

from typing import Any

from bearerkit.django.guard import RequireBearer
from bearerkit.guards import Requirement, checked_need

__all__ = ["BearerRequiredMixin"]


class BearerRequiredMixin:
    """Guards a class-based view, every method of it: `class Orders(BearerRequiredMixin, View)`, first in the row.

    `need` is what callers must meet; None: any valid credential. `bearer` is the guard; by default the one of the
    settings. Raises ConfigError for what is no need, TypeError for what is no guard, when the class is made.
    """

    bearer: RequireBearer = RequireBearer()
    need: Requirement | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.need is not None:
            checked_need(cls.need)
        if not isinstance(cls.bearer, RequireBearer):
            raise TypeError(f"{cls.__name__}.bearer is no RequireBearer")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The guarded view function; `need` and `bearer` may be given here as well."""
        need, bearer = initkwargs.get("need", cls.need), initkwargs.get("bearer", cls.bearer)
        return bearer.guard(super().as_view(**initkwargs), None if need is None else checked_need(need))  # type: ignore[misc]
