"""Answers about opaque credentials: how long, how many, and that nothing forgotten comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bearerkit import AuthContext
from bearerkit.errors import Revoked, TokenInvalid
from bearerkit.verify.answer_cache import Answer, AnswerCache, digest_under

ANN, BOB = (AuthContext({"sub": name}, credential_kind="opaque") for name in ("ann", "bob"))


def test_an_answer_holds_until_its_time_or_that_of_the_credential_is_over() -> None:
    """Monotonic for what we chose, epoch for `exp`."""
    cache = AnswerCache(10)
    cache.keep(b"a", Answer(ANN, until=60, ends=1_000), cache.generation)
    assert cache.hit(b"a", 999, 59) is ANN
    assert cache.hit(b"a", 1_000, 59) is None
    assert cache.hit(b"a", 999, 60) is None
    assert cache.hit(b"b", 0, 0) is None


def test_a_known_refusal_is_raised_anew() -> None:
    """The same words, another exception: one that was logged is not logged again."""
    cache = AnswerCache(10)
    cache.keep(b"a", Answer(Revoked("gone", hint="sign in"), until=10), cache.generation)
    raised = []
    for _ in range(2):
        with pytest.raises(Revoked) as caught:
            cache.hit(b"a", 0, 9)
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert {(error.detail, error.hint, error.reason) for error in raised} == {("gone", "sign in", "revoked")}
    assert cache.hit(b"a", 0, 10) is None


def test_invented_credentials_push_nobody_out() -> None:
    """10,000 refusals beside one good answer, in bounded memory; the oldest good one goes first."""
    cache = AnswerCache(2, negatives=3)
    cache.keep(b"a", Answer(ANN, 60), cache.generation)
    for number in range(10_000):
        cache.keep(b"x%d" % number, Answer(TokenInvalid("no"), 60), cache.generation)
    assert cache.hit(b"a", 0, 0) is ANN
    assert len(cache) <= 1 + 2
    for key in (b"b", b"c"):
        cache.keep(key, Answer(BOB, 60), cache.generation)
    assert cache.hit(b"a", 0, 0) is None
    empty = AnswerCache(0)
    empty.keep(b"a", Answer(ANN, 60), empty.generation)
    assert len(empty) == 0


def test_an_answer_that_was_asked_for_before_something_was_forgotten_is_not_kept() -> None:
    """It may say what was true before the revocation."""
    cache = AnswerCache(10)
    for forget in (lambda: cache.forget(b"z"), lambda: cache.forget_where(lambda context: False)):
        before = cache.generation
        forget()
        cache.keep(b"a", Answer(ANN, 60), before)
        assert len(cache) == 0
    cache.keep(b"a", Answer(ANN, 60), cache.generation)
    cache.keep(b"b", Answer(BOB, 60), cache.generation)
    cache.keep(b"c", Answer(TokenInvalid("no"), 60), cache.generation)
    cache.forget_where(lambda context: context.subject == "ann")
    assert [cache.hit(key, 0, 0) for key in (b"a", b"b", b"c")] == [None, BOB, None]
    cache._lock.acquire()  # as another thread of the parent may have
    cache.after_fork()
    cache.forget(b"b")
    assert len(cache) == 0


def test_a_new_answer_replaces_one_of_the_other_kind() -> None:
    """A credential is good or bad, never both."""
    cache = AnswerCache(10)
    cache.keep(b"a", Answer(TokenInvalid("no"), 60), cache.generation)
    cache.keep(b"a", Answer(ANN, 60), cache.generation)
    assert cache.hit(b"a", 0, 0) is ANN
    cache.keep(b"a", Answer(TokenInvalid("no"), 60), cache.generation)
    with pytest.raises(TokenInvalid):
        cache.hit(b"a", 0, 0)
    assert len(cache) == 1


def test_an_old_answer_is_offered_for_a_while_if_one_asks_for_it_by_name() -> None:
    """Never beyond `exp`, never a refusal."""
    cache = AnswerCache(10)
    cache.keep(b"a", Answer(ANN, until=60, ends=100), cache.generation)
    cache.keep(b"b", Answer(TokenInvalid("no"), until=60), cache.generation)
    assert cache.stale(b"a", 99, 89, longer=30) is ANN
    assert cache.stale(b"a", 100, 89, longer=30) is None
    assert cache.stale(b"a", 99, 90, longer=30) is None
    assert cache.stale(b"b", 0, 0, longer=30) is None


def test_a_digest_is_of_the_whole_credential_and_its_surroundings() -> None:
    """A prefix is another credential, and so is another endpoint."""
    digests = {digest_under(salt, text) for salt in (b"1", b"2") for text in ("a", "ab", "a" * 5_000, "\ud800")}
    assert len(digests) == 8


class Machine(RuleBasedStateMachine):
    """Against what is true: nothing forgotten, ended or refused is ever given."""

    def __init__(self) -> None:
        super().__init__()
        self.cache, self.time = AnswerCache(3, negatives=2), 0.0
        self.truth: dict[bytes, tuple[Any, float]] = {}
        self.asked_under = 0

    @rule(seconds=st.integers(0, 40))
    def wait(self, seconds: int) -> None:
        self.time += seconds

    @rule()
    def begin(self) -> None:
        self.asked_under = self.cache.generation

    @rule(key=st.sampled_from([b"1", b"2", b"3", b"4"]), outcome=st.sampled_from([ANN, BOB, None]))
    def answer(self, key: bytes, outcome: AuthContext | None) -> None:
        kept = self.asked_under == self.cache.generation
        given = outcome or TokenInvalid("no")
        self.cache.keep(key, Answer(given, self.time + 30, self.time + 20), self.asked_under)
        if kept:
            self.truth[key] = (outcome, self.time + 20)

    @rule(name=st.sampled_from(["ann", "bob"]))
    def forget_somebody(self, name: str) -> None:
        self.cache.forget_where(lambda context: context.subject == name)
        self.truth = {key: found for key, found in self.truth.items() if found[0] and found[0].subject != name}

    @rule(key=st.sampled_from([b"1", b"2", b"3", b"4"]))
    def forget_one(self, key: bytes) -> None:
        self.cache.forget(key)
        self.truth.pop(key, None)

    @invariant()
    def gives_nothing_but_the_truth(self) -> None:
        assert len(self.cache) <= 5
        for key in (b"1", b"2", b"3", b"4"):
            true, ends = self.truth.get(key, (..., 0.0))
            try:
                found = self.cache.hit(key, self.time, self.time)
            except TokenInvalid:
                assert true is None
                assert self.time < ends
                continue
            assert found is None or (found is true and self.time < ends)


TestAnswerCacheMachine: Any = Machine.TestCase
