"""Attacks on sessions in cookies and on secrets between services: pages of other sites, tossed cookies, guesses."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from auth_doubles import ISSUER, auth, token
from bearerkit import Auth, InternalSecret, Issuer, Request, Sessions
from bearerkit.errors import BearerkitError
from bearerkit.http import Headers
from security.attack import OWN, attacks, case
from security.forgery import EC

HOST = "good.example.test"
GOOD = f"https://{HOST}"
SESSION = "of-the-victim-0123456789"
SECRET = "of-our-services-0123456789-abcdefghi"
CSRF = "403 cross_site"
Fields = list[tuple[str, str]]


class Guarded:
    """An `Auth` with every kind that a browser or a service may present, and what its resolver was asked."""

    def __init__(self, **settings: Any) -> None:
        self.asked: list[str] = []
        self.auth: Auth = auth(
            Issuer(ISSUER, audience="api", keys={"keys": [EC.jwk]}),
            Sessions(self.resolve, cookie="sid", **settings),
            InternalSecret(SECRET),
        )

    def resolve(self, session_id: str) -> Any:
        self.asked.append(session_id)
        return {"sub": "victim"} if session_id == SESSION else None

    def answer(self, fields: Fields, method: str = "POST", kind: Literal["http", "websocket"] = "http") -> str:
        request = Request(method, "/", Headers([("Host", HOST), *fields]), kind=kind)
        try:
            return f"200 {self.auth.authorize(request).subject}"
        except BearerkitError as refusal:
            answer = self.auth.answer(refusal)
            shown = f"{answer.headers} {answer.body!r} {refusal}"
            assert SESSION not in shown
            assert SECRET not in shown
            return f"{answer.status} {refusal.reason}"


def origin(text: str) -> Fields:
    return [("Origin", text)]


FORGED: dict[str, Fields] = {
    "from a sandboxed frame (Origin: null)": origin("null"),
    "from a page whose host begins like ours": origin(f"{GOOD}.evil.test"),
    "from a page whose host ends like ours": origin(f"https://evil{HOST}"),
    "from a page with our host as its user": origin(f"https://{HOST}@evil.test"),
    "from another port of ours": origin(f"{GOOD}:8443"),
    "from our host over http, by somebody in between": origin(f"http://{HOST}"),
    "with an empty Origin": origin(""),
    "with two Origin fields, ours first": [*origin(GOOD), *origin("https://evil.test")],
    "with two Origin fields, ours last": [*origin("https://evil.test"), *origin(GOOD)],
    "with a list of origins": origin(f"{GOOD} https://evil.test"),
    "from a host that looks like ours (IDN)": origin("https://g\xf3od.example.test"),
    "from a host whose punycode looks like ours": origin("https://xn--god-jma.example.test"),
    "with neither Origin nor Sec-Fetch-Site": [],
    "with a Referer of ours alone": [("Referer", f"{GOOD}/form")],
    "from a sibling site, as the browser says": [("Sec-Fetch-Site", "same-site"), *origin(GOOD)],
    "from another site, with our Origin": [("Sec-Fetch-Site", "cross-site"), *origin(GOOD)],
    "with Sec-Fetch-Site twice": [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-origin")],
    "with X-Forwarded-Host of the other site": [("X-Forwarded-Host", "evil.test"), *origin("https://evil.test")],
    "with a trailing dot": origin(f"{GOOD}."),
}


@pytest.mark.parametrize(
    "fields",
    [
        case(OWN, f"a form beside a session cookie, sent {title}", fields, answer=CSRF)
        for title, fields in FORGED.items()
    ],
)
def test_forms_of_other_sites(fields: Fields) -> None:
    """Refused before the session is looked up; the same request with a bearer token is nobody's trick."""
    guarded = Guarded(origins=["https://app.example.test"])
    for method in ("POST", "PUT", "DELETE", "post", "PROPFIND"):
        assert guarded.answer([("Cookie", f"sid={SESSION}"), *fields], method) == CSRF
    assert guarded.asked == []
    bearer = ("Authorization", f"Bearer {token(EC)}")
    assert guarded.answer([("Cookie", f"sid={SESSION}"), bearer, *fields]) == "200 u1"


