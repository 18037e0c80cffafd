"""From an issuer to its key set: metadata, what it may say and where it may send us."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from bearerkit._drive import run
from bearerkit.errors import KeyNotFound, KeysUnavailable
from bearerkit.http import Fetch, Fetched, FetchFailed, Headers, Network
from bearerkit.system import BlockingWaits
from bearerkit.verify.discovery import KeyFetcher
from bearerkit.verify.key_location import (
    KeyLocation,
    LocationRefused,
    check_metadata,
    is_loopback_host,
    is_odd_address,
    metadata_candidates,
    url_problem,
)
from bearerkit.verify.keys import RemoteKeys
from key_doubles import HandClock, Origin, answer, jwks, private_key, remote

WAITS = BlockingWaits()
ISSUER = "https://id.example/realms/acme"
OIDC = ISSUER + "/.well-known/openid-configuration"
OAUTH = "https://id.example/.well-known/oauth-authorization-server/realms/acme"
JWKS = "https://id.example/keys"
DOCUMENT = {"issuer": ISSUER, "jwks_uri": JWKS}
LOCATION = KeyLocation(issuers=(ISSUER,))


def fetch(origin: Origin, location: KeyLocation = LOCATION) -> RemoteKeys:
    source = remote(origin, location=location)
    run(source.warm_up(WAITS))
    return source


def refusal(origin: Origin, location: KeyLocation = LOCATION) -> KeysUnavailable:
    with pytest.raises(KeysUnavailable) as caught:
        fetch(origin, location)
    return caught.value


# Where metadata is


def test_metadata_then_keys() -> None:
    origin = Origin({OIDC: answer(DOCUMENT), JWKS: jwks("k1")})
    fetch(origin)
    assert origin.asked == [OIDC, JWKS]


def test_the_inserted_form_comes_after_the_appended_one_and_is_remembered() -> None:
    origin = Origin({OIDC: answer({}, 404), OAUTH: answer(DOCUMENT), JWKS: jwks("k1")})
    clock = HandClock()
    source = remote(origin, clock, location=LOCATION)
    run(source.warm_up(WAITS))
    assert origin.asked == [OIDC, OAUTH, JWKS]
    clock.advance(3_600)
    run(source.refresh(WAITS))
    assert origin.asked[3:] == [OAUTH, JWKS]


def test_metadata_is_asked_for_again_after_an_hour() -> None:
    origin = Origin({OIDC: answer(DOCUMENT), JWKS: jwks("k1")})
    clock = HandClock()
    source = remote(origin, clock, location=LOCATION)
    run(source.warm_up(WAITS))
    clock.advance(3_599)
    run(source.refresh(WAITS))
    assert origin.asked[2:] == [JWKS]
    clock.advance(1)
    run(source.refresh(WAITS))
    assert origin.asked[3:] == [OIDC, JWKS]


def test_metadata_is_asked_for_again_when_the_keys_are_not_where_it_said() -> None:
    origin = Origin({OIDC: answer(DOCUMENT), JWKS: jwks("k1")})
    source = fetch(origin)
    moved = "https://id.example/new-keys"
    origin.answers |= {OIDC: answer(DOCUMENT | {"jwks_uri": moved}), JWKS: answer({}, 404), moved: jwks("k2")}
    with pytest.raises(KeysUnavailable):
        run(source.refresh(WAITS))
    run(source.refresh(WAITS))
    assert origin.asked[2:] == [JWKS, OIDC, moved]


@pytest.mark.parametrize("status", [500, 302])
def test_only_a_client_error_leads_to_the_next_form(status: int) -> None:
    """A server that is down is asked once, not twice."""
    origin = Origin({OIDC: answer({}, status), OAUTH: answer(DOCUMENT), JWKS: jwks("k1")})
    assert str(status) in refusal(origin).detail
    assert origin.asked == [OIDC]


def test_no_metadata_anywhere_says_what_to_set() -> None:
    error = refusal(Origin({OIDC: answer({}, 404), OAUTH: answer({}, 404)}))
    assert OIDC in error.detail
    assert OAUTH in error.detail
    assert "jwks_uri" in (error.hint or "")


def test_a_configured_metadata_url_is_the_only_one() -> None:
    url = "https://id.example/elsewhere"
    origin = Origin({url: answer(DOCUMENT), JWKS: jwks("k1")})
    fetch(origin, replace(LOCATION, metadata_url=url))
    assert origin.asked == [url, JWKS]


def test_a_configured_jwks_uri_needs_no_metadata() -> None:
    origin = Origin({JWKS: jwks("k1")})
    fetch(origin, replace(LOCATION, jwks_uri=JWKS))
    assert origin.asked == [JWKS]


@pytest.mark.parametrize(
    ("issuers", "candidates"),
    [
        (
            ("https://id.example",),
            (
                "https://id.example/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server",
            ),
        ),
        (
            ("https://id.example/a/",),
            (
                "https://id.example/a/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server/a",
            ),
        ),
        (
            ("accounts.google.com", "https://accounts.google.com"),
            (
                "https://accounts.google.com/.well-known/openid-configuration",
                "https://accounts.google.com/.well-known/oauth-authorization-server",
            ),
        ),
        ((), ()),
        (("kb-labs",), ()),
        (("https://id.example/?app=1",), ()),
        (("ftp://id.example",), ()),
        (("https://id.example:port",), ()),
    ],
)
def test_candidates(issuers: tuple[str, ...], candidates: tuple[str, ...]) -> None:
    assert metadata_candidates(KeyLocation(issuers=issuers)) == candidates


def test_an_issuer_that_is_no_url_has_no_metadata() -> None:
    assert "no issuer of ('kb-labs',) is a URL" in refusal(Origin(), KeyLocation(issuers=("kb-labs",))).detail


# What metadata may say


def test_another_issuer_is_refused_with_the_way_out() -> None:
    error = refusal(Origin({OIDC: answer(DOCUMENT | {"issuer": "http://keycloak:8080/realms/acme"})}))
    assert "set issuer to the second and metadata_url to the first" in (error.hint or "")
    assert "Keycloak" in (error.hint or "")


def test_a_trailing_slash_is_another_issuer_and_the_hint_says_so() -> None:
    error = refusal(Origin({OIDC: answer(DOCUMENT | {"issuer": ISSUER + "/"})}))
    assert "differ only in the trailing slash" in (error.hint or "")


def test_metadata_issuer_replaces_the_issuers() -> None:
    location = KeyLocation(
        issuers=("https://login.example/{tid}",), metadata_url=OIDC, metadata_issuer="https://login.example/{tenantid}"
    )
    assert check_metadata(location, OIDC, DOCUMENT | {"issuer": "https://login.example/{tenantid}"}) == JWKS
    with pytest.raises(LocationRefused):
        check_metadata(location, OIDC, DOCUMENT | {"issuer": "https://login.example/{tid}"})


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        {},
        {"issuer": None, "jwks_uri": JWKS},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": ""},
        {"issuer": ISSUER, "jwks_uri": [JWKS]},
        {"issuer": ISSUER.upper(), "jwks_uri": JWKS},
        {"issuer": [ISSUER], "jwks_uri": JWKS},
    ],
)
def test_documents_that_are_no_metadata_of_this_issuer(document: Any) -> None:
    with pytest.raises(LocationRefused):
        check_metadata(LOCATION, OIDC, document)


@pytest.mark.parametrize(
    "jwks_uri",
    [
        "http://id.example/keys",
        "file:///etc/passwd",
        "ftp://id.example/keys",
        "data:application/json,{}",
        "https://user:pw@id.example/keys",
        "https://evil.example/keys",
        "https://id.example.evil.example/keys",
        "https://172.20.0.3/keys",
        "https://2130706433/keys",
        "https://id.example\\@evil.example/",
        "https://id.example/ke ys",
        "https://id.example/\nkeys",
        "https://id.example/keys#fragment",
        "//id.example/keys",
        "/keys",
        "https://",
        "https://id.example:0x50/keys",
        "https://[::1/keys",
        "https://id.example:6379/keys",
        "https://id.example:80/keys",
        "https://\u2160d.example/",
    ],
)
def test_metadata_may_not_send_us_anywhere_else(jwks_uri: str) -> None:
    """Not to another host, not to another scheme, not by a trick of spelling."""
    origin = Origin({OIDC: answer(DOCUMENT | {"jwks_uri": jwks_uri})})
    error = refusal(origin)
    assert origin.asked == [OIDC]
    assert "pw" not in str(error)


def test_the_refused_host_is_named_with_the_way_out() -> None:
    error = refusal(Origin({OIDC: answer(DOCUMENT | {"jwks_uri": "https://172.20.0.3/keys"})}))
    assert 'keys on "172.20.0.3"' in (error.hint or "")
    assert "hosts=" in (error.hint or "")


@pytest.mark.parametrize(
    ("hosts", "jwks_uri", "allowed"),
    [
        (("www.googleapis.example",), "https://www.googleapis.example/certs", True),
        (("WWW.googleapis.example",), "https://www.googleapis.example/certs", True),
        (("keys.example:8443",), "https://keys.example:8443/certs", True),
        (("keys.example:8443",), "https://keys.example/certs", False),
        (("keys.example:443",), "https://keys.example/certs", True),
        (("example",), "https://keys.example/certs", False),
        (("keys.example:x",), "https://keys.example/certs", False),
        (("[fd00::1]",), "https://[fd00::1]/certs", True),
    ],
)
def test_further_hosts_are_configured(hosts: tuple[str, ...], jwks_uri: str, allowed: bool) -> None:
    location = replace(LOCATION, hosts=hosts)
    document = DOCUMENT | {"jwks_uri": jwks_uri}
    if allowed:
        assert check_metadata(location, OIDC, document) == jwks_uri
    else:
        with pytest.raises(LocationRefused):
            check_metadata(location, OIDC, document)


def test_a_port_for_plain_http_is_80() -> None:
    location = replace(LOCATION, hosts=("keys.example:80",), network=Network(allow_http=True))
    url = "http://keys.example/certs"
    assert check_metadata(location, OIDC, DOCUMENT | {"jwks_uri": url}) == url


def test_every_fetch_carries_the_network_and_the_distrust_of_the_location() -> None:
    network = Network(timeout=1.5)
    origin = Origin({OIDC: answer(DOCUMENT), JWKS: jwks("k1")})
    fetch(origin, replace(LOCATION, network=network, untrusted=True))
    assert [(wish.network, wish.untrusted) for wish in origin.fetches] == [(network, True)] * 2


def test_the_hint_of_the_transport_reaches_the_operator() -> None:
    error = refusal(Origin({OIDC: FetchFailed("certificate", hint="set ca_file")}))
    assert error.hint == "set ca_file"


def test_a_configured_url_is_checked_before_anything_is_sent() -> None:
    origin = Origin()
    error = refusal(origin, replace(LOCATION, jwks_uri="http://id.example/keys"))
    assert origin.asked == []
    assert "allow_http" in error.detail


# URLs


@pytest.mark.parametrize(
    ("url", "network", "fine"),
    [
        ("https://id.example/keys?p=1", Network(), True),
        ("http://id.example/keys", Network(), False),
        ("http://id.example/keys", Network(allow_http=True), True),
        ("http://localhost:8080/keys", Network(), True),
        ("http://127.0.0.1:8080/keys", Network(), True),
        ("http://127.9.9.9/keys", Network(), True),
        ("http://[::1]:8080/keys", Network(), True),
        ("http://[::ffff:127.0.0.1]/keys", Network(), False),
        ("http://localhost.evil.example/keys", Network(), False),
        ("HTTPS://id.example/keys", Network(), True),
        ("ftp://id.example", Network(allow_http=True), False),
        ("https://0x7f.1/keys", Network(), False),
        ("https://@id.example/", Network(), False),
    ],
)
def test_url_problem(url: str, network: Network, fine: bool) -> None:
    assert (url_problem(url, network) is None) is fine


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("[::1]", True),
        ("128.0.0.1", False),
        ("::2", False),
        ("::ffff:127.0.0.1", False),
        ("localhost.example", False),
        ("127.1", False),
        ("", False),
    ],
)
def test_is_loopback_host(host: str, loopback: bool) -> None:
    assert is_loopback_host(host) is loopback


@pytest.mark.parametrize(
    ("host", "odd"),
    [
        ("127.0.0.1", False),
        ("2130706433", True),
        ("0x7f000001", True),
        ("0x7f.1", True),
        ("0177.0.0.1", True),
        ("127.1", True),
        ("127.0.0.1.", True),
        ("example.0x", True),
        ("1.2.3.4.5", True),
        ("id.example", False),
        ("1.example", False),
        ("::ffff:127.0.0.1", False),
        ("x1", False),
    ],
)
def test_is_odd_address(host: str, odd: bool) -> None:
    assert is_odd_address(host) is odd


@given(st.text(max_size=40) | st.from_regex(r"https?://[^/]{0,12}(:\d{0,6})?/.{0,8}", fullmatch=True))
def test_no_text_makes_the_url_rule_raise(text: str) -> None:
    problem = url_problem(text, Network())
    if problem is None:
        assert text.isascii()
        assert text.lower().startswith(("https://", "http://"))


# PEM


def pem(name: str) -> bytes:
    return private_key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


PEM = replace(LOCATION, jwks_uri=JWKS, key_format="pem-per-kid")


def test_one_pem_text_serves_the_kid_of_its_url() -> None:
    source = fetch(Origin({JWKS: answer(pem("a"))}), PEM)
    (key,) = run(source.obtain("any-kid", "ES256", WAITS))
    assert key.kid is None
    run(source.refresh(WAITS))
    assert source.still_good(key, 1_000.0)


def test_pem_texts_by_kid() -> None:
    document = {"a": pem("a").decode(), "b": pem("b").decode(), "bad": "no PEM", "worse": 3}
    source = fetch(Origin({JWKS: answer(json.dumps(document).encode())}), PEM)
    assert run(source.obtain("b", "ES256", WAITS))[0].kid == "b"
    assert source.snapshot is not None
    assert [text.partition(":")[0] for text in source.snapshot.keys.skipped] == ["'bad'", "'worse'"]


@pytest.mark.parametrize("body", [b"[]", b"nonsense", json.dumps({str(n): "" for n in range(101)}).encode()])
def test_what_is_no_pem_is_refused(body: bytes) -> None:
    refusal(Origin({JWKS: answer(body)}), PEM)


# URLs that hold values of a token


def test_404_for_an_invented_kid_is_no_outage() -> None:
    """Otherwise whoever invents kids would cause 503 answers."""
    source = remote(Origin({JWKS: answer({}, 404)}), location=replace(PEM, filled=True))
    with pytest.raises(KeyNotFound):
        run(source.obtain("invented", "ES256", WAITS))


def test_404_does_not_take_keys_away_that_we_hold() -> None:
    origin = Origin({JWKS: jwks("k1")})
    source = fetch(origin, replace(LOCATION, jwks_uri=JWKS, filled=True))
    origin.answers[JWKS] = answer({}, 404)
    with pytest.raises(KeysUnavailable):
        run(source.refresh(WAITS))
    assert run(source.obtain("k1", "ES256", WAITS))


@pytest.mark.parametrize("reply", [answer({}, 401), answer({}, 302), answer([1]), Fetched(200, Headers(), b"<html>")])
def test_whatever_an_invented_url_answers_means_no_such_key(reply: Fetched) -> None:
    """A login page, a redirect or nonsense for an invented tenant must not become an outage that anybody can make."""
    fetcher = KeyFetcher(replace(PEM, filled=True), Origin({JWKS: reply}), HandClock())
    assert run(fetcher.fetch(None)).keys.keys == ()


def test_an_invented_host_means_no_such_key() -> None:
    """The name does not resolve."""

    class NoSuchHost:
        async def fetch(self, fetch: Fetch) -> Fetched:
            raise FetchFailed("unknown", no_such_host=True)

    fetcher = KeyFetcher(replace(PEM, filled=True), NoSuchHost(), HandClock())
    assert run(fetcher.fetch(None)).keys.keys == ()


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_other_answers_to_a_filled_url_are_outages(status: int) -> None:
    refusal(Origin({JWKS: answer({}, status)}), replace(PEM, filled=True))
