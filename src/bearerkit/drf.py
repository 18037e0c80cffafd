"""Authentication and permission classes for Django REST framework.

A translation between its classes and the core, nothing more: no status code, no challenge and no rule may appear
here. A refusal travels as its `APIException` with our challenge; `drf_exception_handler` sends our answer unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Unpack, final

from bearerkit.auth import Auth, Verifier
from bearerkit.challenge import CHALLENGE_FIELD, RETRY_FIELD
from bearerkit.context import AuthContext
from bearerkit.errors import CredentialsMissing, Refused, Unavailable
from bearerkit.gate import Gate, GateOptions
from bearerkit.guards import Requirement, checked_need

try:
    from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
    from django.http import Http404
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.exceptions import APIException, ErrorDetail, NotAuthenticated, PermissionDenied
    from rest_framework.permissions import BasePermission
    from rest_framework.response import Response

    from bearerkit.django import RequireBearer as DjangoBearer
    from bearerkit.django.csrf import csrf_refusal, is_let_off
    from bearerkit.django.requests import (
        answer_to,
        auth_from,
        gate_of,
        let_in,
        plain_request,
        request_of,
    )
    from bearerkit.django.settings import rely_on_settings
    from bearerkit.django.users import CallerUser
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.drf needs Django REST framework: pip install "bearerkit[drf]"', name=missing.name
    ) from None

__all__ = ["BearerAuthentication", "BearerPermission", "RequireBearer", "auth_from", "drf_exception_handler"]


class BearerAuthentication(BaseAuthentication):
    """Says who is calling: `request.auth` is the `AuthContext`, `request.user` the team's user.

    By itself it takes its `Auth` and options from the settings (`BEARERKIT_AUTH`, see `bearerkit.django`);
    `RequireBearer(auth).authentication` is one with its own. Without a credential nobody is calling, and the permission
    classes decide; a bad credential is refused. Where no `user=` is configured, the user is a `CallerUser`.
    """

    bearer: DjangoBearer = DjangoBearer()

    def authenticate(self, request: Any) -> tuple[Any, AuthContext] | None:
        """User and context, None without a credential. Raises an APIException for a refusal or an outage."""
        gate = self.bearer.gate.but(optional=True)
        context, user = _admitted(gate, request, None)
        if context.is_anonymous:
            return None
        return CallerUser(context) if gate.user is None else user, context

    def authenticate_header(self, request: Any) -> str | None:
        """The challenge for nobody (RFC 6750 section 3)."""
        gate = self.bearer.gate
        return gate.auth.answer(CredentialsMissing()).header(CHALLENGE_FIELD)


class BearerPermission(BasePermission):
    """Lets callers pass who meet `need` (None: any valid credential); `RequireBearer.require` makes one.

    A refusal is raised with its challenge and not returned, so of permissions that are joined by `|` it goes last, and
    behind `~` nobody passes.
    """

    bearer: DjangoBearer = DjangoBearer()
    need: Requirement | None = None

    def has_permission(self, request: Any, view: Any) -> bool:
        """True for who may pass. Raises an APIException for who may not."""
        _admitted(self.bearer.gate, request, self.need, getattr(view, "kwargs", None))
        return True


@final
class RequireBearer:
    """Guards API views: `permission_classes = [bearer.require(scope("orders:read"))]`.

    `[bearer]` asks for any valid credential. `authentication_classes = [bearer.authentication]` makes `request.user`
    and `request.auth` those of the caller. The arguments are those of `bearerkit.django.RequireBearer`.
    """

    def __init__(self, auth: Auth | Verifier | None = None, **options: Unpack[GateOptions]) -> None:
        self._bearer = DjangoBearer(auth, **options)
        if auth is None:
            rely_on_settings(self)

    @property
    def gate(self) -> Gate:
        """The gate: this guard's own, or that of the settings."""
        return self._bearer.gate

    @cached_property
    def authentication(self) -> type[BearerAuthentication]:
        """The authentication class with this guard's `Auth` and options."""

        class OwnAuthentication(BearerAuthentication):
            bearer = self._bearer

        return OwnAuthentication

    def __call__(self) -> BearerPermission:
        """Called by REST framework, for `permission_classes = [bearer]`: any valid credential passes."""
        return self._permission(None)()

    def require(self, need: Requirement) -> type[BearerPermission]:
        """A permission class for callers who meet `need`. Raises ConfigError for no need."""
        return self._permission(checked_need(need))

    def _permission(self, need: Requirement | None) -> type[BearerPermission]:
        needed = need

        class OwnPermission(BearerPermission):
            bearer = self._bearer
            need = needed

        return OwnPermission


