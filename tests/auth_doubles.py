"""Doubles for tests of `Auth`: an HTTP port that answers by URL and counts, requests with a token, an event log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from bearerkit import Auth
from bearerkit.http import Fetch, Fetched, FetchFailed, Headers, Request
from bearerkit.testing import FrozenClock, SigningKey

NOW = 1_790_000_000.0
ISSUER = "https://id.example.test"
JWKS_URL = "https://id.example.test/jwks"


class Web:
    """Answers each URL with a document, bytes, or an exception, and remembers what was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: list[Fetch] = []

    def __setitem__(self, url: str, page: Any) -> None:
        self.pages[url] = page

    @property
    def urls(self) -> list[str]:
        return [fetch.url for fetch in self.asked]

    async def fetch(self, fetch: Fetch) -> Fetched:
        self.asked.append(fetch)
        page = self.pages.get(fetch.url)
        if page is None:
            return Fetched(404, Headers(), b"")
        if isinstance(page, Exception):
            raise page
        if isinstance(page, Fetched):
            return page
        return Fetched(200, Headers(), page if isinstance(page, bytes) else json.dumps(page).encode())


DOWN = FetchFailed("down")


class Events:
    """An Observer that keeps what it was told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Mapping[str, Any]]] = []

    def event(self, name: str, fields: Mapping[str, Any]) -> None:
        self.seen.append((name, fields))

    def named(self, name: str) -> list[Mapping[str, Any]]:
        return [fields for seen, fields in self.seen if seen == name]


def jwks(*keys: SigningKey, **members: Any) -> dict[str, Any]:
    """The public key set of these keys; `members` are added to each."""
    return {"keys": [{**key.jwk, **members} for key in keys]}


def claims(now: float = NOW, **changes: Any) -> dict[str, Any]:
    """Good claims; a value of `...` leaves one out."""
    given = {"iss": ISSUER, "aud": "api", "sub": "u1", "iat": int(now), "exp": int(now) + 300, "jti": "j1", **changes}
    return {name: value for name, value in given.items() if value is not ...}


def token(key: SigningKey, header: Mapping[str, Any] | bytes | None = None, **changes: Any) -> str:
    """A token signed by `key`, with good claims but for `changes`; `header` replaces members of the JOSE header."""
    from bearerkit.testing.signing import compact

    if isinstance(header, bytes):
        return compact(header, claims(**changes), key)
    members = {"alg": key.alg, "typ": "at+jwt", "kid": ... if key.kid is None else key.kid, **(header or {})}
    return compact({name: value for name, value in members.items() if value is not ...}, claims(**changes), key)


def request(
    credential: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    kind: Literal["http", "websocket"] = "http",
    **path_params: str,
) -> Request:
    """A request that carries `credential` as a bearer token."""
    items = list((headers or {}).items())
    if credential is not None:
        items.append(("Authorization", f"Bearer {credential}"))
    return Request("GET", "/", Headers(items), path_params=path_params, kind=kind)


def auth(*issuers: Any, web: Web | None = None, clock: FrozenClock | None = None, **settings: Any) -> Auth:
    """An `Auth` that reaches no network but `web` and whose clock stands at NOW."""
    return Auth(*issuers, http=Web() if web is None else web, clock=clock or FrozenClock(NOW), **settings)
