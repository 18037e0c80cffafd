"""From a token to a context: what is refused before any fetch, and how issuers, keys and caches play together."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth_doubles import DOWN, ISSUER, JWKS_URL, NOW, Web, auth, jwks, token
from bearerkit import ANY, NO_ISSUER, Auth, Issuer, KeyCache, Limits, SharedSecret
from bearerkit.errors import (
    AudienceMismatch,
    ClaimInvalid,
    Expired,
    IssuerMismatch,
    KeyNotFound,
    KeysUnavailable,
    Malformed,
    SignatureInvalid,
    TokenInvalid,
)
from bearerkit.jose.base64url import encode
from bearerkit.jose.key_set import parse_jwks
from bearerkit.testing import FrozenClock, SigningKey
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.jwt import JwtVerifier
from bearerkit.verify.key_source import Snapshot
from bearerkit.verify.resolver import Resolvers
from bearerkit.verify.routing import Entry

KEY = SigningKey.generate("ES256", kid="k1")
OTHER = SigningKey.generate("ES256", kid="k2")
RSA = SigningKey.generate("RS256", kid="r1")
TID_A = "aaaaaaaa-0000-0000-0000-000000000000"
TID_B = "bbbbbbbb-0000-0000-0000-000000000000"
LOGIN = "https://login.example.test/{tid}/v2.0"


def remote(**settings: Any) -> Issuer:
    return Issuer(ISSUER, **{"audience": "api", "jwks_uri": JWKS_URL, **settings})


def static(name: Any = ISSUER, **settings: Any) -> Issuer:
    return Issuer(name, **{"audience": "api", "keys": jwks(KEY), **settings})


def serving(*keys: SigningKey, **members: Any) -> Web:
    web = Web()
    web[JWKS_URL] = jwks(*(keys or (KEY,)), **members)
    return web


class NoThreads:
    """No thread is to be had, so a refresh ahead of time runs inline, where the test can see it."""

    def start(self, work: Any) -> bool:
        return False


def refusal(where: Auth, text: Any) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as caught:
        where.verify(text)
    return caught.value


# Order


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "opaque"),
        ("a.b.c", "malformed"),
        (token(KEY, {"alg": "HS256"}), "algorithm_not_allowed"),
        (token(KEY, {"alg": "none"}), "malformed"),
        (token(KEY, {"alg": "None"}) + "AAAA", "algorithm_not_allowed"),
        (token(KEY, {"typ": "dpop+jwt"}), "typ_not_accepted"),
        (token(KEY, iss="https://evil.example"), "issuer_mismatch"),
        (token(KEY, iss=...), "issuer_mismatch"),
        (token(KEY, exp=NOW - 31), "expired"),
        (token(KEY, exp=...), "exp_missing"),
        (token(KEY, nbf=NOW + 31), "not_yet_valid"),
        (token(KEY, aud="other"), "audience_mismatch"),
        (token(KEY, {"typ": "JWT"}, nonce="n"), "claim_forbidden"),
        (token(KEY, token_use="refresh"), "wrong_token_type"),
        (token(KEY, sub=...), "sub_missing"),
        (token(KEY, sub=""), "sub_missing"),
    ],
)
def test_what_can_be_refused_without_a_key_costs_no_fetch(text, reason):
    """Cold, with the issuer down: a refusal and not an outage, and nobody is asked."""
    web = serving()
    web[JWKS_URL] = DOWN
    assert refusal(auth(remote(), web=web), text).reason == reason
    assert web.urls == []


def test_the_signature_comes_before_the_claims_when_the_key_is_at_hand():
    """A forger learns nothing about the claims: whatever they say, the signature is the reason."""
    where = auth(static())
    forged = token(SigningKey("ES256", OTHER.private, kid="k1"), exp=NOW - 1000, aud="other")
    assert isinstance(refusal(where, forged), SignatureInvalid)
    assert isinstance(refusal(where, token(KEY, exp=NOW - 1000, aud="other")), Expired)
    assert isinstance(refusal(where, token(KEY, aud="other")), AudienceMismatch)


def test_claims_are_judged_again_after_the_fetch():
    """The token expires while the keys are on their way: refused, since only then is it accepted."""
    clock, web = FrozenClock(NOW), serving()
    plain = web.fetch

    async def slow(fetch: Any) -> Any:
        clock.advance(600)
        return await plain(fetch)

    web.fetch = slow  # type: ignore[method-assign]
    assert isinstance(refusal(auth(remote(), web=web, clock=clock), token(KEY)), Expired)


@pytest.mark.parametrize(
    "text", [None, b"a.b.c", 5, ["a.b.c"], "", " ", "é.b.c", "\ud800.b.c", "a.b.c\n", "x" * 1_000_000]
)
def test_anything_that_is_no_token_is_malformed(text):
    """Never a TypeError, whatever a framework hands over, and with or without keys."""
    for where in (auth(static()), auth(remote())):
        assert isinstance(refusal(where, text), Malformed)


# Keys


def test_one_fetch_serves_everybody():
    """The second token of the same key costs nothing; so does a bad signature by a known kid."""
    web = serving()
    where = auth(remote(), web=web)
    where.verify(token(KEY))
    where.verify(token(KEY, sub="u2"))
    for _ in range(20):
        forged = token(SigningKey("ES256", OTHER.private, kid="k1"), sub="admin")
        assert isinstance(refusal(where, forged), SignatureInvalid)
    assert web.urls == [JWKS_URL]


def test_unknown_kids_cost_one_fetch_per_cooldown_and_are_never_an_outage():
    """Attack 100: with a fresh set an invented kid is a 401, also while the issuer is down."""
    clock, web = FrozenClock(NOW), serving()
    where = auth(remote(), web=web, clock=clock)
    where.verify(token(KEY))
    for number in range(50):
        assert isinstance(refusal(where, token(KEY, {"kid": f"x{number}"})), KeyNotFound)
    assert len(web.asked) == 2
    web[JWKS_URL] = DOWN
    clock.advance(31)
    for number in range(50):
        assert isinstance(refusal(where, token(KEY, {"kid": f"y{number}"})), KeyNotFound)
    assert len(web.asked) == 3
    where.verify(token(KEY, exp=NOW + 900))


def test_no_keys_and_no_issuer_is_an_outage():
    """503, with a hint of when to come back, and it ends when the issuer does answer."""
    clock, web = FrozenClock(NOW), Web()
    web[JWKS_URL] = DOWN
    where = auth(remote(), web=web, clock=clock)
    with pytest.raises(KeysUnavailable) as caught:
        where.verify(token(KEY))
    assert caught.value.retry_after >= 1
    web[JWKS_URL] = jwks(KEY)
    clock.advance(60)
    assert where.verify(token(KEY)).subject == "u1"


def test_a_removed_key_stops_verifying():
    """Attack 108: a remembered verdict goes with the key that signed it, and stays while its key stays."""
    clock, web = FrozenClock(NOW), serving(KEY, OTHER)
    where = auth(remote(), web=web, clock=clock, threads=NoThreads())
    long = NOW + 5_000
    gone, kept = token(KEY, exp=long), token(OTHER, exp=long)
    first = where.verify(kept)
    where.verify(gone)
    web[JWKS_URL] = jwks(OTHER)
    clock.advance(481)
    assert where.verify(kept) is first
    assert len(web.asked) == 2
    assert where.verify(kept) is first
    assert isinstance(refusal(where, gone), KeyNotFound)


def test_the_kid_of_another_issuer_is_of_no_use():
    """Attack 44: keys belong to their issuer."""
    other = "https://other.example.test"
    where = auth(static(), static(other, keys=jwks(OTHER)))
    assert isinstance(refusal(where, token(OTHER)), KeyNotFound)
    assert isinstance(refusal(where, token(SigningKey("ES256", OTHER.private, kid="k1"))), SignatureInvalid)
    assert where.verify(token(OTHER, iss=other)).issuer == other


def test_a_key_that_names_its_issuer_signs_for_that_one_only():
    """Microsoft Entra: one key set, many issuers."""
    members = jwks(KEY, issuer="https://login.example.test/{tenantid}/v2.0")
    elsewhere = auth(static(keys=members))
    assert refusal(elsewhere, token(KEY)).reason == "key_issuer_mismatch"
    nameless = auth(static(NO_ISSUER, keys=members))
    assert refusal(nameless, token(KEY, iss=...)).reason == "key_issuer_mismatch"
    there = f"https://login.example.test/{TID_A}/v2.0"
    assert auth(static(there, keys=members)).verify(token(KEY, iss=there)).issuer == there


def test_no_kid_is_a_bounded_try():
    """Attack 45: one key, several keys, and so many that none is tried."""
    several = [SigningKey.generate("ES256", kid=f"s{number}") for number in range(5)]
    assert auth(static()).verify(token(KEY, {"kid": ...}))
    assert auth(static(keys=jwks(*several[:4]))).verify(token(several[3], {"kid": ...}))
    assert isinstance(refusal(auth(static(keys=jwks(*several))), token(several[3], {"kid": ...})), KeyNotFound)


def test_an_empty_key_set_refuses_every_token():
    """`keys={"keys": []}` is valid, and it is no outage."""
    assert isinstance(refusal(auth(static(keys={"keys": []})), token(KEY)), KeyNotFound)


def test_the_header_cache_changes_no_verdict():
    """A header that passed once is not parsed again, and still means the same for another payload and signature."""
    where = auth(static(), token_cache=0)
    for number in range(3):
        assert where.verify(token(KEY, sub=f"u{number}")).subject == f"u{number}"
        assert isinstance(refusal(where, token(SigningKey("ES256", OTHER.private, kid="k1"))), SignatureInvalid)
        assert isinstance(refusal(where, token(KEY, exp=NOW - 99)), Expired)


# A verdict beside the set its key came from


class Swapping:
    """A key source whose set is swapped by another thread between two looks at it."""

    def __init__(self) -> None:
        self.old = parse_jwks(jwks(KEY))
        self.new = parse_jwks(jwks(OTHER))
        self.snapshot: Snapshot | None = Snapshot(self.old, 1e9)

    def ready(self, kid: str | None, alg: str, now: float) -> Any:
        assert self.snapshot is not None
        found = self.snapshot.keys.candidates(kid, alg)
        self.snapshot = Snapshot(self.new, 1e9)
        return found or None

    async def obtain(self, kid: str | None, alg: str, waits: Any) -> Any:
        raise KeyNotFound("removed")

    def still_good(self, key: Any, now: float) -> bool:
        assert self.snapshot is not None
        return key in self.snapshot.keys


class SwappingInObtain(Swapping):
    def ready(self, kid: str | None, alg: str, now: float) -> Any:
        return None

    async def obtain(self, kid: str | None, alg: str, waits: Any) -> Any:
        return super().ready(kid, alg, 0) or await super().obtain(kid, alg, waits)


@pytest.mark.parametrize("source", [Swapping(), SwappingInObtain()], ids=["ready", "obtain"])
def test_a_verdict_never_rests_on_a_set_without_its_key(source):
    """A refresh lands between looking up the key and remembering the verdict: the removed key must not live on."""
    settings = static()
    clock = FrozenClock(NOW)
    nobody = Resolvers((), enter=lambda issuer: Entry(issuer, source))
    verifier = JwtVerifier([Entry(settings, source)], nobody, clock=clock, cache_size=10, limits=Limits())
    text = token(KEY)
    _settle(verifier, text)
    with pytest.raises(KeyNotFound):
        _settle(verifier, text)


def _settle(verifier: JwtVerifier, text: str) -> Any:
    from bearerkit._drive import run
    from bearerkit.system import BlockingWaits

    return run(verifier.verify(text, BlockingWaits()))


# The verdict cache


def test_a_remembered_token_is_the_same_context_until_it_expires():
    """Shared between requests, gone on the second."""
    clock = FrozenClock(NOW)
    where = auth(static(), clock=clock)
    text = token(KEY)
    first = where.verify(text)
    clock.advance(329)
    assert where.verify(text) is first
    clock.advance(1)
    assert isinstance(refusal(where, text), Expired)


def test_a_clock_that_was_set_back_is_noticed():
    """Attack 114: a token that is not valid yet is refused although it was remembered."""
    clock = FrozenClock(NOW)
    where = auth(static(), clock=clock)
    text = token(KEY)
    where.verify(text)
    clock.jump(-31)
    assert refusal(where, text).reason == "not_yet_valid"
    clock.jump(31)
    assert where.verify(text)


def test_without_a_cache_every_call_verifies():
    """token_cache=0."""
    where = auth(static(), token_cache=0)
    text = token(KEY)
    assert where.verify(text) is not where.verify(text)


def test_bad_tokens_do_not_push_good_ones_out():
    """Attack 116: only verified tokens are remembered."""
    where = auth(static(), token_cache=1)
    text = token(KEY)
    first = where.verify(text)
    for number in range(5):
        refusal(where, token(SigningKey("ES256", OTHER.private, kid="k1"), sub=f"u{number}"))
    assert where.verify(text) is first


def test_two_tokens_with_one_payload_are_two_tokens():
    """Attack 112: the key of the cache is the whole token, signature included."""
    where = auth(static())
    good = token(KEY)
    where.verify(good)
    head, body, signature = good.split(".")
    for forged in (f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}.{'A' * 86}", good + "A", f"{head}.{body}."):
        assert isinstance(refusal(where, forged), TokenInvalid)


# Several entries for one issuer


def test_a_migration_from_a_shared_secret_to_public_keys():
    """Supabase: the algorithm tells the entries apart."""
    old = SigningKey("HS256", b"s" * 32)
    where = auth(static(keys=SharedSecret(b"s" * 32)), static())
    assert where.verify(token(old)).subject == "u1"
    assert where.verify(token(KEY)).subject == "u1"


def test_a_secret_entry_takes_no_public_key_as_its_secret():
    """Attack 6 with both entries side by side: HMAC keyed with the public PEM verifies nowhere."""
    where = auth(static(keys=SharedSecret(b"s" * 32)), static())
    assert isinstance(refusal(where, token(KEY, {"alg": "HS256"})), SignatureInvalid)


@pytest.mark.parametrize("first", [KEY, OTHER])
def test_entries_with_key_sets_of_their_own(first):
    """Entra B2C, WorkOS: same issuer, other keys. The entry that has the key accepts, cold or warm, in any order."""
    web = Web()
    web["https://a.example.test/k"], web["https://b.example.test/k"] = jwks(KEY), jwks(OTHER)
    where = auth(remote(jwks_uri="https://a.example.test/k"), remote(jwks_uri="https://b.example.test/k"), web=web)
    second = OTHER if first is KEY else KEY
    for key in (first, second, first):
        assert where.verify(token(key, sub=key.kid)).subject == key.kid


def test_the_audience_may_tell_entries_apart():
    """The first refuses, the second accepts; if none does, the first refusal is the answer."""
    where = auth(static(audience="one"), static(audience="two", subject="optional"))
    assert where.verify(token(KEY, aud="two"))
    assert isinstance(refusal(where, token(KEY, aud="three")), AudienceMismatch)
    assert isinstance(refusal(where, token(KEY, aud="one", sub=...)), ClaimInvalid)


@pytest.mark.parametrize("down_first", [True, False])
def test_an_outage_outweighs_a_refusal(down_first):
    """One entry refuses and the other cannot be asked: it might have been the one, so 503."""
    web = Web()
    web["https://a.example.test/k"] = DOWN
    lost = remote(jwks_uri="https://a.example.test/k")
    refusing = static(audience="other")
    where = auth(*((lost, refusing) if down_first else (refusing, lost)), web=web)
    with pytest.raises(KeysUnavailable):
        where.verify(token(KEY))


def test_an_outage_of_one_entry_does_not_stop_the_other():
    """The entry whose keys are there accepts."""
    web = Web()
    web["https://a.example.test/k"] = DOWN
    where = auth(remote(jwks_uri="https://a.example.test/k"), static(), web=web)
    assert where.verify(token(KEY)).subject == "u1"


# Templates and tenants


def multi(**settings: Any) -> Issuer:
    return static(LOGIN, **{"placeholders": {"tid": "uuid"}, "tenants": [TID_A], **settings})


def of_tenant(tid: Any, /, **changes: Any) -> str:
    return token(KEY, **{"iss": f"https://login.example.test/{tid}/v2.0", "tid": tid, **changes})


def test_an_allowed_tenant():
    """The context names it."""
    assert auth(multi()).verify(of_tenant(TID_A)).tenant_id == TID_A


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (of_tenant(TID_B), "tenant_not_allowed"),
        (of_tenant(TID_B, tenant_id=TID_A), "tenant_not_allowed"),
        (of_tenant(TID_B, org_id=TID_A, tenantId=TID_A), "tenant_not_allowed"),
        (of_tenant(TID_A, tid=TID_B), "issuer_mismatch"),
        (of_tenant(TID_A, tid=...), "issuer_mismatch"),
        (of_tenant(TID_A, tid=[TID_A]), "issuer_mismatch"),
        (of_tenant(TID_A, iss=LOGIN), "issuer_mismatch"),
        (of_tenant(f"x/../{TID_A}"), "issuer_mismatch"),
        (of_tenant(TID_A, iss=f"https://login.example.test.evil.example/{TID_A}/v2.0"), "issuer_mismatch"),
    ],
)
def test_another_tenant(text, reason):
    """Attack 83: signed by the same keys, and still not ours; no other claim can lend it a tenant."""
    assert refusal(auth(multi()), text).reason == reason


def test_with_any_tenant_the_context_still_names_the_one_in_the_issuer():
    """A tenant cannot pretend to be another by a claim of its own."""
    where = auth(multi(tenants=ANY))
    assert where.verify(of_tenant(TID_B, tenant_id=TID_A)).tenant_id == TID_B


def test_a_predicate_judges_tenants():
    """True and nothing else; one that breaks refuses and is not a server error."""

    def broken(tenant: str) -> bool:
        raise KeyError(tenant)

    assert auth(multi(tenants=lambda tenant: tenant == TID_B)).verify(of_tenant(TID_B))
    assert refusal(auth(multi(tenants=broken)), of_tenant(TID_A)).reason == "tenant_not_allowed"
    assert refusal(auth(multi(tenants=lambda tenant: "yes")), of_tenant(TID_A)).reason == "tenant_not_allowed"


def test_tenants_without_a_template():
    """An allow-list over the mapped tenant; a token that names none is refused."""
    where = auth(static(tenants=["acme"]))
    assert where.verify(token(KEY, org_id="acme")).tenant_id == "acme"
    assert refusal(where, token(KEY, org_id="other")).reason == "tenant_not_allowed"
    assert refusal(where, token(KEY)).reason == "tenant_not_allowed"


# Key URLs made from tokens


PER_KID = "https://keys.example.test/{kid}"


def per_kid(**settings: Any) -> Issuer:
    given = {"jwks_uri": PER_KID, "placeholders": {"kid": "word"}, "key_format": "pem-per-kid", **settings}
    return remote(**given)


def pem(key: SigningKey) -> bytes:
    return key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_per_kid():
    """AWS ALB: each kid has a URL, fetched once."""
    web = Web()
    web["https://keys.example.test/k1"], web["https://keys.example.test/k2"] = pem(KEY), pem(OTHER)
    where = auth(per_kid(), web=web)
    for key in (KEY, OTHER, KEY):
        assert where.verify(token(key, sub=key.kid)).subject == key.kid
    assert isinstance(refusal(where, token(SigningKey("ES256", OTHER.private, kid="k1"))), SignatureInvalid)
    assert web.urls == ["https://keys.example.test/k1", "https://keys.example.test/k2"]


def test_an_invented_kid_is_a_refusal_and_no_outage():
    """404 says that there is no such key; a stranger must not be able to make a 503."""
    web = Web()
    where = auth(per_kid(), web=web)
    assert isinstance(refusal(where, token(KEY, {"kid": "invented"})), KeyNotFound)
    assert isinstance(refusal(where, token(KEY, {"kid": "invented"})), KeyNotFound)
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "kid", ["../../etc/passwd", "a/b", "a?b", "a#b", "a@b", "a:b", "a%2fb", "", "x" * 129, "a\r\nb", "ä", "..", "."]
)
def test_a_kid_that_would_change_the_url_is_not_put_into_it(kid):
    """Attacks 40 to 42: refused before anything is fetched."""
    web = Web()
    assert isinstance(refusal(auth(per_kid(), web=web), token(KEY, {"kid": kid})), KeyNotFound)
    assert web.urls == []


def test_invented_kids_are_limited_and_known_ones_keep_working():
    """A flood of new URLs: a burst of 100, then five per second."""
    clock, web = FrozenClock(NOW), Web()
    web["https://keys.example.test/k1"] = pem(KEY)
    where = auth(per_kid(), web=web, clock=clock, token_cache=0)
    where.verify(token(KEY))
    for number in range(300):
        refusal(where, token(KEY, {"kid": f"x{number}"}))
    assert len(web.asked) == 100
    where.verify(token(KEY, sub="still"))
    clock.advance(3)
    for number in range(300, 600):
        refusal(where, token(KEY, {"kid": f"x{number}"}))
    assert len(web.asked) == 115


def test_claims_are_judged_before_a_key_url_is_made():
    """An expired token does not even cost a place in the pool."""
    web = Web()
    where = auth(per_kid(), web=web)
    for number in range(100):
        refusal(where, token(KEY, {"kid": f"x{number}"}, exp=NOW - 100))
    web["https://keys.example.test/k1"] = pem(KEY)
    where.verify(token(KEY))
    assert len(web.asked) == 1


def test_the_pool_of_key_urls_is_bounded(monkeypatch):
    """Old, unused URLs make room; the answer stays right."""
    from bearerkit.verify import key_pool

    monkeypatch.setattr(key_pool, "POOL_SIZE", 2)
    clock, web = FrozenClock(NOW), Web()
    web["https://keys.example.test/k1"] = pem(KEY)
    where = auth(per_kid(), web=web, clock=clock, token_cache=0)
    where.verify(token(KEY))
    for number in range(5):
        refusal(where, token(KEY, {"kid": f"x{number}"}))
    assert len(where.describe().splitlines()) == 2
    where.verify(token(KEY))
    assert web.urls.count("https://keys.example.test/k1") == 2


def test_a_key_url_with_a_host_from_the_token_is_untrusted():
    """A placeholder in the host decides where we connect to, so addresses are pinned and private ones refused."""
    web = Web()
    web["https://acme.ids.example.test/k"] = jwks(KEY)
    by_host = remote(jwks_uri="https://{zdn}.ids.example.test/k", placeholders={"zdn": "dns-label"})
    assert auth(by_host, web=web).verify(token(KEY, zdn="acme"))
    assert [fetch.untrusted for fetch in web.asked] == [True]
    by_path = Web()
    by_path["https://keys.example.test/k1"] = pem(KEY)
    auth(per_kid(), web=by_path).verify(token(KEY))
    assert [fetch.untrusted for fetch in by_path.asked] == [False]


def test_tenants_with_key_sets_of_their_own_do_not_share_keys():
    """SAP XSUAA: a key of tenant a does not verify a token that points to the keys of b."""
    web = Web()
    web["https://ids.example.test/a/k"], web["https://ids.example.test/b/k"] = jwks(KEY), jwks(OTHER)
    where = auth(remote(jwks_uri="https://ids.example.test/{zid}/k", placeholders={"zid": "word"}), web=web)
    assert where.verify(token(KEY, zid="a"))
    assert isinstance(refusal(where, token(KEY, zid="b")), KeyNotFound)


# until, padding, limits


def test_an_entry_ends():
    """On the second, also for a remembered token, and before any fetch."""
    clock = FrozenClock(NOW)
    where = auth(static(until=NOW + 60, audience_optional=True), clock=clock)
    text = token(KEY, aud=...)
    where.verify(text)
    clock.advance(59)
    where.verify(text)
    clock.advance(1)
    found = refusal(where, text)
    assert (type(found), found.reason) == (IssuerMismatch, "issuer_ended")
    web = serving()
    ended = auth(remote(until=NOW), web=web)
    assert refusal(ended, token(KEY)).reason == "issuer_ended"
    assert len(web.asked) == 0


def padded(text: str) -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in text.split("."))


def padded_token(key: SigningKey = KEY, **changes: Any) -> str:
    """A token of the AWS kind: padded parts, signed as they are."""
    import json

    from auth_doubles import claims

    parts = [json.dumps({"alg": key.alg, "kid": key.kid}).encode(), json.dumps(claims(**changes)).encode()]
    signing_input = ".".join(padded(encode(part)) for part in parts)
    return f"{signing_input}.{padded(encode(key.sign(signing_input.encode())))}"


def test_padding_is_accepted_where_it_was_asked_for():
    """AWS ALB; the signature is over the text as received, so padding added afterwards never verifies."""
    where = auth(static(padding=True))
    assert where.verify(padded_token()).subject == "u1"
    assert isinstance(refusal(where, padded(token(KEY))), SignatureInvalid)
    assert where.verify(token(KEY)).subject == "u1"


def test_padding_is_refused_everywhere_else():
    """Attack 48, also for an issuer beside one that allows it."""
    assert isinstance(refusal(auth(static()), padded_token()), Malformed)
    other = "https://other.example.test"
    both = auth(static(padding=True), static(other))
    assert both.verify(padded_token())
    assert isinstance(refusal(both, padded_token(iss=other)), Malformed)
    assert both.verify(token(KEY, iss=other))


def test_limits_of_the_selected_issuer_hold():
    """Parsing uses the loosest limits of all issuers, the issuer's own are applied before anything is believed."""
    other = "https://other.example.test"
    where = auth(
        static(limits=Limits(token=600, header=200, depth=3, integer_digits=12)),
        static(other, limits=Limits(token=50_000, header=5_000, depth=30)),
    )
    for changes, header in (
        ({"x": "y" * 400}, {}),
        ({}, {"x": "y" * 150}),
        ({"x": [[[[]]]]}, {}),
        ({"x": 10**12}, {}),
    ):
        assert isinstance(refusal(where, token(KEY, header, **changes)), Malformed), (changes, header)
        assert where.verify(token(KEY, header, iss=other, **changes))
    assert where.verify(token(KEY))


