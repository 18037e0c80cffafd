"""The middleware that closes a whole project, except what the settings exempt."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, cast, final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, StreamingHttpResponse

from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER, async_parts, parts
from bearerkit.django.requests import aanswer_to, answer_to, gate_of, let_in, path_of, request_of
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
            return _streamed(context, self.get_response(request))
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
            return _streamed(context, await self.get_response(request))
        except (Refused, Unavailable) as refusal:
            return await aanswer_to(gate, refusal, request)
        finally:
            if before is not None:
                CALLER.reset(before)

    def _passes(self, judged: Request, request: HttpRequest) -> bool:
        full_path, raw_path = path_of(request)
        return self._door.exempt.let_pass(judged, full_path=full_path, raw_path=raw_path)


def _streamed(context: AuthContext, response: Any) -> Any:
    """`response`, with `current_auth` in the code that makes its parts after the handler has returned."""
    if isinstance(response, StreamingHttpResponse):
        if response.is_async:
            response.streaming_content = async_parts(context, cast(AsyncIterable[Any], response.streaming_content))
        else:
            response.streaming_content = parts(context, cast(Iterable[Any], response.streaming_content))
    return response
