"""No credential survives, however it is spelt and whatever stands around it; redacting twice changes nothing more."""

from __future__ import annotations

import string
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from bearerkit.redaction import redacted

TOKENS = st.text(alphabet=string.ascii_letters + string.digits + "-._~", min_size=20, max_size=60).filter(
    lambda text: (
        text[0].isalnum() and text[-1].isalnum() and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    )
)
PROSE = st.text(alphabet=string.ascii_lowercase + " ", max_size=20)
NAMES = st.sampled_from(
    ["access_token", "refresh_token", "id_token", "client_secret", "client_assertion", "password", "code_verifier"]
)
FRAMES = st.sampled_from(
    [
        "Authorization: Bearer {}",
        "{{'authorization': 'Bearer {}'}}",
        "(b'authorization', b'Bearer {}')",
        "Cookie: session={}",
        "X-Api-Key: {}",
        "Proxy-Authorization: DPoP {}",
    ]
)


def encoded(text: str, which: list[bool]) -> str:
    """Some of the characters percent-encoded, needed or not."""
    return "".join(
        f"%{ord(char):02X}" if flag else char for char, flag in zip(text, which + [False] * len(text), strict=False)
    )


@given(TOKENS, FRAMES, PROSE, PROSE)
def test_headers(token: str, frame: str, before: str, after: str):
    """In any text."""
    clean = redacted(f"{before} {frame.format(token)} {after}")
    assert token not in clean
    assert redacted(clean) == clean


@given(TOKENS, NAMES, st.lists(st.booleans(), max_size=20), st.lists(st.booleans(), max_size=60), st.integers(0, 2))
def test_queries(token: str, name: str, of_name: list[bool], of_value: list[bool], nested: int):
    """Names and values percent-encoded without need, in a URL, in a URL inside it, and in one inside that."""
    value = encoded(token, of_value)
    url = f"https://api.example.test/x?page=1&{encoded(name, of_name)}={value}&sort=name"
    for _ in range(nested):
        url = f"https://api.example.test/login?next={quote(url, safe='')}"
    clean = redacted(f'"GET {url} HTTP/1.1" 200')
    assert value not in clean
    assert token not in clean
    assert clean.endswith('HTTP/1.1" 200')
    assert redacted(clean) == clean


@given(st.text(max_size=200))
def test_anything_is_searched_and_a_second_time_changes_nothing(text: str):
    """No text makes it fail."""
    clean = redacted(text)
    assert redacted(clean) == clean
