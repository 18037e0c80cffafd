"""The text of API keys: what is made parses, what was changed does not, and nothing secret shows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.api_key.form import ALPHABET, LONGEST, RANDOM_BYTES, ForeignForm, OwnForm, _checksum, prefix_problem
from bearerkit.errors import Malformed

FORM = OwnForm("acme_live_")
RANDOM = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)
CHARACTERS = st.one_of(st.sampled_from(ALPHABET + ALPHABET.upper() + "ilou_-"), st.characters())


def refused(text: str, form: OwnForm | ForeignForm = FORM) -> bool:
    try:
        form.check(text)
    except Malformed as refusal:
        return text not in str(refusal) or len(text) < 20  # no error tells the key
    return False


@given(RANDOM)
def test_what_is_made_is_a_key(random: bytes) -> None:
    """Of one length, found by scanners as a whole, one word to a double click, under the id that it was made with."""
    made = FORM.make(random)
    assert FORM.id_in(made.text) == made.id
    assert len(made.text) == len("acme_live_") + 64
    assert re.fullmatch(r"\w+", made.text, re.ASCII)
    found = re.search(FORM.pattern, f'KEY="{made.text}"')
    assert found is not None
    assert found[0] == made.text


@given(RANDOM, RANDOM)
def test_different_random_bytes_make_different_keys(one: bytes, other: bytes) -> None:
    """Nothing of them is lost: 280 bits, 200 of them secret."""
    assert (FORM.make(one) == FORM.make(other)) == (one == other)


@given(RANDOM, st.data())
def test_one_wrong_character_is_found(random: bytes, data: st.DataObject) -> None:
    """Wherever it stands, whatever it is."""
    text = FORM.make(random).text
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(CHARACTERS.filter(lambda character: character != text[at]))
    assert refused(text[:at] + other + text[at + 1 :])


@given(RANDOM, st.data())
def test_two_swapped_neighbours_are_found(random: bytes, data: st.DataObject) -> None:
    """The commonest mistake of somebody who types."""
    text = FORM.make(random).text
    at = data.draw(st.integers(0, len(text) - 2))
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    assert refused(swapped) == (swapped != text)


@given(RANDOM, st.integers(0, 80), st.integers(0, 80))
def test_a_part_is_no_key(random: bytes, start: int, end: int) -> None:
    """Cut off in front or behind."""
    text = FORM.make(random).text
    part = text[start:end]
    assert refused(part) == (part != text)


@given(RANDOM, CHARACTERS)
def test_a_longer_text_is_no_key(random: bytes, more: str) -> None:
    """One character more, in front or behind; a newline too."""
    text = FORM.make(random).text
    assert refused(more + text)
    assert refused(text + more)
    assert refused(text + "\n")


@given(RANDOM, st.text(ALPHABET + "_", min_size=1))
def test_a_right_checksum_makes_no_key(random: bytes, more: str) -> None:
    """Anybody can compute it; the length is that of a key all the same."""
    body = FORM.make(random).text[:-7] + more
    assert refused(body + _checksum(body))
    shorter = body[: -len(more) - 1]
    assert refused(shorter + _checksum(shorter))


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    """Neither alone nor behind the prefix."""
    for presented in (text, "acme_live_" + text):
        assert refused(presented)


def test_a_key_of_another_environment_is_none() -> None:
    """The checksum covers the prefix: renaming a key moves it nowhere."""
    text = FORM.make(bytes(range(RANDOM_BYTES))).text
    test = OwnForm("acme_test_")
    assert refused(text.replace("live", "test"), test)
    assert refused(text, test)
    assert not refused(test.make(bytes(range(RANDOM_BYTES))).text, test)


def test_the_form_stays_as_it_is() -> None:
    """Keys that were given out years ago must still parse."""
    made = FORM.make(bytes(range(RANDOM_BYTES)))
    assert made == (
        "000g40r40m30e209",
        "acme_live_000g40r40m30e209_185gr38e1w8124gk2gahc5rr34d1p70x3rfj08921aaban2",
    )


@pytest.mark.parametrize("count", [0, RANDOM_BYTES - 1, RANDOM_BYTES + 1])
def test_too_few_random_bytes_make_no_key(count: int) -> None:
    """Nor too many."""
    with pytest.raises(ValueError, match="random bytes"):
        FORM.make(bytes(count))


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (None, ["a" * 16, "A1._~+/=-" * 2], ["", "a" * 15, "a b" * 9, "\xe4" * 20, "a" * LONGEST, "a" * 16 + "\n"]),
        (r"[0-9a-f]{4}", ["00ff"], ["00fg", "00f", "00ff0", "00ff\n", "\u0660\u0661\u0662\u0663"]),
        (r"\d{4}", ["1234"], ["\u0660\u0661\u0662\u0663"]),
    ],
)
def test_keys_of_others_are_asked_for_their_look(pattern: str | None, good: list[str], bad: list[str]) -> None:
    """By the prefix, the length, and the pattern as a whole."""
    form = ForeignForm("pcft_live_", pattern)
    assert [rest for rest in good if refused("pcft_live_" + rest, form)] == []
    assert [rest for rest in bad if not refused("pcft_live_" + rest, form)] == []
    assert refused("pcft_test_" + good[0], form)


@pytest.mark.parametrize("prefix", ["acme_live_", "a1_", "k_live_eu_1_", "a" * 31 + "_"])
def test_prefixes_of_ours(prefix: str) -> None:
    """Small letters, digits, single underscores."""
    assert prefix_problem(prefix, own=True) is None


@pytest.mark.parametrize(
    "prefix",
    [
        *("", "_", "a_", "acme", "Acme_", "1a_", "a__b_", "ab__", "_ab_", "a b_", "a-b_", "ab_\n", "\xe4b_", "eyj_"),
        *("a" * 32 + "_", None, 5, b"acme_"),
    ],
)
def test_prefixes_that_are_none(prefix: object) -> None:
    """Each has a reason."""
    assert prefix_problem(prefix, own=True)


@pytest.mark.parametrize(("prefix", "fits"), [("sk-", True), ("Pcft.live_", True), ("a", False), ("eyJ", False)])
def test_prefixes_of_others(prefix: str, fits: bool) -> None:
    """Looser, but no JWT and no single letter."""
    assert (prefix_problem(prefix, own=False) is None) == fits
