"""What a project says about bearerkit in its settings: `BEARERKIT_AUTH` and the options of guards without an `Auth`.

Settings are read and judged here and nowhere else: the system checks and the guards see the same problems. Nothing of
a request is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from bearerkit.auth import Auth
from bearerkit.django.users import check_loader
from bearerkit.errors import ConfigError
from bearerkit.exempt import ExemptPaths
from bearerkit.gate import Gate, check_options
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
_NEVER_DOTTED: Final = ("EXEMPT", "OPTIONAL")


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
    exempt = _taken("EXEMPT", "bearerkit.E004", problems, _as_exempt) or ExemptPaths()
    options: Any = {}
    for name in _OPTIONS:
        value = _taken(name, "bearerkit.E005", problems, partial(_as_option, name.lower()))
        if value is not None:
            options[name.lower()] = value
    door = None if problems else Door(Gate.of(auth, **options), need, exempt)
    return door, tuple(problems)


def _taken(name: str, check: str, problems: list[Problem], make: Callable[[Any], Any]) -> Any:
    """The value of a setting, imported if it is a dotted path; None if it is not set or cannot work."""
    value = getattr(settings, PREFIX + name, None)
    if value is None:
        return None
    try:
        # What is imported may be built there, and its mistakes are told like those of the settings themselves.
        return make(import_string(value) if isinstance(value, str) and name not in _NEVER_DOTTED else value)
    except ImportError as error:
        problems.append(Problem(check, f"{PREFIX}{name} = {value!r} cannot be imported: {error}"))
    except ConfigError as error:
        problems += [Problem(check, f"{PREFIX}{name}: {text}", error.hint) for text in error.problems]
    return None


def _as_auth(value: Any) -> Auth:
    if isinstance(value, Auth):
        return value
    if isinstance(value, Issuer | IssuerResolver):
        return Auth(value)
    raise ConfigError(f"{type(value).__name__} is neither an Auth nor an Issuer")


def _as_exempt(value: Any) -> ExemptPaths:
    if not isinstance(value, Iterable):
        raise ConfigError(f"{value!r} is no list of paths")
    return ExemptPaths(value)


def _as_option(name: str, value: Any) -> Any:
    check_options({name: value})
    if name == "user":
        check_loader(value)
    return value


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX):
        configured_door.cache_clear()


setting_changed.connect(_forget, dispatch_uid="bearerkit.settings")
