"""REST framework: what a caller must have, in views of every kind, and joined with other permissions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import django_project
from adapters.drf_calls import app_of, ask, said, view_of
from adapters.scenarios import AUDIENCE, BARE, ISSUER
from adapters.test_verified_once import counting
from adapters.wsgi_calls import wsgi_get
from bearerkit import Auth, ConfigError, Issuer, Places, authenticated, custom, role, scope, tenant

from django.urls import include  # isort: skip - after the settings
from django.urls import path as url
from rest_framework.decorators import action, api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny, BasePermission, IsAdminUser
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.test import APIRequestFactory
from rest_framework.viewsets import ViewSet

from bearerkit.django import current_auth
from bearerkit.drf import BearerPermission, RequireBearer, auth_from

DOOR = [*django_project.MIDDLEWARE, "bearerkit.django.BearerMiddleware"]


class Yes(BasePermission):
    """Lets everybody pass."""


class No(BasePermission):
    """Lets nobody pass."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


def statuses(permission: Any, *tokens: str | None) -> list[int]:
    return [ask(view_of(permission), token).status for token in tokens]


READER, OTHER = ISSUER.token(scope="read"), ISSUER.token(scope="other")


# What is asked for


def test_any_credential_and_a_need(auth: Auth) -> None:
    """`[bearer]`, `[bearer.require(need)]`, and several in a row, which must all be met."""
    bearer = RequireBearer(auth)
    assert statuses(bearer, None, OTHER, READER) == [401, 200, 200]
    assert statuses(bearer.require(scope("read")), None, OTHER, READER) == [401, 403, 200]
    both = view_of(bearer.require(scope("read")), bearer.require(role("admin")))
    assert [ask(both, token).status for token in (READER, ISSUER.token(scope="read", roles=["admin"]))] == [403, 200]


def test_optional_lets_nobody_pass_unless_something_is_needed(auth: Auth) -> None:
    """The same as in every framework."""
    optional = RequireBearer(auth, optional=True)
    assert statuses(optional, None, OTHER, "garbage") == [200, 200, 401]
    assert statuses(optional.require(authenticated()), None, OTHER) == [401, 200]
    assert statuses(optional.require(scope("read")), None, OTHER, READER) == [401, 403, 200]


@pytest.mark.parametrize("need", [None, "orders:read", scope, [scope("a")]])
def test_what_is_no_need_is_a_config_error(auth: Auth, need: Any) -> None:
    """When the module is imported, since it would guard nothing."""
    with pytest.raises(ConfigError, match="a requirement is needed"):
        RequireBearer(auth).require(need)


def test_a_permission_in_the_wrong_place_fails_when_it_is_imported(auth: Auth) -> None:
    """As a decorator, which is the spelling of Django views."""
    bearer = RequireBearer(auth)
    for decorate in (bearer, bearer.require(scope("a"))):
        with pytest.raises(TypeError):
            decorate(lambda request: Response())  # type: ignore[call-arg,operator]


def test_a_permission_class_may_be_derived(auth: Auth) -> None:
    """A team may ask for more, and name the class."""

    class Monday(RequireBearer(auth).require(scope("read"))):  # type: ignore[misc]
        def has_permission(self, request: Any, view: Any) -> bool:
            return super().has_permission(request, view) and request.query_params.get("day") == "monday"

    assert issubclass(Monday, BearerPermission)
    view = view_of(Monday)
    assert ask(view, READER, query="day=monday").status == 200
    assert ask(view, READER, query="day=sunday").status == 403
    assert ask(view, query="day=monday").header("WWW-Authenticate") == BARE


# Joined with others


def test_joined_by_and(auth: Auth) -> None:
    """In both orders, with the guard itself too."""
    bearer = RequireBearer(auth)
    reads = bearer.require(scope("read"))
    for permission in (Yes & reads, reads & Yes):
        assert statuses(permission, None, OTHER, READER) == [401, 403, 200]
    for permission in (Yes & bearer, bearer & Yes):
        assert statuses(permission, None, OTHER) == [401, 200]
    assert statuses(No & reads, READER) == [403]
    assert statuses(reads & No, None, READER) == [401, 403]


def test_joined_by_or_ours_goes_last(auth: Auth) -> None:
    """Whom the first lets pass is not asked; for others ours refuses with its challenge."""
    bearer = RequireBearer(auth)
    reads = bearer.require(scope("read"))
    assert statuses(Yes | reads, None, OTHER) == [200, 200]
    assert statuses(No | reads, None, OTHER, READER) == [401, 403, 200]
    assert ask(view_of(No | reads)).header("WWW-Authenticate") == BARE
    assert statuses(No | bearer, None, OTHER) == [401, 200]
    assert statuses(IsAdminUser | reads, READER) == [200]
    # In front it refuses whom the second would let pass: too much, and never too little.
    assert statuses(reads | Yes, None, OTHER, READER) == [401, 403, 200]


