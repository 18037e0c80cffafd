"""Flask: functions, methods and class-based views, sync and async, and what a guard does with their answers."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from flask import Flask, Response, request, stream_with_context
from flask.views import MethodView, View

from adapters.flask_calls import client_of, sent
from adapters.scenarios import ISSUER
from adapters.test_verified_once import counting
from bearerkit import Auth, ConfigError, Issuer, authenticated, flask, role, scope, tenant, wsgi
from bearerkit.current_caller import CALLER
from bearerkit.errors import PermissionDenied
from bearerkit.flask import BearerMiddleware, RequireBearer, auth_from, current_auth

READER = {"scope": "orders:read"}
IN_TENANT = tenant(header="X-Tenant")


def me() -> dict[str, Any]:
    return {"from": auth_from(request).subject, "current": current_auth.subject}


async def async_me() -> dict[str, Any]:
    return me()


def test_the_module_offers_what_users_need():
    """The same names as everywhere."""
    assert sorted(flask.__all__) == ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth"]


@pytest.mark.parametrize("view", [me, async_me])
def test_functions_sync_and_async(auth: Auth, view: Any):
    """The view runs as Flask would have run it, and both accessors know the caller."""
    client = client_of(RequireBearer(auth)(view))
    assert client.get("/", headers=sent(ISSUER.token(sub="u9"))).json == {"from": "u9", "current": "u9"}
    refused = client.get("/")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    assert CALLER.get() is None


def test_a_guarded_view_keeps_its_name_its_methods_and_its_signature(auth: Auth):
    """Flask derives the endpoint from it, and documentation the rest."""

    def orders(tenant_id: str) -> str:
        """Orders of a tenant."""
        return tenant_id

    orders.methods = ["DELETE"]  # type: ignore[attr-defined]
    guarded: Any = RequireBearer(auth).require(role("admin"))(orders)
    assert (guarded.__name__, guarded.__doc__, guarded.methods) == ("orders", "Orders of a tenant.", ["DELETE"])
    assert guarded.__wrapped__ is orders
    client = client_of(guarded, defaults={"tenant_id": "acme"})
    assert client.delete("/", headers=sent(ISSUER.token(roles=["admin"]))).text == "acme"
    assert client.get("/").status_code == 405


def test_a_partial_of_an_async_view(auth: Auth, token: str):
    """It is as async as the view inside."""

    async def view(word: str) -> str:
        return f"{word} {current_auth.subject}"

    guarded = RequireBearer(auth)(functools.partial(view, word="hello"))
    app = Flask("partial")
    app.add_url_rule("/", "partial", guarded)
    assert app.test_client().get("/", headers=sent(token)).text == "hello user"


def test_path_parameters_are_visible_to_needs(auth: Auth):
    """By the names of the rule, also for the guard of a whole app."""
    rule = "/t/<tenant_id>/orders"
    need = scope("orders:read") & tenant(path="tenant_id")
    by_view, by_app = Flask("view"), Flask("app")
    by_view.add_url_rule(rule, "orders", RequireBearer(auth).require(need)(lambda tenant_id: tenant_id))
    by_app.add_url_rule(rule, "orders", lambda tenant_id: tenant_id)
    BearerMiddleware(by_app, auth, need=need)
    token = ISSUER.token(tenant_id="acme", **READER)
    for app in (by_view, by_app):
        client = app.test_client()
        assert client.get("/t/acme/orders", headers=sent(token)).text == "acme"
        assert client.get("/t/evil/orders", headers=sent(token)).status_code == 404
        assert client.get("/t/acme/orders", headers=sent(ISSUER.token(tenant_id="acme"))).status_code == 403
    # Nor does a router in front of Flask answer for a path that Flask does not know.
    named = {"wsgiorg.routing_args": ((), {"tenant_id": "acme"})}
    answer = by_app.test_client().get("/nowhere", headers=sent(token), environ_overrides=named)
    assert answer.content_type == "application/problem+json"


def test_class_based_views(auth: Auth):
    """`decorators` guard all methods at once, before Flask looks for the method."""
    bearer = RequireBearer(auth)

    class Orders(MethodView):
        decorators = [bearer.require(scope("orders:read"))]

        def get(self) -> str:
            return f"read by {current_auth.subject}"

        async def post(self) -> str:
            return f"written by {current_auth.subject}"

    class Page(View):
        decorators = [bearer]
        init_every_request = False

        async def dispatch_request(self) -> str:
            return str(current_auth.subject)

    client = client_of(Orders.as_view("orders"), Page.as_view("page"))
    assert client.get("/orders").status_code == client.post("/orders").status_code == 401
    assert client.get("/orders", headers=sent(ISSUER.token())).status_code == 403
    assert client.get("/orders", headers=sent(ISSUER.token(**READER))).text == "read by user"
    assert client.post("/orders", headers=sent(ISSUER.token(**READER))).text == "written by user"
    assert client.delete("/orders").status_code == 405
    assert client.get("/page").status_code == 401
    assert client.get("/page", headers=sent(ISSUER.token())).text == "user"


def test_methods_of_a_class_based_view(auth: Auth, token: str):
    """Each may need something else, sync and async."""
    bearer = RequireBearer(auth)

    class Orders(MethodView):
        word = "done"

        @bearer
        async def get(self) -> str:
            return self.word

        @bearer.require(scope("orders:write"))
        def post(self) -> str:
            return self.word

    client = client_of(Orders.as_view("orders"))
    assert client.get("/", headers=sent(token)).text == "done"
    assert client.post("/", headers=sent(token)).status_code == 403
    assert client.post("/", headers=sent(ISSUER.token(scope="orders:write"))).text == "done"


def test_a_class_itself_is_a_type_error(auth: Auth):
    """It would guard its constructor; the message says where the guard belongs."""
    for guard in (RequireBearer(auth), RequireBearer(auth).require(role("admin"))):
        with pytest.raises(TypeError, match="Orders is a class: name this guard in its `decorators`"):

            @guard
            class Orders(MethodView):
                pass


def test_a_guard_without_its_parentheses_is_a_config_error(auth: Auth):
    """`@bearer.require` above a view."""
    with pytest.raises(ConfigError, match="a requirement is needed"):
        RequireBearer(auth).require(me)  # type: ignore[arg-type]


def test_head_and_options(auth: Auth, token: str):
    """HEAD is judged as GET and has no body; OPTIONS of a guarded view is answered by Flask, which reaches no view."""
    client = client_of(RequireBearer(auth)(me))
    head, get = client.head("/"), client.get("/")
    assert (head.status_code, head.data, head.headers["www-authenticate"]) == (401, b"", 'Bearer realm="api"')
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.data))
    assert client.head("/", headers=sent(token)).status_code == 200
    assert set(client.options("/").headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    own = client_of(RequireBearer(auth)(me), methods=["OPTIONS"])
    assert (own.options("/").status_code, own.options("/", headers=sent(token)).status_code) == (401, 200)


def test_a_refusal_of_the_view_is_answered(auth: Auth, token: str):
    """Sync, async, and from a template far below."""

    def sync_view() -> str:
        raise PermissionDenied("no")

    async def async_view() -> str:
        raise PermissionDenied("no")

    bearer = RequireBearer(auth)
    client = client_of(bearer(sync_view), bearer(async_view))
    for path in ("/sync_view", "/async_view"):
        answer = client.get(path, headers=sent(token))
        assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert CALLER.get() is None


def test_other_decorators_see_a_flask_response(auth: Auth):
    """Of the class that the app has for its answers, whoever made it."""

    class Own(Response):
        pass

    seen = []

    def outer(view: Any) -> Any:
        @functools.wraps(view)
        def wrapped(**params: Any) -> Any:
            response = view(**params)
            response.headers["X-Frame-Options"] = "DENY"
            seen.append((type(response), response.status_code))
            return response

        return wrapped

    app = Flask("decorated")
    app.response_class = Own
    bearer = RequireBearer(auth, not_found=lambda request: ("theirs", 404))
    app.add_url_rule("/", "me", outer(bearer.require(IN_TENANT)(me)))
    refused = app.test_client().get("/")
    assert (refused.status_code, refused.headers["x-frame-options"]) == (401, "DENY")
    assert app.test_client().get("/", headers=sent(ISSUER.token(), X_Tenant="evil")).text == "theirs"
    assert seen == [(Own, 401), (Own, 404)]


def test_an_issuer_is_enough(token: str):
    """An `Auth` is built for it."""
    issuer = Issuer(ISSUER.issuer, audience="orders-api", keys=ISSUER.jwks)
    assert client_of(RequireBearer(issuer)(me)).get("/", headers=sent(token)).status_code == 200


def test_streams_have_their_caller_as_they_have_their_request(auth: Auth, token: str):
    """With `stream_with_context`, as Flask says; without it there is neither `request` nor `current_auth`."""

    def parts() -> Any:
        yield str(current_auth.subject)

    def stream() -> Any:
        return Response(stream_with_context(parts()))

    def bare() -> Any:
        return Response(parts())

    client = client_of(RequireBearer(auth)(stream), RequireBearer(auth)(bare))
    assert client.get("/stream", headers=sent(token)).text == "user"
    with pytest.raises(RuntimeError, match="current_auth: nobody is calling"):
        client.get("/bare", headers=sent(token))


def test_a_token_is_verified_once_however_many_guards_stack():
    """Around the app, in front of its views, as a function before them, and twice on the view."""
    auth, counter = counting()
    bearer = RequireBearer(auth)
    app: Any = Flask("stacked")
    BearerMiddleware(app, auth)
    app.before_request(bearer.require(authenticated())(lambda: None))
    app.add_url_rule("/", "me", bearer.require(scope("a"))(bearer(me)))
    app.wsgi_app = wsgi.BearerMiddleware(app.wsgi_app, auth)
    assert app.test_client().get("/", headers=sent(ISSUER.token(scope="a"))).json == {"from": "user", "current": "user"}
    assert counter.asked == 1
    assert app.test_client().get("/", headers=sent(ISSUER.token())).status_code == 403
