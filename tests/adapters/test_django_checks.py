"""Django: `manage.py check` tells of mistakes that only show once views and modules are loaded, all at once."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

import django_project
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, ConfigError, Issuer

django_project.configure()

from django.core.checks import run_checks  # noqa: E402 - needs the settings
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.base import SystemCheckError  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import clear_url_caches  # noqa: E402

import bearerkit.django  # noqa: E402
from bearerkit.django import model_user, settings  # noqa: E402
from bearerkit.django.apps import BearerkitConfig  # noqa: E402
from bearerkit.django.system_checks import check_settings  # noqa: E402

AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
OURS = "bearerkit.django.BearerMiddleware"
BACKEND = ["bearerkit.django.BearerBackend"]
UNCALLED = "BEARERKIT_USER: user=model_user is not called: user=model_user()"


@pytest.fixture(autouse=True)
def nobody_relies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards of other tests are none of this project."""
    monkeypatch.setattr(settings, "_relying", {})


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which modules can be imported, for the first time in each test."""
    monkeypatch.syspath_prepend(tmp_path)
    clear_url_caches()
    return tmp_path


def found(**changed: Any) -> list[tuple[str, str]]:
    """Number and text of what the system checks say about us."""
    with override_settings(**changed):
        ours = [message for message in run_checks() if str(message.id).startswith("bearerkit.")]
    return [(str(message.id).removeprefix("bearerkit."), message.msg) for message in ours]


def test_a_guard_that_relies_on_the_settings_is_found_before_any_request(modules: Path) -> None:
    """The routes are loaded for it; guards with an `Auth` of their own need no setting."""
    (modules / "own_routes.py").write_text(
        "from bearerkit import Auth, Issuer\n"
        "from bearerkit.django import RequireBearer\n"
        "RequireBearer(Issuer('https://id.example.test', audience='a'))(lambda request: None)\n"
        "urlpatterns = []\n"
    )
    (modules / "relying_routes.py").write_text(
        "from bearerkit.django import RequireBearer\nRequireBearer()(lambda request: None)\nurlpatterns = []\n"
    )
    for routes, expected in (("own_routes", []), ("relying_routes", ["BEARERKIT_AUTH is not set"])):
        with override_settings(ROOT_URLCONF=routes):
            assert [message.msg for message in check_settings(None)] == expected
    assert found(ROOT_URLCONF="relying_routes", BEARERKIT_AUTH=AUTH) == []


def test_routes_that_cannot_be_loaded_are_djangos_to_report() -> None:
    """They do not keep ours from being told."""
    with override_settings(ROOT_URLCONF="nowhere.at_all", BEARERKIT_TYPO=1):
        assert [message.id for message in check_settings(None)] == ["bearerkit.E002", "bearerkit.E001"]
        with pytest.raises(ModuleNotFoundError, match="nowhere"):
            run_checks()


def test_mistakes_in_the_module_of_the_auth_are_told_like_those_of_the_settings(modules: Path) -> None:
    """With every problem that the `Auth` has, beside those of other settings."""
    (modules / "bad_auth.py").write_text(
        "from bearerkit import Auth, Issuer\nauth = Auth(Issuer('http://id.example.test', audience=''))\n"
    )
    problems = found(BEARERKIT_AUTH="bad_auth.auth", BEARERKIT_EXEMPT=["health"])
    assert [check for check, _ in problems] == ["E001", "E001", "E004"]
    assert all(text.startswith(("BEARERKIT_AUTH: ", "BEARERKIT_EXEMPT: ")) for _, text in problems)


@pytest.mark.parametrize(
    ("changed", "check", "text"),
    [
        ({"BEARERKIT_EXEMPT": 7}, "E004", "BEARERKIT_EXEMPT: 7 is no list of paths"),
        ({"BEARERKIT_OPTIONAL": "yes"}, "E005", "BEARERKIT_OPTIONAL: optional='yes' is neither True nor False"),
        ({"BEARERKIT_USER": model_user}, "E005", UNCALLED),
        ({"BEARERKIT_USER": "bearerkit.django.model_user"}, "E005", UNCALLED),
        ({"BEARERKIT_NEED": "nowhere.need"}, "E003", "BEARERKIT_NEED = 'nowhere.need' cannot be imported"),
        ({"BEARERKIT_RENDER": 7}, "E005", "BEARERKIT_RENDER: render=7 cannot be called"),
        ({"BEARERKIT_NOT_FOUND": 7}, "E005", "BEARERKIT_NOT_FOUND: not_found=7 cannot be called"),
        ({"AUTHENTICATION_BACKENDS": BACKEND}, "E008", "BearerBackend needs BEARERKIT_USER, which loads the user"),
    ],
)
def test_more_mistakes(changed: dict[str, Any], check: str, text: str) -> None:
    """Each by itself, under its own number."""
    problems = found(BEARERKIT_AUTH=AUTH, **changed)
    assert [each for each, _ in problems] == [check]
    assert problems[0][1].startswith(text)


def test_options_are_judged_without_an_auth_too() -> None:
    """One start, one list, at `check` as at the start of the server."""
    changed = {"BEARERKIT_USER": 7, "BEARERKIT_RENDER": 7, "MIDDLEWARE": [OURS]}
    assert [check for check, _ in found(**changed)] == ["E001", "E005", "E005"]
    with override_settings(**changed), pytest.raises(ConfigError) as caught:
        WSGIHandler()
    assert len(caught.value.problems) == 3


def test_the_command_fails() -> None:
    """As a deployment script would see it."""
    call_command("check")
    with (
        override_settings(BEARERKIT_EXEMT=[]),
        pytest.raises(SystemCheckError, match="did you mean 'BEARERKIT_EXEMPT'"),
    ):
        call_command("check")


def test_a_backend_relies_on_the_settings() -> None:
    """It has no `Auth` of its own."""
    assert [check for check, _ in found(AUTHENTICATION_BACKENDS=BACKEND)] == ["E001", "E008"]


def test_the_application_stands_for_itself() -> None:
    """Without the registry of a project, and without drf-spectacular, there are the checks alone."""
    config = BearerkitConfig("bearerkit.django", bearerkit.django)
    config.apps = None
    config.ready()
    assert (config.label, config.verbose_name) == ("bearerkit", "bearerkit")


def test_without_django_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every adapter does."""
    monkeypatch.setitem(sys.modules, "django", None)
    spec = importlib.util.spec_from_file_location("without_django", bearerkit.django.__file__)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(ModuleNotFoundError, match=r'bearerkit\.django needs Django: pip install "bearerkit\[django\]"'):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