def test_the_contrary_of_ours_lets_nobody_pass(auth: Auth) -> None:
    """It refuses those who do not meet the need, and `~` those who do."""
    assert statuses(~RequireBearer(auth).require(scope("read")), None, OTHER, READER) == [401, 403, 403]


def test_objects_have_permissions_of_their_own(auth: Auth) -> None:
    """`has_object_permission` of the team, alone and as the first of two ways to pass."""
    bearer = RequireBearer(auth)

    class IsOwner(BasePermission):
        def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
            return bool(auth_from(request).subject == obj)

    def get(view: Any, request: Any) -> Response:
        view.check_object_permissions(request, "ada")
        return Response("the order of ada")

    own = view_of(bearer, IsOwner, get=get)
    either = view_of(bearer, IsOwner | bearer.require(role("admin")), get=get)
    ada, bob, admin = ISSUER.token(sub="ada"), ISSUER.token(sub="bob"), ISSUER.token(sub="x", roles=["admin"])
    assert [ask(own, token).status for token in (None, ada, bob, admin)] == [401, 200, 403, 403]
    assert [ask(either, token).status for token in (None, ada, bob, admin)] == [401, 200, 403, 200]


# In views of every kind


def test_function_views(auth: Auth) -> None:
    """`@permission_classes` and `@authentication_classes` below `@api_view`."""
    bearer = RequireBearer(auth)

    @api_view(["GET", "POST"])
    @authentication_classes([bearer.authentication])
    @permission_classes([bearer.require(scope("read"))])
    def view(request: Any) -> Response:
        return Response(request.auth.subject)

    assert [ask(view, token).status for token in (None, OTHER, READER)] == [401, 403, 200]
    assert ask(view, method="POST").status == 401
    assert said(ask(view, READER, method="POST")) == "user"


def test_view_sets_have_a_need_for_each_action(auth: Auth) -> None:
    """Routers, `get_permissions` by action, and `@action` with permissions of its own."""
    bearer = RequireBearer(auth)

    class Orders(ViewSet):
        authentication_classes = [bearer.authentication]
        permission_classes = [bearer.require(scope("read"))]

        def get_permissions(self) -> list[Any]:
            return [bearer.require(scope("write"))()] if self.action == "create" else super().get_permissions()

        def list(self, request: Any) -> Response:
            return Response([request.auth.subject])

        def create(self, request: Any) -> Response:
            return Response(None, 201)

        def retrieve(self, request: Any, pk: str) -> Response:
            return Response(pk)

        @action(detail=True, methods=["post"], permission_classes=[bearer.require(scope("ship") & role("staff"))])
        def ship(self, request: Any, pk: str) -> Response:
            return Response("shipped")

        @action(detail=False, permission_classes=[AllowAny])
        def menu(self, request: Any) -> Response:
            return Response("open")

    router = DefaultRouter()
    router.register("orders", Orders, basename="order")
    app = app_of(url("", include(router.urls)))

    def status(path: str, method: str = "GET", **claims: Any) -> int:
        return wsgi_get(app, path, ISSUER.token(**claims) if claims else None, method=method).status

    assert status("/orders/") == status("/orders/1/") == status("/orders/", "POST") == 401
    assert (status("/orders/", scope="read"), status("/orders/", scope="write")) == (200, 403)
    assert (status("/orders/", "POST", scope="read"), status("/orders/", "POST", scope="write")) == (403, 201)
    assert status("/orders/1/", scope="read") == 200
    ship = "/orders/1/ship/"
    assert status(ship, "POST", scope="read ship") == 403
    assert status(ship, "POST", scope="ship", roles=["staff"]) == 200
    assert status("/orders/menu/") == 200


def test_tenants_in_the_path(auth: Auth) -> None:
    """The path parameters of the view, text or converted, in a route and when the view is called without one."""
    view = view_of(RequireBearer(auth).require(tenant(path="tenant_id")))
    for path, own, foreign in (("t/<tenant_id>", "/t/acme", "/t/evil"), ("t/<int:tenant_id>", "/t/007", "/t/8")):
        app = app_of(url(path, view))
        token = ISSUER.token(tenant_id="acme", memberships=["7"])
        assert wsgi_get(app, own, token).status == 200
        assert wsgi_get(app, foreign, token).status == 404
    request = APIRequestFactory().get("/", headers={"Authorization": f"Bearer {ISSUER.token(tenant_id='acme')}"})
    assert [view(request, tenant_id=tenant_id).status_code for tenant_id in ("acme", "evil")] == [200, 404]
    assert view(request).status_code == 404