@pytest.mark.parametrize(
    "fields",
    [
        case(OWN, f"a WebSocket beside a session cookie, opened {title}", fields, answer=CSRF)
        for title, fields in FORGED.items()
    ],
)
def test_websockets_of_other_sites(fields: Fields) -> None:
    """Also where a server shows the handshake as a plain GET."""
    guarded = Guarded()
    cookie = ("Cookie", f"sid={SESSION}")
    assert guarded.answer([cookie, *fields], "GET", "websocket") == CSRF
    assert guarded.answer([cookie, ("Upgrade", "websocket"), *fields], "GET") == CSRF
    assert guarded.asked == []


@attacks(OWN, "a session cookie tossed by a sibling domain", answer="400 invalid_request")
def test_cookie_tossing() -> None:
    """Two cookies of one name: neither is taken, in whatever order, quoting and spacing they come."""
    guarded = Guarded()
    mine, theirs = f"sid={SESSION}", "sid=of-the-attacker-0123456"
    for cookies in (f"{mine}; {theirs}", f"{theirs}; {mine}", f"{mine};{mine}", f'{mine};  sid="x"', f"sid=; {mine}"):
        assert guarded.answer([("Cookie", cookies)], "GET") == "400 invalid_request"
    assert guarded.answer([("Cookie", mine), ("Cookie", theirs)], "GET") in ("400 invalid_request", "401 malformed")
    assert guarded.asked == []


@attacks(
    OWN,
    "a session id of one megabyte",
    "a session id with a line end",
    "a session id with a NUL byte",
    "an empty session id",
    "a session id short enough to be guessed",
    answer="401 malformed",
)
def test_what_is_no_session_id() -> None:
    """The store is never asked, so that nothing can be injected into it."""
    guarded = Guarded()
    for bad in ("x" * 1_000_000, f"{SESSION}\r\nGET x", f"{SESSION}\0", "", "0123456789", "' OR 1=1 --' OR 1=1"):
        assert guarded.answer([("Cookie", f"sid={bad}")], "GET") == "401 malformed"
    assert guarded.asked == []


@attacks(OWN, "a JWT in the session cookie", "a session id as bearer token where only cookies are read", answer="401")
def test_credentials_in_the_wrong_place() -> None:
    """A credential is of the kind of the place that it came from, and is tried as no other."""
    guarded = Guarded()
    assert guarded.answer([("Cookie", f"sid={token(EC)}")], "GET") == "401 token_invalid"
    asked = list(guarded.asked)
    assert guarded.answer([("Authorization", f"Bearer {SESSION}")], "GET").startswith("401 ")
    assert guarded.answer([("X-Internal-Secret", token(EC))], "GET") == "401 token_invalid"
    assert guarded.asked == asked


@attacks(OWN, "a user's token beside an internal secret", "a session beside an internal secret", answer="400")
def test_a_secret_lends_itself_to_nobody() -> None:
    """A service that forwards what its caller sent does not become that caller, and the caller not the service."""
    guarded = Guarded()
    for other in (("Authorization", f"Bearer {token(EC)}"), ("Cookie", f"sid={SESSION}")):
        for secret in (SECRET, "guess"):
            assert guarded.answer([("X-Internal-Secret", secret), other], "GET") == "400 invalid_request"
    assert guarded.asked == []


@attacks(
    OWN,
    "an empty internal secret",
    "an internal secret cut short",
    "an internal secret sent twice",
    answer="401",
)
def test_guesses_at_a_secret() -> None:
    """One answer for all of them."""
    guarded = Guarded()
    name = "X-Internal-Secret"
    for guess in ("", SECRET[:-1], f"{SECRET} ", SECRET.upper(), f"{SECRET}\0", "*", "null", "undefined", "None"):
        assert guarded.answer([(name, guess)]) == "401 token_invalid"
    assert guarded.answer([(name, SECRET), (name, SECRET)]) == "401 token_invalid"
