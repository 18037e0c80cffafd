"""Flask: refusals and the team's own error handlers, which stay what they are."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask, abort

from adapters.flask_calls import sent
from adapters.scenarios import ISSUER
from bearerkit import Auth, BearerkitError, ConfigError, tenant
from bearerkit.errors import Forbidden, InsufficientScope, KeysUnavailable, PermissionDenied, TenantUnknown
from bearerkit.flask import BearerMiddleware, RequireBearer

BASE: dict[str, Any] = {"PROPAGATE_EXCEPTIONS": False}


def refusing(error: BearerkitError | None = None) -> Any:
    def view() -> str:
        raise error or InsufficientScope("no", required=["orders:all"])

    return view


def theirs(name: str) -> Any:
    """An error handler of the team."""
    return lambda error: (f"{name} of {type(error).__name__}", 418)


def app_of(**views: Any) -> Flask:
    app = Flask("errors")
    app.config.update(BASE)
    for name, view in views.items():
        app.add_url_rule(f"/{name}", name, view)
    return app


def by_decorator(auth: Auth, app: Flask, view: Any, **options: Any) -> None:
    """A guard around the view."""
    app.add_url_rule("/x", "x", RequireBearer(auth, **options)(view))


def by_middleware(auth: Auth, app: Flask, view: Any, **options: Any) -> None:
    """A guard of the whole app and none around the view."""
    app.add_url_rule("/x", "x", view)
    BearerMiddleware(app, auth, **options)


def by_function(auth: Auth, app: Flask, view: Any, **options: Any) -> None:
    """A guarded function before the view, with `init_app`."""
    bearer = RequireBearer(auth, **options)
    bearer.init_app(app)
    app.before_request(bearer(lambda: None))
    app.add_url_rule("/x", "x", view)


guards = pytest.mark.parametrize("guard", [by_decorator, by_middleware, by_function])


@guards
def test_a_refusal_of_a_view_is_answered_as_a_guard_would(auth: Auth, token: str, guard: Any):
    """With status, challenge and body of the refusal, by the options of the guard that let the caller in."""
    app = app_of()
    guard(auth, app, refusing(), render=lambda refusal, response: response.with_body(refusal.reason))
    answer = app.test_client().get("/x", headers=sent(token))
    assert (answer.status_code, answer.text) == (403, "insufficient_scope")
    assert 'scope="orders:all"' in answer.headers["www-authenticate"]


@guards
def test_an_outage_that_a_view_meets_is_an_outage(auth: Auth, token: str, guard: Any):
    """503 with Retry-After, and not a mistake of the app."""
    app = app_of()
    guard(auth, app, refusing(KeysUnavailable("down", retry_after=7)))
    answer = app.test_client().get("/x", headers=sent(token))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


@guards
def test_a_view_that_knows_no_such_tenant_shows_the_page_of_the_team(auth: Auth, token: str, guard: Any):
    """Also where `not_found` aborts and their handler of 404 answers."""
    app = app_of()
    app.register_error_handler(404, theirs("404"))
    guard(auth, app, refusing(TenantUnknown("none")), not_found=lambda request: abort(404))
    assert app.test_client().get("/x", headers=sent(token)).text == "404 of NotFound"


@guards
def test_handlers_for_status_codes_and_for_everything_are_not_asked(auth: Auth, token: str, guard: Any):
    """A refusal is no HTTPException and no mistake; their handlers still get what is theirs."""
    app = app_of(aborting=lambda: abort(403), buggy=lambda: {}["bug"])
    for key in (401, 403, Exception):
        app.register_error_handler(key, theirs(str(key)))
    guard(auth, app, refusing())
    client = app.test_client()
    assert client.get("/x").headers["www-authenticate"] == 'Bearer realm="api"'
    assert client.get("/x", headers=sent(token)).status_code == 403
    assert client.get("/aborting", headers=sent(token)).text == "403 of Forbidden"
    assert client.get("/buggy", headers=sent(token)).text == "<class 'Exception'> of KeyError"


@pytest.mark.parametrize("handled", [BearerkitError, Forbidden, InsufficientScope])
@pytest.mark.parametrize("order", ["before", "after"])
def test_handlers_of_the_team_for_refusals_go_first(auth: Auth, token: str, handled: Any, order: str):
    """For the root or any class below, registered before or after ours; the guard's own refusals stay ours."""
    app = app_of(x=refusing())
    if order == "before":
        app.register_error_handler(handled, theirs("own"))
    BearerMiddleware(app, auth)
    if order == "after":
        app.register_error_handler(handled, theirs("own"))
    assert app.test_client().get("/x", headers=sent(token)).text == "own of InsufficientScope"
    assert app.test_client().get("/x").status_code == 401