def test_a_token_longer_than_any_limit_is_not_even_hashed():
    """Attack 59: the length is looked at first."""
    found = refusal(auth(static()), "x" * 20_000_000)
    assert "limit" in found.detail


# Subject


@pytest.mark.parametrize(
    ("mapping", "changes", "subject"),
    [
        ({"subject": ["oid", "sub"]}, {"oid": "o1"}, "o1"),
        ({"subject": ["oid", "sub"]}, {"oid": ""}, None),
        ({"subject": {"claim": "sub", "strip_prefix": "auth0|"}}, {"sub": "auth0|7"}, "7"),
        ({"subject": {"claim": "sub", "strip_prefix": "auth0|"}}, {"sub": "google|7"}, None),
        ({"subject": "uid"}, {"uid": 5}, "5"),
        ({"subject": "uid"}, {"uid": True}, None),
    ],
)
def test_a_required_subject_is_the_mapped_one(mapping, changes, subject):
    """What `require` judges and what the context says never differ."""
    where = auth(static(claims=mapping))
    if subject is None:
        assert refusal(where, token(KEY, **changes)).reason == "sub_missing"
    else:
        assert where.verify(token(KEY, **changes)).subject == subject


def test_settings_without_wiring_are_enough():
    """The procedures know the settings only; the class that users type adds nothing they need."""
    assert issubclass(Issuer, IssuerSettings)
    assert KeyCache() == Issuer(ISSUER, audience="api").key_cache


def test_memberships_count_only_where_they_were_asked_for():
    """Where tenants are judged a token's own word about further ones counts only if `claims` names the claim."""
    text = token(KEY, tenant_id="acme", memberships=["globex"])
    spelled = {"claims": {"memberships": "memberships"}}
    assert auth(static(tenants=["acme"])).verify(text).memberships == ()
    assert auth(static(tenants=["acme"], **spelled)).verify(text).memberships == ("globex",)
    assert auth(static()).verify(text).memberships == ("globex",)
