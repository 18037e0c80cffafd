"""The fetch itself: find where the keys are, get them, and turn the answer into a `KeySet`.

One coroutine over the `HttpClient` port, always stepped with `run`, so the port is a blocking one. It keeps what it
learned about the metadata between fetches. It decides nothing about freshness (`jose/key_cache.py`), about URLs
(`verify/key_location.py`) or about keys (`jose/key_set.py`), and it is never run twice at a time: the flight sees to
that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from bearerkit._drive import port
from bearerkit.http import Fetch, Fetched, FetchFailed
from bearerkit.jose.key_cache import cache_lifetime
from bearerkit.jose.key_set import JwksInvalid, KeySet, parse_jwks
from bearerkit.jose.keys import KeyUnusable, VerificationKey, from_pem
from bearerkit.jose.strict_json import JsonInvalid, loads
from bearerkit.ports import Clock, HttpClient
from bearerkit.verify.key_location import KeyLocation, LocationRefused, check_metadata, metadata_candidates, url_problem

__all__ = ["FetchRefused", "FetchedKeys", "KeyFetcher"]

METADATA_LIFETIME: Final = 3_600
"""Seconds for which a metadata document is believed while the key fetches that it leads to succeed."""
MAX_KEYS: Final = 100
_LATER: Final = frozenset({408, 425, 429})
"""Answers that say "not now" rather than "no"."""
JSON_DEPTH: Final = 64
"""Metadata documents carry vendor extensions, so they may nest deeper than a token."""


class FetchRefused(Exception):
    """The keys could not be had. `detail` and `hint` are for the operator; no key material is in them.

    `answered` says that somebody said no, in contrast to nobody answering.
    """

    detail: str
    hint: str | None
    answered: bool

    def __init__(self, detail: str, *, hint: str | None = None, answered: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.answered = answered


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
        self._clock = clock
        self._metadata_url: str | None = None
        self._jwks_uri: str | None = None
        self._metadata_at = 0.0

    async def fetch(self, previous: KeySet | None) -> FetchedKeys:
        """Get the keys; those equal to one of `previous` are the same objects. Raises FetchRefused."""
        url = self._location.jwks_uri or await self._discovered()
        # A URL that a token filled in and that never gave a key: whatever it answers says "no such key". Were it an
        # outage, anybody could make one.
        invented = self._location.filled and (previous is None or not previous.keys)
        try:
            answer = await self._get(url)
            if answer.status != 200:
                raise FetchRefused(
                    f"{url} {_status(answer)}", answered=answer.status < 500 and answer.status not in _LATER
                )
            keys = self._parse(url, answer, previous)
        except FetchRefused as refused:
            if invented and refused.answered:
                return FetchedKeys(KeySet(()), 0.0, url)
            self._jwks_uri = None
            raise
        return FetchedKeys(keys, cache_lifetime(answer.headers), url)

    async def _discovered(self) -> str:
        now = self._clock.monotonic()
        if self._jwks_uri is not None and now - self._metadata_at < METADATA_LIFETIME:
            return self._jwks_uri
        candidates = metadata_candidates(self._location)
        if not candidates:
            raise FetchRefused(
                f"no issuer of {self._location.issuers} is a URL, so there is no metadata",
                hint="Set metadata_url, jwks_uri or keys.",
            )
        if self._metadata_url in candidates:
            candidates = (self._metadata_url, *(url for url in candidates if url != self._metadata_url))
        refusals: list[str] = []
        for url in candidates:
            answer = await self._get(url)
            if answer.status == 200:
                self._jwks_uri = self._judged(url, answer)
                self._metadata_url, self._metadata_at = url, now
                return self._jwks_uri
            refusals.append(f"{url} {_status(answer)}")
            if not 400 <= answer.status < 500:
                break
        raise FetchRefused(
            f"no metadata: {'; '.join(refusals)}",
            hint="If the metadata stands elsewhere set metadata_url; if there is none set jwks_uri or keys.",
        )

    def _judged(self, url: str, answer: Fetched) -> str:
        try:
            return check_metadata(self._location, url, _json(url, answer))
        except LocationRefused as refused:
            raise FetchRefused(refused.detail, hint=refused.hint) from None

    async def _get(self, url: str) -> Fetched:
        if problem := url_problem(url, self._location.network):
            raise FetchRefused(f"the URL may not be fetched: {problem}")
        wish = Fetch(url, self._location.network, untrusted=self._location.untrusted)
        try:
            return await port("http.fetch", self._http.fetch(wish))
        except FetchFailed as error:
            raise FetchRefused(f"{url}: {error.detail}", hint=error.hint, answered=error.no_such_host) from None
        except OSError as error:
            raise FetchRefused(f"{url}: {type(error).__name__}") from None

    def _parse(self, url: str, answer: Fetched, previous: KeySet | None) -> KeySet:
        if self._location.key_format == "pem-per-kid":
            return _pem_keys(url, answer, previous)
        try:
            return parse_jwks(_json(url, answer), previous=previous, max_keys=MAX_KEYS)
        except JwksInvalid as error:
            raise FetchRefused(f"{url} is not a JWKS: {error}", answered=True) from None


def _status(answer: Fetched) -> str:
    note = " (redirects are not followed)" if 300 <= answer.status < 400 else ""
    return f"answered {answer.status}{note}"


def _json(url: str, answer: Fetched) -> Any:
    try:
        return loads(answer.body, depth=JSON_DEPTH)
    except JsonInvalid as error:
        raise FetchRefused(f"{url} is not JSON: {error}", answered=True) from None


def _pem_keys(url: str, answer: Fetched, previous: KeySet | None) -> KeySet:
    """One PEM text (its kid is in the URL, so it serves every kid), or a JSON object of PEM texts by kid."""
    texts: Mapping[str | None, Any]
    if answer.body.lstrip().startswith(b"-----BEGIN "):
        texts = {None: answer.body}
    else:
        document = _json(url, answer)
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
