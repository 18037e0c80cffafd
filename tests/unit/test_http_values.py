"""Requests, answers and headers as values."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.http import Fetch, FetchFailed, Headers, Network, Request, Response


def test_names_ignore_case_and_order_is_kept():
    """RFC 9110 section 5.1."""
    headers = Headers([("X-A", "1"), ("x-b", "2"), ("x-a", "3")])
    assert headers.get_all("X-a") == ["1", "3"]
    assert headers.get("x-A") == "1,3"
    assert headers.get("X-B") == "2"
    assert headers.get("x-c") is None
    assert headers.get_all("x-c") == []
    assert list(headers) == [("x-a", "1"), ("x-b", "2"), ("x-a", "3")]
    assert len(headers) == 3


def test_an_empty_value_is_there():
    """Present and empty is not absent."""
    headers = Headers([("x-a", "")])
    assert headers.get("x-a") == ""
    assert "X-A" in headers


def test_membership():
    """By name only; anything that is no string is not in it."""
    headers = Headers([("x-a", "1")])
    assert "x-a" in headers
    assert "x-b" not in headers
    assert 1 not in headers


def test_equality_ignores_order_and_case():
    """Two header sets with the same fields are equal; header order means nothing to us."""
    assert Headers([("A", "1"), ("b", "2")]) == Headers([("B", "2"), ("a", "1")])
    assert Headers([("a", "1")]) != Headers([("a", "2")])
    assert Headers([]) != []
    with pytest.raises(TypeError):
        hash(Headers())


def test_repr_holds_names_only():
    """Values may be credentials."""
    assert repr(Headers([("Authorization", "Bearer s3cr3t"), ("A", "b")])) == "<Headers ['a', 'authorization']>"


def test_raw_pairs_are_wrapped_as_they_are():
    """ASGI servers send lower-case names; a server that does not is read all the same."""
    headers = Headers.from_raw([(b"X-A", b"\xff"), (b"x-a", b"2")])
    assert headers.get_all("x-a") == ["\xff", "2"]
    assert list(headers) == [("x-a", "\xff"), ("x-a", "2")]


@given(st.lists(st.tuples(st.from_regex(r"\A[a-zA-Z0-9-]{1,8}\Z"), st.text(max_size=20)), max_size=4))
def test_any_text_makes_headers(items):
    """Characters that HTTP cannot carry become `?` and never an exception."""
    headers = Headers(items)
    for name, value in items:
        assert value.encode("latin-1", "replace").decode("latin-1") in headers.get_all(name)


def test_a_request_shows_neither_memo_nor_native():
    """Both hold what must not be printed, and neither makes two requests differ."""
    one = Request("GET", "/", Headers(), memo={"token": "s3cr3t"}, native="s3cr3t")
    assert "s3cr3t" not in repr(one)
    assert one == Request("GET", "/", Headers())
    assert (one.kind, one.query, one.client, dict(one.path_params)) == ("http", "", None, {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.path = "/x"  # type: ignore[misc]


def test_requests_do_not_share_a_memo():
    """The default is made anew for each."""
    first, second = Request("GET", "/", Headers()), Request("GET", "/", Headers())
    first.memo["x"] = 1
    assert second.memo == {}


def test_the_first_header_of_a_response():
    """By name, in any case."""
    response = Response(200, (("A", "1"), ("a", "2")))
    assert response.header("a") == "1"
    assert response.header("b") is None


@pytest.mark.parametrize(
    ("content", "media_type", "body", "told"),
    [
        ({"a": "é"}, None, json.dumps({"a": "é"}).encode(), "application/json"),
        ("é", None, "é".encode(), "text/plain; charset=utf-8"),
        (b"\xff", None, b"\xff", "text/plain; charset=utf-8"),
        ({"a": 1}, "application/vnd.x+json", b'{"a": 1}', "application/vnd.x+json"),
    ],
)
def test_another_body(content, media_type, body, told):
    """Status and every other header stay; there is one Content-Type."""
    before = Response(401, (("CONTENT-TYPE", "x"), ("WWW-Authenticate", "Bearer")), b"x")
    after = before.with_body(content, media_type)
    assert (after.status, after.body) == (401, body)
    assert after.headers == (("WWW-Authenticate", "Bearer"), ("Content-Type", told))
    assert before.body == b"x"


def test_network_defaults_are_strict():
    """No private addresses, no plain HTTP, bounded time and size."""
    network = Network()
    assert (network.private, network.allow_http, network.timeout, network.max_bytes) == (False, False, 5.0, 512 * 1024)
    assert Fetch("https://a.example/").untrusted is False


def test_a_failed_fetch_says_why():
    """It is an OSError, so that whoever catches those catches it."""
    error = FetchFailed("no route", hint="check the proxy")
    assert (error.detail, error.hint, str(error)) == ("no route", "check the proxy", "no route")
    assert isinstance(error, OSError)
    assert FetchFailed("x").hint is None
