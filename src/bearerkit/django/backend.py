"""The authentication backend: `authenticate(request, bearer_token=…)` gives the team's user for a token."""

from __future__ import annotations

from typing import Any, final

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from bearerkit.django.requests import free_request
from bearerkit.django.settings import configured_door
from bearerkit.errors import ConfigError, Refused
from bearerkit.gate import Gate

__all__ = ["BearerBackend"]


@final
class BearerBackend(BaseBackend):
    """`AUTHENTICATION_BACKENDS = [..., "bearerkit.django.BearerBackend"]`, for code that asks Django who somebody is.

    It takes part in `authenticate(request, bearer_token=token)` and nothing else: passwords, sessions and the admin are
    those of the other backends. Who the user is says `BEARERKIT_USER`. A token that is refused gives None, as Django
    wants it; that the token cannot be judged now raises Unavailable. ConfigError without `BEARERKIT_USER`.
    """

    @sensitive_variables("bearer_token")
    def authenticate(self, request: HttpRequest | None, bearer_token: str | None = None, **_: Any) -> Any:
        """The user whose token this is, None if it is refused."""
        if bearer_token is None:
            return None
        gate = _gate()
        try:
            return gate.user_of_token(bearer_token, free_request())
        except Refused as refusal:
            return gate.auth.note(refusal)

    @sensitive_variables("bearer_token")
    async def aauthenticate(self, request: HttpRequest | None, bearer_token: str | None = None, **_: Any) -> Any:
        """`authenticate` for async code."""
        if bearer_token is None:
            return None
        gate = _gate()
        try:
            return await gate.auser_of_token(bearer_token, free_request(is_async=True))
        except Refused as refusal:
            return gate.auth.note(refusal)

    def get_user(self, user_id: Any) -> Any:
        """The active user of a session that `login` began for a user of this backend."""
        user = get_user_model()._default_manager.filter(pk=user_id).first()
        return user if user is not None and getattr(user, "is_active", True) else None


def _gate() -> Gate:
    gate = configured_door().gate
    if gate.user is None:
        raise ConfigError("BearerBackend needs BEARERKIT_USER, which loads the user")
    return gate