def test_what_a_view_is_given_counts_and_not_what_the_route_says(auth: Auth) -> None:
    """A view that hands other parameters to another view is judged by those."""
    inner = view_of(RequireBearer(auth).require(tenant(path="tenant_id")))

    def outer(request: Any, tenant_id: str) -> Any:
        return inner(request, tenant_id="evil")

    app = app_of(url("t/<tenant_id>", outer))
    assert wsgi_get(app, "/t/acme", ISSUER.token(tenant_id="acme")).status == 404
    assert wsgi_get(app, "/t/acme", ISSUER.token(tenant_id="evil")).status == 200


def test_rules_of_the_team_see_the_request_of_rest_framework(auth: Auth) -> None:
    """`Request.native` is what views get."""
    need = custom(lambda ctx, request: request.native.data == {"a": 1}, description="a body")
    view = view_of(RequireBearer(auth).require(need), post=lambda view, request: Response(request.data))
    sent = [("Content-Type", "application/json")]
    assert ask(view, READER, sent, method="POST", sends=b'{"a": 1}').status == 200
    assert ask(view, READER, sent, method="POST", sends=b'{"a": 2}').status == 403


# Beside other guards


def test_a_token_is_verified_once_per_request() -> None:
    """Behind the middleware, with an authentication class and several permissions: one verification."""
    auth, counter = counting()
    bearer = RequireBearer(auth)
    permissions = (bearer, bearer.require(scope("read")) & bearer.require(authenticated()))
    app = app_of(view_of(*permissions, authentication=[bearer.authentication]), MIDDLEWARE=DOOR, BEARERKIT_AUTH=auth)
    for asked in (1, 2):
        assert wsgi_get(app, "/", READER).status == 200
        assert counter.asked == asked


def test_another_auth_verifies_for_itself(auth: Auth) -> None:
    """What one `Auth` accepted is nothing to another, which reads its credential elsewhere."""
    other = Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks), places=Places(header="x-service"))
    outer, inner = RequireBearer(auth), RequireBearer(other)
    seen: list[Any] = []

    def get(view: Any, request: Any) -> Response:
        seen.append((request.auth.subject, auth_from(request).subject))
        return Response()

    view = view_of(inner, authentication=[outer.authentication], get=get)
    assert ask(view, READER).status == 401
    assert ask(view, READER, [("X-Service", ISSUER.token(sub="robot"))]).status == 200
    assert seen == [("user", "robot")]


def test_current_auth_is_the_caller_of_the_middleware(auth: Auth) -> None:
    """Without one in front there is none, and the message says so; `request.auth` is always there."""

    def get(view: Any, request: Any) -> Response:
        return Response([request.auth.subject, current_auth.subject])

    view = view_of(authentication=[RequireBearer(auth).authentication], get=get)
    with pytest.raises(RuntimeError, match="BearerMiddleware"):
        ask(view, READER)
    app = app_of(view, MIDDLEWARE=DOOR, BEARERKIT_AUTH=auth)
    assert said(wsgi_get(app, "/", ISSUER.token(sub="ada"))) == ["ada", "ada"]


@pytest.mark.parametrize("door", [False, True])
def test_200_interleaved_requests_in_threads_see_their_own_caller(auth: Auth, door: bool) -> None:
    """Eight requests are inside at once, and meet between any two looks at their caller."""
    workers = 8
    barrier = threading.Barrier(workers, timeout=60)

    def get(view: Any, request: Any) -> Response:
        def looks() -> list[str]:
            users = (request.user.pk, request._request.user.pk)
            callers = (request.auth.subject, auth_from(request).subject)
            return [*users, *callers, *([current_auth.subject] if door else [])]

        seen = looks()
        barrier.wait()
        seen += looks()
        barrier.wait()
        return Response(seen)

    bearer = RequireBearer(auth)
    settings = {"MIDDLEWARE": DOOR, "BEARERKIT_AUTH": auth} if door else {}
    app = app_of(view_of(bearer, authentication=[bearer.authentication], get=get), **settings)
    users = [f"u{number}" for number in range(200)]
    with ThreadPoolExecutor(workers) as pool:
        answers = pool.map(lambda user: said(wsgi_get(app, "/", ISSUER.token(sub=user))), users)
        assert {user: set(seen) for user, seen in zip(users, answers, strict=True)} == {user: {user} for user in users}
