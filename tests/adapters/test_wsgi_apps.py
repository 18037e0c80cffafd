"""Plain WSGI: the rules of PEP 3333 hold around the guard and inside it, and bodies are made under their caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from adapters.scenarios import AUDIENCE, ISSUER
from adapters.wsgi_calls import environ_of
from adapters.wsgi_server import TEXT, Served, serve
from bearerkit import Auth, Issuer, scope
from bearerkit.current_caller import CALLER
from bearerkit.errors import Expired, PermissionDenied
from bearerkit.wsgi import BearerMiddleware, RequireBearer, auth_from, current_auth


def listing(environ: Any, start_response: Any) -> list[bytes]:
    """Answers with a list."""
    start_response("200 OK", TEXT)
    return [f"{auth_from(environ).subject}=".encode(), f"{current_auth.subject}".encode()]


def generating(environ: Any, start_response: Any) -> Iterator[bytes]:
    """A generator: nothing of it runs before the server asks for the first part."""
    subject = current_auth.subject
    start_response("200 OK", TEXT)
    yield f"{subject}=".encode()
    yield f"{current_auth.subject}".encode()


class Iterating:
    """An app that is a class, as PEP 3333 shows it."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        self.first = str(current_auth.subject)
        self.start_response = start_response

    def __iter__(self) -> Iterator[bytes]:
        self.start_response("200 OK", TEXT)
        yield f"{self.first}=".encode()
        yield f"{current_auth.subject}".encode()


def writing(environ: Any, start_response: Any) -> Iterable[bytes]:
    """Uses the `write` of old."""
    write = start_response("200 OK", TEXT)
    write(b"")
    write(f"{auth_from(environ).subject}=".encode())
    return [f"{current_auth.subject}".encode()]


def refusing(error: Exception, *parts: bytes) -> Any:
    """A generator that refuses after these parts."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [*TEXT, ("X-Of", "the app")])
        yield from parts
        raise error

    return app


def nowhere(environ: Any, start_response: Any) -> Iterable[bytes]:
    raise AssertionError("reached")


@pytest.mark.parametrize("app", [listing, generating, Iterating, writing])
def test_apps_of_every_kind_know_the_caller(auth: Auth, token: str, app: Any):
    """Sync code, generators, iterables and writers; between and after the parts nobody is left behind."""
    served = serve(RequireBearer(auth)(validator(app)), token)
    assert (served.status, served.body) == (200, b"user=user")
    assert CALLER.get() is None


@pytest.mark.parametrize("app", [listing, generating, Iterating, writing])
def test_no_kind_of_app_is_reached_without_a_credential(auth: Auth, app: Any):
    """Nor does any of its code run."""
    served = serve(RequireBearer(auth)(validator(app)))
    assert (served.status, served.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    assert served.headers["content-length"] == str(len(served.body)) != "0"


def test_the_middleware_guards_everything_by_default(auth: Auth, token: str):
    """With a need for all, and paths without any."""
    app = BearerMiddleware(validator(listing), auth, need=scope("orders:read"), exempt=["/orders"])
    assert serve(app).body == b"None=None"
    app = BearerMiddleware(validator(listing), auth, need=scope("orders:read"))
    assert (serve(app).status, serve(app, token).status) == (401, 403)
    assert serve(app, ISSUER.token(scope="orders:read")).status == 200
    assert serve(BearerMiddleware(nowhere, auth)).status == 401


def test_an_issuer_is_enough(token: str):
    """`RequireBearer(Issuer(…))` and the middleware build the `Auth` themselves."""
    issuer = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)
    assert serve(RequireBearer(issuer).require(scope("a"))(listing), token).status == 403
    assert serve(BearerMiddleware(listing, issuer), token).status == 200


def test_a_refused_head_has_the_length_and_no_body(auth: Auth):
    """As HEAD asks for (RFC 9110 section 9.3.2)."""
    app = RequireBearer(auth)(nowhere)
    head, get = serve(app, method="HEAD"), serve(app)
    assert (head.status, head.body) == (401, b"")
    assert head.headers == get.headers


@pytest.mark.parametrize("inner", [lambda app: app, validator])
def test_a_refusal_of_the_first_part_is_answered(auth: Auth, token: str, inner: Any):
    """A generator may refuse as a function may, also when it had begun an answer."""

    def at_once(environ: Any, start_response: Any) -> Iterator[bytes]:
        raise PermissionDenied("no")
        yield b""

    for app in (at_once, refusing(PermissionDenied("no"))):
        served = serve(RequireBearer(auth)(inner(app)), token)
        assert (served.status, served.headers["content-type"]) == (403, "application/problem+json")
        assert b"not allowed" in served.body
        assert "x-of" not in served.headers


def test_a_function_may_refuse_after_it_has_begun(auth: Auth, token: str):
    """The server forgets the answer that was begun, and sends the refusal."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [*TEXT, ("X-Of", "the app")])
        raise PermissionDenied("no")

    served = serve(RequireBearer(auth)(validator(app)), token)
    assert served.status == 403
    assert "x-of" not in served.headers


def writing_first(environ: Any, start_response: Any) -> Any:
    """Refuses after it has written something."""
    start_response("200 OK", TEXT)(b"part")
    raise Expired("too late")


