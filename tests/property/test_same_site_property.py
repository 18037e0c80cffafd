"""The rule about other sites, for every origin and host: nobody passes who is not ours or allowed, and spelling is one.

`urllib.parse` is the second opinion on what an origin is.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from bearerkit import Request
from bearerkit.errors import PermissionDenied
from bearerkit.http import Headers
from bearerkit.verify.same_site import check_same_site, origin_of

HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,5}){1,3}", fullmatch=True)
PORTS = st.none() | st.integers(1, 65_535)
SITES = st.sampled_from([None, "same-origin", "same-site", "cross-site", "none", "", "other"])
TEXTS = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)


@st.composite
def origins(draw: st.DrawFn) -> str:
    port = draw(PORTS)
    return f"{draw(st.sampled_from(['https', 'http']))}://{draw(HOSTS)}{'' if port is None else f':{port}'}"


def passes(site: str | None, origin: str | None, host: str, allowed: frozenset[str] = frozenset()) -> bool:
    fields = [("Host", host)]
    fields += [] if site is None else [("Sec-Fetch-Site", site)]
    fields += [] if origin is None else [("Origin", origin)]
    try:
        check_same_site(Request("POST", "/", Headers(fields)), allowed)
    except PermissionDenied:
        return False
    return True


def parts(text: str, scheme: str | None = None) -> tuple[str, str | None, int]:
    split = urlsplit(text)
    return split.scheme, split.hostname, split.port or {"https": 443, "http": 80}[split.scheme]


@given(SITES, origins() | TEXTS | st.none(), HOSTS, origins())
def test_who_is_not_ours_and_not_allowed_does_not_pass(
    site: str | None, origin: str | None, host: str, allowed: str
) -> None:
    """Whatever passes was named by the browser, is our own host over https, or was allowed."""
    if passes(site, origin, host, frozenset(filter(None, [origin_of(allowed)]))):
        named = site in ("same-origin", "none")
        ours = site is None and origin is not None and parts(origin) == ("https", host, 443)
        listed = origin is not None and not named and not ours and parts(origin) == parts(allowed)
        assert named or ours or listed


@given(origins(), origins())
def test_two_origins_are_one_where_scheme_host_and_port_are(one: str, other: str) -> None:
    """As RFC 6454 section 5 compares them."""
    assert (origin_of(one) == origin_of(other)) is (parts(one) == parts(other))
    assert origin_of(one.upper()) == origin_of(one)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    """An origin or None, and an origin is its own spelling."""
    spelled = origin_of(text)
    assert spelled is None or origin_of(spelled) == spelled


@given(origins(), HOSTS)
def test_ours_passes_and_its_neighbours_do_not(origin: str, host: str) -> None:
    """Longer and shorter names, and other ports."""
    assert passes(None, f"https://{host}", host)
    for neighbour in (f"https://{host}.evil.test", f"https://x{host}", f"https://{host}:444", f"http://{host}"):
        assert not passes(None, neighbour, host)
    assert passes("cross-site", origin, host, frozenset(filter(None, [origin_of(origin)])))
