"""Attacks that make the service fetch keys, or make it forget, keep or mix up the keys that it has."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from auth_doubles import DOWN, ISSUER, JWKS_URL, NOW, Web, auth, jwks, token
from bearerkit import Auth, Issuer
from bearerkit.errors import KeyNotFound, KeysUnavailable, SignatureInvalid
from bearerkit.http import Fetched, Headers
from bearerkit.jose.key_cache import KeyCache, KeyState, failed, succeeded
from bearerkit.jose.key_set import parse_jwks
from bearerkit.testing import FrozenClock, SigningKey
from key_doubles import NoThreads, Origin
from security.attack import attacks, case
from security.forgery import EC, EVIL, RSA

LATER = {"exp": NOW + 100_000}
FLOOD = 200
NEW = SigningKey.generate("ES256", kid="ec-2")


class Service:
    """An `Auth` whose keys are fetched from `web`, inline, by a clock that stands."""

    def __init__(self, page: Any = None, **settings: Any) -> None:
        self.web = Web()
        self.web[JWKS_URL] = jwks(EC) if page is None else page
        self.clock = FrozenClock(NOW)
        entry = Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL, **settings)
        self.auth = auth(entry, web=self.web, clock=self.clock, threads=NoThreads())

    @property
    def fetches(self) -> int:
        return len(self.web.asked)

    def flood(self, number: int = FLOOD, prefix: str = "x", error: type[Exception] = KeyNotFound) -> None:
        """Tokens under kids that nobody has: all refused, and by a 401."""
        for each in range(number):
            with pytest.raises(error):
                self.auth.verify(token(EVIL, {"kid": f"{prefix}{each}"}))


@attacks(100, "random-kid flood, keys at hand", answer="401, one fetch per cooldown")
def test_a_flood_of_invented_kids() -> None:
    """However many come, the issuer is asked once in 30 seconds; good tokens pass meanwhile."""
    service = Service()
    service.auth.warm_up()
    for round_ in range(3):
        service.flood(prefix=f"a{round_}-")
        assert service.fetches == 2 + round_
        assert service.auth.verify(token(EC, **LATER))
        service.clock.advance(30)


@attacks(100, "random-kid flood, nothing fetched yet", answer="401, two fetches")
def test_a_flood_on_a_cold_service() -> None:
    """The first token fetches the set, one more asks for its kid."""
    service = Service()
    service.flood()
    assert service.fetches <= 2


@attacks(100, "random-kid flood while fetches fail", answer="401, one fetch per cooldown")
def test_a_flood_while_the_issuer_is_down() -> None:
    """A failed fetch is paid for like any other; with fresh keys nothing of it becomes a 5xx."""
    service = Service()
    service.auth.warm_up()
    service.web[JWKS_URL] = DOWN
    for round_ in range(3):
        service.flood(prefix=f"b{round_}-")
        assert service.fetches == 2 + round_
        assert service.auth.verify(token(EC, **LATER))
        service.clock.advance(61)


@attacks(100, "random-kid flood during a long outage", answer="503, fetches in back-off")
def test_a_flood_during_a_long_outage() -> None:
    """Without fresh keys it is an outage, and the back-off doubles: two minutes of flood are nine fetches at most."""
    service = Service(DOWN)
    for second in range(120):
        service.flood(3, f"c{second}-", KeysUnavailable)
        service.clock.advance(1)
    assert 5 <= service.fetches <= 9


@attacks(101, "known kid, bad signature flood", answer="401 signature_invalid, no fetch")
def test_a_flood_of_bad_signatures() -> None:
    """A key that is there is not asked for again because a signature does not fit it."""
    service = Service()
    service.auth.warm_up()
    for number in range(FLOOD):
        with pytest.raises(SignatureInvalid):
            service.auth.verify(token(EVIL, sub=f"u{number}"))
    assert service.fetches == 1


def page(status: int, body: bytes | None = None, **headers: str) -> Fetched:
    content = json.dumps(jwks(EC)).encode() if body is None else body
    return Fetched(status, Headers([(name.replace("_", "-"), value) for name, value in headers.items()]), content)


GOOD = json.dumps(jwks(EC)).encode()
BAD_PAGES = {
    **{f"{status} with a valid body": page(status) for status in (201, 203, 206, 300, 301, 403, 404, 429, 500, 503)},
    "HTML": page(200, b"<!doctype html><title>Sign in</title>", content_type="text/html"),
    "truncated": page(200, GOOD[:-20]),
    "nothing": page(200, b""),
    "an array": page(200, b"[" + GOOD + b"]"),
    "keys twice": page(200, GOOD[:-1] + b', "keys": []}'),
    "keys that are no array": page(200, b'{"keys": {}}'),
    "another document": page(200, b'{"issuer": "https://id.example.test"}'),
    "a BOM before": page(200, b"\xef\xbb\xbf" + GOOD),
    "two documents": page(200, GOOD + GOOD),
    "UTF-16": page(200, GOOD.decode().encode("utf-16")),
}


@pytest.mark.parametrize(
    "bad", [case(105, title, bad, answer="503, or the keys at hand") for title, bad in BAD_PAGES.items()]
)
def test_a_bad_answer_is_no_key_set(bad: Fetched) -> None:
    """It gives no keys to who has none, and takes none away from who has some."""
    cold = Service(bad)
    with pytest.raises(KeysUnavailable) as caught:
        cold.auth.verify(token(EC))
    assert cold.auth.answer(caught.value).status == 503
    warm = Service()
    warm.auth.warm_up()
    warm.web[JWKS_URL] = bad
    warm.clock.advance(700)
    assert warm.auth.verify(token(EC, **LATER))
    assert warm.fetches == 2


@attacks(106, "empty set", answer="401 key_not_found")
def test_an_empty_set() -> None:
    """It is an answer and no outage, also where keys were before: an issuer may withdraw them all."""
    for empty in ({}, {"keys": []}):
        service = Service(empty)
        with pytest.raises(KeyNotFound):
            service.auth.verify(token(EC))
        warm = Service()
        warm.auth.warm_up()
        warm.web[JWKS_URL] = empty
        warm.clock.advance(700)
        with pytest.raises(KeyNotFound):
            warm.auth.verify(token(EC, **LATER))


@attacks(106, "100,000 keys", answer="503, or the keys at hand")
def test_a_hundred_thousand_keys() -> None:
    """None of them is read: each would cost work, and no issuer has so many."""
    many = b'{"keys": [' + GOOD[10:-2] + b", {}" * 99_999 + b"]}"
    assert len(json.loads(many)["keys"]) == 100_000
    service = Service(many)
    with pytest.raises(KeysUnavailable):
        service.auth.verify(token(EC))
    assert Service({"keys": [EC.jwk] + [{"kty": "XX"}] * 99}).auth.verify(token(EC))


@attacks(106, "one malformed key among good ones", answer="the good ones are used")
def test_one_malformed_key() -> None:
    """Neither a broken key, an unknown kind nor something that is no key at all spoils its neighbours."""
    for bad in (5, None, [], {}, {"kty": "EC"}, {**EC.jwk, "x": "!"}, {**EC.jwk, "kid": 5}, {"kty": "oct", "k": "AA"}):
        service = Service({"keys": [bad, EC.jwk, bad, RSA.jwk]})
        assert service.auth.verify(token(EC))
        assert service.auth.verify(token(RSA))


@attacks(107, "fetch error", answer="keys are kept")
@attacks(107, "staleness", answer="503 after fresh + stale")
def test_an_error_keeps_the_keys_and_not_for_ever() -> None:
    """An outage of the issuer is none of ours for an hour beyond freshness; then it is, for remembered tokens too."""
    service = Service()
    text = token(EC, **LATER)
    service.auth.verify(text)
    service.web[JWKS_URL] = DOWN
    service.clock.advance(600 + 3_600)
    assert service.auth.verify(text)
    assert service.auth.verify(token(EC, sub="new", **LATER))
    service.clock.advance(61)
    for late in (text, token(EC, sub="newer", **LATER)):
        with pytest.raises(KeysUnavailable):
            service.auth.verify(late)


@attacks(108, "removed key", answer="401 key_not_found after max-age")
def test_a_removed_key_stops() -> None:
    """What the issuer said counts, within bounds of ours; the remembered verdict ends too."""
    for said, ends in (("max-age=120", 120), ("max-age=999999999", 3_600), ("no-store", 60), (None, 600)):
        headers = {} if said is None else {"cache_control": said}
        service = Service(page(200, **headers))
        text = token(EC, **LATER)
        service.auth.verify(text)
        service.web[JWKS_URL] = page(200, json.dumps(jwks(NEW)).encode())
        service.clock.advance(ends + 1)
        for late in (text, token(EC, sub="new", **LATER)):
            with pytest.raises(KeyNotFound):
                service.auth.verify(late)
        assert service.auth.verify(token(NEW, **LATER))


@attacks(109, "1,000 concurrent callers on a new kid", answer="one fetch, all pass")
def test_a_thousand_callers_with_a_new_kid() -> None:
    """They come while the fetch is held in the air; nobody is refused and nobody fetches a second time."""
    origin = Origin({JWKS_URL: page(200)})
    where = Auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), http=origin, clock=FrozenClock(NOW))
    where.warm_up()
    origin.answers[JWKS_URL] = page(200, json.dumps(jwks(EC, NEW)).encode())
    origin.hold()
    texts = [token(NEW, sub=f"u{number}") for number in range(1_000)]
    subjects: set[Any] = set()

    async def call(text: str) -> None:
        subjects.add((await where.averify(text)).subject)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for text in texts:
                group.start_soon(call, text)
            await anyio.wait_all_tasks_blocked()
            assert subjects == set()
            origin.release()

    anyio.run(main)
    assert len(subjects) == 1_000
    assert origin.count == 2


@attacks(109, "older response after a newer one", answer="dropped")
def test_an_older_answer_never_overwrites_a_newer_one() -> None:
    """By the number that a fetch got when it started: neither its keys nor its failure count any more."""
    old, new = parse_jwks(jwks(EC)), parse_jwks(jwks(NEW))
    settings = KeyCache()
    held = succeeded(KeyState(), settings, 20.0, new, max_age=None, sequence=2)
    assert succeeded(held, settings, 10.0, old, max_age=None, sequence=1) is held
    assert failed(held, settings, 30.0, jitter=0.0, sequence=1) is held
    assert succeeded(held, settings, 30.0, old, max_age=None, sequence=3).keys is old
