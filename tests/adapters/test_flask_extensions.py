"""Flask beside Flask-Login and Flask-CORS, the real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flask_login
import pytest
from flask import Flask, jsonify, render_template_string
from flask.testing import FlaskClient
from flask_cors import CORS
from flask_login import FlaskLoginClient, LoginManager, login_required

from adapters.flask_calls import sent
from adapters.scenarios import AUDIENCE, ISSUER
from adapters.test_verified_once import counting
from bearerkit import Auth, ConfigError, Issuer, scope
from bearerkit.errors import PermissionDenied
from bearerkit.flask import BearerMiddleware, RequireBearer

ORIGIN = {"Origin": "https://shop.example.test"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


@dataclass(frozen=True)
class Person(flask_login.UserMixin):
    """A user of a team that has Flask-Login."""

    name: str
    active: bool = True

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        return self.name


PEOPLE = {"ada": Person("ada"), "gone": Person("gone", active=False)}


def person_of(ctx: Any) -> Person | None:
    return PEOPLE.get(ctx.subject)


def logging_in(auth: Auth, *, init_app: bool = True, **options: Any) -> Flask:
    """An app with sessions of Flask-Login, and bearer tokens through the bridge."""
    app = Flask("login", static_folder=None)
    app.secret_key = "for sessions"
    app.testing = True
    app.test_client_class = FlaskLoginClient
    login_manager = LoginManager(app)
    bearer = RequireBearer(auth, **{"user": person_of, **options})
    if init_app:
        bearer.init_app(app)
    login_manager.user_loader(PEOPLE.get)
    login_manager.request_loader(bearer.request_loader)
    login_manager.unauthorized_handler(bearer.unauthorized)

    @app.get("/me")
    @login_required
    def me() -> str:
        return str(flask_login.current_user.name)

    @app.get("/greeting")
    def greeting() -> str:
        return render_template_string("{{ 'hello' if current_user.is_authenticated else 'who are you' }}")

    return app


def test_flask_login_takes_bearer_tokens(auth: Auth):
    """The user is whom `user=` loads; nobody gets our challenge instead of their login page."""
    client = logging_in(auth).test_client()
    assert client.get("/me", headers=sent(ISSUER.token(sub="ada"))).text == "ada"
    assert client.get("/greeting", headers=sent(ISSUER.token(sub="ada"))).text == "hello"
    assert client.get("/greeting").text == "who are you"
    refused = client.get("/me")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    assert refused.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/me", "/greeting"])
@pytest.mark.parametrize("token", ["garbage", ISSUER.token(sub="nobody"), ISSUER.token(sub="gone")])
def test_a_bad_token_is_refused_wherever_flask_login_asks_for_the_user(auth: Auth, path: str, token: str):
    """Also for unknown and disabled users, and in a template; never as if nobody had called."""
    refused = logging_in(auth).test_client().get(path, headers=sent(token))
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_a_session_goes_first(auth: Auth):
    """Where there is one, the token beside it is not looked at; Flask-Login decides that."""
    app = logging_in(auth)
    with app.test_client(user=PEOPLE["ada"]) as client:
        assert client.get("/me").text == "ada"
        assert client.get("/me", headers=sent("garbage")).text == "ada"


def test_a_session_of_nobody_and_a_token(auth: Auth):
    """A cookie that names no user does not hide the token."""
    app = logging_in(auth)
    with app.test_client(user=Person("deleted")) as client:
        assert client.get("/me").status_code == 401
        assert client.get("/me", headers=sent(ISSUER.token(sub="ada"))).text == "ada"


def test_the_bridge_asks_a_loader_and_an_init_app(auth: Auth):
    """Without `user=` there is nobody to load; without `init_app` a refusal is an error of the app."""
    with pytest.raises(ConfigError, match="request_loader needs user="):
        logging_in(auth, user=None).test_client().get("/me", headers=sent(ISSUER.token()))
    app = logging_in(auth, init_app=False)
    app.testing = False
    assert app.test_client().get("/me", headers=sent("garbage")).status_code == 500


def test_the_bridge_verifies_and_loads_once_beside_our_guards():
    """Whichever of them asks first."""
    auth, counter = counting()
    loaded = []

    def load(ctx: Any) -> Any:
        loaded.append(ctx.subject)
        return person_of(ctx)

    app = logging_in(auth, user=load)
    bearer = RequireBearer(auth, user=load)
    for name, decorate in (
        ("/inside", lambda view: login_required(bearer(view))),
        ("/outside", lambda view: bearer(login_required(view))),
    ):
        app.add_url_rule(name, name, decorate(lambda: flask_login.current_user.name))
    for path in ("/inside", "/outside"):
        counter.asked = 0
        loaded.clear()
        assert app.test_client().get(path, headers=sent(ISSUER.token(sub="ada"))).text == "ada"
        assert (counter.asked, loaded) == (1, ["ada"])


def test_the_bridge_does_not_answer_for_another_guard(auth: Auth):
    """That it was asked for the user does not give a refusal of the view its body."""
    app = logging_in(auth, render=lambda refusal, response: response.with_body("bridge"))
    BearerMiddleware(app, auth, optional=True, render=lambda refusal, response: response.with_body("door"))

    @app.get("/refusing")
    @login_required
    def refusing() -> str:
        raise PermissionDenied("no")

    client = app.test_client()
    assert client.get("/refusing", headers=sent(ISSUER.token(sub="ada"))).text == "door"
    assert client.get("/refusing").text == "bridge"
    assert client.get("/me", headers=sent(ISSUER.token(sub="nobody"))).text == "bridge"


def test_an_error_page_that_asks_for_the_user(auth: Auth):
    """Flask asks no handler about what a handler raises; an optional guard refuses a bad token before that."""
    statuses = []
    for at_the_door in (True, False):
        app = logging_in(auth)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.register_error_handler(404, lambda error: (render_template_string("{{ current_user.is_active }}"), 404))
        if at_the_door:
            BearerMiddleware(app, auth, optional=True)
        client = app.test_client()
        assert client.get("/nowhere").text == "False"
        assert client.get("/nowhere", headers=sent(ISSUER.token(sub="ada"))).text == "True"
        statuses.append(client.get("/nowhere", headers=sent("garbage")).status_code)
    assert statuses == [401, 500]


def by_middleware(auth: Auth, app: Flask) -> None:
    app.add_url_rule("/orders", "orders", lambda: jsonify("orders"))
    BearerMiddleware(app, auth, need=scope("orders:read"))


def by_decorator(auth: Auth, app: Flask) -> None:
    app.add_url_rule("/orders", "orders", RequireBearer(auth).require(scope("orders:read"))(lambda: jsonify("orders")))


@pytest.fixture(params=[by_middleware, by_decorator])
def shop(request: Any, auth: Auth) -> FlaskClient:
    """An API for pages of another origin: first CORS, then the guard."""
    app = Flask("cors", static_folder=None)
    CORS(app, origins=[ORIGIN["Origin"]])
    request.param(auth, app)
    return app.test_client()


def test_pages_of_another_origin_can_read_answers_and_refusals(shop: FlaskClient):
    """Or a browser would show its user a network error in place of a 401."""
    token = ISSUER.token(scope="orders:read")
    for headers, status in ((sent(), 401), (sent("garbage"), 401), (sent(ISSUER.token()), 403), (sent(token), 200)):
        answer = shop.get("/orders", headers={**headers, **ORIGIN})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ORIGIN["Origin"])
    assert "access-control-allow-origin" not in shop.get("/orders", headers={"Origin": "https://evil.test"}).headers


def test_preflights_are_answered_without_credentials(shop: FlaskClient):
    """By Flask-CORS; what only resembles a preflight reaches no view."""
    answer = shop.options("/orders", headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert shop.options("/orders", headers={**PREFLIGHT, "Cookie": "a=b"}).data != b'"orders"\n'


def test_as_flask_cors_is_an_after_request_its_order_does_not_matter(auth: Auth):
    """Registered after the guard it sees refusals as well."""
    app = Flask("cors")
    by_middleware(auth, app)
    CORS(app)
    refused = app.test_client().get("/orders", headers=ORIGIN)
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (401, True)


def test_the_bridge_with_an_issuer():
    """The shortest spelling: no `Auth` in sight."""
    issuer: Any = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)
    assert logging_in(issuer).test_client().get("/me", headers=sent(ISSUER.token(sub="ada"))).text == "ada"
