"""Django: functions, methods and class-based views, sync and async, through routes and without any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

import django_project
from adapters.django_calls import bearing
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, ConfigError, Issuer, role, scope, tenant
from bearerkit.current_caller import CALLER
from bearerkit.errors import PermissionDenied

django_project.configure()

from django.http import Http404, HttpResponse  # noqa: E402 - needs the settings
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory, override_settings  # noqa: E402
from django.urls import include, path, re_path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402
from django.views.decorators.cache import never_cache  # noqa: E402

from bearerkit.django import BearerRequiredMixin, RequireBearer, auth_from, current_auth  # noqa: E402

AUTH = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks))
bearer = RequireBearer(AUTH)
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])
"""Django's handlers are made for asyncio alone."""


def routed(*routes: Any) -> Any:
    return override_settings(ROOT_URLCONF=routes)


def me(request: Any, **named: Any) -> HttpResponse:
    return HttpResponse("|".join(map(str, [request.auth_context.subject, auth_from(request).subject, *named.values()])))


async def async_me(request: Any, **named: Any) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("|".join(map(str, [request.auth_context.subject, current_auth.subject, *named.values()])))


VIEWS = [me, async_me, partial(me), partial(async_me, extra="x")]


@pytest.mark.parametrize("view", VIEWS, ids=["sync", "async", "partial", "async-partial"])
def test_functions_behind_wsgi(view: Callable[..., Any]) -> None:
    """Django runs an async view as ever; both accessors know the caller."""
    with routed(path("me", bearer(view))):
        assert Client().get("/me", headers=bearing(sub="ada")).content.startswith(b"ada|ada")
        assert Client().get("/me").status_code == 401


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("view", VIEWS, ids=["sync", "async", "partial", "async-partial"])
async def test_functions_behind_asgi(view: Callable[..., Any]) -> None:
    """The same with an event loop, where Django runs sync views in a thread."""
    with routed(path("me", bearer(view))):
        assert (await AsyncClient().get("/me", headers=bearing(sub="ada"))).content.startswith(b"ada|ada")
        assert (await AsyncClient().get("/me")).status_code == 401


@pytest.mark.anyio
@on_asyncio
async def test_views_without_routes() -> None:
    """Unit tests call a view with a request that no resolver has seen; keywords are its path parameters."""
    need = bearer.require(tenant(path="tenant_id"))
    requests, async_requests = RequestFactory(), AsyncRequestFactory()
    acme = bearing(tenant_id="acme")
    assert need(me)(requests.get("/", headers=acme), tenant_id="acme").status_code == 200
    assert need(me)(requests.get("/", headers=acme), tenant_id="evil").status_code == 404
    assert need(me)(requests.get("/", headers=acme)).status_code == 404
    assert need(me)(request=requests.get("/", headers=acme), tenant_id="acme").status_code == 200
    assert (await need(async_me)(async_requests.get("/", headers=acme), tenant_id="acme")).status_code == 200
    assert (await need(async_me)(async_requests.get("/", headers=acme), tenant_id="evil")).status_code == 404
    assert CALLER.get() is None


def test_path_parameters() -> None:
    """Those of the route, of what it includes, and of a converter; unnamed groups of a pattern have no name to need."""
    own = bearer.require(tenant(path="tenant_id"))
    of_tenant: Any = ([path("orders", own(me))], "orders")
    routes = (
        path("t/<tenant_id>/", include(of_tenant)),
        path("n/<int:tenant_id>", own(me)),
        path("fixed", own(me), {"tenant_id": "acme"}),
        re_path(r"^u/(\w+)$", own(lambda request, tenant_id: me(request))),
        re_path(r"^k/(?P<tenant_id>\w+)$", own(me)),
    )
    with routed(*routes):
        acme, seven = bearing(sub="ada", tenant_id="acme"), bearing(tenant_id="7")
        assert Client().get("/t/acme/orders", headers=acme).content == b"ada|ada|acme"
        assert Client().get("/t/evil/orders", headers=acme).status_code == 404
        assert Client().get("/n/7", headers=seven).status_code == 200
        assert Client().get("/n/007", headers=seven).status_code == 200
        assert Client().get("/n/8", headers=seven).status_code == 404
        assert Client().get("/fixed", headers=acme).status_code == 200
        assert Client().get("/u/acme", headers=acme).status_code == 404
        assert Client().get("/k/acme", headers=acme).status_code == 200


