"""Plain WSGI: the options, several guards around one app, and a test client."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client

from adapters.scenarios import AUDIENCE, ISSUER, User, load_user
from adapters.test_verified_once import counting
from adapters.wsgi_calls import WsgiCall, environ_of, wsgi_get
from adapters.wsgi_server import TEXT, serve
from bearerkit import Auth, ConfigError, Issuer, Places, authenticated, scope, tenant, wsgi
from bearerkit.errors import PermissionDenied, TenantUnknown
from bearerkit.known import KEY
from bearerkit.wsgi import BearerMiddleware, RequireBearer, auth_from, current_auth
from bearerkit.wsgi_kit import USER_KEY

IN_TENANT = tenant(header="X-Tenant")
FOREIGN = [("X-Tenant", "evil")]


def who(environ: Any, start_response: Any) -> list[bytes]:
    """Says who is calling, by the environ and by the context variable, and which user was loaded."""
    user = environ.get(USER_KEY)
    start_response("200 OK", TEXT)
    return [json.dumps([auth_from(environ).subject, current_auth.subject, user and user.name]).encode()]


def page(environ: Any) -> Any:
    """A `not_found` whose page is a generator."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("404 Nothing", TEXT)
        yield f"nothing at {environ['PATH_INFO']}".encode()

    return app


def nowhere(environ: Any, start_response: Any) -> Iterable[bytes]:
    raise AssertionError("reached")


def refusing(error: Exception) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        raise error

    return app


def test_plain_wsgi_offers_what_users_need_and_nothing_of_its_frame():
    """The frame for adapters is `bearerkit.wsgi_kit`."""
    assert sorted(wsgi.__all__) == ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth"]


def test_the_user_is_in_the_environ(auth: Auth, token: str):
    """Loaded once however many guards stack; unknown and disabled users are refused; without a loader there is none."""
    loaded = []

    def load(ctx: Any) -> Any:
        loaded.append(ctx.subject)
        return load_user(ctx)

    bearer = RequireBearer(auth, user=load)
    app = bearer(bearer.require(authenticated())(who))
    assert serve(app, token).body == b'["user", "user", "Ada"]'
    assert loaded == ["user"]
    assert [serve(app, ISSUER.token(sub=sub)).status for sub in ("nobody", "gone")] == [401, 401]
    environ = environ_of("/", [("Authorization", f"Bearer {token}")])
    WsgiCall(RequireBearer(auth)(who), environ)
    assert USER_KEY not in environ
    optional = RequireBearer(auth, user=load, optional=True)
    assert serve(optional(who)).body == b"[null, null, null]"


def test_callbacks_that_need_an_event_loop_are_refused_when_the_app_is_built(auth: Auth):
    """There is none; also behind `functools.partial`, and both are named at once."""

    async def load(ctx: Any) -> Any:
        return None

    for build in (RequireBearer, partial(BearerMiddleware, who)):
        with pytest.raises(ConfigError, match="no event loop") as caught:
            build(auth, user=load, not_found=partial(load))
        assert [problem.partition("=")[0] for problem in caught.value.problems] == ["user", "not_found"]


def test_unknown_options_are_config_errors(auth: Auth):
    """With the name that was meant."""
    for build in (RequireBearer, partial(BearerMiddleware, who)):
        with pytest.raises(ConfigError, match="did you mean 'user'"):
            build(auth, users=load_user)


def test_the_team_may_answer_for_a_foreign_tenant(auth: Auth, token: str):
    """`not_found` gets the environ and returns the app that answers; other refusals stay ours."""
    seen = []

    def not_found(environ: Any) -> Any:
        seen.append((environ["PATH_INFO"], environ.get(KEY, {}).get("context")))
        return page(environ)

    app = RequireBearer(auth, not_found=not_found).require(IN_TENANT)(nowhere)
    served = serve(app, token, FOREIGN)
    assert (served.status, served.body) == (404, b"nothing at /orders")
    assert "cache-control" not in served.headers
    assert seen == [("/orders", None)]
    assert serve(app).status == 401


def begins(environ: Any, start_response: Any) -> Any:
    """Refuses after it has begun its answer."""
    start_response("200 OK", TEXT)
    raise TenantUnknown("none")


def generates(environ: Any, start_response: Any) -> Iterator[bytes]:
    """Refuses with its first part."""
    start_response("200 OK", TEXT)
    raise TenantUnknown("none")
    yield b""


