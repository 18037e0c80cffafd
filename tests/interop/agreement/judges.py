"""The five judges of the table and how one is asked: ours under uvicorn, the others under node, all over loopback."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bearerkit import Auth, Issuer
from bearerkit.starlette import RequireBearer, auth_from
from interop.agreement.row import ACCEPT, AUDIENCE, Asked, Bench
from interop.api_server import serving
from key_doubles import Recorder

__all__ = ["COUNTERPART", "OURS", "Judges", "as_said_by", "judges"]

OURS = {"bearerkit": "plain", "bearerkit rfc9068": "profile"}
"""Judge → path of our application."""
THEIRS = {"express": "express", "express strict": "express-strict", "oauth4webapi": "oauth4webapi"}
"""Judge → path of resource_servers.mjs."""
COUNTERPART: Mapping[str, str] = {
    "express": "bearerkit",
    "express strict": "bearerkit rfc9068",
    "oauth4webapi": "bearerkit rfc9068",
}
"""Who is compared with whom: the same rules, as far as both can be told."""

_ERROR = re.compile(r'\berror="([a-z_]*)"')
_HEADER_LIMIT = "--max-http-header-size=65536"


def our_api(issuer: str, observers: Mapping[str, Recorder]) -> Any:
    """Two routes, two `Auth`: the defaults, and RFC 9068 to the letter."""

    async def subject(request: Request) -> JSONResponse:
        return JSONResponse({"sub": auth_from(request).subject})

    entries = {
        "bearerkit": Issuer(issuer, audience=AUDIENCE),
        "bearerkit rfc9068": Issuer(issuer, audience=AUDIENCE, profile="rfc9068"),
    }
    guards = {name: RequireBearer(Auth(entry, observer=observers[name])) for name, entry in entries.items()}
    return Starlette(
        routes=[Route(f"/{OURS[name]}", guard(subject), methods=["GET", "POST"]) for name, guard in guards.items()]
    )


class Judges:
    """Ask each of them the same request."""

    def __init__(
        self, bench: Bench, urls: Mapping[str, str], observers: Mapping[str, Recorder], http: httpx2.Client
    ) -> None:
        self.bench = bench
        self._urls = urls
        self._observers = observers
        self._http = http

    def judge(self, asked: Asked) -> tuple[dict[str, str], dict[str, str]]:
        """Judge → its verdict (the status and, of a Bearer challenge, the error code); each of ours → its reason."""
        for observer in self._observers.values():
            observer.events.clear()
        said = {name: self._verdict(name, url, asked) for name, url in self._urls.items()}
        return said, {name: _reason(observer) for name, observer in self._observers.items()}

    def _verdict(self, name: str, url: str, asked: Asked) -> str:
        method, headers, content = "GET", list(asked.headers), None
        if asked.form is not None:
            method, content = "POST", asked.form.encode()
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        answer = self._http.request(method, f"{url}?{asked.query}", headers=headers, content=content)
        if answer.status_code == 200:
            assert "sub" in answer.json() or name == "express", "accepted without a caller"
            return ACCEPT
        if name == "oauth4webapi":  # it throws, and leaves the answer to its caller
            assert answer.status_code == 401, answer.text
            return "refuse"
        error = _ERROR.search(answer.headers.get("www-authenticate", ""))
        return " ".join([str(answer.status_code), *(code for code in (error and error[1],) if code)])


def _reason(observer: Recorder) -> str:
    """Why it refused, or ACCEPT."""
    refusals = [fields["reason"] for event, fields in observer.events if event == "request.refused"]
    return str(refusals[-1]) if refusals else ACCEPT


@contextmanager
def judges(run_script: Callable[..., Any], http: httpx2.Client) -> Iterator[Judges]:
    """All of them, running, over one served issuer."""
    with ExitStack() as stack:
        fake = Bench.fake_issuer()
        bench = Bench(fake)
        issuer = stack.enter_context(fake.serve())
        observers = {name: Recorder() for name in OURS}
        ours = stack.enter_context(serving(our_api(issuer, observers)))
        settings = {"issuer": issuer, "audience": AUDIENCE}
        theirs = stack.enter_context(run_script("resource_servers.mjs", settings, _HEADER_LIMIT))["url"]
        urls = {name: f"{ours}/{path}" for name, path in OURS.items()}
        urls |= {name: f"{theirs}/{path}" for name, path in THEIRS.items()}
        yield Judges(bench, urls, observers, http)


def as_said_by(judge: str, verdict: str) -> str:
    """A verdict as this judge can say it: oauth4webapi knows only yes and no."""
    return verdict if judge != "oauth4webapi" or verdict == ACCEPT else "refuse"
