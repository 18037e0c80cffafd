"""What a project says about bearerkit in its settings: `BEARERKIT_AUTH` and the options of guards without an `Auth`.

Settings are read and judged here and nowhere else: the system checks and the guards see the same problems. Nothing of
a request is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from bearerkit.auth import Auth
from bearerkit.errors import ConfigError
from bearerkit.exempt import ExemptPaths
from bearerkit.gate import Gate
from bearerkit.guards import Requirement, checked_need
from bearerkit.issuer import Issuer
from bearerkit.spelling import nearest
from bearerkit.verify.resolver import IssuerResolver

__all__ = [
    "NOT_SET",
    "PREFIX",
    "Door",
    "Problem",
    "configured_door",
    "rely_on_settings",
    "relying",
    "settings_problems",
]

PREFIX: Final = "BEARERKIT_"
_OPTIONS: Final = ("OPTIONAL", "USER", "RENDER", "NOT_FOUND")
_KNOWN: Final = ("AUTH", "NEED", "EXEMPT", *_OPTIONS)


class Problem(NamedTuple):
    """What is wrong with a setting. `id` is that of the system check."""

    id: str
    text: str
    hint: str | None = None


NOT_SET: Final = Problem(
    "bearerkit.E001", "BEARERKIT_AUTH is not set", 'BEARERKIT_AUTH = "project.auth.auth" names an Auth.'
)


@dataclass(frozen=True, slots=True)
class Door:
    """What the settings come to: one gate, what every request needs behind it, and what passes without."""

    gate: Gate
    need: Requirement | None
    exempt: ExemptPaths


_relying: Final[dict[str, None]] = {}


def rely_on_settings(view: Callable[..., Any]) -> None:
    """Note a view whose guard has no `Auth` of its own."""
    _relying[f"{view.__module__}.{getattr(view, '__qualname__', view)}"] = None


def relying() -> tuple[str, ...]:
    """The views whose guards take their `Auth` from the settings."""
    return tuple(_relying)


@cache
def configured_door() -> Door:
    """The gate that the settings describe. Raises ConfigError listing every problem."""
    door, problems = _read()
    if door is None:
        raise ConfigError([problem.text for problem in problems])
    return door


def settings_problems() -> tuple[Problem, ...]:
    """Everything that is wrong with the settings."""
    return _read()[1]


def _read() -> tuple[Door | None, tuple[Problem, ...]]:
    problems = [
        Problem("bearerkit.E002", f"{name} is no setting{nearest(name, [PREFIX + known for known in _KNOWN])}")
        for name in dir(settings)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in _KNOWN
    ]
    auth = _taken("AUTH", "bearerkit.E001", problems, _as_auth)
    if getattr(settings, f"{PREFIX}AUTH", None) is None:
        problems.append(NOT_SET)
    need = _taken("NEED", "bearerkit.E003", problems, checked_need)
    exempt = _taken("EXEMPT", "bearerkit.E004", problems, ExemptPaths, is_dotted=False) or ExemptPaths()
    given = {name: _taken(name, "bearerkit.E005", problems, _unchanged) for name in _OPTIONS}
    options: Any = {name.lower(): value for name, value in given.items() if value is not None}
    gate = _taken_as_is("bearerkit.E005", problems, lambda: None if auth is None else Gate.of(auth, **options))
    door = None if problems or gate is None else Door(gate, need, exempt)
    return door, tuple(problems)


def _taken(
    name: str, check: str, problems: list[Problem], make: Callable[[Any], Any], *, is_dotted: bool = True
) -> Any:
    """The value of a setting, imported if it is a dotted path; None if it is not set or cannot work."""
    value = getattr(settings, PREFIX + name, None)
    if value is None:
        return None
    if is_dotted and isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            problems.append(Problem(check, f"{PREFIX}{name} = {value!r} cannot be imported: {error}"))
            return None
    return _taken_as_is(check, problems, lambda: make(value), f"{PREFIX}{name}: ")


def _taken_as_is(check: str, problems: list[Problem], make: Callable[[], Any], prefix: str = "") -> Any:
    try:
        return make()
    except ConfigError as error:
        problems += [Problem(check, prefix + text, error.hint) for text in error.problems]
        return None


def _as_auth(value: Any) -> Auth:
    if isinstance(value, Auth):
        return value
    if isinstance(value, Issuer | IssuerResolver):
        return Auth(value)
    raise ConfigError(f"{type(value).__name__} is neither an Auth nor an Issuer")


def _unchanged(value: Any) -> Any:
    return value


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX):
        configured_door.cache_clear()


setting_changed.connect(_forget, dispatch_uid="bearerkit.settings")
