"""Guards for Django Ninja: for a whole API, a router, or one operation, sync and async.

A translation between Ninja's authentication and the core, nothing more: no status code, no challenge and no rule may
appear here. `install` makes an API answer refusals as they are.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Unpack, final

from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, Refused, Unavailable
from bearerkit.gate import Gate, GateOptions
from bearerkit.guards import Requirement, checked_need
from bearerkit.openapi import add_answers

try:
    from django.http import HttpRequest
    from ninja import NinjaAPI
    from ninja.errors import HttpError
    from ninja.security.base import AuthBase

    from bearerkit.django import RequireBearer as DjangoBearer
    from bearerkit.django.requests import (
        aanswer_to,
        answer_to,
        auth_from,
        gate_of,
        is_on_event_loop,
        let_in,
        request_of,
    )
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.ninja needs Django Ninja: pip install "bearerkit[ninja]"', name=missing.name
    ) from None

__all__ = ["RequireBearer", "auth_from"]


@final
class RequireBearer(AuthBase):
    """Guards operations: `NinjaAPI(auth=bearer)`, `@api.get("/orders", auth=bearer.require(scope("orders:read")))`.

    `request.auth` is the `AuthContext`. Call `bearer.install(api)` once, so that refusals are answered as they are;
    without it Ninja gives them their status and no challenge. The arguments are those of
    `bearerkit.django.RequireBearer`.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, auth: Auth | Verifier | None = None, **options: Unpack[GateOptions]) -> None:
        super().__init__()
        self._bearer = DjangoBearer(auth, **options)
        self._need: Requirement | None = None
        # Ninja then calls this where the operation runs, and awaits what comes back if that can be awaited.
        self.is_async = True

    @property
    def gate(self) -> Gate:
        """The gate: this guard's own, or that of the settings."""
        return self._bearer.gate

    def require(self, need: Requirement) -> RequireBearer:
        """The same for callers who meet `need`. Raises ConfigError for no need."""
        guard = RequireBearer()
        guard._bearer, guard._need = self._bearer, checked_need(need)
        return guard

    def __call__(self, request: HttpRequest) -> Any:
        """The context of the caller, which becomes `request.auth`. Raises an error that `install` answers."""
        return self._aadmitted(request) if is_on_event_loop() else self._admitted(request)

    def install(self, api: NinjaAPI) -> None:
        """Make an API answer refusals, those of its guards and those that its operations raise, and describe them.

        A handler of the team's own for any class below `BearerkitError` goes first, as `api.exception_handler` has it.
        A `not_found` that is async does not answer for refusals that an async operation raises itself.
        """
        api.add_exception_handler(_Refusal, _answer_guard)
        api.add_exception_handler(BearerkitError, partial(_answer_operation, self))
        plain = api.get_openapi_schema

        def described(*args: Any, **kwargs: Any) -> Any:
            document = plain(*args, **kwargs)
            add_answers(document, RequireBearer.__name__)  # Ninja names a scheme after its class
            return document

        api.get_openapi_schema = described  # type: ignore[method-assign]

    def _admitted(self, request: HttpRequest) -> AuthContext:
        gate = self.gate
        try:
            judged = request_of(request)
            context = gate.authorize(judged, self._need)
            let_in(gate, request, judged, context)
        except (Refused, Unavailable) as refusal:
            raise _Refusal(refusal, answer_to(gate, refusal, request)) from None
        return context

    async def _aadmitted(self, request: HttpRequest) -> AuthContext:
        gate = self.gate
        try:
            judged = request_of(request, is_async=True)
            context = await gate.aauthorize(judged, self._need)
            let_in(gate, request, judged, context)
        except (Refused, Unavailable) as refusal:
            raise _Refusal(refusal, await aanswer_to(gate, refusal, request)) from None
        return context


class _Refusal(HttpError):
    """A refusal with its answer, under way to the handler of the API."""

    def __init__(self, refusal: Refused | Unavailable, answer: Any) -> None:
        super().__init__(refusal.status, refusal.public)
        self.answer = answer


def _answer_guard(request: HttpRequest, refusal: Any) -> Any:
    return refusal.answer


def _answer_operation(bearer: RequireBearer, request: HttpRequest, error: Any) -> Any:
    if not isinstance(error, Refused | Unavailable):
        raise error
    return answer_to(gate_of(request) or bearer.gate, error, request)