def test_handlers_of_a_blueprint_go_first(auth: Auth, token: str):
    """As Flask has it, even one for everything: it stands nearer to the view than ours."""
    app, blueprint = app_of(), Blueprint("api", "api", url_prefix="/api")
    blueprint.add_url_rule("/x", "x", refusing())
    blueprint.add_url_rule("/guarded", "guarded", RequireBearer(auth)(refusing()))
    blueprint.register_error_handler(Exception, theirs("everything"))
    app.register_blueprint(blueprint)
    BearerMiddleware(app, auth)
    client = app.test_client()
    assert client.get("/api/x").status_code == 401
    assert client.get("/api/x", headers=sent(token)).text == "everything of InsufficientScope"
    assert client.get("/api/guarded", headers=sent(token)).status_code == 403


@pytest.mark.parametrize("error", [PermissionDenied("no"), BearerkitError("odd"), ConfigError("bad settings")])
def test_what_no_guard_answers_for_is_the_teams(auth: Auth, error: BearerkitError):
    """A view that nothing guards raises into the app, as without us: their handlers for everything and for 500."""
    app = app_of(x=refusing(error))
    RequireBearer(auth).init_app(app)
    assert app.test_client().get("/x").status_code == 500
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = True, True
    with pytest.raises(type(error)):
        app.test_client().get("/x")
    app = app_of(x=refusing(error))
    app.register_error_handler(500, theirs("500"))
    RequireBearer(auth).init_app(app)
    assert app.test_client().get("/x").text == "500 of InternalServerError"

    async def everything(error: Exception) -> Any:
        return theirs("everything")(error)

    app = app_of(x=refusing(error))
    app.register_error_handler(Exception, everything)
    RequireBearer(auth).init_app(app)
    assert app.test_client().get("/x").text == f"everything of {type(error).__name__}"


def test_a_mistake_is_no_refusal_behind_a_guard_either(auth: Auth, token: str):
    """ConfigError and its like are the team's: their handler, or their log, gets it, and no caller may read it."""

    def app() -> Flask:
        app = app_of(x=refusing(ConfigError("the secret setting")))
        BearerMiddleware(app, auth)
        return app

    handled = app()
    handled.register_error_handler(Exception, theirs("everything"))
    assert handled.test_client().get("/x", headers=sent(token)).text == "everything of ConfigError"
    answer = app().test_client().get("/x", headers=sent(token))
    assert (answer.status_code, answer.mimetype, "secret" in answer.text) == (500, "text/html", False)


def test_without_init_app_a_guarded_function_answers_for_itself_only(auth: Auth, token: str):
    """What a view raises then reaches Flask: `init_app` is what hands it to us."""
    app, bearer = app_of(x=refusing()), RequireBearer(auth)
    app.before_request(bearer(lambda: None))
    assert app.test_client().get("/x").status_code == 401
    assert app.test_client().get("/x", headers=sent(token)).status_code == 500


def test_the_last_guard_that_let_the_caller_in_answers(auth: Auth, token: str):
    """The one nearest to the view."""
    app = app_of(x=refusing())
    BearerMiddleware(app, auth, render=lambda refusal, response: response.with_body("door"))
    second = RequireBearer(auth, render=lambda refusal, response: response.with_body("second"))
    app.before_request(second(lambda: None))
    assert app.test_client().get("/x", headers=sent(token)).text == "second"
    assert app.test_client().get("/x").text == "door"


def test_refusals_are_told_to_the_operator_once(auth: Auth, token: str, caplog: Any):
    """However far they travel."""
    app = app_of(x=refusing(PermissionDenied("not today")))
    BearerMiddleware(app, auth, need=tenant(header="X-Tenant"), not_found=lambda request: ("page", 404))
    with caplog.at_level("INFO", "bearerkit.auth"):
        app.test_client().get("/x", headers=sent(ISSUER.token(tenant_id="acme"), X_Tenant="acme"))
        app.test_client().get("/x", headers=sent(token, X_Tenant="acme"))
    messages = [record.getMessage() for record in caplog.records]
    assert [message.split(":")[1].strip() for message in messages] == ["permission_denied", "tenant_unknown"]
