"""The demo itself: start the issuer and the API, send the walk's requests, compare, show, and stay if asked to.

The issuer's key, the service and the requests are real; nothing of the library is replaced.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from importlib import import_module, reload
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from bearerkit.demo.screen import Screen
from bearerkit.demo.service import listen, serving
from bearerkit.demo.walk import AUDIENCE, Step, steps, token
from bearerkit.errors import BearerkitError
from bearerkit.http import Response
from bearerkit.testing.issuer import FakeIssuer

__all__ = ["run"]

ISSUER_VARIABLE = "ORDERS_ISSUER"
"""What the service reads its issuer from."""
_PASTE_HOURS = 8
_TIMEOUT = 30.0


def run(*, port: int, once: bool) -> int:
    """Exit code 0, or 1 if an answer was not the expected one. Raises OSError if the port is taken."""
    screen = Screen()
    issuer = FakeIssuer(audience=AUDIENCE)
    with (
        closing(listen(port)) as listener,
        issuer.serve() as issuer_url,
        _operator_log() as log,
        serving(_app_for(issuer_url), listener) as api,
    ):
        screen.opening(issuer_url, api)
        wrong = total = 0
        for total, step in enumerate(steps(issuer), 1):
            answer = _get(api + step.path, step.token)
            records = log.take()
            screen.step(total, step, answer, [_told(record) for record in records])
            problems = _differences(step, answer, records)
            screen.unexpected(problems)
            wrong += bool(problems)
        screen.closing(total, wrong)
        if not once:
            now = int(issuer.now())
            with suppress(KeyboardInterrupt):
                screen.invitation(api, token(issuer, exp=now + _PASTE_HOURS * 3600), _PASTE_HOURS)
                Event().wait()
            screen.stopped()
    return 1 if wrong else 0


def _app_for(issuer_url: str) -> Any:
    """The service, configured as a deployment would configure it: through its environment."""
    with _variable(ISSUER_VARIABLE, issuer_url):
        loaded = sys.modules.get("bearerkit.demo.app")
        module = import_module("bearerkit.demo.app") if loaded is None else reload(loaded)
    return module.app


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """An environment variable while the block lasts; then it is as it was."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def _get(url: str, bearer: str | None) -> Response:
    where = urlsplit(url)
    connection = HTTPConnection(where.netloc, timeout=_TIMEOUT)
    try:
        connection.request("GET", where.path, headers={} if bearer is None else {"Authorization": f"Bearer {bearer}"})
        answer = connection.getresponse()
        return Response(answer.status, tuple(answer.getheaders()), answer.read())
    finally:
        connection.close()


def _differences(step: Step, answer: Response, records: list[logging.LogRecord]) -> list[str]:
    """What is not as the walk says, in words; [] is the good case."""
    challenge = answer.header("WWW-Authenticate")
    reason = next((refusal.reason for record in records if (refusal := _refusal_in(record)) is not None), None)
    problems = []
    if answer.status != step.status:
        problems.append(f"expected status {step.status}")
    if reason != step.reason:
        problems.append(f"expected reason {step.reason}, the log says {reason}")
    if step.status in (401, 403):
        expected = f'error="{step.error}"' if step.error else 'Bearer realm="api"'
        fits = challenge is not None and (expected in challenge if step.error else challenge == expected)
        if not fits:
            problems.append(f"expected a challenge with {expected}")
    elif challenge is not None:
        problems.append("expected no challenge")
    return problems


def _told(record: logging.LogRecord) -> str:
    return f"{record.levelname} {record.name}: {record.getMessage()}"


def _refusal_in(record: logging.LogRecord) -> BearerkitError | None:
    values = record.args if isinstance(record.args, tuple) else ()
    return next((value for value in values if isinstance(value, BearerkitError)), None)


class _Collector(logging.Handler):
    """Keeps what bearerkit logs, for the step that is being shown."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)

    def take(self) -> list[logging.LogRecord]:
        taken, self._records = self._records, []
        return taken


@contextmanager
def _operator_log() -> Iterator[_Collector]:
    logger, collector = logging.getLogger("bearerkit"), _Collector()
    before = logger.level, logger.propagate
    logger.addHandler(collector)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield collector
    finally:
        logger.removeHandler(collector)
        logger.level, logger.propagate = before
