"""Flask: guards bound to applications, whole applications and blueprints that are closed by default."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask, request

from adapters.flask_calls import sent
from adapters.scenarios import AUDIENCE, ISSUER
from adapters.test_flask_views import READER, me
from bearerkit import Auth, ConfigError, Issuer, scope
from bearerkit.flask import BearerMiddleware, RequireBearer, auth_from, current_auth

PREFLIGHT = {"Origin": "https://shop.example.test", "Access-Control-Request-Method": "POST"}


def other_auth() -> Auth:
    """Trusts the same keys for another audience."""
    return Auth(Issuer(ISSUER.issuer, audience="billing-api", keys=ISSUER.jwks))


def app_with(*rules: str, **config: Any) -> Flask:
    """An app whose routes all say who is calling."""
    app = Flask("app", static_folder=None)
    app.config.update(config)
    app.testing = True
    for rule in rules:
        app.add_url_rule(rule, rule, me)
    return app


def test_one_guard_of_a_module_for_several_apps(auth: Auth):
    """The factory pattern: each app has the `Auth` of its own settings, or the one that it was given."""
    bearer = RequireBearer()
    view = bearer.require(scope("orders:read"))(me)

    def create_app(*given: Auth, **config: Any) -> Flask:
        app = app_with(**config)
        bearer.init_app(app, *given)
        app.add_url_rule("/", "me", view)
        return app

    orders, billing = create_app(BEARERKIT_AUTH=auth), create_app(other_auth(), BEARERKIT_AUTH=auth)
    tokens = [ISSUER.token(aud=audience, **READER) for audience in (AUDIENCE, "billing-api")]
    answers = [app.test_client().get("/", headers=sent(token)) for app in (orders, billing) for token in tokens]
    assert [answer.status_code for answer in answers] == [200, 401, 401, 200]


def test_a_middleware_of_a_module_for_several_apps(auth: Auth):
    """Its need, its exempt paths and its options go with it."""
    closed = BearerMiddleware(need=scope("orders:read"), exempt=["/health"])
    apps = []
    for given in (auth, other_auth()):
        apps.append(app_with("/health", "/me"))
        closed.init_app(apps[-1], given)
    for app, audience in zip(apps, (AUDIENCE, "billing-api"), strict=True):
        client = app.test_client()
        assert client.get("/health").status_code == 200
        assert client.get("/me", headers=sent(ISSUER.token(aud=audience))).status_code == 403
        assert client.get("/me", headers=sent(ISSUER.token(aud=audience, **READER))).status_code == 200
        assert client.get("/me", headers=sent(ISSUER.token(aud="third-api", **READER))).status_code == 401


def test_an_issuer_in_the_settings(token: str):
    """An `Auth` is built for it, with its keys and options."""
    app = app_with("/me", BEARERKIT_AUTH=Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
    bearer = RequireBearer(render=lambda refusal, response: response.with_body(refusal.reason))
    bearer.init_app(app)
    app.add_url_rule("/", "guarded", bearer(me))
    assert app.test_client().get("/", headers=sent(token)).status_code == 200
    assert app.test_client().get("/").text == "credentials_missing"


@pytest.mark.parametrize("build", [RequireBearer, BearerMiddleware])
def test_no_auth_is_a_config_error_when_the_app_is_built(build: Any):
    """What init_app finds nowhere, no request would find."""
    with pytest.raises(ConfigError, match=r"no Auth, and app.config\['BEARERKIT_AUTH'\] is not set"):
        build().init_app(app_with())
    with pytest.raises(ConfigError, match="Auth"):
        build().init_app(app_with(BEARERKIT_AUTH="proj.auth"))
    with pytest.raises(ConfigError, match="did you mean 'user'"):
        build(users=print)
    with pytest.raises(ConfigError, match="cannot be called"):
        build(user="load_user")


@pytest.mark.parametrize("build", [RequireBearer, BearerMiddleware])
def test_a_misspelt_setting_is_a_config_error(auth: Auth, build: Any):
    """All of them at once, with the name that was meant; also where the guard has its `Auth` already."""
    for guard in (build(), build(auth=auth)):
        with pytest.raises(ConfigError, match=r"BEARERKIT_AUHT'\] is no setting; did you mean") as caught:
            guard.init_app(app_with(BEARERKIT_AUTH=None, BEARERKIT_AUHT=auth, BEARERKIT_NEED="orders"))
        assert len(caught.value.problems) == 2


@pytest.mark.parametrize("build", [RequireBearer, BearerMiddleware])
def test_variables_of_the_environment_are_no_misspelt_settings(auth: Auth, build: Any):
    """A team that loads all of os.environ into its config has those of `Auth.from_env` in there."""
    environ = {"BEARERKIT_ISSUER": "https://id.example.com", "BEARERKIT_AUDIENCE": "a", "BEARERKIT_VECTORS": "x"}
    build().init_app(app_with(BEARERKIT_AUTH=auth, **environ))


@pytest.mark.parametrize("build", [RequireBearer, BearerMiddleware])
def test_two_auths_are_a_config_error(auth: Auth, build: Any):
    """One of them would be ignored, and nobody could tell which; the same one twice is one."""
    with pytest.raises(ConfigError, match="has an Auth, so init_app takes none"):
        build(auth=auth).init_app(app_with(), other_auth())
    guard, app = build(), app_with()
    guard.init_app(app, auth)
    guard.init_app(app, auth)
    with pytest.raises(ConfigError, match="bound to another Auth in this application already"):
        guard.init_app(app, other_auth())
    guard.init_app(app_with(), other_auth())


def test_an_app_that_a_guard_was_not_bound_to(auth: Auth, token: str):
    """No `Auth`, nobody is let in: an error that says what is missing, in requests and outside of them."""
    bearer = RequireBearer()
    bearer.init_app(app_with(), auth)
    app = app_with()
    app.add_url_rule("/", "me", bearer(me))
    with pytest.raises(ConfigError, match=r"this RequireBearer has no Auth: give it one, or call its init_app"):
        app.test_client().get("/", headers=sent(token))
    with pytest.raises(ConfigError, match="has no Auth"):
        _ = bearer.gate
    with pytest.raises(ConfigError, match="this BearerMiddleware has no Auth"):
        _ = BearerMiddleware().gate


def test_what_is_neither_app_nor_blueprint(auth: Auth):
    """`app.wsgi_app` is for the guard of another module."""
    with pytest.raises(TypeError, match=r"bearerkit\.wsgi guards WSGI applications"):
        BearerMiddleware(app_with().wsgi_app, auth)  # type: ignore[arg-type]


def test_async_callbacks_without_asgiref_are_a_config_error(auth: Auth, monkeypatch: pytest.MonkeyPatch):
    """Flask calls them with it; the message names what to install, and both callbacks."""

    async def load(ctx: Any) -> Any:
        return None

    monkeypatch.setattr("bearerkit.flask.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'pip install "flask\[async\]"') as caught:
        RequireBearer(auth, user=load, not_found=load)
    assert len(caught.value.problems) == 2
    assert RequireBearer(auth, user=print).gate.user is print


def test_an_app_is_closed_by_default(auth: Auth, token: str, tmp_path: Any):
    """Routes, static files, what is not routed, and other methods; a token opens them, nothing else does."""
    (tmp_path / "app.js").write_text("secret")
    app = Flask("closed", static_folder=str(tmp_path), static_url_path="/static")
    app.add_url_rule("/me", "me", me)
    app.add_url_rule("/tree/", "tree", me)
    BearerMiddleware(app, auth)
    client = app.test_client()
    for path in ("/me", "/static/app.js", "/nowhere", "/tree", "/"):
        refused = client.get(path)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    assert client.delete("/me").status_code == client.options("/me").status_code == 401
    answers = [
        client.get(path, headers=sent(token), buffered=True) for path in ("/me", "/static/app.js", "/nowhere", "/tree")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 308]
    assert client.delete("/me", headers=sent(token)).status_code == 405
    assert client.options("/me", headers=sent(token)).headers["allow"]


def test_what_is_exempt_is_reached_by_nobody_in_particular(auth: Auth, token: str, tmp_path: Any):
    """Whatever the request carries; a guard of the route still counts."""
    (tmp_path / "app.js").write_text("open")
    app = Flask("closed", static_folder=str(tmp_path), static_url_path="/static")
    app.add_url_rule("/health", "health", me)
    app.add_url_rule("/vault", "vault", RequireBearer(auth)(me))
    app.add_url_rule("/maybe", "maybe", RequireBearer(auth, optional=True)(me))
    BearerMiddleware(app, auth, exempt=["/health", "/vault", "/maybe", "/static/*"])
    client = app.test_client()
    for headers in (sent(), sent(token), sent("garbage")):
        assert client.get("/health", headers=headers).json == {"from": None, "current": None}
    assert client.get("/static/app.js", buffered=True).text == "open"
    assert client.get("/vault").status_code == 401
    assert client.get("/maybe").json == {"from": None, "current": None}
    assert client.get("/maybe", headers=sent(token)).json == {"from": "user", "current": "user"}


def test_a_preflight_reaches_the_app(auth: Auth):
    """As nobody, whatever the need; Flask, or a view that wants OPTIONS for itself, answers it."""
    app = app_with("/me")
    app.add_url_rule("/own", "own", me, methods=["OPTIONS"], provide_automatic_options=False)
    BearerMiddleware(app, auth, need=scope("orders:read"))
    client = app.test_client()
    assert "GET" in client.options("/me", headers=PREFLIGHT).headers["allow"]
    assert client.options("/own", headers=PREFLIGHT).json == {"from": None, "current": None}
    assert client.options("/own", headers={**PREFLIGHT, **sent("garbage")}).status_code == 401


def test_optional_middleware_and_a_required_route(auth: Auth):
    """That nobody had to say who he is at the door does not let him into the vault."""
    app = app_with("/public")
    app.add_url_rule("/vault", "vault", RequireBearer(auth)(me))
    BearerMiddleware(app, auth, optional=True)
    client = app.test_client()
    assert client.get("/public").status_code == 200
    assert client.get("/public", headers=sent("garbage")).status_code == 401
    assert client.get("/vault").status_code == 401


def test_functions_before_and_after_a_request(auth: Auth, token: str):
    """What is registered earlier runs for strangers too, what is later does not; what comes after sees refusals."""
    app, ran = app_with("/me"), []
    app.before_request(lambda: ran.append("earlier"))
    BearerMiddleware(app, auth)
    app.before_request(lambda: ran.append(f"later {current_auth.subject}"))

    @app.after_request
    def after(response: Any) -> Any:
        ran.append(f"after {response.status_code}")
        return response

    @app.teardown_request
    def teardown(error: Any) -> None:
        ran.append(repr(current_auth))

    client = app.test_client()
    client.get("/me")
    assert ran == ["earlier", "after 401", "<current_auth: nobody is calling>"]
    ran.clear()
    client.get("/me", headers=sent(token))
    assert ran[:3] == ["earlier", "later user", "after 200"]
    assert "user" in ran[3]


def test_a_guarded_function_before_the_requests_of_an_app(auth: Auth):
    """`@app.before_request` over `@bearer.require(need)`, sync and async: refused callers reach no view."""
    for kind in ("sync", "async"):
        app, bearer = app_with("/me"), RequireBearer(auth)

        @app.before_request
        @bearer.require(scope("orders:read"))
        def check() -> None:
            assert current_auth.subject == "user"

        if kind == "async":
            app.before_request_funcs.clear()

            @app.before_request
            @bearer.require(scope("orders:read"))
            async def acheck() -> None:
                assert current_auth.subject == "user"

        client = app.test_client()
        assert client.get("/me").status_code == client.get("/nowhere").status_code == 401
        assert client.get("/me", headers=sent(ISSUER.token())).status_code == 403
        assert client.get("/me", headers=sent(ISSUER.token(**READER))).json == {"from": "user", "current": "user"}


def blueprint_of(name: str, **options: Any) -> Blueprint:
    blueprint = Blueprint(name, "blueprint", **options)
    blueprint.add_url_rule("/me", "me", me)
    blueprint.add_url_rule("/health", "health", me)
    return blueprint


def test_a_blueprint_is_closed_and_the_rest_is_not(auth: Auth):
    """Its own routes and those of blueprints inside; exempt paths are whole paths."""
    api = blueprint_of("api", url_prefix="/api")
    BearerMiddleware(api, auth, need=scope("orders:read"), exempt=["/api/health", "/me"])
    api.register_blueprint(blueprint_of("inner", url_prefix="/inner"))
    app = app_with()
    app.register_blueprint(api)
    app.add_url_rule("/open", "open", lambda: "open")
    client = app.test_client()
    assert client.get("/open").text == "open"
    assert client.get("/api/health").json == {"from": None, "current": None}
    for path in ("/api/me", "/api/inner/me", "/api/inner/health"):
        assert client.get(path).status_code == 401, path
        assert client.get(path, headers=sent(ISSUER.token())).status_code == 403, path
        assert client.get(path, headers=sent(ISSUER.token(**READER))).json == {"from": "user", "current": "user"}
    # Flask asks no blueprint about paths that it does not know.
    assert client.get("/api/nowhere").status_code == 404
    assert client.delete("/api/me").status_code == 405


def test_a_blueprint_inside_an_open_one(auth: Auth, token: str):
    """The guard of the inner one is there under every prefix."""
    inner, outer = blueprint_of("inner", url_prefix="/inner"), blueprint_of("outer", url_prefix="/outer")
    BearerMiddleware(inner, auth)
    outer.register_blueprint(inner)
    app = app_with()
    app.register_blueprint(outer)
    client = app.test_client()
    assert client.get("/outer/inner/me").status_code == 401
    assert client.get("/outer/inner/me", headers=sent(token)).status_code == 200
    app.view_functions["outer.me"] = lambda: "open"
    assert client.get("/outer/me").text == "open"


def test_a_blueprint_that_is_registered_twice_and_in_two_apps(auth: Auth):
    """Its `Auth` comes from each app; an app that has none cannot have it."""
    api = blueprint_of("api")
    BearerMiddleware(api)
    issuer = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)
    for setting, audience in ((issuer, AUDIENCE), (other_auth(), "billing-api")):
        app = app_with(BEARERKIT_AUTH=setting)
        for name in ("v1", "v2"):
            app.register_blueprint(api, name=name, url_prefix=f"/{name}")
        for path in ("/v1/me", "/v2/me"):
            tokens = [ISSUER.token(aud=aud) for aud in (audience, "third-api")]
            answers = [app.test_client().get(path, headers=sent(token)) for token in tokens]
            assert [answer.status_code for answer in answers] == [200, 401]
    with pytest.raises(ConfigError, match="is not set"):
        app_with().register_blueprint(api)


def test_the_context_of_a_request_that_nothing_guards(auth: Auth, token: str):
    """There is no caller, and no guess at one, whatever was sent."""

    def view() -> str:
        for ask in (lambda: current_auth.subject, lambda: auth_from(request)):
            with pytest.raises(RuntimeError, match="RequireBearer or BearerMiddleware"):
                ask()
        return "asked"

    app = app_with()
    RequireBearer(auth).init_app(app)
    app.add_url_rule("/", "view", view)
    assert app.test_client().get("/", headers=sent(token)).text == "asked"
