"""A WSGI request dispatched with a copy of another one's environ has its own caller, and changes nothing outside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.scenarios import AUDIENCE, ISSUER, User
from adapters.test_wsgi_options import who
from adapters.wsgi_calls import WsgiCall, wsgi_get
from adapters.wsgi_server import TEXT, serve
from bearerkit import Auth, Issuer, Places
from bearerkit.errors import PermissionDenied
from bearerkit.wsgi import BearerMiddleware, RequireBearer, auth_from, current_auth
from bearerkit.wsgi_kit import USER_KEY, request_of


def dispatch(app: Any, environ: dict[str, Any], token: str | None) -> list[Any]:
    """A part of a batch: the environ of the batch with other fields."""
    part = {name: value for name, value in environ.items() if name != "HTTP_AUTHORIZATION"}
    call = WsgiCall(app, part | ({} if token is None else {"HTTP_AUTHORIZATION": f"Bearer {token}"}))
    return [call.status, json.loads(call.body) if call.status == 200 else None]


def guarded(auth: Auth, **options: Any) -> dict[str, Any]:
    """The same guard in both spellings."""
    return {
        "app": RequireBearer(auth, **options)(who),
        "middleware": BearerMiddleware(who, auth, **options),
    }


@pytest.mark.parametrize("cache", [0, 10])
@pytest.mark.parametrize("kind", ["app", "middleware"])
def test_a_batch_acts_for_whom_each_part_names(cache: int, kind: str):
    """No credential, another caller's, and garbage: none of them is the caller of the batch, nor his user."""
    auth = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), token_cache=cache)
    inner = guarded(auth, user=lambda ctx: User(f"part of {ctx.subject}"))[kind]
    bob, alice = ISSUER.token(sub="bob"), ISSUER.token(sub="alice")

    def batch(environ: Any, start_response: Any) -> list[bytes]:
        answers = []
        for token in (None, bob, "garbage", alice):
            answers.append(dispatch(inner, environ, token))
            assert auth_from(environ).subject == current_auth.subject == "alice"
            assert environ[USER_KEY].name == "batch of alice"
        start_response("200 OK", TEXT)
        return [json.dumps(answers).encode()]

    app = RequireBearer(auth, user=lambda ctx: User(f"batch of {ctx.subject}"))(batch)
    assert json.loads(serve(app, alice).body) == [
        [401, None],
        [200, ["bob", "bob", "part of bob"]],
        [401, None],
        [200, ["alice", "alice", "part of alice"]],
    ]


@pytest.mark.parametrize("kind", ["app", "middleware"])
def test_a_part_with_a_credential_of_an_anonymous_batch(auth: Auth, kind: str):
    """That nobody sent the batch does not hide who sends the part."""

    def batch(environ: Any, start_response: Any) -> list[bytes]:
        answer = dispatch(guarded(auth)[kind], environ, ISSUER.token(sub="bob"))
        start_response("200 OK", TEXT)
        return [json.dumps([answer, auth_from(environ).is_anonymous]).encode()]

    assert json.loads(serve(RequireBearer(auth, optional=True)(batch)).body) == [[200, ["bob", "bob", None]], True]


@pytest.mark.parametrize("kind", ["app", "middleware"])
def test_a_part_does_not_see_the_user_of_the_batch(auth: Auth, kind: str):
    """A guard without a loader leaves no user of somebody else's beside its caller; that of the very caller stays."""
    alice = ISSUER.token(sub="alice")

    def batch(environ: Any, start_response: Any) -> list[bytes]:
        answers = [dispatch(guarded(auth)[kind], environ, token) for token in (ISSUER.token(sub="bob"), alice)]
        start_response("200 OK", TEXT)
        return [json.dumps([*answers, environ[USER_KEY].name]).encode()]

    app = RequireBearer(auth, user=lambda ctx: User(f"user {ctx.subject}"))(batch)
    assert json.loads(serve(app, alice).body) == [
        [200, ["bob", "bob", None]],
        [200, ["alice", "alice", "user alice"]],
        "user alice",
    ]


def test_a_field_that_a_middleware_adds_makes_nobody_a_stranger():
    """Between two guards, in place or in a copy: the caller and his user stay, and the app finds both."""
    for cache in (0, 10):
        auth = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), token_cache=cache)
        for inner in (who, RequireBearer(auth)(who)):
            for carry in (lambda environ: environ, dict):

                def adds(environ: Any, start_response: Any, inner: Any = inner, carry: Any = carry) -> Any:
                    environ = carry(environ)
                    environ["HTTP_X_REQUEST_ID"] = "1"
                    return inner(environ, start_response)

                app = BearerMiddleware(adds, auth, user=lambda ctx: User("Ada"))
                assert wsgi_get(app, "/", ISSUER.token()).body == b'["user", "user", "Ada"]'


def test_a_part_with_the_same_fields_keeps_its_caller_to_itself(auth: Auth):
    """Two credentials travel in one set of fields; which one counts inside is not what counts outside."""
    service = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-service"))
    inner = RequireBearer(service)(who)

    def batch(environ: Any, start_response: Any) -> list[bytes]:
        answer = json.loads(WsgiCall(inner, dict(environ)).body)
        start_response("200 OK", TEXT)
        return [json.dumps([*answer, auth_from(environ).subject, current_auth.subject]).encode()]

    served = serve(RequireBearer(auth)(batch), ISSUER.token(sub="alice"), [("X-Service", ISSUER.token(sub="svc"))])
    assert json.loads(served.body) == ["svc", "svc", None, "alice", "alice"]


def test_a_refused_part_does_not_answer_for_the_batch(auth: Auth):
    """Which guard answers a refusal of the outer app is not changed by a guard inside."""
    inner = RequireBearer(auth, render=lambda refusal, response: response.with_body("inner"))(who)

    def batch(environ: Any, start_response: Any) -> Any:
        assert WsgiCall(inner, {**environ, "HTTP_AUTHORIZATION": ""}).body == b"inner"
        assert WsgiCall(inner, dict(environ)).status == 200
        raise PermissionDenied("no")

    assert b"not allowed" in serve(RequireBearer(auth)(batch), ISSUER.token()).body


def test_an_unguarded_app_in_a_batch_has_the_caller_of_the_batch(auth: Auth, token: str):
    """A guard that is not there takes nobody's name away."""

    def batch(environ: Any, start_response: Any) -> list[bytes]:
        call = WsgiCall(who, dict(environ))
        start_response("200 OK", TEXT)
        return [call.body]

    assert serve(RequireBearer(auth)(batch), token).body == b'["user", "user", null]'


def test_the_memo_lasts_as_long_as_the_environ():
    """A copy shares it; it is not made before it is needed."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET"}
    memo = request_of(environ).memo
    assert request_of(environ).memo is request_of(dict(environ)).memo is memo
    assert request_of({"REQUEST_METHOD": "GET"}).memo is not memo
