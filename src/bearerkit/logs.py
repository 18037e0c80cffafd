"""The logging filter that takes credentials out of records, whatever part of a record they are in.

Which text is a credential is decided in redaction.py; here: which texts a record is made of. A record is never
dropped, nothing that a caller passed to a logger is changed in place, and whatever goes wrong, the text that could not
be searched is not let out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import Any, Final

from bearerkit.credential_names import credential_names
from bearerkit.redaction import MARK, redacted, redacted_field

__all__ = ["RedactTokens"]

_WITHHELD: Final = "[redacted: this record could not be searched for credentials]"
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "taskName"}
"""Attributes that every record has; others came with `extra=`, or were left by a formatter."""
_HARMLESS: Final = (int, float, complex, type(None))
_DEPTH: Final = 8
"""How deep containers are searched piece by piece. Below, they are searched as they would be written."""
_FORMATTER: Final = logging.Formatter()


class RedactTokens(logging.Filter):
    """A filter for handlers that replaces every credential in a record by `[redacted]`.

    It searches the message, its arguments, the traceback, the stack and what came with `extra=`; docs/logging.md says
    which spellings it knows. `names` are further headers and parameters that hold credentials: `("x-internal-token",)`.
    Raises ConfigError for what is no name. In a `dictConfig` it is `{"()": "bearerkit.RedactTokens"}`.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__()
        self._names = credential_names(names)

    def install(self, *handlers: logging.Handler) -> None:
        """Add this filter to `handlers`, or, without any, to every handler that any logger has by now.

        A handler that has such a filter already is left as it is. A filter on a logger would not see the records of
        the loggers below it, so it belongs on handlers.
        """
        for handler in handlers or _handlers():
            if not any(isinstance(known, RedactTokens) and known._names >= self._names for known in handler.filters):
                handler.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """True, always. The record is changed where it holds a credential, and only there."""
        try:
            self._clean_message(record)
            self._clean_exception(record)
            self._clean_extras(record)
        except Exception:
            # RecursionError, an object that cannot be shown, a mistake of ours: not even the reason may be let out.
            _withhold(record)
        return True

    def _clean_message(self, record: logging.LogRecord) -> None:
        template = str(record.msg)
        clean = self._text(template)
        if not record.args:
            if clean != template:
                record.msg = clean
            return
        args = self._value(record.args, pairs=False)
        message = _joined(clean, args)
        if message is None:  # a place for an argument was part of a credential
            clean, message = template, _joined(template, args)
        if message is None:  # a mistake in the call, which logging would print with all arguments
            record.msg, record.args = self._text(f"{template} {args!r}"), None
            return
        goal = self._text(message)
        if goal != message:
            # It became a credential only when it was joined: "token=%s".
            args = self._without_joined(clean, args, goal)
        if args is None:
            record.msg, record.args = goal, None
            return
        if clean != template:
            record.msg = clean
        record.args = args

    def _without_joined(self, template: str, args: Any, goal: str) -> Any:
        """Arguments of the same shape that make no credential with `template`, None if there are none.

        Formatters count on the shape: that of uvicorn's access log takes five arguments, or fails and loses the line.
        """
        if not isinstance(args, tuple):
            return None
        texts = [index for index, arg in enumerate(args) if not isinstance(arg, _HARMLESS)]
        fitting = args
        for index in texts:  # those that are redacted from end to end in the message
            trial = _replaced(fitting, index)
            joined = _joined(template, trial)
            if joined is not None and self._text(joined) == goal:
                fitting = trial
        trials = [fitting, *(_replaced(args, index) for index in texts), _replaced(args, *texts)]
        for trial in trials:
            joined = _joined(template, trial)
            if joined is not None and self._text(joined) == joined:
                return trial
        return None

    def _clean_exception(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            text = _FORMATTER.formatException(record.exc_info)
            clean = self._text(text)
            if clean != text:
                record.exc_text, record.exc_info = clean, None
        if record.exc_text:
            record.exc_text = self._text(record.exc_text)
        if record.stack_info:
            record.stack_info = self._text(record.stack_info)

    def _clean_extras(self, record: logging.LogRecord) -> None:
        attributes = vars(record)
        for name in [name for name in attributes if name not in _STANDARD]:
            value = attributes[name]
            clean = self._value(value, name, objects=False)
            if clean is not value:
                attributes[name] = clean

    def _text(self, text: str) -> str:
        return redacted(text, self._names)

    def _value(self, value: Any, name: str = "", *, depth: int = 0, objects: bool = True, pairs: bool = True) -> Any:
        """`value` itself if it shows no credential, else something of the same shape that shows none.

        `name` is what it stands under, `objects` says whether other objects are judged by what they look like when
        they are written, and `pairs` whether a tuple of two may be a name and its value.
        """
        if isinstance(value, _HARMLESS):
            return value
        if isinstance(value, str):
            text = str(value)
            clean = redacted_field(name, text, self._names)
            return value if clean == text else clean
        if isinstance(value, (bytes, bytearray)):
            text = value.decode("latin-1")
            clean = redacted_field(name, text, self._names)
            return value if clean == text else type(value)(clean.encode("latin-1"))
        if depth < _DEPTH:
            if isinstance(value, Mapping):
                return self._mapping(value, depth=depth + 1, objects=objects)
            if isinstance(value, (list, tuple, set, frozenset)):
                name = _name(value[0]) if pairs and isinstance(value, tuple) and len(value) == 2 else name
                parts = [self._value(part, name, depth=depth + 1, objects=objects) for part in value]
                if all(part is old for part, old in zip(parts, value, strict=True)):
                    return value
                return _like(value, parts)
        elif isinstance(value, (Mapping, list, tuple, set, frozenset)):
            objects = True
        return self._shown(value) if objects else value

    def _mapping(self, value: Mapping[Any, Any], *, depth: int, objects: bool) -> Any:
        parts = {
            self._value(key, depth=depth): self._value(part, _name(key), depth=depth, objects=objects)
            for key, part in value.items()
        }
        if all(key in value and part is value[key] for key, part in parts.items()):
            # One that keeps several values under a key shows them only when it is written.
            return value if type(value).items is dict.items else self._shown(value)
        return _like(value, parts)

    def _shown(self, value: Any) -> Any:
        try:
            text, shown = str(value), repr(value)
        except Exception:
            return f"<{type(value).__name__} that cannot be shown>"
        clean = _Shown(self._text(text))
        clean.shown = self._text(shown)
        return value if (clean, clean.shown) == (text, shown) else clean


class _Shown(str):
    """What an object looks like without its credentials, for `%s` and `%r`."""

    shown: str

    def __repr__(self) -> str:
        return self.shown


def _name(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def _like(value: Any, parts: Any) -> Any:
    """The parts as something that behaves as `value`, which keeps its own."""
    if isinstance(value, dict):
        try:
            made = copy(value)
            if made is not value:
                made.clear()
                for key, part in parts.items():
                    made[key] = part
                return made
        except Exception:  # noqa: S110 - a class of somebody's own that is not to be copied or changed
            pass
        return parts
    if isinstance(value, Mapping):
        return parts
    if hasattr(value, "_make"):
        return value._make(parts)
    return next(kind for kind in (list, tuple, set, frozenset) if isinstance(value, kind))(parts)


def _replaced(args: tuple[Any, ...], *indexes: int) -> tuple[Any, ...]:
    return tuple(MARK if index in indexes else arg for index, arg in enumerate(args))


def _joined(template: str, args: Any) -> str | None:
    try:
        return str(template % args)
    except Exception:
        return None


def _handlers() -> Iterator[logging.Handler]:
    for logger in (logging.root, *list(logging.root.manager.loggerDict.values())):
        if isinstance(logger, logging.Logger):
            yield from list(logger.handlers)
    if logging.lastResort is not None:
        yield logging.lastResort


def _withhold(record: logging.LogRecord) -> None:
    record.msg, record.args = _WITHHELD, None
    record.exc_info = record.exc_text = record.stack_info = None
    attributes = vars(record)
    for name, value in list(attributes.items()):
        if name not in _STANDARD and not isinstance(value, _HARMLESS):
            attributes[name] = MARK
