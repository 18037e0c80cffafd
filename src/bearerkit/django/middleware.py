"""The middleware that closes a whole project, except what the settings exempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest

from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER
from bearerkit.django.requests import aanswer_to, answer_to, gate_of, let_in, raw_path, request_of, under_caller
from bearerkit.django.settings import configured_door
from bearerkit.errors import Refused, Unavailable
from bearerkit.http import Request

__all__ = ["BearerMiddleware"]


@final
class BearerMiddleware:
    """`MIDDLEWARE = [..., "bearerkit.django.BearerMiddleware"]`, behind CORS and `AuthenticationMiddleware`.

    `BEARERKIT_NEED` is what every request must meet (by default: any valid credential); paths in `BEARERKIT_EXEMPT` and
    CORS preflights pass with the anonymous context, and their `request.user` is left alone. Works under WSGI and ASGI
    without a thread hop. Raises ConfigError listing every problem of the settings when the project starts.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._door = configured_door()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Judge the request, then go on to the next middleware or answer the refusal."""
        return self._acall(request) if self._is_async else self._call(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> Any:
        """Answer a refusal of ours that a view raised."""
        if isinstance(exception, Refused | Unavailable):
            return answer_to(gate_of(request) or self._door.gate, exception, request)
        return None

    def _call(self, request: HttpRequest) -> Any:
        gate, before = self._door.gate, None
        try:
            judged = request_of(request)
            context = (
                AuthContext.anonymous() if self._passes(judged, request) else gate.authorize(judged, self._door.need)
            )
            let_in(gate, request, judged, context)
            before = CALLER.set(context)
            return under_caller(context, self.get_response(request))
        except (Refused, Unavailable) as refusal:
            return answer_to(gate, refusal, request)
        finally:
            if before is not None:
                CALLER.reset(before)

    async def _acall(self, request: HttpRequest) -> Any:
        gate, before = self._door.gate, None
        try:
            judged = request_of(request, is_async=True)
            context = (
                AuthContext.anonymous()
                if self._passes(judged, request)
                else await gate.aauthorize(judged, self._door.need)
            )
            let_in(gate, request, judged, context)
            before = CALLER.set(context)
            return under_caller(context, await self.get_response(request))
        except (Refused, Unavailable) as refusal:
            return await aanswer_to(gate, refusal, request)
        finally:
            if before is not None:
                CALLER.reset(before)

    def _passes(self, judged: Request, request: HttpRequest) -> bool:
        return self._door.exempt.let_pass(judged, full_path=request.path, raw_path=raw_path(request))
