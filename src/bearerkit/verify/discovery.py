"""The fetch itself: find where the keys are, get them, and turn the answer into a `KeySet`.

One coroutine over the `HttpClient` port, always stepped with `run`, so the port is a blocking one. It decides nothing
about freshness (`jose/key_cache.py`), URLs (`verify/key_location.py`) or keys (`jose/key_set.py`), and it is never run
twice at a time: the flight sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from bearerkit.http import Fetched
from bearerkit.jose.key_cache import cache_lifetime
from bearerkit.jose.key_set import JwksInvalid, KeySet, parse_jwks
from bearerkit.jose.keys import KeyUnusable, VerificationKey, from_pem
from bearerkit.ports import Clock, HttpClient
from bearerkit.verify.key_location import KeyLocation
from bearerkit.verify.metadata import FetchRefused, MetadataReader, get, json_of, status_of

__all__ = ["FetchRefused", "FetchedKeys", "KeyFetcher"]

MAX_KEYS: Final = 100
_LATER: Final = frozenset({408, 425, 429})
"""Answers that say "not now" rather than "no"."""


@dataclass(frozen=True, slots=True)
class FetchedKeys:
    """What one fetch brought. `max_age` is seconds, None when the answer said nothing."""

    keys: KeySet
    max_age: float | None
    url: str


@final
class KeyFetcher:
    """Fetches the keys of one `KeyLocation`, through metadata unless `jwks_uri` is configured."""

    def __init__(self, location: KeyLocation, http: HttpClient, clock: Clock) -> None:
        self._location = location
        self._http = http
        self._metadata = MetadataReader(location, http, clock, "jwks_uri")

    async def fetch(self, previous: KeySet | None) -> FetchedKeys:
        """Get the keys; those equal to one of `previous` are the same objects. Raises FetchRefused."""
        url = self._location.jwks_uri or await self._metadata.url()
        # A URL that a token filled in and that never gave a key: whatever it answers says "no such key". Were it an
        # outage, anybody could make one.
        invented = self._location.filled and (previous is None or not previous.keys)
        try:
            answer = await get(self._http, self._location, url)
            if answer.status != 200:
                raise FetchRefused(
                    f"{url} {status_of(answer)}", answered=answer.status < 500 and answer.status not in _LATER
                )
            keys = self._parse(url, answer, previous)
        except FetchRefused as refused:
            if invented and refused.answered:
                return FetchedKeys(KeySet(()), 0.0, url)
            self._metadata.forget()
            raise
        return FetchedKeys(keys, cache_lifetime(answer.headers), url)

    def _parse(self, url: str, answer: Fetched, previous: KeySet | None) -> KeySet:
        if self._location.key_format == "pem-per-kid":
            return _pem_keys(url, answer, previous)
        try:
            return parse_jwks(json_of(url, answer), previous=previous, max_keys=MAX_KEYS)
        except JwksInvalid as error:
            raise FetchRefused(f"{url} is not a JWKS: {error}", answered=True) from None


def _pem_keys(url: str, answer: Fetched, previous: KeySet | None) -> KeySet:
    """One PEM text (its kid is in the URL, so it serves every kid), or a JSON object of PEM texts by kid."""
    texts: Mapping[str | None, Any]
    if answer.body.lstrip().startswith(b"-----BEGIN "):
        texts = {None: answer.body}
    else:
        document = json_of(url, answer)
        if not isinstance(document, dict):
            raise FetchRefused(f"{url} is neither PEM nor a JSON object of PEM texts", answered=True)
        texts = document
    if len(texts) > MAX_KEYS:
        raise FetchRefused(f"{url} holds more than {MAX_KEYS} keys", answered=True)
    keys: list[VerificationKey] = []
    skipped: list[str] = []
    for kid, text in texts.items():
        try:
            keys.append(from_pem(text if isinstance(text, str | bytes) else b"", kid=kid))
        except KeyUnusable as error:
            skipped.append(f"{str(kid)[:200]!r}: {error}")
    return KeySet(keys, skipped, previous=previous)
