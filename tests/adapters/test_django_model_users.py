"""Django: `model_user` finds the one user whose subject was sent, or nobody; views that refuse leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

import django_project
from adapters.django_calls import bearing, database_in
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, AuthContext, ConfigError, Issuer
from bearerkit.errors import PermissionDenied

django_project.configure()

from django.apps import apps  # noqa: E402 - needs the settings
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.checks import run_checks  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.db import models, transaction  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import AsyncClient, Client, RequestFactory, override_settings  # noqa: E402
from django.test.utils import isolate_apps  # noqa: E402
from django.urls import path  # noqa: E402

from bearerkit.django import RequireBearer, model_user, users  # noqa: E402
from bearerkit.django.users import CallerUser  # noqa: E402

AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
E007 = "bearerkit.E007"


@pytest.fixture
def database(tmp_path: Any) -> Iterator[None]:
    with database_in(tmp_path):
        yield


def of(subject: str | None, **claims: Any) -> AuthContext:
    return AuthContext.of(subject=subject, **claims)


def use(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    """Make it the user model, as far as ours can see."""
    monkeypatch.setattr(users, "get_user_model", lambda: model)


@pytest.mark.usefixtures("database")
def test_the_subject_is_compared_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number may be written in several ways and a collation may ignore case; a subject is one text."""
    ada = User.objects.create(username="ada", pk=7)
    find = model_user("id")
    assert find(of("7")) == ada
    for subject in ("07", " 7", "+7", "\u0667", "8", "ada", "", None):
        assert find(of(subject)) is None
    exact = models.QuerySet.filter

    def as_some_databases_do(self: Any, **named: Any) -> Any:
        return exact(self, **{f"{name}__iexact": value for name, value in named.items()})

    monkeypatch.setattr(models.QuerySet, "filter", as_some_databases_do)
    assert model_user()(of("ada")) == ada
    assert model_user()(of("ADA")) is None
    assert model_user(create=True)(of("ADA")) is None


@pytest.mark.usefixtures("database")
def test_what_the_field_cannot_hold_is_nobody() -> None:
    """A token of the issuer is no error of the server, whatever its subject is."""
    long = "x" * 151
    assert model_user("username", create=True)(of(long)) is None
    assert model_user("username", create=True)(of(long[1:])).username == long[1:]
    with isolate_apps("django.contrib.auth"):

        class Person(models.Model):
            key = models.UUIDField(unique=True)

            class Meta:
                app_label = "auth"

        field = Person._meta.get_field("key")
        assert not users._fits(field, "auth0|1")
        assert users._fits(field, str(UUID(int=1)))


@pytest.mark.usefixtures("database")
def test_a_new_user_cannot_log_in_with_any_password() -> None:
    """From the moment on when the row is there; the rights are those of the row."""
    made = model_user(create=True)(of("ada", is_superuser=True, is_staff=True))
    stored = User.objects.get(username="ada")
    assert made == stored
    assert (stored.has_usable_password(), stored.is_superuser, stored.is_staff) == (False, False, False)
    assert stored.password.startswith("!")
    assert not Client().login(username="ada", password="")
    stored.set_password("of her own")
    stored.save()
    assert model_user(create=True)(of("ada")) == made
    assert Client().login(username="ada", password="of her own")
    assert model_user(create=True)(of(None, client_id="c")) is None


@pytest.mark.usefixtures("database")
def test_two_requests_of_a_new_user_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one's row, which came in between, is the user of both."""
    first = models.QuerySet.first

    def in_between(self: Any) -> Any:
        found = first(self)
        if found is None:
            User.objects.create(username="ada")
        return found

    monkeypatch.setattr(models.QuerySet, "first", in_between)
    assert model_user(create=True)(of("ada")).username == "ada"
    assert User.objects.count() == 1