class Sync(View):
    def get(self, request: Any) -> HttpResponse:
        return me(request)


class Async(View):
    async def get(self, request: Any) -> HttpResponse:
        return await async_me(request)


@pytest.mark.parametrize("base", [Sync, Async])
def test_the_dispatch_of_a_class(base: type[View]) -> None:
    """Every method is guarded, before it is known whether there is such a method."""

    @method_decorator(bearer.require(role("admin")), "dispatch")
    class Guarded(base):  # type: ignore[misc, valid-type]
        pass

    with routed(path("x", Guarded.as_view())):
        client = Client(enforce_csrf_checks=True)
        assert client.get("/x", headers=bearing(roles=["admin"])).content == b"user|user"
        assert client.get("/x", headers=bearing()).status_code == 403
        assert client.post("/x").status_code == 401
        assert client.post("/x", headers=bearing(roles=["admin"])).status_code == 405


@pytest.mark.parametrize("base", [Sync, Async])
def test_a_list_of_decorators(base: type[View]) -> None:
    """Ours last is next to the view; above another that hides an async view, it says what to do."""
    seen: list[int] = []

    def other(view: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            response = view(*args, **kwargs)
            seen.append(getattr(response, "status_code", 0))
            return response

        return wrapped

    inner = method_decorator([other, bearer], "dispatch")(type("Inner", (base,), {}))
    outer = method_decorator([bearer, other], "dispatch")(type("Outer", (base,), {}))
    with routed(path("inner", inner.as_view()), path("outer", outer.as_view())):
        assert Client().get("/inner", headers=bearing()).content == b"user|user"
        assert Client().get("/inner").status_code == 401
        if base is Sync:
            assert Client().get("/outer", headers=bearing()).content == b"user|user"
            assert Client().get("/outer").status_code == 401
            assert seen == [200, 401, 200]
        else:
            with pytest.raises(TypeError, match=r"in a list of method_decorator, last"):
                Client().get("/outer", headers=bearing())
            assert Client(raise_request_exception=False).get("/outer").status_code == 500


@pytest.mark.parametrize("base", [Sync, Async])
def test_the_mixin(base: type[View]) -> None:
    """With the guard and the need of the class, of `as_view`, or of a subclass."""
    guarded: Any = type("Guarded", (BearerRequiredMixin, base), {"bearer": bearer})
    strict: Any = type("Strict", (guarded,), {"need": role("admin")})
    lenient = RequireBearer(AUTH, optional=True)
    routes = (
        path("any", guarded.as_view()),
        path("strict", strict.as_view()),
        path("needed", guarded.as_view(need=scope("a"))),
        path("optional", guarded.as_view(bearer=lenient)),
    )
    with routed(*routes):
        got = {name: Client().get(f"/{name}", headers=bearing()).status_code for name in ("any", "strict", "needed")}
        assert got == {"any": 200, "strict": 403, "needed": 403}
        assert Client().get("/needed", headers=bearing(scope="a")).status_code == 200
        assert Client().get("/optional").content == b"None|None"
        assert Client().get("/any").status_code == 401
        assert Client().options("/strict").status_code == 401
    with pytest.raises(TypeError, match="the guard of Guarded is no RequireBearer"):
        guarded.as_view(bearer=AUTH)
    with pytest.raises(ConfigError, match="a requirement is needed"):
        guarded.as_view(need="a")
    with pytest.raises(TypeError, match="pages"):
        guarded.as_view(pages=3)


def test_a_mixin_of_a_mixin() -> None:
    """What is no view yet may be made of it, and the order is asked of the view."""
    ours: Any = type("Ours", (BearerRequiredMixin,), {"bearer": bearer})
    view: Any = type("Both", (ours, Sync), {})
    assert view.as_view()(RequestFactory().get("/")).status_code == 401
    with pytest.raises(TypeError, match="must come before the views that Wrong is derived from"):
        type("Wrong", (Sync, ours), {})


@pytest.mark.anyio
@on_asyncio
async def test_methods_of_a_class() -> None:
    """Each may need something else, and the guard finds the request behind `self`."""

    class Orders(View):
        @bearer
        def get(self, request: Any) -> HttpResponse:
            return me(request)

        @bearer.require(scope("orders:write"))
        def put(self, request: Any) -> HttpResponse:
            return me(request)

    class AsyncOrders(View):
        @bearer.require(scope("orders:write"))
        async def get(self, request: Any) -> HttpResponse:
            return await async_me(request)

    requests, write = RequestFactory(), bearing(scope="orders:write")
    assert Orders.as_view()(requests.get("/", headers=bearing())).status_code == 200
    assert Orders.as_view()(requests.put("/", headers=bearing())).status_code == 403
    assert Orders.as_view()(requests.put("/", headers=write)).status_code == 200
    assert (await AsyncOrders.as_view()(AsyncRequestFactory().get("/", headers=bearing()))).status_code == 403
    assert (await AsyncOrders.as_view()(AsyncRequestFactory().get("/", headers=write))).status_code == 200


def test_the_request_that_is_judged_is_the_one_of_the_call() -> None:
    """An object that keeps the request of somebody else does not lend it; one that stands for a request does."""
    before, now = RequestFactory().get("/", headers=bearing(sub="ada")), RequestFactory().get("/")
    keeper = SimpleNamespace(_request=before)
    assert bearer(lambda self, request: me(request))(keeper, now).status_code == 401
    rest = SimpleNamespace(_request=before, META=before.META)
    assert bearer(lambda self, request: me(before))(keeper, rest).content == b"ada|ada"
    with pytest.raises(TypeError, match="HttpRequest"):
        bearer(lambda self: None)(keeper)


def test_other_decorators_and_the_name_of_the_view() -> None:
    """Above and below ours; what they hang on a view stays there."""
    below = bearer(never_cache(me))
    assert below.__name__ == "me"
    request = RequestFactory().get("/", headers=bearing())
    assert "no-cache" in below(request)["Cache-Control"]
    assert "no-cache" in never_cache(bearer(me))(RequestFactory().get("/"))["Cache-Control"]


@pytest.mark.anyio
@on_asyncio
async def test_a_refusal_of_the_view_is_answered_and_other_errors_are_not() -> None:
    """In place, by the very guard; Django's own 404 is Django's."""

    def refuses(request: Any) -> HttpResponse:
        raise PermissionDenied("no")

    async def arefuses(request: Any) -> HttpResponse:
        raise PermissionDenied("no")

    def lost(request: Any) -> HttpResponse:
        raise Http404("lost")

    assert bearer(refuses)(RequestFactory().get("/", headers=bearing())).status_code == 403
    assert (await bearer(arefuses)(AsyncRequestFactory().get("/", headers=bearing()))).status_code == 403
    with pytest.raises(Http404):
        bearer(lost)(RequestFactory().get("/", headers=bearing()))
    assert CALLER.get() is None


def page(request: Any) -> HttpResponse:
    return HttpResponse(f"nothing at {request.path}", status=404)


async def async_page(request: Any) -> HttpResponse:
    return page(request)


def raising_page(request: Any) -> HttpResponse:
    raise Http404("no such page")


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("view", [me, async_me])
@pytest.mark.parametrize("not_found", [page, async_page, raising_page])
async def test_not_found(view: Any, not_found: Any) -> None:
    """The team's own 404 for a foreign tenant: returned or raised, sync or async, whatever the view is."""
    guarded = RequireBearer(AUTH, not_found=not_found).require(tenant(value="acme"))(view)
    with routed(path("x", guarded)):
        answer = await AsyncClient().get("/x", headers=bearing(tenant_id="evil"))
    assert answer.status_code == 404
    assert (answer.content == b"nothing at /x") is (not_found is not raising_page)
    assert answer.headers.get("Cache-Control") is None


def test_not_found_that_forgets_to_return() -> None:
    """A mistake of the team, and told as one."""
    guarded = RequireBearer(AUTH, not_found=lambda request: None).require(tenant(value="acme"))(me)
    with pytest.raises(TypeError, match="not_found= returned no response"):
        guarded(RequestFactory().get("/", headers=bearing()))
