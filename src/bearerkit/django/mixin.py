"""The mixin for class-based views, sync and async."""

from __future__ import annotations

from typing import Any

from django.views import View

from bearerkit.django.guard import RequireBearer
from bearerkit.guards import Requirement, checked_need

__all__ = ["BearerRequiredMixin"]


class BearerRequiredMixin:
    """Guards a class-based view, every method of it: `class Orders(BearerRequiredMixin, View)`, first in the row.

    `need` is what callers must meet; None: any valid credential. `bearer` is the guard; by default the one of the
    settings. Raises ConfigError for what is no need, TypeError for what is no guard and for a mixin that stands behind
    the view and would guard nothing, when the class is made.
    """

    bearer: RequireBearer = RequireBearer()
    need: Requirement | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.need is not None:
            checked_need(cls.need)
        _check_guard(cls.bearer, cls.__name__)
        row = cls.__mro__
        if View in row and row.index(View) < row.index(BearerRequiredMixin):
            raise TypeError(f"BearerRequiredMixin must come before the views that {cls.__name__} is derived from")

    @classmethod
    def as_view(cls, *, bearer: RequireBearer | None = None, need: Requirement | None = None, **initkwargs: Any) -> Any:
        """The guarded view function; `bearer` and `need` stand in for those of the class."""
        guard = cls.bearer if bearer is None else bearer
        _check_guard(guard, cls.__name__)
        needed = cls.need if need is None else checked_need(need)
        return guard.guard(super().as_view(**initkwargs), needed)  # type: ignore[misc]


def _check_guard(guard: object, name: str) -> None:
    if not isinstance(guard, RequireBearer):
        raise TypeError(f"the guard of {name} is no RequireBearer")
