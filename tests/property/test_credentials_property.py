"""Whatever stands in the headers of a request, taking its credential gives one sent b64token or one of two refusals."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bearerkit.errors import CredentialsMissing, InvalidRequest
from bearerkit.http import Headers, Request
from bearerkit.verify.credentials import SUBPROTOCOL_HEADER, Places, take_token

PIECES = st.sampled_from(
    [
        "Bearer",
        "bearer",
        "BEARER",
        "Basic",
        " ",
        "  ",
        "\t",
        ",",
        ", ",
        "abc",
        "a.b.c",
        "=",
        "==",
        "\x00",
        "\r\n",
        '"',
        ";",
        "é",
    ]
)
FIELD = st.text(max_size=30) | st.lists(PIECES, max_size=8).map("".join)
FIELDS = st.lists(FIELD, max_size=3)
B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def outcome(items: list[tuple[str, str]], places: Places, kind: str) -> str | type[Exception]:
    request = Request("GET", "/", Headers(items), kind=kind)  # type: ignore[arg-type]
    try:
        return take_token(request, places)
    except (CredentialsMissing, InvalidRequest) as refusal:
        return type(refusal)


@given(FIELDS)
@example(["Bearer abc", "Basic x"])
@example(["Bearer", "Basic x"])
def test_authorization(fields):
    """An accepted token is exactly what one single field carried after `Bearer `; joined fields change nothing."""
    found = outcome([("authorization", field) for field in fields], Places(), "http")
    assert found == outcome([("authorization", ",".join(fields))] if fields else [], Places(), "http")
    if isinstance(found, str):
        assert B64TOKEN.fullmatch(found)
        assert len(fields) == 1
        assert fields[0].lower() == f"bearer {found.lower()}"
        assert fields[0].endswith(found)


@given(FIELDS)
def test_a_bare_header(fields):
    """An accepted token is exactly the one field."""
    found = outcome([("x-token", field) for field in fields], Places("x-token"), "http")
    if isinstance(found, str):
        assert fields == [found]
        assert re.fullmatch(r"[A-Za-z0-9._~+/=-]+", found)
    elif not fields:
        assert found is CredentialsMissing
    else:
        assert found is InvalidRequest


@given(FIELDS, FIELDS)
def test_a_websocket(fields, offers):
    """A token comes from the header or from the offer, never from both, and stands there as it is returned."""
    items = [("authorization", field) for field in fields] + [(SUBPROTOCOL_HEADER, offer) for offer in offers]
    found = outcome(items, Places(), "websocket")
    if isinstance(found, str):
        offered = [part.strip() for offer in offers for part in offer.split(",")]
        from_offer = "bearer" in offered and offered[offered.index("bearer") + 1] == found
        from_header = len(fields) == 1 and fields[0].lower() == f"bearer {found.lower()}"
        assert from_offer != from_header
