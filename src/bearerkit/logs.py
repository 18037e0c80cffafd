"""The logging filter that takes credentials out of records, whatever part of a record they are in.

Which text is a credential is decided in redaction/; here: which texts a record is made of. A record is never
dropped, nothing that a caller passed to a logger is changed in place, and whatever goes wrong, the text that could not
be searched is not let out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import Any, Final

from bearerkit.redaction import MARK, credential_names, known_name, redacted, redacted_field

__all__ = ["RedactTokens"]

_WITHHELD: Final = "[redacted: this record could not be searched for credentials]"
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "taskName"}
"""Attributes that every record has; others came with `extra=`, or were left by a formatter."""
_HARMLESS: Final = (int, float, complex, type(None))
_DEPTH: Final = 8
"""How deep containers are searched piece by piece. Below, they are searched as they would be written."""
_SMALL: Final = 1000
"""Numbers below are no credentials: the status of an answer."""
_LONG_WORD: Final = re.compile(r"(?=[\w-]*[0-9])[\w-]{8,}", re.ASCII)
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
        if not record.args:
            clean = self._text(template)
            if clean != template:
                record.msg = clean
            return
        args = self._value(record.args, pairs=False)
        message = _joined(template, record.args)
        if message is None:  # an argument that cannot be shown, in the place of which something can
            message = _joined(template, args)
        if message is None:  # a mistake in the call, which logging would print with all arguments
            record.msg, record.args = self._text(f"{template} {args!r}"), None
            return
        goal = self._text(message)
        if goal != message or args is not record.args:
            record.msg, record.args = self._cleaned(template, record.args, args, goal)

    def _cleaned(self, template: str, old: Any, args: Any, goal: str) -> tuple[str, Any]:
        """A template and arguments that together show nothing but what `goal` does, which is the message redacted.

        What makes a credential may stand in the template or in another argument ("token=%s"). If possible, the
        arguments keep their shape: the formatter of uvicorn's access log takes five, or fails and loses the line.
        """
        clean = self._text(template)
        trials = [(template, args), (clean, args)]
        texts: list[int] = []
        if isinstance(args, tuple):
            texts += [index for index, arg in enumerate(args) if not isinstance(arg, _HARMLESS)]
            fitting = args
            for index in texts:  # first those that the message lacks from end to end
                trial = _replaced(fitting, index)
                if self._text(_joined(template, trial) or "") == goal:
                    fitting = trial
            trials += [(template, fitting), *((template, _replaced(args, index)) for index in texts)]
        for trial in trials:
            joined = _joined(*trial)
            if joined is not None and _shows_no_more(joined, goal):
                return trial
        if isinstance(args, tuple) and clean == template and _LONG_WORD.search(template) is None:
            # An argument made a credential of the template itself: GET /x?cookie:a= HTTP/1.1. No client may hide a
            # request so. The template is the program's own, and of the arguments only what `goal` shows is shown.
            args = _replaced(args, *(index for index in texts if not _is_shown(str(args[index]), goal)))
            if all(abs(arg) < _SMALL for arg in args if isinstance(arg, (int, float, complex))):
                return template, args
        joined = self._text(_joined(template, args) or "")
        if args is not old and not _shows_no_more(joined, goal):
            return clean, None
        return (goal if args is old else joined), None

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
                names = [name] * len(value)
                if pairs and isinstance(value, tuple) and len(value) == 2 and known_name(_name(value[0]), self._names):
                    names = ["", "" if known_name(_name(value[1]), self._names) else _name(value[0])]
                parts = [
                    self._value(part, name, depth=depth + 1, objects=objects)
                    for part, name in zip(value, names, strict=True)
                ]
                if all(part is old for part, old in zip(parts, value, strict=True)):
                    return value
                return _like(value, parts)
        return self._shown(value) if objects or depth >= _DEPTH else value

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


def _shows_no_more(text: str, goal: str) -> bool:
    """True if all that `text` has beside the marks stands in `goal` too, in this order."""
    at = 0
    for piece in text.split(MARK):
        found = goal.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _is_shown(text: str, goal: str) -> bool:
    return all(piece in goal for piece in text.split(MARK))


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
