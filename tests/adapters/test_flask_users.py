"""Flask: whose user is `request.user`, beside several guards and in requests inside requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, current_app, jsonify, request

from adapters.flask_calls import sent
from adapters.scenarios import AUDIENCE, ISSUER, User
from bearerkit import Auth, Issuer, Places, wsgi
from bearerkit.current_caller import CALLER
from bearerkit.errors import PermissionDenied
from bearerkit.flask import BearerMiddleware, RequireBearer, auth_from, current_auth

ALICE, BOB = ISSUER.token(sub="alice"), ISSUER.token(sub="bob")


def named(prefix: str) -> Callable[[Any], User]:
    return lambda ctx: User(f"{prefix}:{ctx.subject}")


def who() -> Any:
    """The caller by both accessors, and the user beside him; `-` where there is none at all."""
    user = getattr(request, "user", User("-"))
    return jsonify([auth_from(request).subject, current_auth.subject, user and user.name])


def app_of(guard: Any, **views: Any) -> Flask:
    """Guarded views, by a decorator or by a function that takes the app."""
    app = Flask("callers", static_folder=None)
    app.testing = True
    for name, view in views.items():
        app.add_url_rule(f"/{name}", name, guard(view))
    return app


def closed(auth: Auth, app: Flask, **options: Any) -> Flask:
    BearerMiddleware(app, auth, **options)
    return app


def unguarded(view: Any) -> Any:
    return view


@pytest.fixture
def service() -> Auth:
    """Trusts the same issuer, and reads its credential elsewhere."""
    return Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-service"))


def ask(path: str, token: str | None = None) -> Any:
    """A request inside a request, to the same app."""
    answer = current_app.test_client().get(path, headers=sent(token))
    return answer.json if answer.status_code == 200 else answer.status_code


def test_requests_inside_requests(auth: Auth):
    """Each has its own caller and its own user, refused ones too, and the outer one finds everything as it was."""

    def batch() -> Any:
        parts = [("/who", BOB), ("/who", None), ("/plain", BOB), ("/plain", ALICE), ("/optional", None)]
        answers = []
        for path, token in [*parts, ("/failing", BOB)]:
            answers.append(ask(path, token))
            assert who().json == ["alice", "alice", "batch:alice"]
        return jsonify(answers)

    def failing() -> str:
        assert request.user.name == "f:bob"
        raise PermissionDenied("no")

    app = app_of(RequireBearer(auth, user=named("batch")), batch=batch)
    app.add_url_rule("/who", "who", RequireBearer(auth, user=named("part"))(who))
    app.add_url_rule("/plain", "plain", RequireBearer(auth)(who))
    app.add_url_rule("/optional", "optional", RequireBearer(auth, optional=True, user=named("o"))(who))
    app.add_url_rule("/failing", "failing", RequireBearer(auth, user=named("f"))(failing))
    assert app.test_client().get("/batch", headers=sent(ALICE)).json == [
        ["bob", "bob", "part:bob"],
        401,
        ["bob", "bob", "-"],
        ["alice", "alice", "-"],
        [None, None, None],
        403,
    ]
    assert CALLER.get() is None


def test_a_request_inside_an_anonymous_one(auth: Auth):
    """The user of the part does not become the user of the batch, whether the batch has a loader or not."""

    def batch() -> Any:
        return jsonify([ask("/who", BOB), who().json])

    for options, user in (({"user": named("o")}, None), ({}, "-")):
        app = app_of(RequireBearer(auth, optional=True, **options), batch=batch)
        app.add_url_rule("/who", "who", RequireBearer(auth, user=named("part"))(who))
        assert app.test_client().get("/batch").json == [["bob", "bob", "part:bob"], [None, None, user]]


def test_a_request_inside_another_one_that_nothing_guards(auth: Auth):
    """It has no caller, though the request around it has one."""

    def batch() -> Any:
        return jsonify([ask("/open"), current_auth.subject])

    app = app_of(RequireBearer(auth), batch=batch)
    app.add_url_rule("/open", "nothing_guards", lambda: jsonify(repr(current_auth)))
    answer = app.test_client().get("/batch", headers=sent(ALICE)).json
    assert answer == ["<current_auth: nobody is calling>", "alice"]


def test_requests_in_requests_in_requests(auth: Auth):
    """What each of them found is given back in turn."""

    def nested(depth: int) -> Any:
        inner = ask(f"/nested/{depth - 1}", ISSUER.token(sub=f"u{depth - 1}")) if depth else []
        return jsonify([*inner, *who().json])

    app = app_of(RequireBearer(auth, user=named("n")))
    app.add_url_rule("/nested/<int:depth>", "nested", RequireBearer(auth, user=named("n"))(nested))
    answer = app.test_client().get("/nested/2", headers=sent(ISSUER.token(sub="u2"))).json
    assert answer == ["u0", "u0", "n:u0", "u1", "u1", "n:u1", "u2", "u2", "n:u2"]


def test_another_app_inside_a_request(auth: Auth):
    """Each app has its own caller."""
    inner = app_of(RequireBearer(auth, user=named("inner")), who=who)

    def batch() -> Any:
        return jsonify([inner.test_client().get("/who", headers=sent(BOB)).json, who().json])

    app = app_of(RequireBearer(auth, user=named("outer")), batch=batch)
    assert app.test_client().get("/batch", headers=sent(ALICE)).json == [
        ["bob", "bob", "inner:bob"],
        ["alice", "alice", "outer:alice"],
    ]


def test_tests_that_hold_an_application_context(auth: Auth):
    """No request finds the user of another caller there."""
    app = app_of(RequireBearer(auth, user=named("u")), who=who)
    app.add_url_rule("/plain", "plain", RequireBearer(auth)(who))
    app.add_url_rule("/optional", "optional", RequireBearer(auth, optional=True, user=named("o"))(who))
    client = app.test_client()
    with app.app_context():
        for _ in range(2):
            assert client.get("/who", headers=sent(ALICE)).json[2] == "u:alice"
            assert client.get("/who", headers=sent(BOB)).json[2] == "u:bob"
            assert client.get("/plain", headers=sent(BOB)).json[2] == "-"
            assert client.get("/optional").json[2] is None


def test_a_client_that_keeps_the_context_of_its_request(auth: Auth):
    """`with client:` shows the test what the view saw."""
    client = app_of(RequireBearer(auth, user=named("u")), who=who).test_client()
    with client:
        client.get("/who", headers=sent(ALICE))
        assert (current_auth.subject, auth_from(request).subject, request.user.name) == ("alice", "alice", "u:alice")
        client.get("/who", headers=sent(BOB))
        assert (current_auth.subject, request.user.name) == ("bob", "u:bob")


def test_the_user_is_still_there_when_the_request_is_torn_down(auth: Auth):
    """For what a team does last with the request."""
    seen = []
    app = app_of(RequireBearer(auth, user=named("u")), who=who)
    app.after_request(lambda response: seen.append(request.user.name) or response)
    app.teardown_request(lambda error: seen.append(request.user.name))
    app.test_client().get("/who", headers=sent(ALICE))
    assert seen == ["u:alice"] * 2


def test_users_of_several_guards(auth: Auth, service: Auth):
    """The user is that of the caller whom the view sees, or nobody."""
    both = {**sent(ALICE), "X-Service": ISSUER.token(sub="s")}

    def answer(app: Flask, headers: Any) -> Any:
        return app.test_client().get("/who", headers=headers).json

    inner = RequireBearer(service, optional=True, user=named("B"))
    app = closed(auth, app_of(inner, who=who), user=named("A"))
    assert answer(app, sent(ALICE)) == [None, None, None]
    assert answer(app, both) == ["s", "s", "B:s"]
    app = closed(auth, app_of(RequireBearer(service), who=who), user=named("A"))
    assert answer(app, both) == ["s", "s", "-"]
    app = closed(auth, app_of(RequireBearer(auth), who=who), user=named("A"))
    assert answer(app, both) == ["alice", "alice", "A:alice"]
    for options in ({"user": named("strict")}, {}):
        app: Any = closed(auth, app_of(unguarded, who=who), user=named("A"))
        BearerMiddleware(app, auth, exempt=["/who"], **options)
        assert answer(app, sent(ALICE)) == [None, None, None if options else "-"]


def test_a_user_that_is_not_ours_stays(auth: Auth, service: Auth):
    """Set before our guards or between them."""
    both = {**sent(ALICE), "X-Service": ISSUER.token(sub="s")}

    def session() -> None:
        request.user = User("session")

    before = app_of(RequireBearer(auth), who=who)
    before.before_request(session)
    between = closed(auth, app_of(RequireBearer(service), who=who), user=named("A"))
    between.before_request(session)
    for app, caller in ((before, "alice"), (between, "s")):
        assert app.test_client().get("/who", headers=both).json == [caller, caller, "session"]


def test_a_library_that_was_made_for_plain_wsgi(auth: Auth):
    """In a guarded view its `current_auth` is the caller too, and nobody afterwards."""
    app = app_of(RequireBearer(auth), who=lambda: jsonify(wsgi.current_auth.subject))
    assert app.test_client().get("/who", headers=sent(ALICE)).json == "alice"
    assert CALLER.get() is None


def test_a_guard_around_the_whole_of_flask(auth: Auth, service: Auth):
    """It and those inside know of each other; the one nearest to the view says who is calling, in its streams too."""

    def stream() -> Any:
        return current_app.response_class(str(wsgi.current_auth.subject) for _ in range(1))

    app: Any = app_of(unguarded, who=who)
    app.add_url_rule("/stream", "stream", RequireBearer(service)(stream))
    app.wsgi_app = wsgi.BearerMiddleware(app.wsgi_app, auth, exempt=["/open"])
    client = app.test_client()
    assert client.get("/who").status_code == client.get("/nowhere").status_code == 401
    assert client.get("/who", headers=sent(ALICE)).json == ["alice", "alice", "-"]
    assert client.get("/open").status_code == 404
    headers = {**sent(ALICE), "X-Service": ISSUER.token(sub="s")}
    assert client.get("/stream", headers=headers).text == "s"
    app = closed(service, app_of(unguarded, who=who))
    app.wsgi_app = wsgi.BearerMiddleware(app.wsgi_app, auth)
    assert app.test_client().get("/who", headers=headers).json == ["s", "s", "-"]
