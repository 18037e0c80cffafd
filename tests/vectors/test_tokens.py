"""Every token of every source, given to an `Auth` that trusts none of their keys: a clean refusal, and no fetch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from auth_doubles import Web, auth, request
from bearerkit import Issuer
from bearerkit.errors import InvalidRequest, TokenInvalid
from bearerkit.guards import authenticated
from bearerkit.testing import SigningKey
from vectors.registry import SOURCES
from vectors.tally import count


@pytest.fixture(scope="module")
def tokens(vectors: Path) -> list[tuple[str, str]]:
    """Id and text of every token, in either form."""
    found = [
        (f"{source.name} {outcome.id}", outcome.token)
        for source in SOURCES
        for outcome in count(source, vectors).outcomes
        if outcome.token is not None
    ]
    assert len(found) > 600
    return found


def test_none_gets_past_auth(tokens: list[tuple[str, str]]) -> None:
    """An `Auth` that knows none of their keys says `TokenInvalid` to each, and fetches nothing for any."""
    web = Web()
    entry = Issuer("https://id.example.test", audience="api", keys={"keys": [SigningKey.generate("ES256").jwk]})
    guard = auth(entry, Issuer("https://other.example.test", audience="api"), web=web)
    wrong = [name for name, token in tokens if not _refused(lambda token=token: guard.verify(token), TokenInvalid)]
    assert wrong == []
    assert web.asked == []


def test_none_gets_past_a_request(tokens: list[tuple[str, str]]) -> None:
    """In a header it is a bad token, or (JSON, empty) no credential of a known form: 401 or 400, never 5xx."""
    guard = auth(Issuer("https://id.example.test", audience="api", keys={"keys": [SigningKey.generate("ES256").jwk]}))
    wrong = [
        name
        for name, token in tokens
        if not _refused(
            lambda token=token: guard.authorize(request(token), authenticated()), (TokenInvalid, InvalidRequest)
        )
    ]
    assert wrong == []


def _refused(call: Callable[[], object], kinds: type[Exception] | tuple[type[Exception], ...]) -> bool:
    try:
        call()
    except kinds:
        return True
    return False
