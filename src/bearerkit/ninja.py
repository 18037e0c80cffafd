"""Guards for Django Ninja: for a whole API, a router, or one operation, sync and async.

A translation between Ninja's authentication and the core, nothing more: no status code, no challenge and no rule may
appear here. `install` makes an API answer refusals as they are.
"""

from __future__ import annotations

from copy import copy
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final, Unpack, final

from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, Refused, Unavailable
from bearerkit.gate import Gate, GateOptions
from bearerkit.guards import Requirement, checked_need
from bearerkit.known import known_of, remember
from bearerkit.openapi import HTTP_SCHEME, add_answers

try:
    from asgiref.sync import sync_to_async
    from django.http import HttpRequest
    from ninja import NinjaAPI
    from ninja.errors import HttpError
    from ninja.security.base import AuthBase

    from bearerkit.django import RequireBearer as DjangoBearer
    from bearerkit.django.csrf import csrf_refusal, is_let_off
    from bearerkit.django.requests import (
        aanswer_to,
        answer_to,
        auth_from,
        carrier_of,
        gate_of,
        is_on_event_loop,
        let_in,
        request_of,
        roll_back,
    )
    from bearerkit.django.settings import rely_on_settings
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        'bearerkit.ninja needs Django Ninja: pip install "bearerkit[ninja]"', name=missing.name
    ) from None

__all__ = ["RequireBearer", "auth_from"]

_REFUSED: Final = "ninja_refusal"


@final
class RequireBearer(AuthBase):
    """Guards operations: `NinjaAPI(auth=bearer)`, `@api.get("/orders", auth=bearer.require(scope("orders:read")))`.

    `request.auth` is the `AuthContext`. Call `bearer.install(api)` once, so that refusals are answered as they are;
    without it Ninja gives them their status and no challenge. In a list (`auth=[key, bearer]`) it goes last: it lets
    pass or refuses, and never leaves that to the next. The arguments are those of `bearerkit.django.RequireBearer`.
    """

    openapi_type = HTTP_SCHEME["type"]
    openapi_scheme = HTTP_SCHEME["scheme"]

    def __init__(self, auth: Auth | Verifier | None = None, **options: Unpack[GateOptions]) -> None:
        super().__init__()
        self._bearer = DjangoBearer(auth, **options)
        self._need: Requirement | None = None
        # Ninja then calls this where the operation runs, and awaits what comes back if that can be awaited.
        self.is_async = True
        if auth is None:
            rely_on_settings(self)

    @property
    def gate(self) -> Gate:
        """The gate: this guard's own, or that of the settings."""
        return self._bearer.gate

    def require(self, need: Requirement) -> RequireBearer:
        """The same for callers who meet `need`. Raises ConfigError for no need."""
        guard = copy(self)
        guard._need = checked_need(need)
        return guard

    def __call__(self, request: HttpRequest) -> Any:
        """The context of the caller, which becomes `request.auth`. Raises an error that `install` answers."""
        return self._aadmitted(request) if is_on_event_loop() else self._admitted(request)

    def install(self, api: NinjaAPI) -> None:
        """Make an API answer refusals, those of its guards and those that its operations raise, and describe them.

        A handler of the team's own for `BearerkitError` or any class below it goes first. A `not_found` that is async
        does not answer for refusals that an async operation raises itself.
        """
        handlers = api._exception_handlers
        handlers.setdefault(BearerkitError, partial(_answer, self, api))
        handlers[_Refusal] = partial(_pass_on, api)
        plain = api.get_openapi_schema

        def described(*args: Any, **kwargs: Any) -> Any:
            document = plain(*args, **kwargs)
            add_answers(document, RequireBearer.__name__)  # Ninja names a scheme after its class
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["responses"] = _by_number(operation["responses"])
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
        _check_csrf(request)
        return context

    async def _aadmitted(self, request: HttpRequest) -> AuthContext:
        gate = self.gate
        try:
            judged = request_of(request, is_async=True)
            context = await gate.aauthorize(judged, self._need)
            let_in(gate, request, judged, context)
        except (Refused, Unavailable) as refusal:
            raise _Refusal(refusal, await aanswer_to(gate, refusal, request)) from None
        if not is_let_off(request):
            await sync_to_async(_check_csrf)(request)
        return context


class _Refusal(HttpError):
    """What a guard refused, with its answer: Ninja's own handler, which knows no other error, sends the status."""

    def __init__(self, refusal: Refused | Unavailable, answer: Any) -> None:
        super().__init__(refusal.status, refusal.public)
        self.refusal = refusal
        self.answer = answer


def _pass_on(api: NinjaAPI, request: HttpRequest, refused: Any) -> Any:
    """Let the handlers answer that are there for the refusal itself."""
    remember(carrier_of(request), **{_REFUSED: refused})
    return api.on_exception(request, refused.refusal)


def _answer(bearer: RequireBearer, api: NinjaAPI, request: HttpRequest, error: Any) -> Any:
    if not isinstance(error, Refused | Unavailable):
        return api._exception_handlers[Exception](request, error)
    roll_back()
    refused = known_of(carrier_of(request)).get(_REFUSED)
    if refused is not None and refused.refusal is error:
        return refused.answer
    gate = gate_of(request) or bearer.gate
    if is_on_event_loop() and iscoroutinefunction(gate.not_found):
        gate = gate.but(not_found=None)  # handlers of Ninja cannot wait
    return answer_to(gate, error, request)


def _check_csrf(request: HttpRequest) -> None:
    """Ninja exempts its operations from Django's check, and asks who authenticates to make it."""
    is_exempt = getattr(request, "_ninja_csrf_exempt", False) or is_let_off(request)
    refused = None if is_exempt else csrf_refusal(request, _check_csrf)
    if refused is not None:
        raise HttpError(refused.status_code, "CSRF check Failed")


def _by_number(responses: dict[Any, Any]) -> dict[Any, Any]:
    """Ninja counts responses by number, so that what a team wrote is found; ours go beside it."""
    numbered: dict[Any, Any] = {status: body for status, body in responses.items() if isinstance(status, int)}
    for status, body in responses.items():
        numbered.setdefault(int(status) if str(status).isdecimal() else status, body)
    return numbered
