"""`MemoryRevocations`: what is refused, for whom, and what is forgotten when."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit._drive import run
from bearerkit.stores.memory import GRACE, MemoryRevocations
from key_doubles import HandClock

ISSUER = "https://id.example"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> MemoryRevocations:
    return MemoryRevocations(clock)


def revoked(store: MemoryRevocations, **token: Any) -> bool:
    facts = {"issuer": ISSUER, "token_id": "t", "session_id": "s", "subject": "u", "issued_at": 100.0} | token
    return run(store.is_revoked(**facts))


def test_nothing_is_revoked_at_first(store: MemoryRevocations) -> None:
    assert not revoked(store)


def test_a_token_is_revoked_by_its_id(store: MemoryRevocations) -> None:
    store.revoke_token("t")
    assert revoked(store)
    assert not revoked(store, token_id="other")
    assert not revoked(store, token_id=None)


def test_a_session_is_revoked_by_its_id(store: MemoryRevocations) -> None:
    store.revoke_session("s")
    assert revoked(store, token_id=None)
    assert not revoked(store, session_id=None)


def test_kinds_of_ids_do_not_mix(store: MemoryRevocations) -> None:
    """A token id that equals a revoked session id is another thing."""
    store.revoke_token("x")
    assert not revoked(store, session_id="x", subject="x")
    store.revoke_session("y")
    assert not revoked(store, token_id="y", subject="y")


def test_a_subject_is_revoked_up_to_a_moment(store: MemoryRevocations) -> None:
    store.revoke_subject("u", before=100.0)
    assert revoked(store, issued_at=99.0)
    assert revoked(store, issued_at=100.0)
    assert not revoked(store, issued_at=100.5)
    assert not revoked(store, subject=None)


def test_a_token_without_time_of_issue_counts_as_old(store: MemoryRevocations) -> None:
    store.revoke_subject("u", before=100.0)
    assert revoked(store, issued_at=0.0)


def test_a_subject_is_revoked_up_to_now_by_default(store: MemoryRevocations, clock: HandClock) -> None:
    store.revoke_subject("u")
    assert revoked(store, issued_at=clock.now())
    assert revoked(store, issued_at=clock.now() + 30), "the issuer's clock may be ahead by the usual leeway"
    assert not revoked(store, issued_at=clock.now() + 31)


def test_an_earlier_moment_never_replaces_a_later_one(store: MemoryRevocations) -> None:
    store.revoke_subject("u", before=100.0)
    store.revoke_subject("u", before=50.0)
    assert revoked(store, issued_at=99.0)


def test_an_issuer_limits_the_entry(store: MemoryRevocations) -> None:
    store.revoke_token("t", issuer="https://other.example")
    store.revoke_session("s", issuer="https://other.example")
    store.revoke_subject("u", before=200.0, issuer="https://other.example")
    assert not revoked(store)
    assert revoked(store, issuer="https://other.example")
    assert not revoked(store, issuer=None)


def test_an_entry_without_issuer_holds_for_every_issuer(store: MemoryRevocations) -> None:
    store.revoke_token("t")
    assert revoked(store, issuer=None)
    assert revoked(store, issuer="https://any.example")


def fill(store: MemoryRevocations, number: int, until: float) -> None:
    for index in range(number):
        store.revoke_token(f"filler-{until}-{index}", until=until)


def test_expired_entries_are_forgotten_when_many_have_come(store: MemoryRevocations, clock: HandClock) -> None:
    now = clock.now()
    store.revoke_session("s", until=now)
    store.revoke_subject("u", before=200.0, until=now)
    fill(store, 998, now)
    assert len(store) == 1_000
    clock.advance(GRACE + 1)
    store.revoke_token("t", until=clock.now())
    assert len(store) == 1
    assert revoked(store, session_id=None, subject=None)


def test_entries_outlive_their_until_by_the_leeway_of_verifiers(store: MemoryRevocations, clock: HandClock) -> None:
    """A token is accepted a little beyond exp, so its revocation must last longer."""
    store.revoke_token("t", until=clock.now())
    clock.advance(GRACE)
    fill(store, 1_500, clock.now())
    assert revoked(store)


def test_entries_without_until_are_kept_for_good(store: MemoryRevocations, clock: HandClock) -> None:
    store.revoke_token("t")
    store.revoke_session("s")
    store.revoke_subject("u", before=200.0)
    fill(store, 1_100, clock.now())
    clock.advance(1e9)
    fill(store, 1_100, clock.now())
    assert revoked(store, session_id=None, subject=None)
    assert revoked(store, token_id=None, subject=None)
    assert revoked(store, token_id=None, session_id=None)


def test_a_shorter_until_never_shortens_an_entry(store: MemoryRevocations, clock: HandClock) -> None:
    store.revoke_token("t")
    store.revoke_token("t", until=clock.now())
    store.revoke_subject("u", before=200.0)
    store.revoke_subject("u", before=100.0, until=clock.now())
    clock.advance(1e6)
    fill(store, 2_100, clock.now())
    assert revoked(store, subject=None)
    assert revoked(store, token_id=None)
