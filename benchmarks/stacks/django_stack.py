"""One Django route and one of REST framework, bare and behind each way of asking who is calling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import django
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from .tokens import AUDIENCE, ISSUER, PUBLIC, auth, claims_of

URLCONF = "bench.urlconf"
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

settings.configure(
    SECRET_KEY="of the benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=(),
    MIDDLEWARE=["stacks.django_stack.choose_routes"],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    LOGGING_CONFIG=None,
    SIMPLE_JWT={
        "ALGORITHM": "RS256",
        "VERIFYING_KEY": PEM,
        "SIGNING_KEY": "",
        "AUDIENCE": AUDIENCE,
        "ISSUER": ISSUER,
        "USER_ID_CLAIM": "sub",
        "TOKEN_TYPE_CLAIM": None,
    },
)
django.setup()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402 - needs the settings
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication  # noqa: E402

from bearerkit import drf, scope  # noqa: E402
from bearerkit.django import RequireBearer  # noqa: E402


def choose_routes(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.urlconf = request.META[URLCONF]
        return get_response(request)

    return middleware


def _hosted(view: Any) -> Any:
    routes, handler = (path("orders", view),), WSGIHandler()

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        environ[URLCONF] = routes
        return handler(environ, start_response)

    return app


def behind(decorate: Callable[[Any], Any] = lambda view: view) -> Any:
    def orders(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    return _hosted(decorate(orders))


def bearerkit(*, cache: int = 10_000) -> Any:
    return behind(RequireBearer(auth(cache=cache)).require(scope("orders:read")))


def pyjwt() -> Any:
    def decorate(view: Any) -> Any:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
            request.claims = claims_of(request.headers.get("Authorization"))
            if request.claims is None:
                return HttpResponse(status=401)
            return view(request, *args, **kwargs)

        return guarded

    return behind(decorate)


def _api_view(authentication: Iterable[Any] = (), permissions: Iterable[Any] = ()) -> Any:
    class Orders(APIView):
        authentication_classes = tuple(authentication)
        permission_classes = tuple(permissions)

        def get(self, request: Any) -> Response:
            return Response("ok")

    return _hosted(Orders.as_view())


def rest_bare() -> Any:
    return _api_view()


def rest_bearerkit(*, cache: int = 10_000) -> Any:
    bearer = drf.RequireBearer(auth(cache=cache))
    return _api_view([bearer.authentication], [bearer.require(scope("orders:read"))])


def rest_simplejwt() -> Any:
    """Stateless: no look-up of a user in a database."""
    return _api_view([JWTStatelessUserAuthentication], [IsAuthenticated])
