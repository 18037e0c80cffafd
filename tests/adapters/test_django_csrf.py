"""Django: no request that a browser may have sent without its user's wish gets further than it did without us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

import django_project
from adapters.django_calls import bearing
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, Issuer

django_project.configure()

from django.conf import settings  # noqa: E402 - needs the settings
from django.core.exceptions import MiddlewareNotUsed  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.middleware.csrf import CsrfViewMiddleware, get_token  # noqa: E402
from django.test import AsyncClient, Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402
from django.views.decorators.csrf import csrf_exempt, csrf_protect  # noqa: E402

from bearerkit.django import BearerRequiredMixin, RequireBearer  # noqa: E402

AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
CHECK = "django.middleware.csrf.CsrfViewMiddleware"
HERE = "adapters.test_django_csrf."
required, optional = RequireBearer(AUTH), RequireBearer(AUTH, optional=True)
EVIL, SHOP = "https://evil.example.test", "https://shop.example.test"


def reached(request: Any, *_: Any) -> HttpResponse:
    return HttpResponse("reached")


async def areached(request: Any, *_: Any) -> HttpResponse:
    return HttpResponse("reached")


def project(check: str | None = CHECK, /, **views: Any) -> Any:
    """Named views behind another check than Django's own, or none."""
    middleware = [item if item != CHECK else check for item in settings.MIDDLEWARE]
    routes = tuple(path(name, view) for name, view in views.items())
    return override_settings(ROOT_URLCONF=routes, MIDDLEWARE=[item for item in middleware if item is not None])


def post(name: str, headers: Any = None) -> int:
    """What a page of another site can make a browser send: the cookies, and no CSRF token."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = "of the victim"
    return client.post(f"/{name}", headers=headers).status_code


class ClassView(View):
    def post(self, request: Any) -> HttpResponse:
        return reached(request)


class AsyncClassView(View):
    async def post(self, request: Any) -> HttpResponse:
        return reached(request)


@pytest.mark.parametrize("base", [ClassView, AsyncClassView])
def test_class_based_views(base: Any) -> None:
    """By the mixin and by their `dispatch`; a guarded method alone is not exempt, since Django asks the class."""
    mixed: Any = type("Mixed", (BearerRequiredMixin, base), {"bearer": optional})
    dispatched = method_decorator(optional, "dispatch")(type("Dispatched", (base,), {}))
    method: Any = type("Method", (base,), {"post": optional(base.post)})
    freed = csrf_exempt(method.as_view())
    with project(mixed=mixed.as_view(), dispatched=dispatched.as_view(), method=method.as_view(), freed=freed):
        for name in ("mixed", "dispatched"):
            assert (post(name), post(name, bearing())) == (403, 200)
        assert (post("method"), post("method", bearing())) == (403, 403)
        assert (post("freed"), post("freed", bearing())) == (403, 200)


def test_an_exemption_of_the_team_is_written_below_the_guard() -> None:
    """Above it there is nothing left to exempt: Django asks the guard, and the guard asks what it guards."""
    with project(below=optional(csrf_exempt(reached)), above=csrf_exempt(optional(reached))):
        assert (post("below"), post("above")) == (200, 403)


@pytest.mark.parametrize("view", [reached, areached])
def test_a_check_of_a_single_view_is_not_put_off(view: Any) -> None:
    """In a project that checks view by view, `csrf_protect` does so above the guard and below it."""
    with project(None, above=csrf_protect(optional(view)), below=optional(csrf_protect(view)), none=optional(view)):
        assert (post("above"), post("below"), post("none")) == (403, 403, 200)
        assert post("below", bearing()) == 200
        assert post("below", {**bearing(), "Origin": EVIL}) == 403
        assert post("below", {**bearing(), "Origin": "http://testserver"}) == 200


def test_what_stands_between_two_guards_is_checked_too() -> None:
    """A decorator that answers by itself, with the marks of the inner guard on it."""

    def shortcut(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def answers(request: Any) -> HttpResponse:
            return HttpResponse("deleted")

        return answers

    def bare(request: Any) -> HttpResponse:
        return HttpResponse("deleted")

    bare.csrf_exempt = optional(reached).csrf_exempt  # type: ignore[attr-defined]
    with project(wrapped=optional(shortcut(optional(reached))), bare=optional(bare)):
        assert (post("wrapped"), post("bare")) == (403, 403)


@pytest.mark.parametrize(
    ("origin", "status"),
    [(EVIL, 403), ("null", 403), (SHOP, 200), ("http://testserver", 200), ("http://testserver.evil.example.test", 403)],
)
def test_a_token_beside_cookies_from_another_origin(origin: str, status: int) -> None:
    """CORS may admit a page for reading; CSRF_TRUSTED_ORIGINS says from where changes may come."""
    with project(x=required(reached), y=required(areached)), override_settings(CSRF_TRUSTED_ORIGINS=[SHOP]):
        assert post("x", {**bearing(), "Origin": origin}) == status
        assert post("y", {**bearing(), "Origin": origin}) == status


def test_a_token_from_another_origin_without_cookies() -> None:
    """There is nobody whom the page could pretend to be."""
    with project(x=required(reached)):
        client = Client(enforce_csrf_checks=True)
        assert client.post("/x", headers={**bearing(), "Origin": EVIL}).status_code == 200


class Stricter(CsrfViewMiddleware):
    """A check of the team's own, which looks at what Django says about the view."""

    def process_view(self, request: Any, callback: Any, callback_args: Any, callback_kwargs: Any) -> Any:
        if callback_kwargs.get("name") == "free":
            return None
        with pytest.raises(RuntimeError):  # the session may have to be read
            asyncio.get_running_loop()
        return super().process_view(request, callback, callback_args, callback_kwargs)


