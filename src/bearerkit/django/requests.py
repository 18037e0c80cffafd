"""Between Django's requests and answers and ours, for sync and async code, whatever stands in front of Django.

Used by every guard of a Django project (views, middleware, REST framework, Ninja). Who may pass is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from inspect import isawaitable
from typing import Any, Final, cast, final

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.apps import apps
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import SimpleTemplateResponse

from bearerkit import known, wsgi_kit
from bearerkit._drive import run
from bearerkit.context import AuthContext
from bearerkit.current_caller import CALLER, async_parts, parts
from bearerkit.django.csrf import let_off
from bearerkit.errors import Refused, Unavailable
from bearerkit.gate import Gate
from bearerkit.http import Headers, Request, Response
from bearerkit.known import ABSENT, Carrier, caller_of, known_of, remember

__all__ = [
    "aanswer_to",
    "answer_to",
    "auth_from",
    "carrier_of",
    "free_request",
    "gate_of",
    "http_request_in",
    "is_on_event_loop",
    "let_in",
    "plain_request",
    "raw_path",
    "request_of",
    "roll_back",
    "under_caller",
]

_GATE: Final = "django_gate"


def request_of(
    request: HttpRequest, path_params: Mapping[str, Any] | None = None, *, is_async: bool = False, native: Any = None
) -> Request:
    """The framework-neutral view of a Django request.

    `is_async` says which code is asking, and thereby how callbacks of the team are called. `native` is what they get
    as their request if that is not `request` itself.
    """
    if path_params is None:
        path_params = request.resolver_match.kwargs if request.resolver_match else {}
    return Request(
        request.method or "",
        request.path_info,
        wsgi_kit.EnvironHeaders(request.META),
        path_params,
        request.META.get("QUERY_STRING", ""),
        "http",
        request.META.get("REMOTE_ADDR"),
        wsgi_kit.memo_of(carrier_of(request)),
        request if native is None else native,
        _call_async if is_async else _call_sync,
    )


def is_on_event_loop() -> bool:
    """True in code that must not block: the coroutine of a view, and not its sync parts, which run in a thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def free_request(*, is_async: bool = False) -> Request:
    """A request that nobody sent: what callbacks are called through where there is only a token."""
    return Request("", "", Headers(), call=_call_async if is_async else _call_sync)


def carrier_of(request: HttpRequest) -> Carrier:
    """What lasts as long as the request, also in front of Django: the ASGI scope or the WSGI environ."""
    carrier: Carrier = request.scope if isinstance(request, ASGIRequest) else request.META  # type: ignore[assignment]
    return carrier


def raw_path(request: HttpRequest) -> bytes | None:
    """The path as the server received it, None if it does not say."""
    return request.scope.get("raw_path") if isinstance(request, ASGIRequest) else wsgi_kit.raw_path(request.META)


def plain_request(request: Any) -> HttpRequest:
    """Django's own request, also inside that of Django REST framework."""
    inner: HttpRequest = getattr(request, "_request", request)
    return inner


def http_request_in(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> HttpRequest:
    """The request among the arguments of a view, a method, or a view of Django REST framework."""
    for value in (*args, *kwargs.values()):
        # Any object may keep a request, an old one perhaps; that of REST framework shows the fields of its own.
        inner: object = plain_request(value)
        if isinstance(inner, HttpRequest) and getattr(value, "META", None) is inner.META:
            return inner
    raise TypeError("RequireBearer guards views that take Django's HttpRequest")


def let_in(gate: Gate, request: HttpRequest, judged: Request, context: AuthContext) -> None:
    """Let the handler find its caller (`request.auth_context`, `auth_from`), and its user if the gate loads one."""
    carrier = carrier_of(request)
    known.make_known(gate, carrier, judged, context, _RequestUser, request)
    remember(carrier, **{_GATE: gate})
    request.auth_context = context  # type: ignore[attr-defined]
    if gate.withstands_csrf(context, judged):
        let_off(request)


def gate_of(request: HttpRequest) -> Gate | None:
    """The gate that judged this request last; None if none did."""
    return known_of(carrier_of(request)).get(_GATE)


def auth_from(request: Any) -> AuthContext:
    """The `AuthContext` of a request of Django, Django REST framework or Ninja.

    Raises RuntimeError if nothing of bearerkit guards it.
    """
    return caller_of(carrier_of(plain_request(request)))


def answer_to(gate: Gate, refusal: Refused | Unavailable, native: Any) -> Any:
    """Ours as a Django response, or what the team's `not_found` returns. What that raises is passed on."""
    return _sent_as(run(gate.whole_answer(refusal, native, _call_sync)))


async def aanswer_to(gate: Gate, refusal: Refused | Unavailable, native: Any) -> Any:
    """`answer_to` for async code."""
    return _sent_as(await gate.whole_answer(refusal, native, _call_async))


def under_caller(context: AuthContext, response: Any) -> Any:
    """`response`, with `current_auth` in the code that makes it, or its parts, after the handler has returned."""
    # A file is left to the server, which may have a faster way to send it; nothing is computed for it any more.
    if isinstance(response, StreamingHttpResponse) and getattr(response, "file_to_stream", None) is None:
        if response.is_async:
            response.streaming_content = async_parts(context, cast(AsyncIterable[Any], response.streaming_content))
        else:
            response.streaming_content = parts(context, cast(Iterable[Any], response.streaming_content))
    elif isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        _render_under(context, response)
    return response


def _render_under(context: AuthContext, response: Any) -> None:
    render = response.render

    def render_once() -> Any:
        vars(response).pop("render", None)  # a rendered response may be pickled, for a cache
        before = CALLER.set(context)
        try:
            return render()
        finally:
            CALLER.reset(before)

    response.render = render_once


def roll_back() -> None:
    """Undo what a view that refused has written so far, where the project has ATOMIC_REQUESTS."""
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


def _sent_as(answer: Any) -> Any:
    """A `Response` of ours as a Django response; anything else is the team's and stays as it is."""
    if answer is None:
        # Ninja would go on to the operation.
        raise TypeError("not_found= returned no response")
    if not isinstance(answer, Response):
        return answer
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


def _call_sync(function: Callable[..., Any], *arguments: Any) -> Any:
    result = function(*arguments)
    return async_to_sync(_awaited)(result) if isawaitable(result) else result


async def _call_async(function: Callable[..., Any], *arguments: Any) -> Any:
    if iscoroutinefunction(function):
        return await function(*arguments)
    # Sync callbacks may use the ORM, which Django forbids on an event loop.
    result = await sync_to_async(function)(*arguments)
    return await result if isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


@final
class _RequestUser:
    """`request.user` and `request.auser`, which no code may find to be None where Django has users."""

    __slots__ = ("_request",)

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def get(self) -> Any:
        return vars(self._request).get("user", ABSENT)

    def put(self, user: Any) -> None:
        if user is None and apps.is_installed("django.contrib.auth"):
            from django.contrib.auth.models import AnonymousUser

            user = AnonymousUser()

        async def auser() -> Any:
            return user

        self._request.user = user  # pyright: ignore[reportAttributeAccessIssue] - any class of the team's
        self._request.auser = auser

    def clear(self) -> None:
        self.put(None)
