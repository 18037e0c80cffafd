"""`RedactTokens` with the formatters that count on the shape of a record, and on values that are hard to copy."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from gunicorn.glogging import SafeAtoms
from hypercorn.logging import AccessLogAtoms
from uvicorn.logging import AccessFormatter
from werkzeug.datastructures import Headers, MultiDict

from bearerkit import RedactTokens

SECRET = "S3cr3tT0kenValue42"
MARK = "[redacted]"
UVICORN = '%s - "%s %s HTTP/%s" %d'


def record(message: Any, *args: Any, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("app", logging.INFO, __file__, 1, message, args, None)
    vars(made).update(extra)
    return made


def filtered(made: logging.LogRecord, *names: str) -> logging.LogRecord:
    assert RedactTokens(names).filter(made) is True
    return made


def uvicorn_line(path: str) -> str:
    made = filtered(record(UVICORN, "127.0.0.1:5000", "GET", path, "1.1", 200))
    return AccessFormatter('%(client_addr)s - "%(request_line)s" %(status_code)s', use_colors=False).format(made)


@pytest.mark.parametrize(
    "path",
    [
        f"/x?access_token={SECRET}",
        f"/x?access_token='{SECRET}",
        f'/x?access_token="{SECRET}',
        f"/x;access_token='{SECRET}",
        f"/x?next=%22access_token%22:%22{SECRET}",
        f"/x?authorization:%20Digest%20a={SECRET},b=",
        f"/x?cookie:%20a={SECRET};",
        f"/x?Bearer%20{SECRET}",
        "/x?Bearer",
        "/x?access_token=",
        "/x?authorization:",
        "/x?'access_token':'",
        '/x?"access_token":"',
        "/x?cookie:a=",
        '/x?("authorization","',
        '/x?authorization:Digest%20x="',
    ],
)
def test_nobody_can_keep_a_request_out_of_uvicorns_access_log(path: str):
    """Whatever a client writes into the path, the line has address, method and status."""
    line = uvicorn_line(path)
    assert line.startswith('127.0.0.1:5000 - "GET ')
    assert line.endswith("200 OK")
    assert SECRET not in line


def atoms(**extra: Any) -> dict[str, Any]:
    return {"h": "127.0.0.1", "r": f"GET /x?access_token={SECRET} HTTP/1.1", "s": "200", "B": 2, **extra}


def test_gunicorns_arguments():
    """They keep their type, with a dash for what is missing, and headers are known by the names of the atoms."""
    given = SafeAtoms(atoms(**{"{x-api-key}i": "odd", "{http_cookie}e": "a=b", "{host}i": "x", "{set-cookie}o": "c=d"}))
    made = filtered(record('%(h)s "%(r)s" %(s)s %({x-api-key}i)s %({host}i)s %({missing}i)s %(B)d', given))
    assert made.getMessage() == f'127.0.0.1 "GET /x?access_token={MARK} HTTP/1.1" 200 {MARK} x - 2'
    assert isinstance(made.args, SafeAtoms)
    assert (made.args["{http_cookie}e"], made.args["{set-cookie}o"]) == (MARK, MARK)
    assert given["{x-api-key}i"] == "odd", "what the server passed is its own"


def test_gunicorns_arguments_where_the_format_makes_the_credential():
    """Then the message is joined; what its names alone give away stays hidden."""
    made = filtered(record("token=%(r)s key=%({x-api-key}i)s", SafeAtoms(atoms(r=SECRET, **{"{x-api-key}i": "odd"}))))
    assert made.getMessage() == f"token={MARK} key={MARK}"
    assert made.args is None


def test_hypercorns_arguments():
    """Their class takes what a copy cannot give, and is copied nevertheless."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/x",
        "query_string": f"access_token={SECRET}".encode(),
        "scheme": "http",
        "headers": [(b"authorization", f"Bearer {SECRET}".encode())],
    }
    given = AccessLogAtoms(scope, {"status": 200, "headers": []}, 0.1)  # type: ignore[arg-type]
    made = filtered(record('%(R)s %(s)s "%({authorization}i)s" %(missing)s', given))
    assert made.getMessage() == f'GET /x?access_token={MARK} ws 200 "Bearer {MARK}" -'


def test_a_credential_between_template_and_arguments_is_found_where_it_is_and_no_more_goes():
    """The first trial that shows nothing is taken: cleaned arguments, those that go as a whole, a joined message."""
    made = filtered(record("%s: token=%s, verifier=%s (%d)", "ada", SECRET, "abc", 7))
    assert (made.msg, made.args) == ("%s: token=%s, verifier=%s (%d)", ("ada", MARK, "abc", 7))
    made = filtered(record("code_verifier=%s&token=%s&user=%s", SECRET, SECRET, "ada"))
    assert made.args == (MARK, MARK, "ada")
    made = filtered(record(f"token={SECRET} user=%s", "ada"))
    assert (made.msg, made.args) == (f"token={MARK} user=%s", ("ada",))
    made = filtered(record("%s%s", "access_tok", f"en={SECRET}"))
    assert SECRET not in made.getMessage()
    made = filtered(record("access_token=%d", 1234567890))
    assert (made.getMessage(), made.args) == (f"access_token={MARK}", None)
    made = filtered(record("token=%(a)s %(b)d", {"a": SECRET, "b": 1}))
    assert (made.getMessage(), made.args) == (f"token={MARK} 1", None)


