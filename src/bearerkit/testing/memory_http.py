"""The `HttpClient` port answered from memory by one or more `FakeIssuer`s: no socket is ever opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from bearerkit.http import Fetch, Fetched, FetchFailed

if TYPE_CHECKING:
    from bearerkit.testing.issuer import FakeIssuer

__all__ = ["MemoryHttp"]


@final
class MemoryHttp:
    """Implements `bearerkit.ports.HttpClient`. A URL that belongs to none of the issuers raises `FetchFailed`."""

    def __init__(self, *issuers: FakeIssuer) -> None:
        self._issuers = issuers

    async def fetch(self, fetch: Fetch) -> Fetched:
        """The answer of the issuer that owns the URL. Raises `FetchFailed` while that issuer is down."""
        for issuer in self._issuers:
            if issuer.owns(fetch.url):
                answer = issuer.answer(fetch.url, fetch.body)
                if issuer.is_down:
                    raise FetchFailed(f"the fake issuer {issuer.issuer} is down")
                return answer
        known = ", ".join(issuer.issuer for issuer in self._issuers)
        raise FetchFailed(f"no network in this test: {fetch.url[:200]!r} is not a URL of {known}")
