"""From a caller to a user of Django's own, for `user=`.

A user is looked up and never trusted from claims: rights such as `is_superuser` are those of the row in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, final

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError

__all__ = ["CallerUser", "model_user"]


def model_user(field: str | None = None, *, create: bool = False) -> Callable[[AuthContext], Any]:
    """A loader for `user=`: the user of the project's user model whose `field` is the caller's subject.

    `field` is the model's USERNAME_FIELD by default; it must be unique. With `create`, a subject that is new gets a
    user without a usable password. Subjects are unique within one issuer only: trust several issuers, and two people
    may be one user; write a loader that looks at `ctx.issuer` too. A caller without a subject has no user.

    Raises ConfigError for a field that the model does not have, or that is not unique, when first used.
    """

    def load(context: AuthContext) -> Any:
        model = get_user_model()
        name: str = field or model.USERNAME_FIELD  # type: ignore[assignment]
        _check(model, name)
        if context.subject is None:
            return None
        users = model._default_manager
        found = users.filter(**{name: context.subject}).first()
        if found is None and create:
            found, new = users.get_or_create(None, **{name: context.subject})
            if new:
                found.set_unusable_password()
                found.save(update_fields=["password"])
        return found

    return load


def _check(model: Any, name: str) -> None:
    try:
        if model._meta.get_field(name).unique:
            return
        problem = "is not unique"
    except FieldDoesNotExist:
        problem = "does not exist"
    raise ConfigError(f"model_user({name!r}): the field {problem} in {model._meta.label}")


@final
@dataclass(frozen=True)
class CallerUser:
    """Stands in for a user where the project loads none: somebody, known by `context`, without any right of Django's.

    What the caller may do is asked of `context` and of needs. Its `pk` is the subject, which throttles count by.
    """

    context: AuthContext

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    @property
    def pk(self) -> str | None:
        """The subject; the client for a machine without one."""
        return self.context.subject or self.context.client_id

    id = pk

    @property
    def username(self) -> str:
        """The same as text."""
        return self.pk or ""

    def get_username(self) -> str:
        """The same as text."""
        return self.username

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Never: such rights are rows of a database."""
        return False

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """Never."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        """Never."""
        return False

    def __str__(self) -> str:
        return self.username