@pytest.mark.parametrize("app", [refusing(TenantUnknown("none")), begins, generates])
def test_the_team_may_answer_where_an_app_knows_no_such_tenant(auth: Auth, token: str, app: Any):
    """Before and after the app began its answer, and in its first part; callback and page know whose request it is."""
    seen = []

    def closing(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("404 Nothing", TEXT)
        try:
            yield f"nothing for {current_auth.subject}".encode()
        finally:
            seen.append(current_auth.subject)

    def not_found(environ: Any) -> Any:
        seen.append((auth_from(environ).subject, current_auth.subject))
        return validator(closing)

    served = serve(RequireBearer(auth, not_found=not_found)(validator(app)), token)
    assert (served.status, served.body) == (404, b"nothing for user")
    assert seen == [("user", "user"), "user"]


def test_the_page_of_the_team_may_fail_as_any_app(auth: Auth, token: str):
    """The error that it names is its own, and not the refusal before it."""

    def failing(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Nothing", TEXT)
        error = KeyError("a bug")
        start_response("500 Oops", TEXT, (KeyError, error, None))
        return [b"oops"]

    errors = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        errors.append((status[:3], exc_info and exc_info[0]))
        return len

    app = RequireBearer(auth, not_found=lambda environ: failing)(begins)
    app(environ_of("/", [("Authorization", f"Bearer {token}")]), start_response)
    assert errors == [("200", None), ("404", TenantUnknown), ("500", KeyError)]


def test_another_body(auth: Auth, token: str):
    """`render` changes the body and nothing else."""
    app = RequireBearer(auth, render=lambda refusal, response: response.with_body({"error": refusal.reason}))(nowhere)
    served = serve(app)
    assert (served.status, json.loads(served.body)) == (401, {"error": "credentials_missing"})
    assert served.headers["www-authenticate"] == 'Bearer realm="api"'
    assert served.headers["content-length"] == str(len(served.body))


def test_guards_stack_and_verify_once():
    """The middleware asks who is calling, the app inside what it needs; nobody's pass at the door opens the vault."""
    auth, counter = counting()
    bearer = RequireBearer(auth)
    app = BearerMiddleware(validator(bearer(bearer.require(scope("a"))(who))), auth)
    assert serve(app, ISSUER.token(scope="a")).status == 200
    assert counter.asked == 1
    assert serve(app, ISSUER.token()).status == 403
    for door in (BearerMiddleware(bearer(who), auth, optional=True), BearerMiddleware(bearer(who), auth, exempt=["/"])):
        assert serve(door, path="/").status == 401


def test_the_innermost_guard_says_who_is_calling(auth: Auth, token: str):
    """Also about the user: that of an outer gate is not left beside an anonymous or another caller."""
    service = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-service"))
    both = [("X-Service", ISSUER.token(sub="svc"))]
    outer = RequireBearer(auth, user=lambda ctx: User(f"A:{ctx.subject}"))
    app = outer(RequireBearer(service, optional=True)(who))
    assert serve(app, token).body == b"[null, null, null]"
    assert serve(app, token, both).body == b'["svc", "svc", null]'
    assert serve(outer(RequireBearer(auth)(who)), token).body == b'["user", "user", "A:user"]'
    app = outer(RequireBearer(service, user=lambda ctx: User(f"B:{ctx.subject}"))(who))
    assert serve(app, token, both).body == b'["svc", "svc", "B:svc"]'
    assert serve(outer(BearerMiddleware(who, auth, exempt=["/orders"])), token).body == b"[null, null, null]"


def test_a_user_that_is_not_ours_stays(auth: Auth, token: str):
    """Another sign-in of the team may have put it there."""
    environ = environ_of("/", [("Authorization", f"Bearer {token}")], **{USER_KEY: User("session")})
    assert WsgiCall(RequireBearer(auth)(who), environ).body == b'["user", "user", "session"]'


def test_a_body_is_made_for_the_caller_that_the_innermost_guard_found(auth: Auth, token: str):
    """A guard around a framework does not give a stream of the framework its own caller."""
    service = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-service"))

    def framework(environ: Any, start_response: Any) -> Any:
        # What an adapter that has no body of ours does: the caller is noted in the environ, and nothing more.
        RequireBearer(service)(lambda *_: [])(environ, start_response)
        start_response("200 OK", TEXT)
        return (str(current_auth.subject).encode() for _ in range(1))

    both = [("X-Service", ISSUER.token(sub="svc"))]
    assert wsgi_get(RequireBearer(auth)(framework), "/", token, both).body == b"svc"


def test_refusals_of_apps_are_told_to_the_operator_once(auth: Auth, token: str, caplog):
    """Also where the team answers with a page of its own."""
    bearer = RequireBearer(auth, not_found=page)
    with caplog.at_level("INFO", "bearerkit.auth"):
        for error in (PermissionDenied("not today"), TenantUnknown("not here")):
            serve(bearer(RequireBearer(auth)(refusing(error))), token)
        serve(bearer(refusing(TenantUnknown("nor there"))), token)
    assert [record.getMessage() for record in caplog.records] == [
        "refused: permission_denied: not today",
        "refused: tenant_unknown: not here",
        "refused: tenant_unknown: nor there",
    ]


def test_the_test_client_of_werkzeug(auth: Auth, token: str):
    """Teams test with it, exempt paths included: it says what the path was on the wire."""
    client = Client(BearerMiddleware(who, auth, exempt=["/health"]))
    assert client.get("/health").text == client.get("/health?x=1").text == "[null, null, null]"
    assert client.get("/me").status_code == 401
    assert client.get("//health").status_code == client.get("/%68ealth").status_code == 401
    assert client.get("/me", headers={"Authorization": f"Bearer {token}"}).text == '["user", "user", null]'


def test_joined_authorization_fields_are_several_credentials(auth: Auth, token: str):
    """However a server joins them."""
    for joined in (f"Bearer {token},Bearer {token}", f"Basic dTpw, Bearer {token}", f"Bearer {token}, Basic dTpw"):
        assert serve(RequireBearer(auth)(nowhere), headers=[("Authorization", joined)]).status == 400
    twice = [("Authorization", f"Bearer {token}")] * 2
    assert serve(RequireBearer(auth)(nowhere), headers=twice).status == 400


def test_auth_from_says_what_is_missing():
    """Outside a guarded request there is no caller, and no guess at one."""
    with pytest.raises(RuntimeError, match="RequireBearer or BearerMiddleware"):
        auth_from({})
    with pytest.raises(RuntimeError, match="RequireBearer or BearerMiddleware"):
        _ = current_auth.subject