def test_where_two_contexts_meet_neither_is_shown():
    """A redacted argument may take away what gives another one away: then no argument is shown."""
    made = filtered(record("got %(token)s%(b)s", {"token": "access_token=", "b": SECRET}))
    assert (made.getMessage(), made.args) == ("got %(token)s%(b)s", None)
    made = filtered(record("%(a)s%(b)d", {"a": f"Bearer {SECRET} access_token=", "b": 1234567890}))
    assert made.getMessage() == f"Bearer {MARK} access_token={MARK}"


class Opaque:
    def __init__(self, text: str, shown: str = "<Opaque>") -> None:
        self.text, self.shown = text, shown

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.shown


def test_an_object_is_judged_by_both_of_its_looks():
    """`%s` and `%r` show it without what it must not show."""
    made = filtered(record("%s %r", *[Opaque(f"Bearer {SECRET}", f"<Opaque token='{SECRET}'>")] * 2))
    assert made.getMessage() == f"Bearer {MARK} <Opaque token='{MARK}'>"
    assert made.args is not None
    assert filtered(record(Opaque(f"token={SECRET}"))).getMessage() == f"token={MARK}"


class Uncopied(dict[str, Any]):
    def __copy__(self) -> Any:
        raise TypeError("not to be copied")


class Single(dict[str, Any]):
    def __copy__(self) -> Any:
        return self


class Fields(Mapping[str, str]):
    """A mapping that is no dict, and shows more than it gives."""

    def __init__(self, *items: tuple[str, str]) -> None:
        self.items_ = items

    def __getitem__(self, key: str) -> str:
        return next(value for name, value in self.items_ if name == key)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.items_))

    def __len__(self) -> int:
        return len(dict(self.items_))

    def __repr__(self) -> str:
        return f"Fields({self.items_})"


