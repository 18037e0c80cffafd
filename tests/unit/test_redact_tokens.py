"""`RedactTokens` on records of every make: the message, its arguments, tracebacks, what came with `extra=`."""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import Any

import pytest

from bearerkit import ConfigError, RedactTokens

SECRET = "S3cr3tT0kenValue42"
URL = f"/x?access_token={SECRET}&page=2"


def record(message: Any, *args: Any, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("app", logging.INFO, __file__, 1, message, args, None)
    vars(made).update(extra)
    return made


def filtered(made: logging.LogRecord, names: tuple[str, ...] = ()) -> logging.LogRecord:
    assert RedactTokens(names).filter(made) is True
    return made


def test_the_message_and_its_arguments():
    """The line stays readable."""
    assert filtered(record(f"asked {URL}")).getMessage() == "asked /x?access_token=[redacted]&page=2"
    assert filtered(record("asked %s", URL)).getMessage() == "asked /x?access_token=[redacted]&page=2"
    assert filtered(record("asked %(url)s", {"url": URL})).getMessage() == "asked /x?access_token=[redacted]&page=2"
    assert filtered(record("Authorization: %s", f"Bearer {SECRET}")).getMessage() == "Authorization: Bearer [redacted]"


def test_a_credential_that_only_the_joined_message_shows():
    """`token=%s` and a value that is nothing by itself."""
    for template in ("access_token=%s", "Authorization: Bearer %s", "{'access_token': '%s'}"):
        assert SECRET not in filtered(record(template, SECRET)).getMessage()
    assert SECRET not in filtered(record("%s=%s", "access_token", SECRET)).getMessage()


def test_the_arguments_keep_their_shape():
    """uvicorn's formatter unpacks five of them, gunicorn's arguments are a mapping with a look of its own."""
    made = filtered(record('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", URL, "1.1", 200))
    assert made.args == ("127.0.0.1:1", "GET", "/x?access_token=[redacted]&page=2", "1.1", 200)

    class Atoms(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return super().__getitem__(key) if key in self else "-"

    made = filtered(record("%(r)s %(s)s %(missing)s", Atoms(r=f"GET {URL}", s="200")))
    assert made.getMessage() == "GET /x?access_token=[redacted]&page=2 200 -"


def test_arguments_of_other_kinds():
    """Bytes, containers, objects by what they look like; numbers and harmless objects stay what they are."""

    class Request:
        def __repr__(self) -> str:
            return f"<Request {URL}>"

    harmless = object()
    made = filtered(record("%s %s %s %s", Request(), [URL.encode()], {"password": SECRET}, harmless))
    assert SECRET not in made.getMessage()
    assert made.args[3] is harmless  # type: ignore[index]
    assert filtered(record("%d %s", 7, None)).args == (7, None)
    passed = {"authorization": f"Bearer {SECRET}"}
    assert SECRET not in filtered(record("%r", [passed])).getMessage()
    assert passed == {"authorization": f"Bearer {SECRET}"}, "what the caller passed is his"


def test_tracebacks():
    """A credential in an exception's text is taken out; a harmless traceback is left to the formatter."""
    try:
        raise ValueError(f"cannot read Bearer {SECRET}")
    except ValueError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    made = filtered(made)
    assert made.exc_info is None
    assert made.exc_text is not None
    assert SECRET not in logging.Formatter().format(made)
    assert "ValueError: cannot read Bearer [redacted]" in made.exc_text
    try:
        raise ValueError("harmless")
    except ValueError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    assert filtered(made).exc_info is not None


def test_what_came_beside_the_message():
    """`extra=`, and the stack."""
    made = record("asked", url=URL, headers={"authorization": f"Bearer {SECRET}"}, count=7, stack_info=f"in {URL}")
    made = filtered(made)
    assert SECRET not in repr(vars(made))
    assert made.count == 7  # type: ignore[attr-defined]


def test_a_harmless_record_is_left_alone():
    """Not even its arguments are copied."""
    args = ("GET", "/orders", {"page": 2})
    made = filtered(record("%s %s %s", *args))
    assert made.args is not None
    assert all(one is other for one, other in zip(made.args, args, strict=True))


def test_a_record_that_cannot_be_searched_is_not_let_out(monkeypatch: pytest.MonkeyPatch):
    """The line appears, without what it said."""

    def broken(*_: Any) -> str:
        raise RecursionError

    monkeypatch.setattr("bearerkit.logs.redacted", broken)
    made = filtered(record("asked %s", URL, url=URL))
    assert SECRET not in repr(vars(made))
    assert "could not be searched" in made.getMessage()


def test_a_mistake_in_the_call_shows_no_credential():
    """logging prints the arguments of a message that does not fit them."""
    assert SECRET not in filtered(record("no place for it", URL)).getMessage()
    assert SECRET not in filtered(record("%d", URL)).getMessage()


def test_an_object_that_cannot_be_shown():
    """It is named by its type."""

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(SECRET)

    assert filtered(record("%s", Broken())).getMessage() == "<Broken that cannot be shown>"


def test_names_of_a_team():
    """Further headers and parameters; what is no name is a ConfigError."""
    assert SECRET not in filtered(record(f"X-Internal-Token: {SECRET}"), ("x-internal-token",)).getMessage()
    for names in ("x-token", [""], ["a b"], [b"x"]):
        with pytest.raises(ConfigError, match="name"):
            RedactTokens(names)  # type: ignore[arg-type]


def test_it_is_installed_on_handlers_once():
    """On those that are given, else on all that loggers have by now."""
    logger = logging.getLogger("test.redact_tokens")
    one, two = logging.NullHandler(), logging.NullHandler()
    logger.addHandler(two)
    try:
        RedactTokens().install(one)
        assert len(one.filters) == 1
        for _ in range(2):
            RedactTokens().install()
        assert len(two.filters) == 1
        RedactTokens(["x-more"]).install(two)
        assert len(two.filters) == 2
    finally:
        logger.removeHandler(two)
        for handler in logging.root.handlers + ([logging.lastResort] if logging.lastResort else []):
            for known in [known for known in handler.filters if isinstance(known, RedactTokens)]:
                handler.removeFilter(known)


def test_by_dict_config():
    """As Django, uvicorn and gunicorn take it."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"credentials": {"()": "bearerkit.RedactTokens", "names": ["x-internal-token"]}},
            "handlers": {"test": {"class": "logging.NullHandler", "filters": ["credentials"]}},
            "loggers": {"test.redact_tokens": {"handlers": ["test"]}},
        }
    )
    (handler,) = logging.getLogger("test.redact_tokens").handlers
    assert isinstance(handler.filters[0], RedactTokens)
    logging.getLogger("test.redact_tokens").handlers.clear()
