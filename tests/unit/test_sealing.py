"""`Seals`: what was sealed opens with the same secret, for the same place and purpose, unchanged; nothing else does."""

from __future__ import annotations

import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.errors import ConfigError
from bearerkit.jose.sealing import RANDOM_BYTES, NotSealed, Seals

OLD, NEW = "old " * 8, "new " * 8
PLACE = b"bearerkit:cache:1"


def sealed(seals: Seals, plain: bytes = b"who it is", place: bytes = PLACE) -> bytes:
    return seals.seal(plain, place, os.urandom(RANDOM_BYTES))


@given(st.binary(), st.binary())
def test_what_is_sealed_opens(plain, place):
    seals = Seals(NEW, "p")
    assert seals.open(sealed(seals, plain, place), place) == plain


def test_nothing_can_be_read_and_nothing_repeats():
    seals = Seals(NEW, "p")
    first, second = sealed(seals), sealed(seals)
    assert b"who" not in first
    assert first != second
    assert first[29:] != second[29:]


def test_each_changed_bit_is_found():
    """Of the version, the randomness, the text and the tag."""
    seals = Seals(NEW, "p")
    whole = sealed(seals)
    for number in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[number // 8] ^= 1 << number % 8
        with pytest.raises(NotSealed):
            seals.open(bytes(changed), PLACE)


def test_each_shortened_or_lengthened_entry_is_found():
    seals = Seals(NEW, "p")
    whole = sealed(seals)
    for data in [*(whole[:size] for size in range(len(whole))), whole + b"\0"]:
        with pytest.raises(NotSealed):
            seals.open(data, PLACE)


@pytest.mark.parametrize(
    ("secret", "purpose", "place"), [(NEW, "p", b"elsewhere"), (NEW, "other", PLACE), (OLD, "p", PLACE)]
)
def test_another_place_purpose_or_secret_opens_nothing(secret, purpose, place):
    with pytest.raises(NotSealed):
        Seals(secret, purpose).open(sealed(Seals(NEW, "p")), place)


def test_secrets_rotate():
    """All open, the first seals."""
    both = Seals([NEW, OLD], "p")
    assert both.open(sealed(Seals(OLD, "p")), PLACE) == b"who it is"
    assert Seals(NEW, "p").open(sealed(both), PLACE) == b"who it is"
    with pytest.raises(NotSealed):
        Seals(OLD, "p").open(sealed(both), PLACE)


@pytest.mark.parametrize("secret", ["", "short", b"x" * 31, [], [NEW, "short"], [NEW, None], [7]])
def test_a_secret_that_is_none_is_refused(secret):
    with pytest.raises(ConfigError):
        Seals(secret, "p")


def test_keys_do_not_leak():
    seals = Seals(NEW, "p")
    assert "new" not in repr(seals)
    with pytest.raises(TypeError):
        pickle.dumps(seals)


def test_too_little_randomness_is_refused():
    with pytest.raises(ValueError, match="random"):
        Seals(NEW, "p").seal(b"", b"", b"0" * 12)