Pair = namedtuple("Pair", ["name", "token"])
NESTED: Any = f"Bearer {SECRET}"
for _ in range(20):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    "value",
    [
        {"authorization": f"Bearer {SECRET}"},
        {b"authorization": f"Bearer {SECRET}".encode()},
        {"authorization": [f"Bearer {SECRET}", SECRET]},
        {f"Bearer {SECRET}": 1},
        {1: {"x-api-key": SECRET}},
        [("authorization", SECRET), (b"x-api-key", SECRET.encode())],
        bytearray(f"token={SECRET}".encode()),
        {f"token={SECRET}"},
        frozenset({f"token={SECRET}"}),
        (1, [f"token={SECRET}"]),
        Pair("x", f"token={SECRET}"),
        OrderedDict(token=SECRET),
        Uncopied(token=SECRET),
        Single(token=SECRET),
        MappingProxyType({"token": SECRET}),
        MappingProxyType({"a": [SECRET], "b": Opaque("x")}) and Fields(("token", SECRET)),
        Fields(("x", "1"), ("x", f"token={SECRET}")),
        MultiDict([("x", "1"), ("x", f"token={SECRET}")]),
        Headers([("Authorization", f"Bearer {SECRET}")]) and dict(Headers([("Authorization", f"Bearer {SECRET}")])),
        NESTED,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown_without_its_credentials_and_itself_left_as_it_is(value: Any):
    """As an argument and as an extra attribute; what a caller passed is never changed."""
    before = repr(value)
    argument, extra = filtered(record("got %s", [value])), filtered(record("got", given=value))
    assert SECRET not in argument.getMessage()
    assert SECRET not in repr(extra.given)  # type: ignore[attr-defined]
    assert MARK in repr(extra.given)  # type: ignore[attr-defined]
    assert repr(value) == before


def test_a_copy_has_the_type_of_what_it_stands_for():
    """Who formats it may count on that."""
    values: list[Any] = [
        Pair("x", f"token={SECRET}"),
        OrderedDict(token=SECRET),
        {f"token={SECRET}"},
        (f"token={SECRET}",),
    ]
    values += [[f"token={SECRET}"], bytearray(f"token={SECRET}".encode()), frozenset({f"token={SECRET}"})]
    for value in values:
        assert type(filtered(record("x", given=value)).given) is type(value)  # type: ignore[attr-defined]


def test_pairs_of_words_are_none():
    """A tuple of two is a name and its value only if the first is one and the second is none."""
    for value in [("id_token", "code"), ("page", "2"), ("token",), ("a", "token", "x")]:
        assert filtered(record("x", given=value)).given is value  # type: ignore[attr-defined]
    made = filtered(record("%s was %s", "token", "expired"))
    assert made.getMessage() == "token was expired"


def test_objects_beside_the_message_are_left_alone():
    """Django's `record.request` is one: a handler may need it."""
    request = Opaque(f"token={SECRET}", f"token={SECRET}")
    made = filtered(record("x", request=request, status_code=500, nothing=None))
    assert made.request is request  # type: ignore[attr-defined]
    assert (made.status_code, made.nothing) == (500, None)  # type: ignore[attr-defined]
    assert filtered(record("x", token=SECRET, code="not_found")).token == MARK  # type: ignore[attr-defined]


def raised(error: Exception, cause: Exception | None = None) -> Any:
    try:
        raise error from cause
    except Exception:
        return sys.exc_info()


def test_exceptions():
    """A traceback, that of its cause, one that a formatter has left, and a record of no exception."""
    made = record("failed")
    made.exc_info = raised(RuntimeError("x"), ValueError(f"cannot read token={SECRET}"))
    made = filtered(made)
    assert made.exc_info is None
    shown = logging.Formatter().format(made)
    assert SECRET not in shown
    assert "direct cause" in shown
    assert shown.endswith("RuntimeError: x")
    made = record("failed", exc_text=f"ValueError: token={SECRET}", exc_info=(None, None, None))
    assert filtered(made).exc_text == f"ValueError: token={MARK}"
    assert made.exc_info == (None, None, None)


def test_what_another_handler_left_behind():
    """A formatter keeps message and traceback in the record."""
    made = record("token=%s", SECRET)
    logging.Formatter("%(asctime)s %(message)s").format(made)
    assert SECRET not in repr(vars(filtered(made)))


def test_in_front_of_a_queue():
    """A QueueHandler filters before it prepares the record for another thread."""
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = logging.handlers.QueueHandler(waiting)
    RedactTokens().install(handler)
    handler.handle(record("token=%s %r", SECRET, Opaque("x", f"token={SECRET}")))
    assert SECRET not in repr(vars(waiting.get_nowait()))


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda: {"args": (type("Broken", (list,), {"__iter__": None})(),)}, id="an argument"),
        pytest.param(lambda: {"exc_info": True}, id="exc_info"),
        pytest.param(lambda: {"stack_info": 7}, id="stack_info"),
        pytest.param(lambda: {"given": type("Broken", (dict,), {"items": None})()}, id="an attribute"),
        pytest.param(lambda: {"msg": Opaque(None)}, id="the message"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_searched_is_not_let_out(broken: Callable[[], dict[str, Any]]):
    """Nor is anything else of the record; numbers stay, since formatters count on them."""
    made = record("asked %s", f"token={SECRET}", url=f"/x?token={SECRET}", odd=Opaque(SECRET), status_code=500)
    vars(made).update(broken())
    made = filtered(made)
    assert SECRET not in repr(vars(made))
    assert "could not be searched" in logging.Formatter("%(message)s %(status_code)s %(url)s").format(made)
    assert made.status_code == 500  # type: ignore[attr-defined]


def test_twice_is_as_good_as_once():
    """Two handlers with the filter see the same record."""
    made = filtered(record(UVICORN, "127.0.0.1:5000", "GET", f"/x?token={SECRET}", "1.1", 200, url=f"Bearer {SECRET}"))
    before = dict(vars(made))
    assert vars(filtered(made)) == before


def test_every_handler_of_every_logger_gets_it_once():
    """Those of the root and of loggers anywhere below; one that knows all names already stays."""
    logger = logging.getLogger("test.logs.deep.down")
    own, known = logging.NullHandler(), logging.NullHandler()
    handlers = (logger, own), (logging.root, known)
    try:
        for owner, handler in handlers:
            owner.addHandler(handler)
        RedactTokens(["x-more"]).install(known)
        RedactTokens().install()
        RedactTokens().install()
        assert [len(handler.filters) for _, handler in handlers] == [1, 1]
        assert logging.lastResort is None or len(logging.lastResort.filters) == 1
        RedactTokens(["x-more"]).install()
        assert [len(handler.filters) for _, handler in handlers] == [2, 1]
    finally:
        for owner, handler in handlers:
            owner.removeHandler(handler)
        for logger_or_none in (logging.root, *logging.root.manager.loggerDict.values()):
            for handler in [*getattr(logger_or_none, "handlers", ()), *filter(None, [logging.lastResort])]:
                for found in [found for found in handler.filters if isinstance(found, RedactTokens)]:
                    handler.removeFilter(found)


def test_without_a_handler_of_last_resort(monkeypatch: pytest.MonkeyPatch):
    """A program may have none."""
    monkeypatch.setattr(logging, "lastResort", None)
    monkeypatch.setattr(logging, "root", logging.RootLogger(logging.WARNING))
    logging.root.manager = logging.Manager(logging.root)  # type: ignore[misc]
    RedactTokens().install()
