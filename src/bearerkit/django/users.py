"""From a caller to a user of Django's own, for `user=`.

A user is looked up and never trusted from claims: rights such as `is_superuser` are those of the row in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, final
from weakref import WeakSet

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, ValidationError

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError

__all__ = ["CallerUser", "check_loader", "loader_problems", "model_user"]


def model_user(field: str | None = None, *, create: bool = False) -> Callable[[AuthContext], Any]:
    """A loader for `user=`: the user of the project's user model whose `field` is the caller's subject.

    `field` is the model's USERNAME_FIELD by default; it must be unique. With `create`, a subject that is new gets a
    user without a usable password. Subjects are unique within one issuer only: trust several issuers, and two people
    may be one user; write a loader that looks at `ctx.issuer` too. A caller without a subject has no user, and neither
    has one whose subject is spelled in another way, whatever the database takes for equal.

    A field that the model does not have, or that is not unique, is a ConfigError of the guard that gets the loader. If
    the models are not loaded yet, the system checks report it, and the loader raises it.
    """
    return _ModelUser(field, create)


def check_loader(loader: object) -> None:
    """Raise ConfigError for a loader that can be seen not to work."""
    if loader is model_user:
        raise ConfigError("user=model_user is not called: user=model_user()")
    if isinstance(loader, _ModelUser) and apps.models_ready:
        loader.check()


def loader_problems() -> Iterator[str]:
    """What is wrong with the loaders that `model_user` has made so far."""
    for loader in tuple(_made):
        try:
            loader.check()
        except ConfigError as error:
            yield from error.problems


@final
class _ModelUser:
    """What `model_user` returns."""

    def __init__(self, field: str | None, create: bool) -> None:
        self._field = field
        self._create = create
        _made.add(self)

    def __call__(self, context: AuthContext) -> Any:
        subject = context.subject
        model, field = self.check()
        if subject is None or not _fits(field, subject):
            return None
        users = model._default_manager
        found = users.filter(**{field.name: subject}).first()
        if found is None and self._create:
            names = {each.name for each in model._meta.get_fields()}
            defaults = {"password": make_password(None)} if "password" in names else {}
            found, _ = users.get_or_create(defaults, **{field.name: subject})
        return found if found is not None and _is_spelled(getattr(found, field.name), subject) else None

    def check(self) -> tuple[Any, Any]:
        """The user model and its field. Raises ConfigError if there is none that can serve."""
        try:
            model: Any = get_user_model()
        except ImproperlyConfigured as error:
            raise ConfigError(f"model_user(): {error}") from None
        name = self._field or model.USERNAME_FIELD
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            raise ConfigError(f"model_user({name!r}): {model._meta.label} has no such field") from None
        if not getattr(field, "unique", False) and not any(
            constraint.fields == (name,) for constraint in model._meta.total_unique_constraints
        ):
            raise ConfigError(f"model_user({name!r}): the field is not unique in {model._meta.label}")
        return model, field


_made: WeakSet[_ModelUser] = WeakSet()


def _fits(field: Any, subject: str) -> bool:
    """Whether the field can hold this text at all: numbers and UUIDs do not hold every text."""
    try:
        value = field.get_prep_value(subject)
    except (TypeError, ValueError, ValidationError):
        return False
    return not isinstance(value, str) or field.max_length is None or len(value) <= field.max_length


def _is_spelled(value: object, subject: str) -> bool:
    """Subjects are case-sensitive (RFC 7519 section 4.1.2), and "01" is not "1"; a collation may see it otherwise."""
    return not isinstance(value, str | int) or str(value) == subject


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
