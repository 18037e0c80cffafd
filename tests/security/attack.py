"""The shape of every attack test: a mark with number, title and answer, and the runner for attacks by one token.

A number is that of the attack catalogue in the reference data (standards.md section 3.1), the name of an advisory, or
`OWN` for what the catalogue does not know. The mark is the only place where it stands: the completeness test, the
summary after a run and docs/attacks.md read it there. No attack stands here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from auth_doubles import ISSUER, JWKS_URL, Web, auth, jwks
from bearerkit import Auth, Issuer
from bearerkit.errors import TokenInvalid
from security.forgery import B_ISSUER, B_KEY, B_URL, EC, ED, RSA

Number = int | str

OWN = "own"
"""The number of attacks that are in no catalogue."""


OURS = Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL)
THEIRS = Issuer(B_ISSUER, audience="api", jwks_uri=B_URL, algorithms=["ES384"])
"""Immutable, and without keys of their own: each attack gets an `Auth` that knows nothing yet."""


@dataclass(frozen=True)
class Attack:
    """One row: which token is tried, and by which rule it must be refused."""

    number: Number
    title: str
    make: Callable[[], str]
    error: type[TokenInvalid]
    reason: str = ""
    """That of the error's class where it is empty."""
    fetches: int = 0
    """Requests that a cold `Auth` may make for it."""
    keys: Callable[[], Mapping[str, Any]] | None = None
    """The published key set, where the attack is in the keys."""
    settings: Mapping[str, Any] | None = None

    @property
    def answer(self) -> str:
        return f"401 {self.reason or self.error.reason}"


def case(number: Number, title: str, *values: Any, answer: str) -> Any:
    """One value of `pytest.mark.parametrize` that is an attack of its own."""
    return pytest.param(*values, id=_slug(f"{number}-{title}"), marks=attacks(number, title, answer=answer))


def attacks(number: Number, *titles: str, answer: str) -> pytest.MarkDecorator:
    """The mark of a test that tries these attacks."""
    return pytest.mark.attacks(number, *titles, answer=answer)


def rows(table: Iterable[Attack]) -> list[Any]:
    """The values of `pytest.mark.parametrize("attack", …)`."""
    return [case(row.number, row.title, row, answer=row.answer) for row in table]


def each(
    number: Number,
    stem: str,
    values: Mapping[str, Any],
    make: Callable[[Any], str],
    error: type[TokenInvalid],
    reason: str = "",
    fetches: int = 0,
    **more: Any,
) -> Sequence[Attack]:
    """A row per value; the keys are their titles, `stem` what stands before them."""
    return [
        Attack(number, f"{stem} {title}".strip(), lambda value=value: make(value), error, reason, fetches, **more)
        for title, value in values.items()
    ]


def guarded(attack: Attack) -> tuple[Auth, Web]:
    """An `Auth` with two issuers whose keys are published, and none fetched yet."""
    web = Web()
    web[JWKS_URL] = jwks(RSA, EC, ED) if attack.keys is None else attack.keys()
    web[B_URL] = jwks(B_KEY)
    ours = Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL, **attack.settings) if attack.settings else OURS
    return auth(ours, THEIRS, web=web), web


def attempt(attack: Attack) -> None:
    """Try one row cold and warm.

    Cold means that no key was fetched yet: an attack that the token alone gives away must then cost the issuer no
    request at all. Warm means that the keys are at hand. Whatever happens the answer is 401, never 5xx and never a
    pass, and nobody is asked but the issuers.
    """
    text = attack.make()
    where, web = guarded(attack)
    caught = _refusal(where, text)
    assert type(caught) is attack.error, caught
    assert caught.reason == (attack.reason or attack.error.reason), caught
    assert len(web.asked) <= attack.fetches, web.urls
    where.warm_up()
    before = len(web.asked)
    _refusal(where, text)
    assert len(web.asked) <= before + 1
    assert set(web.urls) <= {JWKS_URL, B_URL}


def _refusal(where: Auth, text: str) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as caught:
        where.verify(text)
    answer = where.answer(caught.value)
    assert answer.status == 401
    assert b"no-store" in answer.header("cache-control").encode()  # type: ignore[union-attr]
    if len(text) > 20:
        assert text.encode("utf-8", "surrogatepass") not in answer.body
    return caught.value


def _slug(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "-", text).strip("-")
