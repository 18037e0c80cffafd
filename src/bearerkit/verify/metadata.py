"""Where an issuer says that its keys and endpoints are: its metadata, and how any of its documents is fetched.

What a document may say is decided in `verify/key_location.py`. What was learned is kept for a while; nothing here
reads keys or tokens.
"""

from __future__ import annotations

from typing import Any, Final, final

from bearerkit._drive import port
from bearerkit.http import Fetch, Fetched, FetchFailed
from bearerkit.jose.strict_json import JsonInvalid, loads
from bearerkit.ports import Clock, HttpClient
from bearerkit.verify.key_location import KeyLocation, LocationRefused, check_metadata, metadata_candidates, url_problem

__all__ = ["FetchRefused", "MetadataReader", "get", "json_of", "status_of"]

METADATA_LIFETIME: Final = 3_600
"""Seconds for which a metadata document is believed while what it leads to answers."""
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


@final
class MetadataReader:
    """One URL out of the metadata of a `KeyLocation`: `jwks_uri`, `introspection_endpoint`."""

    def __init__(self, location: KeyLocation, http: HttpClient, clock: Clock, member: str) -> None:
        self._location = location
        self._http = http
        self._clock = clock
        self._member = member
        self._read_at_url: str | None = None
        self._found: str | None = None
        self._metadata_at = 0.0

    def forget(self) -> None:
        """What the URL leads to failed: read the metadata anew next time."""
        self._found = None

    async def url(self) -> str:
        """The URL. Raises FetchRefused."""
        now = self._clock.monotonic()
        if self._found is not None and now - self._metadata_at < METADATA_LIFETIME:
            return self._found
        candidates = metadata_candidates(self._location)
        if not candidates:
            raise FetchRefused(
                f"no issuer of {self._location.issuers} is a URL, so there is no metadata",
                hint="Set metadata_url, jwks_uri or keys.",
            )
        if self._read_at_url in candidates:
            candidates = (self._read_at_url, *(url for url in candidates if url != self._read_at_url))
        refusals: list[str] = []
        for url in candidates:
            answer = await get(self._http, self._location, url)
            if answer.status == 200:
                self._found = self._judged(url, answer)
                self._read_at_url, self._metadata_at = url, now
                return self._found
            refusals.append(f"{url} {status_of(answer)}")
            if not 400 <= answer.status < 500:
                break
        raise FetchRefused(
            f"no metadata: {'; '.join(refusals)}",
            hint="If the metadata stands elsewhere set metadata_url; if there is none set jwks_uri or keys.",
        )

    def _judged(self, url: str, answer: Fetched) -> str:
        try:
            return check_metadata(self._location, url, json_of(url, answer), self._member)
        except LocationRefused as refused:
            raise FetchRefused(refused.detail, hint=refused.hint) from None


async def get(http: HttpClient, location: KeyLocation, url: str) -> Fetched:
    """One document of this issuer, whatever its status. Raises FetchRefused."""
    if problem := url_problem(url, location.network):
        raise FetchRefused(f"the URL may not be fetched: {problem}")
    wish = Fetch(url, location.network, untrusted=location.untrusted)
    try:
        return await port("http.fetch", http.fetch(wish))
    except FetchFailed as error:
        raise FetchRefused(f"{url}: {error.detail}", hint=error.hint, answered=error.no_such_host) from None
    except OSError as error:
        raise FetchRefused(f"{url}: {type(error).__name__}") from None


def status_of(answer: Fetched) -> str:
    """What was answered, in words."""
    note = " (redirects are not followed)" if 300 <= answer.status < 400 else ""
    return f"answered {answer.status}{note}"


def json_of(url: str, answer: Fetched) -> Any:
    """The JSON of a document. Raises FetchRefused."""
    try:
        return loads(answer.body, depth=JSON_DEPTH)
    except JsonInvalid as error:
        raise FetchRefused(f"{url} is not JSON: {error}", answered=True) from None
