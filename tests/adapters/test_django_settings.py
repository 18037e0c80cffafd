"""Django: what the settings say, what is wrong with them, and that it is told before any request."""

from __future__ import annotations

from typing import Any

import pytest

import django_project
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, ConfigError, Issuer, scope

django_project.configure()

from django.core.checks import run_checks  # noqa: E402 - needs the settings
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory, override_settings  # noqa: E402
from django.views import View  # noqa: E402

from bearerkit.django import BearerRequiredMixin, RequireBearer  # noqa: E402
from bearerkit.django.settings import configured_door  # noqa: E402

OURS = "bearerkit.django.BearerMiddleware"
USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"
CORS = "corsheaders.middleware.CorsMiddleware"
AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
NOT_AUTH = object()


def load_user(ctx: Any) -> Any:
    return ctx.subject


def found(**settings: Any) -> dict[str, str]:
    """Id and text of what the system checks say about us."""
    with override_settings(**settings):
        return {message.id: message.msg for message in run_checks() if str(message.id).startswith("bearerkit.")}


def test_good_settings_pass():
    """Objects and dotted paths alike."""
    assert found(BEARERKIT_AUTH=AUTH, BEARERKIT_EXEMPT=["/health"], MIDDLEWARE=[USERS, OURS]) == {}
    here = f"{__name__}."
    assert found(BEARERKIT_AUTH=f"{here}AUTH", BEARERKIT_USER=f"{here}load_user", BEARERKIT_NEED=scope("a")) == {}
    with override_settings(BEARERKIT_AUTH=Issuer("https://id.example.test", audience="a"), BEARERKIT_OPTIONAL=True):
        assert configured_door().gate.optional is True
        assert configured_door() is configured_door()


@pytest.mark.parametrize(
    ("settings", "check", "text"),
    [
        ({"BEARERKIT_AUTH": "nowhere.auth"}, "E001", "BEARERKIT_AUTH = 'nowhere.auth' cannot be imported"),
        ({"BEARERKIT_AUTH": f"{__name__}.NOT_AUTH"}, "E001", "neither an Auth nor an Issuer"),
        ({"BEARERKIT_AUTH": AUTH, "BEARERKIT_EXEMT": []}, "E002", "did you mean 'BEARERKIT_EXEMPT'"),
        ({"BEARERKIT_AUTH": AUTH, "BEARERKIT_NEED": 7}, "E003", "BEARERKIT_NEED: a requirement is needed"),
        ({"BEARERKIT_AUTH": AUTH, "BEARERKIT_EXEMPT": ["health"]}, "E004", "does not start with a slash"),
        ({"BEARERKIT_AUTH": AUTH, "BEARERKIT_EXEMPT": "/health"}, "E004", "must be a list"),
        ({"BEARERKIT_AUTH": AUTH, "BEARERKIT_USER": 7}, "E005", "user=7 cannot be called"),
        ({"BEARERKIT_AUTH": AUTH, "BEARERKIT_OPTIONAL": 7}, "E005", "neither True nor False"),
    ],
)
def test_a_bad_setting_is_a_system_check_and_stops_the_start(settings: dict[str, Any], check: str, text: str):
    """`manage.py check` says so, and a server does not begin to serve."""
    problems = found(**settings)
    assert set(problems) == {f"bearerkit.{check}"}
    assert text in problems[f"bearerkit.{check}"]
    with override_settings(MIDDLEWARE=[OURS], **settings), pytest.raises(ConfigError, match=r"BEARERKIT|cannot|True"):
        WSGIHandler()


def test_all_problems_are_told_at_once():
    """One start, one list."""
    settings = {"BEARERKIT_AUTH": "nowhere.auth", "BEARERKIT_EXEMPT": ["a", "b"], "BEARERKIT_TYPO": 1}
    with override_settings(MIDDLEWARE=[OURS], **settings), pytest.raises(ConfigError) as caught:
        WSGIHandler()
    assert len(caught.value.problems) == 4


def test_an_auth_is_needed_where_something_relies_on_it():
    """By the middleware; a guard with an `Auth` of its own needs no setting."""
    assert "BEARERKIT_AUTH is not set" in found(MIDDLEWARE=[OURS])["bearerkit.E001"]
    assert "bearerkit.E001" in found(BEARERKIT_EXEMPT=["/health"])
    assert "bearerkit.E001" in found(
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["bearerkit.drf.BearerAuthentication"]}
    )
    with pytest.raises(ConfigError, match="BEARERKIT_AUTH is not set"):
        _ = RequireBearer().gate


def test_the_order_of_the_middleware():
    """AuthenticationMiddleware would replace the user, CORS would not see refusals."""
    base = {"BEARERKIT_AUTH": AUTH}
    assert set(found(MIDDLEWARE=[OURS, USERS], BEARERKIT_USER=load_user, **base)) == {"bearerkit.E006"}
    assert set(found(MIDDLEWARE=[OURS, USERS], **base)) == set()
    assert set(found(MIDDLEWARE=[OURS, CORS], CORS_ALLOW_ALL_ORIGINS=True, **base)) == {"bearerkit.W001"}
    assert set(found(MIDDLEWARE=[CORS, USERS, OURS], BEARERKIT_USER=load_user, **base)) == set()
    assert set(found(MIDDLEWARE=["bearerkit.django.middleware.BearerMiddleware", CORS], **base)) == {"bearerkit.W001"}
    assert "bearerkit.W001" in found(MIDDLEWARE=["nowhere.Middleware", OURS, CORS], **base)


def test_a_guard_without_an_auth_takes_the_settings():
    """Read at each request, and the options given to the guard go first."""
    bearer = RequireBearer(optional=True)
    view = bearer(lambda request: HttpResponse(str(request.auth_context.subject)))
    with override_settings(BEARERKIT_AUTH=AUTH):
        assert view(RequestFactory().get("/")).content == b"None"
        headers = {"Authorization": f"Bearer {ISSUER.token(sub='ada')}"}
        assert view(RequestFactory().get("/", headers=headers)).content == b"ada"
        assert RequireBearer().gate is configured_door().gate


def test_what_cannot_guard_is_an_error_when_it_is_made():
    """A need that is none, a guard that is none, a class where a view belongs."""
    with pytest.raises(ConfigError, match="a requirement is needed"):
        type("Wrong", (BearerRequiredMixin, View), {"need": "orders:read"})
    with pytest.raises(TypeError, match="is no RequireBearer"):
        type("Wrong", (BearerRequiredMixin, View), {"bearer": AUTH})
    with pytest.raises(TypeError, match="must come before the views"):
        type("Wrong", (View, BearerRequiredMixin), {})
    with pytest.raises(TypeError, match="is a class"):
        RequireBearer(AUTH)(View)
    with pytest.raises(ConfigError, match="optionl is no option; did you mean 'optional'"):
        RequireBearer(AUTH, optionl=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="HttpRequest"):
        RequireBearer(AUTH)(lambda request: None)("no request")