def drf_exception_handler(exc: Exception, context: Mapping[str, Any]) -> Any:
    """`REST_FRAMEWORK = {"EXCEPTION_HANDLER": "bearerkit.drf.drf_exception_handler"}`: our answers, unchanged.

    Covers refusals of our classes, refusals that a view raises, and REST framework's own "nobody is calling" where ours
    is the first authentication class that has a challenge. Everything else goes to REST framework's handler.
    """
    # Not at the top: it reads the settings, which may name a class of this module.
    from rest_framework.views import exception_handler, set_rollback

    request: Any = context.get("request")
    gate: Gate | None = None
    refusal: Refused | Unavailable = CredentialsMissing("nobody is calling")
    if isinstance(exc, NotAuthenticated):
        gate = _challenging(context.get("view"), request)
    elif isinstance(exc, Refused | Unavailable) and request is not None:
        gate, refusal = gate_of(plain_request(request)), exc
    if gate is not None:
        try:
            exc = _Refusal.of(gate, refusal, request)
        except (APIException, Http404, DjangoPermissionDenied) as theirs:  # of the team's `not_found`
            exc = theirs
    if isinstance(exc, _Refusal):
        set_rollback()
        return exc.answer
    return exception_handler(exc, dict(context))


def _challenging(view: Any, request: Any) -> Gate | None:
    """The gate of our authentication, if that is the first of the view's with a challenge. A session has none."""
    for authenticator in () if view is None else view.get_authenticators():
        if isinstance(authenticator, BearerAuthentication):
            return authenticator.bearer.gate
        if authenticator.authenticate_header(request):
            break
    return None


class _Refusal(APIException):
    """A refusal with its answer, as REST framework passes it on; its own handler sends the status and the challenge."""

    def __init__(self, answer: Any, reason: str) -> None:
        self.answer = answer
        self.reason = reason
        self.status_code = answer.status_code
        self.detail = _detail(answer, reason)
        self.auth_header = answer.get(CHALLENGE_FIELD)
        after = answer.get(RETRY_FIELD, "")
        self.wait = int(after) if after.isdecimal() else None

    @classmethod
    def of(cls, gate: Gate, refusal: Refused | Unavailable, request: Any) -> _Refusal:
        return cls(answer_to(gate, refusal, request), refusal.reason)

    def get_codes(self) -> str:
        return self.reason

    def get_full_details(self) -> dict[str, Any]:
        return {"message": self.detail, "code": self.reason}


def _admitted(
    gate: Gate, request: Any, need: Requirement | None, path_params: Mapping[str, Any] | None = None
) -> tuple[AuthContext, Any]:
    """The caller, and the team's user if the gate loads one. Raises an APIException for who may not pass."""
    plain = plain_request(request)
    judged = request_of(plain, path_params or None, native=request)
    try:
        context = gate.authorize(judged, need)
        let_in(gate, plain, judged, context)
    except (Refused, Unavailable) as refusal:
        raise _Refusal.of(gate, refusal, request) from None
    # REST framework exempts its views from the check, and asks who authenticates to make it, as for its sessions.
    # Nobody of ours is left to them: their session authentication makes the check by itself.
    if context.is_authenticated and not is_let_off(plain) and csrf_refusal(plain, _admitted):
        raise PermissionDenied("CSRF Failed")
    return context, gate.user_of(judged, context)


def _detail(answer: Any, reason: str) -> Any:
    """What REST framework's own handler renders: the members of our problem, or what the team's page says."""
    if isinstance(answer, Response):  # has no content before REST framework has chosen how to render it
        return answer.data
    body: bytes = getattr(answer, "content", b"") if getattr(answer, "is_rendered", True) else b""
    with suppress(ValueError):
        document = json.loads(body)
        if isinstance(document, dict):
            return {
                name: ErrorDetail(value, reason) if isinstance(value, str) else value
                for name, value in document.items()
            }
    return ErrorDetail(body.decode("utf-8", "replace"), reason)