@pytest.mark.usefixtures("database")
def test_any_model_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one without a password."""
    use(monkeypatch, Group)
    assert model_user("name", create=True)(of("ada")) == Group.objects.get(name="ada")
    assert model_user("name")(of("eve")) is None


def test_a_constraint_makes_a_field_unique_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """One over that field alone, and without a condition."""
    with isolate_apps("django.contrib.auth"):

        class Person(models.Model):
            alone = models.TextField()
            some = models.TextField()
            both = models.TextField()

            class Meta:
                app_label = "auth"
                constraints = (
                    models.UniqueConstraint(fields=["alone"], name="alone"),
                    models.UniqueConstraint(fields=["some"], name="some", condition=models.Q(alone="x")),
                    models.UniqueConstraint(fields=["both", "some"], name="both"),
                )

    use(monkeypatch, Person)
    RequireBearer(AUTH, user=model_user("alone"))
    for name in ("some", "both"):
        with pytest.raises(ConfigError, match="is not unique in"):
            RequireBearer(AUTH, user=model_user(name))


def test_a_loader_that_cannot_work_is_refused_where_it_is_given() -> None:
    """When the guard is made, once the models are there: a view never sees it."""
    for loader, text in (
        (model_user("email"), "the field is not unique in auth.User"),
        (model_user("groups"), "the field is not unique in auth.User"),
        (model_user("logentry"), "the field is not unique in auth.User"),
        (model_user("profile__sub"), "auth.User has no such field"),
        (model_user, r"user=model_user is not called: user=model_user\(\)"),
    ):
        with pytest.raises(ConfigError, match=text):
            RequireBearer(AUTH, user=loader)


def test_a_loader_that_was_made_before_the_models_is_a_system_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard in a module that the settings name may be made early; `manage.py check` still tells, and once."""
    monkeypatch.setattr(apps, "models_ready", False)
    loader = model_user("email")
    bearer = RequireBearer(AUTH, user=loader)
    monkeypatch.setattr(apps, "models_ready", True)
    told = [message for message in run_checks() if message.id == E007]
    assert [message.msg for message in told] == ["model_user('email'): the field is not unique in auth.User"]
    with override_settings(BEARERKIT_AUTH=AUTH, BEARERKIT_USER=loader):
        ids = [message.id for message in run_checks() if str(message.id).startswith("bearerkit.")]
        assert ids == ["bearerkit.E005"]
    with pytest.raises(ConfigError, match="is not unique"):
        bearer(lambda request: HttpResponse("reached"))(RequestFactory().get("/", headers=bearing()))


def test_a_project_without_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Django says about its user model is told as a mistake in the configuration."""

    def missing() -> Any:
        raise ImproperlyConfigured("AUTH_USER_MODEL refers to model 'auth.User' that has not been installed")

    monkeypatch.setattr(users, "get_user_model", missing)
    with pytest.raises(ConfigError, match="has not been installed"):
        RequireBearer(AUTH, user=model_user())


def named(request: Any) -> HttpResponse:
    return HttpResponse(f"{request.user.get_username()}|{request.auth_context.subject}")


async def anamed(request: Any) -> HttpResponse:
    return HttpResponse(f"{(await request.auser()).get_username()}|{request.auth_context.subject}")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("view", [named, anamed])
@pytest.mark.usefixtures("database")
async def test_a_session_and_a_bearer_token_in_one_request(view: Any) -> None:
    """Whoever brings a token is its user; where nobody has to, the user of the session is left alone."""
    bob = await get_user_model().objects.acreate(username="bob")
    bearer = RequireBearer(AUTH, optional=True, user=CallerUser)
    routes = (path("x", bearer(view)), path("exempt", view))
    middleware = [*django_project.MIDDLEWARE, "bearerkit.django.BearerMiddleware"]
    closed = {"MIDDLEWARE": middleware, "BEARERKIT_AUTH": AUTH, "BEARERKIT_USER": CallerUser}
    with override_settings(ROOT_URLCONF=routes):
        client = AsyncClient()
        await client.aforce_login(bob)
        assert (await client.get("/x")).content == b"bob|None"
        assert (await client.get("/x", headers=bearing(sub="ada"))).content == b"ada|ada"
    with override_settings(ROOT_URLCONF=routes, BEARERKIT_EXEMPT=["/exempt"], **closed):
        client = AsyncClient()
        await client.aforce_login(bob)
        assert (await client.get("/exempt", headers=bearing(sub="ada"))).content == b"bob|None"
        assert (await client.get("/x")).status_code == 401


def write(request: Any) -> HttpResponse:
    User.objects.create(username="written")
    if "refuse" in request.GET:
        raise PermissionDenied("no")
    return HttpResponse("written")


@pytest.mark.parametrize("is_atomic", [False, True])
def test_a_view_that_refuses_writes_nothing_in_a_transaction(tmp_path: Any, is_atomic: bool) -> None:
    """With ATOMIC_REQUESTS a refusal undoes what the view wrote, as any exception does; without, nothing is undone."""
    guarded = path("x", RequireBearer(AUTH)(write))
    with database_in(tmp_path, ATOMIC_REQUESTS=is_atomic), override_settings(ROOT_URLCONF=(guarded,)):
        assert Client().post("/x?refuse", headers=bearing()).status_code == 403
        assert User.objects.count() == (0 if is_atomic else 1)
        User.objects.all().delete()
        with transaction.atomic():  # of somebody else, who decides for himself
            guarded.callback(RequestFactory().post("/x?refuse", headers=bearing()))
            assert transaction.get_rollback() is is_atomic
            transaction.set_rollback(False)
            User.objects.all().delete()
        assert Client().post("/x", headers=bearing()).status_code == 200
        assert User.objects.count() == 1
