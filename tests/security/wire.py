"""Sends one request to the guarded application of every framework, and looks at the raw answer.

The applications are those of tests/adapters. Whatever is sent, the answer has the status that the row says and carries
nothing that the attacker wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from adapters.asgi_calls import Call, http_scope
from adapters.drivers import TARGETS, application
from adapters.scenarios import ISSUER
from adapters.wsgi_calls import WsgiCall, environ_of
from security.attack import Number

Fields = Sequence[tuple[str, str]]
BEARER = (("Authorization", "Bearer {token}"),)


@dataclass(frozen=True)
class Wire:
    """One request. `{token}` in header fields, query and body becomes a good token with `claims`."""

    number: Number
    title: str
    status: int
    headers: Fields = BEARER
    path: str = "/me"
    method: str = "GET"
    query: str = ""
    sends: str = ""
    closed: bool = False
    """Asked of the application that `BearerMiddleware` closes."""
    claims: tuple[tuple[str, Any], ...] = ()
    subject: str | None = "user"
    """Who calls, where the answer is 200."""


@dataclass(frozen=True)
class Raw:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name]
        assert len(found) < 2, found
        return found[0] if found else None


def send(framework: str, wire: Wire, token: str | None = None) -> Raw:
    """The answer of one framework, in process."""
    text = ISSUER.token(**dict(wire.claims)) if token is None else token
    headers = [(name, value.replace("{token}", text)) for name, value in wire.headers]
    query, sends = wire.query.replace("{token}", text), wire.sends.replace("{token}", text).encode()
    app = application(framework, wire.closed)
    if TARGETS[framework].kind == "wsgi":
        call = WsgiCall(app, environ_of(wire.path, headers, method=wire.method, query=query, sends=sends))
        return Raw(call.status, call.headers, call.body)

    async def run() -> Call:
        return await Call(app, http_scope(wire.path, headers, method=wire.method, query=query), sends).run()

    answer = anyio.run(run)
    return Raw(answer.status, answer.headers, answer.body)


def check(framework: str, raw: Raw, wire: Wire, *secrets: str) -> None:
    """The status is the expected one; refusals may not be stored, and nothing of the attacker is in them."""
    assert raw.status == wire.status, (framework, raw)
    for name, value in raw.headers:
        assert not set("\r\n\0") & set(name + value), (framework, name, value)
    if raw.status == 200:
        return
    assert raw.header("cache-control") == "no-store", framework
    challenge = raw.header("www-authenticate") or ""
    assert challenge.startswith("Bearer ") is (raw.status in (400, 401)) or raw.status == 403, (framework, challenge)
    whole = repr(raw.headers).encode() + raw.body
    for secret in secrets:
        assert secret.encode() not in whole, (framework, secret)