@pytest.mark.parametrize("app", [refusing(Expired("too late"), b"part"), writing_first])
def test_a_refusal_after_the_first_part_is_passed_on(auth: Auth, token: str, app: Any):
    """There is nothing left to answer; and a server that would take a second answer is not offered any."""
    with pytest.raises(Expired, match="too late"):
        serve(RequireBearer(auth)(app), token)
    begun = []

    def takes_all(status: str, headers: Any, exc_info: Any = None) -> Any:
        begun.append(status)
        return len

    environ = environ_of("/", [("Authorization", f"Bearer {token}")])
    with pytest.raises(Expired, match="too late"):
        list(RequireBearer(auth)(app)(environ, takes_all))
    assert begun == ["200 OK"]


def test_emptiness_is_no_part(auth: Auth, token: str):
    """A server that holds the status back until there is a byte, as PEP 3333 wants it, gets another one."""

    def writes(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", TEXT)(b"")
        raise PermissionDenied("no")

    begun: list[tuple[str, Any]] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        begun.append((status, exc_info and exc_info[0]))
        return len

    for app in (writes, refusing(PermissionDenied("no"), b"", b"")):
        begun.clear()
        environ = environ_of("/", [("Authorization", f"Bearer {token}")])
        assert b"not allowed" in b"".join(RequireBearer(auth)(app)(environ, start_response))
        assert begun == [("200 OK", None), ("403 Forbidden", PermissionDenied)]


def test_other_errors_are_passed_on(auth: Auth, token: str):
    """They are the server's business, and leave no caller behind."""
    for app in (refusing(KeyError("a bug")), refusing(KeyError("a bug"), b"part")):
        with pytest.raises(KeyError, match="a bug"):
            serve(RequireBearer(auth)(app), token)
        assert CALLER.get() is None


def test_start_response_is_passed_on_as_it_was_called(auth: Auth, token: str):
    """Twice without an error is the app's mistake; with `exc_info`, by position or name, it replaces the first."""

    def app(**more: Any) -> Any:
        def begins_twice(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", TEXT)
            error = KeyError("a bug")
            start_response("500 Oops", TEXT, **dict.fromkeys(more, (KeyError, error, None)))
            return [b"oops"]

        return begins_twice

    with pytest.raises(AssertionError, match="already set"):
        Served(RequireBearer(auth)(app()), environ_of("/", [("Authorization", f"Bearer {token}")]))
    served = Served(RequireBearer(auth)(app(exc_info=1)), environ_of("/", [("Authorization", f"Bearer {token}")]))
    assert (served.status, served.body) == (500, b"oops")


class Closing:
    """A body that notes when it is closed, and under whom."""

    def __init__(self, seen: list[str], *parts: bytes, error: Exception | None = None) -> None:
        self.seen, self.parts, self.error = seen, parts, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self.parts
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.seen.append(str(current_auth.subject))


def closing(seen: list[str], *parts: bytes, error: Exception | None = None) -> Any:
    """An app with such a body."""

    def app(environ: Any, start_response: Any) -> Closing:
        start_response("200 OK", TEXT)
        return Closing(seen, *parts, error=error)

    return app


@pytest.mark.parametrize("guards", [1, 2])
def test_a_body_is_closed_exactly_once(auth: Auth, token: str, guards: int):
    """At the end, in the middle, never begun, refused, failed: once, under its caller, whatever the server does."""

    def guarded(app: Any) -> Any:
        for _ in range(guards):
            app = RequireBearer(auth)(app)
        return app

    def environ() -> dict[str, Any]:
        return environ_of("/", [("Authorization", f"Bearer {token}")])

    def body(seen: list[str]) -> Any:
        return guarded(closing(seen, b"a", b"b"))(environ(), lambda *_: print)

    seen: list[str] = []
    serve(guarded(validator(closing(seen, b"a", b"b"))), token)
    serve(guarded(closing(seen, error=PermissionDenied("no"))), token)
    assert seen == ["user"] * 2
    never, half = body(seen), body(seen)
    never.close()
    assert list(never) == []
    next(iter(half))
    for _ in range(2):
        half.close()
    assert seen == ["user"] * 4
    with pytest.raises(KeyError):
        serve(guarded(closing(seen, b"a", error=KeyError("a bug"))), token)
    assert seen == ["user"] * 5
    assert CALLER.get() is None


def test_a_generator_that_is_abandoned_ends_under_its_caller(auth: Auth, token: str):
    """Its `finally` may ask who was calling."""
    seen = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        try:
            yield b"a"
        finally:
            seen.append(current_auth.subject)

    body: Any = RequireBearer(auth)(app)(environ_of("/", [("Authorization", f"Bearer {token}")]), print)
    assert next(iter(body)) == b"a"
    body.close()
    assert seen == ["user"]


def test_lists_and_files_are_handed_to_the_server_as_they_are(auth: Auth, token: str):
    """Servers look at what a body is: its length, or a file that the kernel can send."""
    bodies: list[Any] = [[b"a"], (b"a",), FileWrapper(BytesIO(b"a"))]
    for body in bodies:
        app: Any = RequireBearer(auth)(lambda environ, start_response, body=body: body)
        environ = environ_of("/", [("Authorization", f"Bearer {token}")], **{"wsgi.file_wrapper": FileWrapper})
        assert app(environ, print) is body
        # A wrapper that is no class makes whatever it likes, so nothing can be told by it.
        through = app({**environ, "wsgi.file_wrapper": lambda file, size: file}, print)
        assert list(through) == [b"a"]
