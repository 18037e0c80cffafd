"""Which issuer a key may sign for, where the key set says so (Microsoft Entra)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.jose.key_issuer import key_may_sign

ISSUER = "https://login.example.com/a1/v2.0"
TEMPLATE = "https://login.example.com/{tenantid}/v2.0"


@pytest.mark.parametrize(
    ("key", "token"),
    [
        (None, ISSUER), (None, None), (None, ["anything"]), (ISSUER, ISSUER), (TEMPLATE, ISSUER),
        ("https://{a}.example.com/{b}", "https://x.example.com/y"), ("{x}", "anything"),
    ],
)  # fmt: skip
def test_a_key_may_sign(key, token):
    """No limit, the very issuer, or a placeholder for one segment."""
    assert key_may_sign(key, token)


@pytest.mark.parametrize(
    ("key", "token"),
    [
        (ISSUER, "https://login.example.com/a2/v2.0"),
        (ISSUER, ISSUER + "/"),
        (ISSUER, ISSUER.upper()),
        (ISSUER, None),
        (ISSUER, [ISSUER]),
        (ISSUER, True),
        ("", ISSUER),
        ("", None),
        (TEMPLATE, None),
        (TEMPLATE, [ISSUER]),
        (TEMPLATE, "https://login.example.com//v2.0"),
        (TEMPLATE, "https://login.example.com/a/b/v2.0"),
        (TEMPLATE, "https://login.example.com/a1/v2.0/"),
        (TEMPLATE, "https://login.example.com/a1/v2x0"),
        (TEMPLATE, "https://loginXexample.com/a1/v2.0"),
        (TEMPLATE, "xhttps://login.example.com/a1/v2.0"),
        (TEMPLATE, "https://login.example.com/a?b/v2.0"),
        (TEMPLATE, "https://login.example.com/a#b/v2.0"),
        (TEMPLATE, "https://login.example.com/a@b/v2.0"),
        ("https://{host}/v2.0", "https://evil.example/x/v2.0"),
        ("https://{host}/v2.0", "https://evil.example:443/v2.0"),
    ],
)
def test_a_key_may_not_sign(key, token):
    """Another issuer, another type, or a placeholder stretched over more than one segment."""
    assert not key_may_sign(key, token)


def test_a_hostile_key_issuer_takes_no_time():
    """A JWKS of a hostile tenant must not stall the worker: adjacent placeholders would backtrack without end."""
    key_may_sign("https://e/" + "{a}" * 12 + "!", "https://e/" + "a" * 1_000)


@given(st.text(max_size=20).filter(lambda text: "{" not in text), st.text(max_size=20))
def test_without_a_placeholder_only_equality_counts(key, token):
    """Regular-expression characters in a key's issuer are plain text."""
    assert key_may_sign(key, token) is (key == token)


@given(st.text(max_size=12))
def test_a_placeholder_is_one_segment(value):
    """Whatever fills it holds none of the characters that end a segment."""
    if key_may_sign(TEMPLATE, f"https://login.example.com/{value}/v2.0"):
        assert re.search(r"[/?#@:]", value) is None
        assert value
