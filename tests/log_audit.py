"""A pytest plugin that searches what the suite logs and raises for token and key material.

Every log record of the process is read when it is handed on (of bearerkit's own loggers, whatever the level), with its
arguments, extra fields and traceback; every `BearerkitError` is read when its test ends, with all it is chained to.
A find fails the test. One that logs a token on purpose says so: `@pytest.mark.logs_tokens("why")`. Nothing here may
swallow or change a record.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any, Final

import pytest

from bearerkit import errors
from bearerkit.jose.base64url import encode
from bearerkit.testing import SigningKey

TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
PRIVATE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|[\"'](?:d|p|q|dp|dq|qi|k)[\"']: *b?[\"'][A-Za-z0-9_+/=-]{20,}"
)
API_KEY: Final = re.compile(r"[a-z0-9]_[0-9a-hjkmnp-tv-z]{16}_[0-9a-hjkmnp-tv-z]{20,}")
RUN: Final = re.compile(r"[A-Za-z0-9_-]{20,}")
PIECE: Final = 20
"""So many characters of a signature are enough to be a find."""
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({})))


class Audit:
    """What was read and found, in all and for the running test."""

    def __init__(self) -> None:
        self.records = self.exceptions = self.leaks = 0
        self.signatures: set[str] = set()
        self.errors: list[errors.BearerkitError] = []
        self.found: list[str] = []

    def read(self, text: str, where: str) -> None:
        """Note what in a text is a token, a piece of one, or a private key."""
        for pattern, what in ((TOKEN, "a token"), (PRIVATE, "a private key"), (API_KEY, "an API key")):
            if pattern.search(text):
                self.found.append(f"{what} in {where}: {text[:300]!r}")
        if self.signatures and any(self._is_of_a_signature(run) for run in RUN.findall(text)):
            self.found.append(f"a piece of a signature in {where}: {text[:300]!r}")

    def _is_of_a_signature(self, run: str) -> bool:
        return any(run in signature or signature[:PIECE] in run for signature in self.signatures)

    def end_of_test(self) -> list[str]:
        """What was found since the last test."""
        for error in self.errors:
            for link in chain(error):
                self.exceptions += 1
                self.read(f"{link!r} {link} {' '.join(getattr(link, '__notes__', ()))}", f"a {type(link).__name__}")
        found = list(dict.fromkeys(self.found))
        self.errors.clear()
        self.found.clear()
        self.signatures.clear()
        return found


AUDIT = Audit()


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it came from."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, link.__context__]


def text_of(record: logging.LogRecord) -> str:
    """All that a handler could write of a record."""
    try:
        message = record.getMessage()
    except Exception:  # the test's own mistake, which logging itself reports
        message = f"{record.msg!r} {record.args!r}"
    further = [repr(value) for name, value in vars(record).items() if name not in _PLAIN]
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info and record.exc_info[1] else ""
    return " ".join([message, *further, trace])


def pytest_configure(config: pytest.Config) -> None:
    """Read records, errors and minted tokens from now on."""
    handle, make_error, mint = logging.Logger.handle, errors.BearerkitError.__init__, SigningKey.sign

    def read_and_handle(self: logging.Logger, record: logging.LogRecord) -> None:
        AUDIT.records += 1
        AUDIT.read(text_of(record), f"the log {record.name!r}")
        handle(self, record)

    def init(self: errors.BearerkitError, *args: Any, **kwargs: Any) -> None:
        make_error(self, *args, **kwargs)
        AUDIT.errors.append(self)

    def sign(self: SigningKey, *args: Any, **kwargs: Any) -> bytes:
        signature = mint(self, *args, **kwargs)
        if len(signature) >= PIECE:
            AUDIT.signatures.add(encode(signature))
        return signature

    logging.Logger.handle = read_and_handle  # type: ignore[method-assign]
    logging.getLogger("bearerkit").setLevel(logging.DEBUG)  # a record that is not made cannot be read
    errors.BearerkitError.__init__ = init  # type: ignore[method-assign]
    SigningKey.sign = sign  # type: ignore[method-assign]
    config.addinivalue_line("markers", "logs_tokens(reason): this test logs or raises token material on purpose")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Fail a test whose records or errors held something."""
    report = yield
    if call.when == "teardown":
        found = AUDIT.end_of_test()
        if found and item.get_closest_marker("logs_tokens") is None:
            AUDIT.leaks += len(found)
            report.outcome = "failed"
            report.longrepr = "log audit: " + "\n".join(found)
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much was read."""
    terminalreporter.write_line(
        f"log audit: {AUDIT.records} records and {AUDIT.exceptions} exceptions searched, {AUDIT.leaks} leaks"
    )