class Absent(CsrfViewMiddleware):
    def __init__(self, get_response: Any) -> None:
        raise MiddlewareNotUsed


def function(get_response: Any) -> Any:
    """A middleware that is a function is none of Django's checks."""
    return get_response


@pytest.mark.parametrize("view", [reached, areached])
def test_a_check_of_the_team_is_asked_as_django_would(view: Any) -> None:
    """With the parameters of the route, off the event loop; one that takes itself out is not asked."""

    def named(request: Any, name: str) -> Any:
        return view(request)

    async def anamed(request: Any, name: str) -> Any:
        return await view(request)

    guarded = optional(named if view is reached else anamed)
    with project(f"{HERE}Stricter", **{"<name>": guarded}):
        assert (post("free"), post("other")) == (200, 403)
    for check in (f"{HERE}Absent", f"{HERE}function"):
        with project(check, x=optional(view)):
            assert post("x") == 200


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("in_session", [False, True])
async def test_async_views_and_tokens_in_sessions(in_session: bool) -> None:
    """CSRF_USE_SESSIONS: the secret is read off the event loop, and a good CSRF token is as good as ever."""

    def form(request: Any) -> HttpResponse:
        return HttpResponse(get_token(request))

    cached = "django.contrib.sessions.backends.cache"
    with (
        project(f"{HERE}Stricter", form=form, x=optional(areached)),
        override_settings(CSRF_USE_SESSIONS=in_session, SESSION_ENGINE=cached),
    ):
        client = AsyncClient(enforce_csrf_checks=True)
        token = (await client.get("/form")).content.decode()
        assert (await client.post("/x", headers={"X-CSRFToken": token})).status_code == 200
        assert (await client.post("/x", {"csrfmiddlewaretoken": token})).status_code == 200
        assert (await client.post("/x")).status_code == 403
        assert (await client.get("/x")).status_code == 200
        assert (await client.post("/x", headers=bearing())).status_code == 200


def test_other_credentials_are_no_excuse() -> None:
    """A scheme that browsers do add by themselves is no bearer token; a bad token is refused before anything else."""
    with project(x=optional(reached)):
        assert post("x", {"Authorization": "Basic dTpw"}) == 403
        assert post("x", {"Authorization": "Bearer garbage"}) == 401
