"""Flask: the team's user, its own 404, its body, and optional guards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from flask import Flask, Response, abort, make_response, request

from adapters.flask_calls import client_of, sent
from adapters.scenarios import ISSUER, User, load_user
from adapters.test_flask_views import IN_TENANT, READER, me
from bearerkit import Auth, scope
from bearerkit.flask import BearerMiddleware, RequireBearer, current_auth
from bearerkit.known import KEY


@pytest.mark.parametrize("is_async", [False, True])
def test_the_user_is_in_g(auth: Auth, is_async: bool):
    """Loaded once by sync or async code; unknown and disabled users are refused before scopes are looked at."""
    loaded = []

    def load(ctx: Any) -> Any:
        loaded.append(ctx.subject)
        return load_user(ctx)

    async def aload(ctx: Any) -> Any:
        await asyncio.sleep(0)  # only an event loop goes on from here
        return load(ctx)

    def view() -> str:
        assert request.user == User("Ada")
        return str(request.user.name)

    bearer = RequireBearer(auth, user=aload if is_async else load)
    client = client_of(bearer(bearer.require(scope("orders:read"))(view)))
    assert client.get("/", headers=sent(ISSUER.token(**READER))).text == "Ada"
    assert loaded == ["user"]
    assert [client.get("/", headers=sent(ISSUER.token(sub=sub))).status_code for sub in ("nobody", "gone")] == [401] * 2


def test_optional_guards(auth: Auth, token: str):
    """Nobody is let in as nobody, with no user; a bad credential never, nor nobody where something is needed."""
    bearer = RequireBearer(auth, optional=True, user=load_user)

    def anybody() -> list[Any]:
        return [current_auth.is_anonymous, request.user and request.user.name]

    def reader() -> str:
        return "reached"

    client = client_of(bearer(anybody), bearer.require(scope("orders:read"))(reader))
    assert client.get("/anybody").json == [True, None]
    assert client.get("/anybody", headers=sent(token)).json == [False, "Ada"]
    assert client.get("/anybody", headers=sent("garbage")).status_code == 401
    assert client.get("/reader").status_code == 401


def pages() -> dict[str, Any]:
    """Every way in which a team may answer for a foreign tenant."""

    async def coroutine(native: Any) -> Any:
        await asyncio.sleep(0)
        return make_response(f"coroutine at {native.path}", 404)

    def aborting(native: Any) -> Any:
        abort(404, f"aborting at {native.path}")

    return {
        "response": lambda native: Response(f"response at {native.path}", 404),
        "tuple": lambda native: (f"tuple at {native.path}", 404, {"X-Page": "1"}),
        "coroutine": coroutine,
        "aborting": aborting,
    }


@pytest.mark.parametrize("kind", pages())
@pytest.mark.parametrize("guards", ["view", "app"])
def test_not_found_may_answer_as_views_do(auth: Auth, token: str, kind: str, guards: str):
    """Abort, and the team's own handler shows its page; the callback gets the request itself, which it may keep."""
    app, kept = Flask("pages"), []

    def not_found(native: Any) -> Any:
        kept.append(native)
        return pages()[kind](native)

    if guards == "view":
        app.add_url_rule("/x", "x", RequireBearer(auth, not_found=not_found).require(IN_TENANT)(me))
    else:
        app.add_url_rule("/x", "x", me)
        BearerMiddleware(app, auth, need=IN_TENANT, not_found=not_found)
    app.register_error_handler(404, lambda error: (f"handled: {error.description}", 404))
    answer = app.test_client().get("/x", headers=sent(token, X_Tenant="evil"))
    assert (answer.status_code, answer.text) == (404, f"{'handled: ' if kind == 'aborting' else ''}{kind} at /x")
    assert "cache-control" not in answer.headers
    assert app.test_client().get("/x").status_code == 401
    assert [native.path for native in kept] == ["/x"]


@pytest.mark.parametrize("guards", ["view", "app", "function"])
def test_not_found_that_returns_nothing_lets_nobody_in(auth: Auth, token: str, guards: str):
    """A forgotten `return` is an error, and not the `None` that tells Flask to go on to the view."""
    app, reached = Flask("forgotten"), []
    app.testing = True
    bearer = RequireBearer(auth, not_found=lambda native: None)
    view = lambda: reached.append("view") or "reached"  # noqa: E731
    app.add_url_rule("/", "x", bearer.require(IN_TENANT)(view) if guards == "view" else view)
    if guards == "app":
        BearerMiddleware(app, auth, need=IN_TENANT, not_found=lambda native: None)
    elif guards == "function":
        app.before_request(bearer.require(IN_TENANT)(lambda: None))
    with pytest.raises(TypeError, match="returned no response"):
        app.test_client().get("/", headers=sent(token, X_Tenant="evil"))
    assert reached == []


def test_another_body(auth: Auth):
    """`render` changes the body and nothing else."""
    bearer = RequireBearer(auth, render=lambda refusal, response: response.with_body({"error": refusal.reason}))
    answer = client_of(bearer(me)).get("/")
    assert (answer.status_code, answer.json) == (401, {"error": "credentials_missing"})
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


def test_one_key_of_the_environ_is_ours(auth: Auth, token: str):
    """the request has no user that nobody asked for."""
    seen = {}

    def view() -> str:
        seen.update(request.environ, user=hasattr(request, "user"))
        return ""

    client_of(RequireBearer(auth)(view)).get("/", headers=sent(token))
    assert [key for key in seen if "bearerkit" in key] == [KEY]
    assert seen["user"] is False
