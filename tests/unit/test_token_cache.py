"""Remembered verdicts: keyed by the whole token, bounded, and gone with the token, its key or its issuer entry."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass, field

import pytest

from bearerkit.context import AuthContext
from bearerkit.jose.key_set import KeySet, parse_jwks
from bearerkit.jose.keys import VerificationKey, from_jwk
from bearerkit.verify.key_source import Snapshot, StaticKeys
from bearerkit.verify.token_cache import TokenCache, Verdict, digest_of
from key_doubles import jwk


@dataclass
class Source:
    """A key source whose snapshot and answers the test sets."""

    snapshot: Snapshot | None = None
    good: bool = True
    asked: list[tuple[VerificationKey, float]] = field(default_factory=list)

    def still_good(self, key: VerificationKey, now: float) -> bool:
        self.asked.append((key, now))
        return self.good


KEY = from_jwk(jwk("k1"))


def calm(until: float = 100.0) -> Snapshot:
    return Snapshot(KeySet([KEY]), until)


def verdict(source: object, *, subject: str = "u1", starts: float = 0, ends: float = 1_000, **claims: str) -> Verdict:
    context = AuthContext({"sub": subject, **claims})
    snapshot = getattr(source, "snapshot", None)
    return Verdict(context, starts=starts, ends=ends, key=KEY, source=source, snapshot=snapshot)  # type: ignore[arg-type]


def test_a_hit_while_nothing_changed():
    """The very verdict, without asking the key source."""
    cache, source = TokenCache(10), Source(calm())
    kept = verdict(source)
    cache.put(digest_of("a.b.c"), kept)
    assert cache.hit(digest_of("a.b.c"), 500, 50) is kept
    assert source.asked == []


@pytest.mark.parametrize(
    ("now", "hit"), [(9.999, False), (10, True), (99.999, True), (100, False), (1e9, False), (-1, False)]
)
def test_the_times_of_the_token(now, hit):
    """Attack 114: an expired verdict is none, nor is one after the clock was set back before its start."""
    cache, source = TokenCache(10), Source(calm())
    cache.put(b"d", verdict(source, starts=10, ends=100))
    assert (cache.hit(b"d", now, 50) is not None) is hit


def test_an_unknown_token_is_a_miss():
    """Attack 112: neither a prefix nor a suffix nor another signature of a known token is known."""
    cache, source = TokenCache(10), Source(calm())
    cache.put(digest_of("a.b.c"), verdict(source))
    for other in ("", "a.b.", "a.b.cc", "A.b.c", "a.b.c ", "a.b.c=", " a.b.c"):
        assert cache.hit(digest_of(other), 500, 50) is None


def test_the_digest_is_of_the_whole_token_and_never_the_token():
    """32 bytes, whatever comes; a lone surrogate gives one too."""
    assert len(digest_of("a" * 10_000)) == 32
    assert b"a.b.c" not in digest_of("a.b.c")
    assert digest_of("\ud800") != digest_of("\udfff")


@pytest.mark.parametrize("change", ["swapped", "due", "gone"])
@pytest.mark.parametrize("good", [True, False])
def test_any_change_of_the_keys_asks_again(change, good):
    """A swapped snapshot, one that is due, or none at all: the key source says whether the key still counts."""
    cache, source = TokenCache(10), Source(calm(), good)
    cache.put(b"d", verdict(source))
    monotonic = 50.0
    if change == "swapped":
        source.snapshot = calm()
    elif change == "gone":
        source.snapshot = None
    else:
        monotonic = 100.0
    assert (cache.hit(b"d", 500, monotonic) is not None) is good
    assert source.asked == [(KEY, monotonic)]


def test_a_swapped_snapshot_is_asked_about_once():
    """After a yes the verdict rests on the new snapshot."""
    cache, source = TokenCache(10), Source(calm())
    cache.put(b"d", verdict(source))
    source.snapshot = calm()
    assert cache.hit(b"d", 500, 50)
    assert cache.hit(b"d", 500, 50)
    assert len(source.asked) == 1


def test_a_verdict_put_beside_no_snapshot_is_always_asked_about():
    """The verifier stores none when it cannot say which set the key came from."""
    cache, source = TokenCache(10), Source(calm(), good=False)
    kept = verdict(source)
    kept.snapshot = None
    cache.put(b"d", kept)
    assert cache.hit(b"d", 500, 50) is None


def test_static_keys_never_change():
    """Their snapshot is calm for ever."""
    source = StaticKeys(parse_jwks({"keys": [jwk("k1")]}))
    cache = TokenCache(10)
    cache.put(b"d", verdict(source))
    assert cache.hit(b"d", 500, math.nextafter(math.inf, 0))


def test_it_is_bounded_and_the_oldest_goes_first():
    """Attack 116: memory does not grow; replacing an entry evicts nobody."""
    cache, source = TokenCache(2), Source(calm())
    for name in (b"1", b"2"):
        cache.put(name, verdict(source))
    cache.put(b"1", verdict(source, subject="new"))
    assert len(cache) == 2
    cache.put(b"3", verdict(source))
    assert [cache.hit(name, 500, 50) is not None for name in (b"1", b"2", b"3")] == [False, True, True]
    assert len(cache) == 2


def test_size_zero_keeps_nothing():
    """Switched off."""
    cache = TokenCache(0)
    cache.put(b"d", verdict(Source(calm())))
    assert len(cache) == 0
    assert cache.hit(b"d", 500, 50) is None


def test_forgetting_one_token():
    """By the token; one that is not there is no error."""
    cache, source = TokenCache(10), Source(calm())
    cache.put(digest_of("a.b.c"), verdict(source))
    cache.put(digest_of("d.e.f"), verdict(source))
    cache.drop("a.b.c")
    cache.drop("nobody")
    assert cache.hit(digest_of("a.b.c"), 500, 50) is None
    assert cache.hit(digest_of("d.e.f"), 500, 50) is not None


def test_forgetting_by_context():
    """Every verdict that matches and no other."""
    cache, source = TokenCache(10), Source(calm())
    for name in ("u1", "u2", "u3"):
        cache.put(name.encode(), verdict(source, subject=name))
    cache.drop_where(lambda context: context.subject != "u2")
    assert [cache.hit(name, 500, 50) is not None for name in (b"u1", b"u2", b"u3")] == [False, True, False]


def test_a_broken_match_leaves_the_cache_usable():
    """The lock is released and nothing was dropped halfway."""
    cache, source = TokenCache(10), Source(calm())
    cache.put(b"1", verdict(source))
    with pytest.raises(ZeroDivisionError):
        cache.drop_where(lambda context: 1 // 0 == 0)
    cache.put(b"2", verdict(source))
    assert len(cache) == 2


def test_a_forked_child_gets_a_lock_of_its_own():
    """The lock that another thread held at the moment of the fork would never be released there."""
    cache = TokenCache(10)
    cache._lock.acquire()
    cache.after_fork()
    cache.put(b"1", verdict(Source(calm())))
    assert len(cache) == 1


def test_a_cache_is_not_for_pickling():
    """Nobody ships verdicts between processes by accident."""
    with pytest.raises(TypeError):
        pickle.dumps(TokenCache(1))
